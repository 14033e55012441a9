"""What happened to a mail, and why."""

from typing import TYPE_CHECKING

from postroom.room import lazily

if TYPE_CHECKING:
    from postroom.services.why import unfetched
    from postroom.services.why.ask import Why
else:
    __getattr__ = lazily(
        __name__,
        {
            "ask": ["Why"],
        },
    )

__all__ = [
    "Why",
    "unfetched",
]
