"""Who asks: the user of a sign-in, with the rights that the table knows, read at most a minute ago."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from postroom.model.access import Block, Level, OwnRole, Principal, Reach, Right, Role, SignIn, User, UserState
from postroom.ports import Clock, Roles, Users
from postroom.rules.access import BUILT_IN

CACHED = timedelta(seconds=30)
"""A right that was taken away is gone within a minute, also where a request waits on its way."""

_MOST = 5_000  # users that one process remembers


@dataclass(frozen=True, slots=True)
class Principals:
    """Reads users and roles; a sign-in that the table does not know has no rights."""

    users: Users
    roles: Roles
    clock: Clock
    _known: dict[str, tuple[datetime, Principal]] = field(default_factory=dict)
    _roles: dict[str, tuple[datetime, Mapping[str, Role]]] = field(default_factory=dict)

    def of(self, sign_in: SignIn) -> Principal:
        """Return the principal of a sign-in."""
        now = self.clock()
        read, known = self._known.get(sign_in.user, (None, None))
        if read is None or known is None or now - read > CACHED:
            if len(self._known) >= _MOST:
                self._known.clear()
            known = principal(sign_in, self.users.get(sign_in.user), self._defined(now))
            self._known[sign_in.user] = (now, known)
        return known

    def forget(self, user: str) -> None:
        """Read a user anew: it was changed here."""
        self._known.pop(user, None)

    def _defined(self, now: datetime) -> Mapping[str, Role]:
        read, roles = self._roles.get("", (None, {}))
        if read is None or now - read > CACHED:
            roles = defined(self.roles.all())
            self._roles[""] = (now, roles)
        return roles


def defined(own: Iterable[OwnRole]) -> dict[str, Role]:
    """Return all roles by name, the built-in ones and the installation's own."""
    found: dict[str, Role] = {name.value: role for name, role in BUILT_IN.items()}
    for one in own:
        if one.name not in found:
            rights = {Block(block): Right(Level(level), Reach(reach)) for block, (level, reach) in one.rights.items()}
            found[one.name] = Role(one.name, one.title, rights)
    return found


def principal(sign_in: SignIn, user: User | None, roles: Mapping[str, Role]) -> Principal:
    """Make the principal of a sign-in and its user; none, or one that is not active, has no rights."""
    if user is None or user.state is not UserState.ACTIVE:
        return Principal(sign_in.user, sign_in.name, sign_in.kind, address=sign_in.address)
    return principal_of_user(user, roles)


def principal_of_user(user: User, roles: Mapping[str, Role]) -> Principal:
    """Make the principal that a user is while active; roles that are not defined any more give nothing."""
    held = {where: tuple(roles[name] for name in names if name in roles) for where, names in user.roles.items()}
    return Principal(
        user.id,
        user.name,
        user.kind,
        {where: some for where, some in held.items() if some},
        queues=frozenset(user.queues),
        aliases=user.aliases,
        address=user.address,
    )
