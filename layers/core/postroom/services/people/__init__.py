"""Users, roles and sign-in."""

from typing import TYPE_CHECKING

from postroom.room import lazily

if TYPE_CHECKING:
    from postroom.services.people.audit import entry
    from postroom.services.people.audit_log import AuditLog, Period
    from postroom.services.people.first import appoint_administrator
    from postroom.services.people.principals import Principals, principal_of_user
    from postroom.services.people.roles import RoleBook
    from postroom.services.people.users import Leaving, People, Wanted
else:
    __getattr__ = lazily(
        __name__,
        {
            "audit": ["entry"],
            "audit_log": ["AuditLog", "Period"],
            "first": ["appoint_administrator"],
            "principals": ["Principals", "principal_of_user"],
            "roles": ["RoleBook"],
            "users": ["Leaving", "People", "Wanted"],
        },
    )

__all__ = [
    "AuditLog",
    "Leaving",
    "People",
    "Period",
    "Principals",
    "RoleBook",
    "Wanted",
    "appoint_administrator",
    "entry",
    "principal_of_user",
]
