"""The first administrator: appointed by who sets the installation up, since nobody is there who could."""

from __future__ import annotations

from datetime import datetime

from postroom.errors import Conflict
from postroom.model.access import (
    INSTALLATION,
    AuditAction,
    Principal,
    PrincipalKind,
    SignIn,
    User,
    UserState,
)
from postroom.ports import Users, Written
from postroom.rules.access import BuiltIn
from postroom.services.people.audit import entry


def appoint_administrator(sign_in: SignIn, *, users: Users, now: datetime) -> User:
    """Make who signs in like this a partition administrator; who is one already stays it."""
    stored = users.get(sign_in.user)
    if stored is not None:
        return stored
    user = User(
        id=sign_in.user,
        issuer=sign_in.issuer,
        subject=sign_in.subject,
        kind=sign_in.kind,
        name=sign_in.name,
        state=UserState.ACTIVE,
        created=now,
        address=sign_in.address,
        roles={INSTALLATION: (BuiltIn.PARTITION_ADMINISTRATOR.value,)},
        version=1,
    )
    told = entry(
        Principal("operator", "who set the installation up", PrincipalKind.SYSTEM),
        AuditAction.USER_INVITED,
        f"user/{user.id}",
        now=now,
        after={"name": user.name, "roles": {INSTALLATION: [BuiltIn.PARTITION_ADMINISTRATOR.value]}},
        client="set-up",
    )
    if users.put(user, replaces=None, entry=told) is not Written.DONE:
        raise Conflict("Somebody else was appointed at the same moment", on=sign_in.name)
    return user
