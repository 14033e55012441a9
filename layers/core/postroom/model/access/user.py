"""People and machines that use the API, as the table knows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from postroom.mail.headers import address_key
from postroom.model import short_id
from postroom.model.access.principal import PrincipalKind


class UserState(StrEnum):
    """What a user may do at all."""

    INVITED = "invited"  # waits for the first sign-in of who owns the address
    ACTIVE = "active"
    DEACTIVATED = "deactivated"  # signs in, and may do nothing; work is released


@dataclass(frozen=True, slots=True)
class SignIn:
    """Who calls, as a token or a signature that AWS has checked says; nothing of it is a right."""

    issuer: str
    subject: str
    name: str
    kind: PrincipalKind
    address: str = ""  # lower case; empty unless the issuer has verified it
    groups: frozenset[str] = frozenset()

    @property
    def user(self) -> str:
        """Return the id of the user that this is."""
        return user_id(self.issuer, self.subject)


@dataclass(frozen=True, slots=True)
class User:
    """One user: who signs in as it, and what roles it has where.

    `queues`: by queue that it is a member of, the languages it answers in (none: any).
    """

    id: str
    issuer: str
    subject: str
    kind: PrincipalKind
    name: str
    state: UserState
    created: datetime
    address: str = ""
    roles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    queues: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    aliases: frozenset[str] = frozenset()
    last_seen: datetime | None = None
    version: int = 0


INVITATION = "invitation"
"""In place of an issuer: of an invitation, whose subject is the address."""


def user_id(issuer: str, subject: str) -> str:
    """Derive a user's id from what an OpenID provider calls it (`iss`, `sub`), or AWS (`aws`, the ARN)."""
    return short_id("user", issuer, subject)


def invitation_id(address: str) -> str:
    """Derive the id of the invitation of an address."""
    return user_id(INVITATION, address_key(address))


@dataclass(frozen=True, slots=True)
class OwnRole:
    """A role that an installation has defined, or what it says of a built-in one.

    `rights`: level and reach by block, none of a built-in role. `groups`: departments by group of a token (the claim
    `cognito:groups` or `groups`): who signs in for the first time in such a group gets the role there.
    """

    name: str
    title: str
    rights: Mapping[str, tuple[str, str]]
    groups: Mapping[str, str] = field(default_factory=dict)
    version: int = 0
