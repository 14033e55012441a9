"""Who asks and what roles allow: principals, blocks and levels of rights."""

from typing import TYPE_CHECKING

from postroom.room import lazily

if TYPE_CHECKING:
    from postroom.model.access.principal import INSTALLATION, Principal, PrincipalKind, Scope
    from postroom.model.access.rights import Block, Level, Reach, Right, Role
    from postroom.model.access.user import OwnRole, SignIn, User, UserState
else:
    __getattr__ = lazily(
        __name__,
        {
            "principal": ["INSTALLATION", "Principal", "PrincipalKind", "Scope"],
            "rights": ["Block", "Level", "Reach", "Right", "Role"],
            "user": ["OwnRole", "SignIn", "User", "UserState"],
        },
    )

__all__ = [
    "INSTALLATION",
    "Block",
    "Level",
    "OwnRole",
    "Principal",
    "PrincipalKind",
    "Reach",
    "Right",
    "Role",
    "Scope",
    "SignIn",
    "User",
    "UserState",
]
