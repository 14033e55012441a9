"""What a command comes to: the edits of objects, from the configuration in force. Nothing here reads or writes."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from postroom.errors import Invalid, Moved, MovedObject, NotFound, Problem
from postroom.model.configuration import (
    SETTINGS,
    Change,
    Configuration,
    Edit,
    Mailbox,
    Settings,
    object_version,
    reference,
    split_mailbox,
)
from postroom.services.administration.commands import (
    SWITCHES,
    Add,
    Apply,
    Command,
    Convert,
    Modify,
    Remove,
    Rename,
    Replace,
    Revert,
    RollBack,
    Switch,
)
from postroom.services.configuration import (
    LIST_SECTIONS,
    edits_between,
    find_object,
    format_path,
    order_of,
    validate,
)
from postroom.services.mailboxes import account_of, convert_to_account

SECTIONS: Mapping[str, type[BaseModel]] = {SETTINGS: Settings, **LIST_SECTIONS}
"""Every section of the configuration with the model of its objects."""

NOUNS: Mapping[str, str] = {
    SETTINGS: "settings",
    "departments": "department",
    "queues": "queue",
    "endpoints": "endpoint",
    "mailboxes": "mailbox",
    "aliases": "alias",
    "outbound_servers": "outbound server",
    "templates": "template",
    "delivery_exceptions": "delivery exception",
    "blocked_extensions": "blocked extension",
    "masking_patterns": "masking pattern",
    "oauth_applications": "OAuth application",
    "accounts": "e-mail account",
    "calendars": "calendar",
    "service_levels": "service level",
    "workflows": "workflow",
}
"""What an object of each section is called in sentences."""


def decide(
    command: Command, configuration: Configuration, *, who: str, expected: str | None = None, why: str = ""
) -> Change:
    """Return the change that a command comes to; one without edits when everything is so already.

    `expected`: the version of the one object that its author saw; without it, he means whatever is there. Raises
    Invalid, NotFound, or Moved when the object is not that version any more.
    """
    if expected is not None and (about := _about(command)) is not None:
        check_expected(configuration, *about, expected, wanted=_given(command))
    match command:
        case Add(section, given):
            after = _added(configuration, command)
            return _edits(configuration, section, {str(given.get("name", "")): after}, who, why)
        case Replace(section, name, given):
            return _edits(configuration, section, {name: _replaced(configuration, command)}, who, why)
        case Modify(section, names, _values):
            changed = {name: _modified(configuration, command, name) for name in names}
            return _edits(configuration, section, changed, who, why)
        case Switch(section, names, _on):
            switched = {name: _switched(configuration, command, name) for name in names}
            return _edits(configuration, section, switched, who, why)
        case Remove(section, names):
            for name in names:
                existing_object(configuration, section, name)
            if section == SETTINGS:
                raise Invalid([Problem(SETTINGS, "cannot be removed.", "Change the options that are to be others.")])
            return _edits(configuration, section, dict.fromkeys(names), who, why)
        case Convert(name, account, shared):
            conversion = convert_to_account.convert(configuration, name, account=account, shared=shared)
            return _whole(configuration, conversion.configuration, who, why or conversion.note, account=account)
        case Revert(name):
            conversion = convert_to_account.revert(configuration, name)
            return _whole(configuration, conversion.configuration, who, why or conversion.note)
        case Rename(name, new_name):
            new = _with_another_name(configuration, name, new_name)
            return _whole(configuration, new, who, why or f"mailbox {name} renamed to {new_name}")
        case Apply(new, base):
            return _whole(base, new, who, why)
        case RollBack(version, earlier, objects):
            return _rolled_back(configuration, version, earlier, objects, who, why)


def check_expected(
    configuration: Configuration, section: str, name: str, expected: str, *, wanted: Mapping[str, Any] | None
) -> None:
    """Raise Moved, with both values, when an object is not the version that somebody saw."""
    found = find_object(configuration, _section(section), name)
    now = object_version(found)
    if now != expected:
        current = None if found is None else found.model_dump(mode="json", exclude_defaults=True)
        raise Moved([MovedObject(reference(section, name), now, current, wanted)])


def existing_object(configuration: Configuration, section: str, name: str) -> Any:
    """Find an object; raises NotFound, which proposes no other: its name may not be for whoever asks."""
    found = find_object(configuration, _section(section), name)
    if found is None:
        raise NotFound(f"There is no such {NOUNS[section]}", on=name, remedy=f"`{_lister(section)}` shows them.")
    return found


def _lister(section: str) -> str:
    return "postroom mailbox list" if section == "mailboxes" else f"postroom object list {section}"


def _section(section: str) -> str:
    if section not in SECTIONS:
        close = difflib.get_close_matches(section, list(SECTIONS), n=1, cutoff=0.6)
        remedy = f"Did you mean `{close[0]}`?" if close else f"Name one of: {', '.join(SECTIONS)}."
        raise NotFound("There is no such section of the configuration", on=section, remedy=remedy)
    return section


def _about(command: Command) -> tuple[str, str] | None:
    """Return the one object that a command is about; None for several, or for one that is not there yet."""
    match command:
        case Replace(section, name, _):
            return section, name
        case Modify(section, (name,), _) | Switch(section, (name,), _) | Remove(section, (name,)):
            return section, name
        case Convert(name=name) | Revert(name=name) | Rename(name=name):
            return "mailboxes", name
    return None


def _given(command: Command) -> Mapping[str, Any] | None:
    match command:
        case Modify(values=given) | Replace(given=given):
            return given
        case Switch(section, _names, on):
            return {SWITCHES.get(section, "active"): on}
    return None


def _edits(
    configuration: Configuration, section: str, wanted: Mapping[str, BaseModel | None], who: str, why: str
) -> Change:
    edits, told = [], []
    for name, after in wanted.items():
        before = find_object(configuration, section, name)
        if before != after:
            edits.append(Edit(section, name, object_version(before), after))
            told.append(_why(section, name, before, after))
    return Change(tuple(edits), who, why or "; ".join(told))


def _why(section: str, name: str, before: BaseModel | None, after: BaseModel | None) -> str:
    """Say what an act on one object was, for the history, where its author says nothing."""
    noun = NOUNS[section]
    if before is None:
        return f"{noun} {name} added"
    if after is None:
        return f"{noun} {name} removed"
    switch = SWITCHES.get(section, "")
    if switch and before.model_copy(update={switch: getattr(after, switch)}) == after:
        words = ("disabled", "enabled") if switch == "enabled" else ("deactivated", "activated")
        return f"{noun} {name} {words[getattr(after, switch)]}"
    return f"{noun} {name} changed".replace("settings  ", "settings ")


def _whole(old: Configuration, new: Configuration, who: str, why: str, *, account: str = "") -> Change:
    """Return what makes `new` of `old`; a mailbox that goes under an account rests on that and its application."""
    rests_on: dict[tuple[str, str], str | None] = {}
    if found := old.account(account):
        rests_on["accounts", account] = object_version(found)
        rests_on["oauth_applications", found.application] = object_version(old.application(found.application))
    return Change(edits_between(old, new), who, why, rests_on, order_of(old, new))


def _with_another_name(configuration: Configuration, name: str, new_name: str) -> Configuration:
    old: Mailbox = existing_object(configuration, "mailboxes", name)
    if new_name != name:
        _check_is_free(configuration, "mailboxes", new_name)
    first = None if old.identity == new_name else old.identity
    given = old.model_dump(mode="json", exclude_defaults=True)
    renamed = _valid("mailboxes", merged(given, {"name": new_name, "renamed_from": first}))
    mailboxes = tuple(renamed if found.name == name else found for found in configuration.mailboxes)
    return configuration.model_copy(update={"mailboxes": mailboxes})


def _rolled_back(
    configuration: Configuration, version: int, earlier: Configuration, objects: tuple[str, ...], who: str, why: str
) -> Change:
    if not objects:
        edits = edits_between(configuration, earlier)
        return Change(edits, who, why or f"back to version {version}", {}, order_of(configuration, earlier))
    wanted = {_named(one) for one in objects}
    wanted |= set(_under_other_names(configuration, earlier, wanted))
    for section, name in wanted:
        if find_object(configuration, section, name) is None and find_object(earlier, section, name) is None:
            raise NotFound(
                f"There is no such {NOUNS[section]} now, and there was none in version {version}",
                on=reference(section, name),
                remedy="`postroom config history --object SECTION/NAME` lists the versions that changed an object.",
            )
    edits = edits_between(configuration, earlier, wanted=lambda section, name: (section, name) in wanted)
    return Change(edits, who, why or f"{', '.join(objects)} back to version {version}")


def _under_other_names(
    configuration: Configuration, earlier: Configuration, wanted: set[tuple[str, str]]
) -> Iterator[tuple[str, str]]:
    """List the other names of mailboxes that were renamed in between: one without the other would be a removal."""
    names = {name for section, name in wanted if section == "mailboxes"}
    every = (*configuration.mailboxes, *earlier.mailboxes)
    identities = {mailbox.identity for mailbox in every if mailbox.name in names}
    for mailbox in every:
        if mailbox.identity in identities:
            yield "mailboxes", mailbox.name


def _named(text: str) -> tuple[str, str]:
    """Read `mailboxes/support`; names may hold a slash, sections do not."""
    section, slash, name = text.partition("/")
    if bool(slash) is (section == SETTINGS) or (slash and not name):
        raise Invalid([Problem("object", "is no object.", "Write SECTION/NAME, as mailboxes/support, or settings.")])
    return _section(section), name


def _added(configuration: Configuration, command: Add) -> BaseModel:
    given, section = dict(command.given), _section(command.section)
    if section == SETTINGS:
        raise Invalid([Problem(SETTINGS, "are there already.", "Change those of their options that are to be others.")])
    _check_is_free(configuration, section, given.get("name"))
    if section == "mailboxes":
        given = _under_its_account(configuration, given)
    added = _valid(section, given)
    if isinstance(added, Mailbox) and added.enabled:
        raise Invalid(
            [Problem("enabled", "cannot be set yet: a mailbox is added disabled.", "Test it, then enable it.")]
        )
    return added


def _check_is_free(configuration: Configuration, section: str, name: Any) -> None:
    if isinstance(name, str) and name and find_object(configuration, section, name) is not None:
        noun = NOUNS[section]
        article = "an" if noun[0] in "aeiouO" else "a"
        raise Invalid([Problem("name", f"there is {article} {noun} `{name}` already.", "Choose another name.")])


def _under_its_account(configuration: Configuration, given: dict[str, Any]) -> dict[str, Any]:
    """Fill in what the account of a new mailbox decides; raises Invalid when it does not belong to it."""
    account, address = given.get("account"), given.get("address")
    if not isinstance(account, str) or not isinstance(address, str) or not account:
        return given
    shared = given.get("shared_mailbox") in (True, "true", "yes")
    found = account_of(configuration, account, address=split_mailbox(address).address, shared=shared)
    return {"type": found.server_type.mailbox_type.value} | given


def _replaced(configuration: Configuration, command: Replace) -> BaseModel:
    section, name, given = command.section, command.name, command.given
    known = {**given, "name": name} if _section(section) != SETTINGS else given
    _check_name(section, name, given)
    if find_object(configuration, section, name) is None:
        return _added(configuration, Add(section, known))
    return _valid(section, known)


def _modified(configuration: Configuration, command: Modify, name: str) -> BaseModel:
    _check_name(_section(command.section), name, command.values)
    found = existing_object(configuration, command.section, name)
    given = merged(found.model_dump(mode="json", exclude_defaults=True), command.values)
    return _valid(command.section, given)


def merged(given: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Apply a merge patch (RFC 7396 §2); a reference to a secret is one value, and replaced whole."""
    result = dict(given)
    for option, value in values.items():
        before = result.get(option)
        if value is None:
            result.pop(option, None)
        elif isinstance(value, Mapping) and isinstance(before, Mapping) and not _is_reference(before):
            result[option] = merged(before, value)
        else:
            result[option] = value
    return result


