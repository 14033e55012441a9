"""Users, roles, and what the API remembers of its callers, in the one table."""

from typing import TYPE_CHECKING

from postroom.room import lazily

if TYPE_CHECKING:
    from postroom.adapters.dynamo.access.audit import DynamoAudit
    from postroom.adapters.dynamo.access.requests import DynamoRequestMemory
    from postroom.adapters.dynamo.access.users import DynamoRoles, DynamoUsers
else:
    __getattr__ = lazily(
        __name__,
        {
            "audit": ["DynamoAudit"],
            "requests": ["DynamoRequestMemory"],
            "users": ["DynamoRoles", "DynamoUsers"],
        },
    )

__all__ = [
    "DynamoAudit",
    "DynamoRequestMemory",
    "DynamoRoles",
    "DynamoUsers",
]
