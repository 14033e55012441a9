"""Users, roles, and what the API remembers of its callers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from postroom.model.access import OwnRole, User


class Users(Protocol):
    """Users and invitations."""

    def get(self, user: str) -> User | None:
        """Read one, as of now."""
        ...

    def put(self, user: User, *, replaces: User | None = None) -> bool:
        """Write a user whose version is one more than that of `replaces` (none: it is new); False if it moved.

        `replaces` of another id: it goes in the same write, as an invitation does that was accepted.
        """
        ...

    def page(self, *, after: str = "", most: int = 100) -> tuple[Sequence[User], str]:
        """List users by name, and the place of the last (empty at the end)."""
        ...


class Roles(Protocol):
    """Roles that the installation has defined, and the groups that lead to roles."""

    def all(self) -> Sequence[OwnRole]:
        """Read all of them, by name."""
        ...

    def put(self, role: OwnRole) -> bool:
        """Write a role whose version is one more than the stored one's; False if that moved."""
        ...

    def remove(self, role: OwnRole) -> bool:
        """Remove a role as it was read; False if it moved."""
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
