"""Commands: every act of administration on the configuration, as a value.

The command line, the API and the importers make them; `decide` says what each comes to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from postroom.model.configuration import Configuration


@dataclass(frozen=True, slots=True)
class Add:
    """Add an object; `given` as in a configuration file, with its name."""

    section: str
    given: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Modify:
    """Change options of objects, as a merge patch (RFC 7396): None takes an option back to its default."""

    section: str
    names: tuple[str, ...]
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Replace:
    """Give an object all of its options anew; one that is not there is added."""

    section: str
    name: str
    given: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Switch:
    """Enable or disable mailboxes, activate or deactivate aliases, queues or accounts."""

    section: str
    names: tuple[str, ...]
    on: bool


@dataclass(frozen=True, slots=True)
class Remove:
    """Remove objects that nothing uses."""

    section: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Convert:
    """Let an e-mail account open a mailbox instead of its password (C08)."""

    name: str
    account: str
    shared: bool = False


@dataclass(frozen=True, slots=True)
class Revert:
    """Take a mailbox out of its account: a converted one has its own login again, a new one is removed (C08)."""

    name: str


@dataclass(frozen=True, slots=True)
class Rename:
    """Give a mailbox another name; what is stored of it stays with it."""

    name: str
    new_name: str


@dataclass(frozen=True, slots=True)
class Apply:
    """Make the configuration what a file says; `base` is what its author saw, and compared it with."""

    configuration: Configuration
    base: Configuration


@dataclass(frozen=True, slots=True)
class RollBack:
    """Return to an earlier configuration, or return some `objects` (`mailboxes/support`) to what they were in it."""

    version: int
    earlier: Configuration
    objects: tuple[str, ...] = ()


Command = Add | Modify | Replace | Switch | Remove | Convert | Revert | Rename | Apply | RollBack

SWITCHES: Mapping[str, str] = {
    "mailboxes": "enabled",
    "workflows": "enabled",
    "aliases": "active",
    "queues": "active",
    "accounts": "active",
}
"""The option of each section that `Switch` sets."""
