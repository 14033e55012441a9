"""Which rights a change of the configuration needs, object by object."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from postroom.model.access import INSTALLATION, Block, Level, Principal, Scope
from postroom.model.configuration import SETTINGS, Change, Configuration
from postroom.rules.access import require
from postroom.services.administration.command_rules import NOUNS
from postroom.services.configuration import find_object

BLOCKS: Mapping[str, Block] = {
    SETTINGS: Block.SETTINGS,
    "departments": Block.DEPARTMENTS,
    "queues": Block.QUEUES,
    "endpoints": Block.ALIASES,
    "mailboxes": Block.MAILBOXES,
    "aliases": Block.ALIASES,
    "outbound_servers": Block.ALIASES,
    "templates": Block.ALIASES,
    "delivery_exceptions": Block.POLICIES,
    "blocked_extensions": Block.POLICIES,
    "masking_patterns": Block.POLICIES,
    "oauth_applications": Block.MAILBOXES,
    "accounts": Block.MAILBOXES,
    "calendars": Block.DEPARTMENTS,
    "service_levels": Block.DEPARTMENTS,
    "workflows": Block.WORKFLOWS,
}
"""In which block of rights the objects of each section are."""

_OF_EVERYBODY = frozenset(
    {"delivery_exceptions", "blocked_extensions", "masking_patterns", "calendars", "service_levels", "workflows"}
)
"""Sections in which an object without a department holds everywhere: those are the installation's."""


def scope_of(configuration: Configuration, section: str, found: Any) -> Scope:
    """Return where an object belongs: a department, or the installation."""
    default = configuration.settings.default_department
    if section == "departments":
        return Scope(department=found.name)
    if section == "endpoints":
        queue = find_object(configuration, "queues", found.queue)
        return Scope(department=(queue.department if queue else None) or default)
    if "department" not in type(found).model_fields:
        return Scope(department=INSTALLATION)
    if found.department is None:
        return Scope(department=INSTALLATION if section in _OF_EVERYBODY else default)
    return Scope(department=found.department)


def noun_of(section: str) -> str:
    """Say what was looked for in a section, where it is not there or not for whoever asks."""
    return "section" if section == SETTINGS else NOUNS[section]


def authorise(principal: Principal, change: Change, old: Configuration, new: Configuration) -> None:
    """Raise NotFound or Forbidden for a change that holds what the principal may not do; nothing of it is done then.

    To change an object is `modify`, to add or remove one `manage`; one that goes to another department is taken out
    of one and added to the other.
    """
    for edit in change.edits:
        before = find_object(old, edit.section, edit.name)
        for scope, level in _needed(edit.section, before, edit.after, old, new):
            block = BLOCKS[edit.section]
            require(principal, scope, (block, Level.VIEW), (block, level), on=edit.object, noun=noun_of(edit.section))


def _needed(
    section: str, before: Any, after: Any, old: Configuration, new: Configuration
) -> Iterator[tuple[Scope, Level]]:
    there = None if before is None else scope_of(old, section, before)
    here = None if after is None else scope_of(new, section, after)
    if there is not None and here == there:
        yield there, Level.MANAGE if _diverts(section, before, after) else Level.MODIFY
        return
    for scope in (there, here):
        if scope is not None:
            yield scope, Level.MANAGE


def _diverts(section: str, before: Any, after: Any) -> bool:
    """Tell whether a change of an alias sends its mail to somebody else: `send_mail_to` stands for every recipient."""
    return section == "aliases" and before.send_mail_to != after.send_mail_to