def _is_reference(value: Mapping[str, Any]) -> bool:
    return bool(value.keys() & {"secret", "secretsmanager"})


def _check_name(section: str, name: str, given: Mapping[str, Any]) -> None:
    """Refuse another name than the object has."""
    if section != SETTINGS and given.get("name", name) != name:
        remedy = f"Add {NOUNS[section]} of the new name, and take the old one out of use."
        if section == "mailboxes":
            remedy = f"Rename it: `postroom mailbox rename {name} {given['name']}`."
            raise Invalid([Problem("name", "is not changed like other options.", remedy)])
        raise Invalid([Problem("name", "cannot be changed: others name it, and histories go by it.", remedy)])


def _switched(configuration: Configuration, command: Switch, name: str) -> BaseModel:
    found: BaseModel = existing_object(configuration, command.section, name)
    option = SWITCHES.get(command.section)
    if option is None:
        switchable = ", ".join(SWITCHES)
        raise Invalid([Problem(command.section, "cannot be switched.", f"These can: {switchable}.")])
    given = merged(found.model_dump(mode="json", exclude_defaults=True), {option: command.on})
    return _valid(command.section, given)


def _valid(section: str, given: Mapping[str, Any]) -> BaseModel:
    result = validate(SECTIONS[section], given)
    if result.findings or result.value is None:
        raise Invalid(list(_problems(result.findings)))
    return result.value


def _problems(findings: Any) -> Iterator[Problem]:
    for found in findings:
        yield Problem(format_path(found.path) or "(object)", found.problem, found.remedy)
