"""What the API answers about people, and what it takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from postroom.model.access import (
    INSTALLATION,
    Block,
    Level,
    OwnRole,
    Principal,
    PrincipalKind,
    Reach,
    User,
    UserState,
)
from postroom.services.api.answers import ApiAnswer, Moment, Page
from postroom.services.people import Leaving, Wanted

Word = Annotated[str, Field(min_length=1, max_length=200)]
_Words = Annotated[tuple[Word, ...], Field(max_length=100)]


class UserShown(ApiAnswer):
    """A user, an invitation, or a machine; with the roles that lie in the caller's departments."""

    id: str
    kind: PrincipalKind
    state: UserState
    name: str
    address: str = Field(description="Verified by the issuer, or invited; empty where neither.")
    roles: Mapping[str, tuple[str, ...]] = Field(description="Names of roles by department; `*`: everywhere.")
    queues: Mapping[str, tuple[str, ...]] = Field(description="Languages by queue; none: any.")
    aliases: tuple[str, ...] = Field(description="As whom a machine may answer.")
    created: Moment
    last_seen: Moment | None
    version: int


class UserPage(Page):
    """Some of the users, by name."""

    items: tuple[UserShown, ...]


class RightShown(ApiAnswer):
    """One right, where it holds."""

    department: str = Field(description="`*`: everywhere.")
    block: Block
    level: Level
    reach: Reach
    role: str = Field(description="By which role.")


class RightsShown(ApiAnswer):
    """What a user may do."""

    user: str
    rights: tuple[RightShown, ...]


class MeShown(ApiAnswer):
    """Who the caller is, and what he may do."""

    user: UserShown
    rights: tuple[RightShown, ...]


class LeavingShown(ApiAnswer):
    """What a deactivation does, or has done."""

    user: UserShown
    cases: int = Field(description="In the user's hands.")
    to: str | None = Field(description="Whom they go to; none: back to their queues.")
    done: bool


class RightWritten(ApiAnswer):
    """One right of a role."""

    level: Level
    reach: Reach = Reach.ALL


class RoleShown(ApiAnswer):
    """A role."""

    name: str
    title: str
    built_in: bool
    rights: Mapping[str, RightWritten]
    groups: Mapping[str, str] = Field(description="Departments by group of a token that leads to the role.")
    version: int


class RoleList(ApiAnswer):
    """All roles."""

    items: tuple[RoleShown, ...]


class Request(BaseModel):
    """What all requests share: no field that is not known."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class UserWanted(Request):
    """Who is invited, by address or, a machine, by ARN, with at least one role."""

    address: Annotated[str | None, Field(max_length=320)] = None
    arn: Annotated[str | None, Field(max_length=400)] = None
    name: Word | None = None
    roles: Mapping[Word, _Words]
    queues: Mapping[Word, _Words] | None = None
    aliases: _Words | None = None

    def wanted(self) -> Wanted:
        """Return it as the service takes it."""
        return Wanted(self.name, self.roles, self.queues, self.aliases)


class UserPatch(Request):
    """What becomes of a user; what is left out stays."""

    name: Word | None = None
    roles: Mapping[Word, _Words | None] | None = Field(
        default=None, description="Merged by department; null takes the roles there."
    )
    queues: Mapping[Word, _Words | None] | None = Field(
        default=None, description="Merged by queue: the user joins with these languages; null: he leaves."
    )
    aliases: _Words | None = None

    def wanted(self, user: User) -> Wanted:
        """Merge it with what the user is (RFC 7396)."""
        return Wanted(
            self.name,
            None if self.roles is None else _merged(user.roles, self.roles),
            None if self.queues is None else _merged(user.queues, self.queues),
            self.aliases,
        )


class LeavingWanted(Request):
    """How a user leaves."""

    reassign: Word | None = Field(default=None, description="The user who gets the cases; none: back to their queues.")
    preview: bool = Field(default=False, description="Say what would be done, and do nothing.")


class RoleWanted(Request):
    """A role of one's own."""

    title: Word
    rights: Mapping[Word, RightWritten]
    groups: Mapping[Word, Word] = Field(default_factory=dict)

    def role(self, name: str) -> OwnRole:
        """Return it as the service takes it."""
        rights = {block: (right.level.value, right.reach.value) for block, right in self.rights.items()}
        return OwnRole(name, self.title, rights, self.groups)


class NewRole(RoleWanted):
    """A role of one's own that is new."""

    name: Word


def user_shown(user: User) -> UserShown:
    """Show a user."""
    return UserShown(
        id=user.id,
        kind=user.kind,
        state=user.state,
        name=user.name,
        address=user.address,
        roles=user.roles,
        queues=user.queues,
        aliases=tuple(sorted(user.aliases)),
        created=user.created,
        last_seen=user.last_seen,
        version=user.version,
    )


def rights_shown(principal: Principal) -> tuple[RightShown, ...]:
    """List the rights of a principal, by department, then in the order of the table."""
    return tuple(
        RightShown(department=where, block=block, level=right.level, reach=right.reach, role=role.name)
        for where in sorted(principal.roles, key=lambda one: (one != INSTALLATION, one))
        for role in principal.roles[where]
        for block, right in role.rights.items()
    )


def leaving_shown(leaving: Leaving) -> LeavingShown:
    """Show what a deactivation does."""
    return LeavingShown(user=user_shown(leaving.user), cases=leaving.cases, to=leaving.to, done=leaving.done)


def role_shown(role: OwnRole, *, built_in: bool) -> RoleShown:
    """Show a role."""
    rights = {
        block: RightWritten(level=Level(level), reach=Reach(reach)) for block, (level, reach) in role.rights.items()
    }
    return RoleShown(
        name=role.name, title=role.title, built_in=built_in, rights=rights, groups=role.groups, version=role.version
    )


def _merged(
    now: Mapping[str, tuple[str, ...]], patch: Mapping[str, tuple[str, ...] | None]
) -> dict[str, tuple[str, ...]]:
    merged = {**now, **patch}
    return {name: value for name, value in merged.items() if value is not None}
