"""Change the configuration: plan what a new one changes, guard what must not go, apply it whole or not at all (X11)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel

from postroom.errors import Conflict, Invalid, Problem
from postroom.mail.headers import address_key
from postroom.model.configuration import Alias, Configuration, Mailbox
from postroom.ports import ConfigurationVersions
from postroom.services.configuration import checks, identities
from postroom.services.configuration.checks import NAMED_SECTIONS, REFERENCES, Finding
from postroom.services.configuration.yaml_tree import format_path


class ChangeKind(StrEnum):
    """What becomes of an object."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One option of an object: before and after, as written in a file; None where it is left at its default."""

    field: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of one object; settings are the one object of their section, without a name."""

    kind: ChangeKind
    section: str
    name: str
    fields: tuple[FieldChange, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that applying would change, and what deserves attention in the result."""

    changes: tuple[Change, ...]
    warnings: tuple[Problem, ...] = ()

    @property
    def empty(self) -> bool:
        """Tell whether nothing would change."""
        return not self.changes


def plan(old: Configuration, new: Configuration) -> Plan:
    """Compare two configurations; raises Invalid, naming all problems and everything that is still in use."""
    problems = [_problem(finding) for finding in checks.problems(new)]
    problems += [*deletion_guards(old, new), *identities.guards(old, new)]
    if problems:
        raise Invalid(problems)
    warnings = tuple(_problem(finding) for finding in checks.warnings(new))
    return Plan(tuple(_changes(old, new)), (*warnings, *identities.warnings(old, new)))


def _problem(finding: Finding) -> Problem:
    return Problem(format_path(finding.path), finding.problem, finding.remedy)


def _changes(old: Configuration, new: Configuration) -> Iterator[Change]:
    settings = _fields(old.settings, new.settings)
    if settings:
        yield Change(ChangeKind.CHANGED, "settings", "", settings)
    for section in NAMED_SECTIONS:
        before = {found.name: found for found in getattr(old, section)}
        after = {found.name: found for found in getattr(new, section)}
        was = identities.named_before(old, new) if section == "mailboxes" else before
        for name, found in after.items():
            if name not in was:
                yield Change(ChangeKind.ADDED, section, name, _fields(None, found))
            elif fields := _fields(was[name], found):
                yield Change(ChangeKind.CHANGED, section, name, fields)
        kept = {was[name].name for name in after if name in was}
        for name in before:
            if name not in kept:
                yield Change(ChangeKind.REMOVED, section, name)


def _fields(before: BaseModel | None, after: BaseModel) -> tuple[FieldChange, ...]:
    # Secrets cannot show: an object holds their names only.
    was = before.model_dump(mode="json", exclude_defaults=True) if before is not None else {}
    now = after.model_dump(mode="json", exclude_defaults=True)
    return tuple(
        FieldChange(field, was.get(field), now.get(field))
        for field in type(after).model_fields
        if was.get(field) != now.get(field) and (field != "name" or before is not None)
    )


def deletion_guards(old: Configuration, new: Configuration) -> Iterator[Problem]:
    """Name what forbids removing the objects that are gone in `new` (C04, C06, C10, D04)."""
    for section in NAMED_SECTIONS:
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


def apply(
    store: ConfigurationVersions,
    configuration: Configuration,
    *,
    expected_version: int,
    author: str,
    note: str = "",
    now: datetime,
    old: Configuration | None = None,
) -> int:
    """Put a configuration in force and return its version; `old`: what is in force, where it was loaded already.

    Raises Invalid for a configuration that is wrong or removes what is in use, Conflict when somebody was faster.
    """
    if store.version() != expected_version:
        raise Conflict(
            f"the configuration is at version {store.version()}, the plan was made for {expected_version}",
            remedy="Look at the new plan and apply again.",
        )
    plan(load(store, expected_version) if old is None else old, configuration)
    return store.put(configuration, expected_version=expected_version, author=author, note=note, now=now)


def load(store: ConfigurationVersions, version: int) -> Configuration:
    """Load a version; 0 is the empty configuration before the first."""
    return store.load(version) if version else Configuration()


def changed_object(objects: Sequence[Any], name: str, update: dict[str, Any]) -> tuple[Any, ...]:
    """Return the objects with one of them replaced by a validated copy with other values."""
    return tuple(
        type(found).model_validate({**found.model_dump(exclude_unset=True), **update}) if found.name == name else found
        for found in objects
    )
