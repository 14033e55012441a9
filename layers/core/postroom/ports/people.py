"""Users, roles, and what the API remembers of its callers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from postroom.model.access import AuditEntry, OwnRole, User


class Written(StrEnum):
    """What came of writing a user."""

    DONE = "done"
    MOVED = "moved"  # somebody else has written it meanwhile
    LAST_ADMINISTRATOR = "last_administrator"  # nobody would be left who may do everything


class Users(Protocol):
    """Users and invitations."""

    def get(self, user: str) -> User | None:
        """Read one, as of now."""
        ...

    def put(self, user: User, *, replaces: User | None, entry: AuditEntry) -> Written:
        """Write a user, and the audit entry that tells of it, in one.

        `replaces` is what was read before (none: it must not be there yet). If it has another id, it goes, as an
        invitation does that was accepted.
        """
        ...

    def has_administrator(self) -> bool:
        """Tell whether there is an active partition administrator."""
        ...

    def remove(self, user: User, *, entry: AuditEntry) -> Written:
        """Remove a user as it was read."""
        ...

    def page(self, *, after: str = "", most: int = 100) -> tuple[Sequence[User], str]:
        """List users by name, and the place of the last (empty at the end)."""
        ...


class Roles(Protocol):
    """Roles that the installation has defined, and the groups that lead to roles."""

    def all(self) -> Sequence[OwnRole]:
        """Read all of them, by name."""
        ...

    def put(self, role: OwnRole, *, entry: AuditEntry) -> bool:
        """Write a role whose version is one more than the stored one's; False if that moved."""
        ...

    def remove(self, role: OwnRole, *, entry: AuditEntry) -> bool:
        """Remove a role as it was read; False if it moved."""
        ...


class HeldWork(Protocol):
    """What a user works on: what has to go on with somebody else when he leaves."""

    def count(self, user: str) -> int:
        """Count the cases in the user's hands."""
        ...

    def release(self, user: str, *, to: str | None, who: str, now: datetime) -> int:
        """Give them back to their queues, or to another user; how many."""
        ...


@dataclass(frozen=True, slots=True)
class Kept:
    """The answer to a request, kept for who repeats it."""

    fingerprint: str  # of method, path and body
    answer: str | None  # JSON; none while the request is being answered


@dataclass(frozen=True, slots=True)
class Taken:
    """So many tokens were taken from a caller's bucket, so many are left there."""

    got: int
    left: int


class RequestMemory(Protocol):
    """What the API remembers between requests."""

    def key(self) -> bytes:
        """Return the key that signs cursors; made at the first call, the same for all functions."""
        ...

    def begin(self, request: str, *, fingerprint: str, now: datetime, held_until: datetime) -> Kept | None:
        """Note that a request is being answered; what was noted before it, unless that was given up."""
        ...

    def finish(self, request: str, *, answer: str, fingerprint: str, until: datetime) -> None:
        """Keep the answer."""
        ...

    def give_up(self, request: str, *, fingerprint: str, now: datetime) -> None:
        """Let the same request be made again: nothing has come of it."""
        ...

    def take(self, caller: str, *, wanted: int, per_second: float, burst: int, now: datetime) -> Taken:
        """Take up to so many tokens from a caller's bucket, which fills by the second up to `burst`."""
        ...
