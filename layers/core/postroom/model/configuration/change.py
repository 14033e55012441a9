"""Changes of the configuration: the edits of objects that an act comes to, and what a version's list keeps of them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel

SETTINGS = "settings"
"""The section of the one object without a name."""


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
class ObjectChange:
    """What becomes of one object; settings are the one object of their section, without a name."""

    kind: ChangeKind
    section: str
    name: str
    fields: tuple[FieldChange, ...] = ()

    @property
    def object(self) -> str:
        """Return the object as people and machines name it: `mailboxes/support`, `settings`."""
        return reference(self.section, self.name)


@dataclass(frozen=True, slots=True)
class RecordedChange:
    """An entry of a version's list of changes: what became of an object, who did it, when and why."""

    change: ObjectChange
    who: str
    at: datetime
    why: str


@dataclass(frozen=True, slots=True)
class Edit:
    """What one object is to be, and the version of it that this was made from; None: there is none (any more)."""

    section: str
    name: str
    expected: str | None
    after: BaseModel | None

    @property
    def object(self) -> str:
        """Return the object as people and machines name it."""
        return reference(self.section, self.name)


@dataclass(frozen=True, slots=True)
class Change:
    """One act on the configuration: its edits, and the versions of what it rests on and does not touch.

    `order`: the names of a section in the order that is wanted, where it is another than edits alone would give.
    """

    edits: tuple[Edit, ...]
    who: str
    why: str
    rests_on: Mapping[tuple[str, str], str | None] = field(default_factory=dict)
    order: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def reference(section: str, name: str) -> str:
    """Name an object in one word: `mailboxes/support`; the settings have no name."""
    return f"{section}/{name}" if name else section


def object_version(found: BaseModel | None) -> str | None:
    """Return the version of an object, made from its content; None for one that is not there.

    An object that was changed and changed back has its first version again: who saw it then sees the same now.
    """
    if found is None:
        return None
    return hashlib.sha256(found.model_dump_json(exclude_defaults=True).encode()).hexdigest()[:20]


@dataclass(frozen=True, slots=True)
class WaitingChange:
    """A change that waits to be published with others."""

    id: str
    change: Change
