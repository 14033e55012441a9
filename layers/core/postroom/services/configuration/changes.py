"""What another configuration would change: every object with its fields, and what must not go (X11)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from postroom.errors import Invalid, Problem
from postroom.mail.headers import address_key
from postroom.model.configuration import (
    SETTINGS,
    Alias,
    ChangeKind,
    Configuration,
    FieldChange,
    Mailbox,
    ObjectChange,
)
from postroom.ports import ConfigurationVersions
from postroom.services.configuration import checks, identities
from postroom.services.configuration.checks import NAMED_SECTIONS, REFERENCES, Finding
from postroom.services.configuration.sections import format_path


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that applying would change, and what deserves attention in the result."""

    changes: tuple[ObjectChange, ...]
    warnings: tuple[Problem, ...] = ()

    @property
    def empty(self) -> bool:
        """Tell whether nothing would change."""
        return not self.changes

    @property
    def tally(self) -> str:
        """Say how much would change: `3 to add, 1 to change, 0 to remove`."""
        kinds = Counter(change.kind for change in self.changes)
        return (
            f"{kinds[ChangeKind.ADDED]} to add, {kinds[ChangeKind.CHANGED]} to change, "
            f"{kinds[ChangeKind.REMOVED]} to remove"
        )


def plan(old: Configuration, new: Configuration) -> Plan:
    """Compare two configurations; raises Invalid, naming all problems and everything that is still in use."""
    check(old, new)
    warnings = tuple(_problem(finding) for finding in checks.warnings(new))
    return Plan(changes_between(old, new), (*warnings, *identities.warnings(old, new)))


def check(old: Configuration, new: Configuration) -> None:
    """Raise Invalid for a configuration that is wrong as a whole, or that takes out of `old` what is in use.

    Objects that both hold, the very same ones, were checked by themselves when they were put in force.
    """
    problems = [_problem(finding) for finding in checks.problems(new, since=old)]
    problems += [*deletion_guards(old, new), *identities.guards(old, new)]
    if problems:
        raise Invalid(problems)


def _problem(finding: Finding) -> Problem:
    return Problem(format_path(finding.path), finding.problem, finding.remedy)


def changes_between(old: Configuration, new: Configuration) -> tuple[ObjectChange, ...]:
    """List what becomes of each object that differs."""
    return tuple(_changes(old, new))


def _changes(old: Configuration, new: Configuration) -> Iterator[ObjectChange]:
    settings = fields_between(old.settings, new.settings)
    if settings:
        yield ObjectChange(ChangeKind.CHANGED, SETTINGS, "", settings)
    for section in NAMED_SECTIONS:
        if getattr(old, section) is getattr(new, section):
            continue
        before = {found.name: found for found in getattr(old, section)}
        after = {found.name: found for found in getattr(new, section)}
        was = identities.named_before(old, new) if section == "mailboxes" else before
        for name, found in after.items():
            if name not in was:
                yield ObjectChange(ChangeKind.ADDED, section, name, fields_between(None, found))
            elif fields := fields_between(was[name], found):
                yield ObjectChange(ChangeKind.CHANGED, section, name, fields)
        kept = {was[name].name for name in after if name in was}
        for name, gone in before.items():
            if name not in kept:
                yield ObjectChange(ChangeKind.REMOVED, section, name, fields_between(gone, None))


def fields_between(before: BaseModel | None, after: BaseModel | None) -> tuple[FieldChange, ...]:
    """List the options in which two versions of an object differ; None: there is no object."""
    model = type(before if after is None else after)
    if before is after or not issubclass(model, BaseModel):
        return ()
    # Secrets cannot show: an object holds their names only.
    was = _written(before)
    now = _written(after)
    return tuple(
        FieldChange(field, was.get(field), now.get(field))
        for field in model.model_fields
        if was.get(field) != now.get(field) and (field != "name" or (before is not None and after is not None))
    )


def _written(found: BaseModel | None) -> dict[str, Any]:
    return found.model_dump(mode="json", exclude_defaults=True) if found is not None else {}


def deletion_guards(old: Configuration, new: Configuration) -> Iterator[Problem]:
    """Name what forbids removing the objects that are gone in `new` (C04, C06, C10, D04)."""
    for section in NAMED_SECTIONS:
        if getattr(old, section) is getattr(new, section):
            continue
        kept = {found.name for found in getattr(new, section)}
        if section == "mailboxes":
            # What is renamed, or named as that, is not removed: whether it keeps its identity is asked separately.
            kept |= {mailbox.name for mailbox in identities.named_before(old, new).values()}
            kept |= {mailbox.renamed_from for mailbox in new.mailboxes}
        for found in getattr(old, section):
            if found.name not in kept:
                yield from _guard(section, found, old, new)


def _guard(section: str, gone: Any, old: Configuration, new: Configuration) -> Iterator[Problem]:
    path = f"{section}[name={gone.name}]"
    users = [*users_of(new, section, gone.name)]
    if users:
        yield Problem(path, f"cannot be removed: it is used by {', '.join(users)}.", "Change or remove those first.")
    if section == "mailboxes":
        yield from _mailbox_guard(path, gone, old, new)
    if section == "aliases":
        yield from _alias_guard(path, gone, old, new)


def _mailbox_guard(path: str, gone: Mailbox, old: Configuration, new: Configuration) -> Iterator[Problem]:
    if gone.enabled:
        successor = identities.successor_of(gone, old, new)
        remedy = "Disable it first, and remove it afterwards."
        if successor is not None:
            remedy += f" If `{successor.name}` is its new name, write `renamed_from: {gone.identity}` there."
        yield Problem(path, "cannot be removed: it is enabled.", remedy)
    for alias in new.aliases:
        if alias.default and alias.active and address_key(alias.bare_address) == address_key(gone.bare_address):
            department = alias.department or new.settings.default_department
            yield Problem(
                path,
                f"cannot be removed: `{alias.name}`, the default alias of the department `{department}`, has its "
                "address, and nobody would fetch the answers.",
                "Make another alias the default first.",
            )


def _alias_guard(path: str, gone: Alias, old: Configuration, new: Configuration) -> Iterator[Problem]:
    department = gone.department or old.settings.default_department
    successor = any(
        alias.default and (alias.department or new.settings.default_department) == department for alias in new.aliases
    )
    if gone.default and gone.active and not successor:
        yield Problem(
            path,
            f"cannot be removed: it is the default alias of the department `{department}`.",
            "Make another alias the default, or take `default` from it first.",
        )
    for mailbox in new.mailboxes:
        if mailbox.enabled and address_key(mailbox.bare_address) == address_key(gone.bare_address):
            yield Problem(
                path,
                f"cannot be removed: the enabled mailbox `{mailbox.name}` retrieves its mail.",
                "Disable the mailbox first.",
            )


def users_of(configuration: Configuration, section: str, name: str) -> Iterator[str]:
    """List what names an object, as `account support`."""
    for reference in REFERENCES:
        if reference.target == section:
            for found in getattr(configuration, reference.section):
                if getattr(found, reference.field) == name:
                    yield f"{_singular(reference.section)} `{found.name}`"


def _singular(section: str) -> str:
    words = section.replace("_", " ").replace("oauth", "OAuth")
    if words.endswith(("sses", "xes")):
        return words[:-2]
    if words.endswith("ies"):
        return f"{words[:-3]}y"
    return words.removesuffix("s")


def load(store: ConfigurationVersions, version: int) -> Configuration:
    """Load a version; 0 is the empty configuration before the first."""
    return store.load(version) if version else Configuration()
