"""Who asks and what roles allow: principals, blocks and levels of rights."""

from typing import TYPE_CHECKING

from postroom.room import lazily

if TYPE_CHECKING:
    from postroom.model.access.audit import AuditAction, AuditEntry
    from postroom.model.access.principal import INSTALLATION, Principal, PrincipalKind, Scope
    from postroom.model.access.rights import Block, Level, Reach, Right, Role
    from postroom.model.access.user import INVITATION, OwnRole, SignIn, User, UserState, invitation_id, user_id
else:
    __getattr__ = lazily(
        __name__,
        {
            "audit": ["AuditAction", "AuditEntry"],
            "principal": ["INSTALLATION", "Principal", "PrincipalKind", "Scope"],
            "rights": ["Block", "Level", "Reach", "Right", "Role"],
            "user": ["INVITATION", "OwnRole", "SignIn", "User", "UserState", "invitation_id", "user_id"],
        },
    )

__all__ = [
    "INSTALLATION",
    "INVITATION",
    "AuditAction",
    "AuditEntry",
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
    "invitation_id",
    "user_id",
]
