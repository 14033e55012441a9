"""Who may do what: the table of roles, and the one question that is asked of it."""

from typing import TYPE_CHECKING

from postroom.room import lazily

if TYPE_CHECKING:
    from postroom.rules.access.judge import (
        Filter,
        Verdict,
        forbidden,
        may,
        may_somewhere,
        require,
        require_somewhere,
        visible,
    )
    from postroom.rules.access.roles import BUILT_IN, SHARED, BuiltIn
else:
    __getattr__ = lazily(
        __name__,
        {
            "judge": [
                "Filter",
                "Verdict",
                "forbidden",
                "may",
                "may_somewhere",
                "require",
                "require_somewhere",
                "visible",
            ],
            "roles": ["BUILT_IN", "BuiltIn", "SHARED"],
        },
    )

__all__ = [
    "BUILT_IN",
    "SHARED",
    "BuiltIn",
    "Filter",
    "Verdict",
    "forbidden",
    "may",
    "may_somewhere",
    "require",
    "require_somewhere",
    "visible",
]
