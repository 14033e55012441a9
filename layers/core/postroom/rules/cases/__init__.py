"""The life of a case: what may happen to it in which state, and what becomes of it. Pure."""

from typing import TYPE_CHECKING

from postroom.room import lazily

if TYPE_CHECKING:
    from postroom.rules.cases import effects, triggers
    from postroom.rules.cases.limits import MOST_NOTE
    from postroom.rules.cases.merging import split_off
    from postroom.rules.cases.states import TABLE, begins_anew, change
else:
    __getattr__ = lazily(
        __name__,
        {
            "limits": ["MOST_NOTE"],
            "merging": ["split_off"],
            "states": ["TABLE", "begins_anew", "change"],
        },
    )

__all__ = [
    "MOST_NOTE",
    "TABLE",
    "begins_anew",
    "change",
    "effects",
    "split_off",
    "triggers",
]
