"""Who may do what: the table of roles, and the one question that is asked of it."""

from typing import TYPE_CHECKING

from postroom.room import lazily

if TYPE_CHECKING:
    from postroom.rules.access.grants import lacking
    from postroom.rules.access.judge import (
        Filter,
        Verdict,
        forbidden,
        may,
        may_somewhere,
        operator,
        require,
        require_somewhere,
        visible,
    )
    from postroom.rules.access.roles import BUILT_IN, SHARED, BuiltIn, least_role
    from postroom.rules.access.scopes import scope_of_mailbox, scope_of_queue
else:
    __getattr__ = lazily(
        __name__,
        {
            "grants": ["lacking"],
            "judge": [
                "Filter",
                "Verdict",
                "forbidden",
                "may",
                "may_somewhere",
                "operator",
                "require",
                "require_somewhere",
                "visible",
            ],
            "roles": ["BUILT_IN", "BuiltIn", "SHARED", "least_role"],
            "scopes": ["scope_of_mailbox", "scope_of_queue"],
        },
    )

__all__ = [
    "BUILT_IN",
    "SHARED",
    "BuiltIn",
    "Filter",
    "Verdict",
    "forbidden",
    "lacking",
    "least_role",
    "may",
    "may_somewhere",
    "operator",
    "require",
    "require_somewhere",
    "scope_of_mailbox",
    "scope_of_queue",
    "visible",
]
