"""The history of one object through all versions, and what a roll-back would take out."""

from __future__ import annotations

from collections.abc import Iterator

from postroom.model.configuration import Configuration, ObjectChange, RecordedChange, reference
from postroom.ports import ConfigurationHistory
from postroom.services.administration.commands import RollBack


def history_of(of: str, *, store: ConfigurationHistory) -> Iterator[tuple[int, RecordedChange]]:
    """Yield what became of an object (`mailboxes/support`, `settings`), newest first, each with its version.

    Only the lists of versions that name it are read, and of those that name too many to say. Versions from before
    such lists were kept tell nothing. A mailbox that was renamed is followed under its earlier name.
    """
    for version in store.history():
        if of in version.objects or (version.objects and not version.complete):
            for one in reversed(store.changes(version.version)):
                if one.change.object == of:
                    yield version.version, one
                    of = _before(one.change)


def _before(change: ObjectChange) -> str:
    """Return what the object was called before a change."""
    earlier = next((field.before for field in change.fields if field.field == "name"), None)
    return reference(change.section, earlier or change.name)


def enabled_and_gone(configuration: Configuration, command: RollBack) -> tuple[str, ...]:
    """Name the enabled mailboxes that a roll-back would take out: they are to be disabled first (D04)."""
    kept = {mailbox.identity for mailbox in command.earlier.mailboxes}
    return tuple(
        mailbox.name
        for mailbox in configuration.mailboxes
        if mailbox.enabled
        and mailbox.identity not in kept
        and (not command.objects or f"mailboxes/{mailbox.name}" in command.objects)
    )
