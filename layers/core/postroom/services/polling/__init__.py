"""Looking at mailboxes, and fetching what is new."""

from typing import TYPE_CHECKING

from postroom.room import lazily

if TYPE_CHECKING:
    from postroom.services.polling.look import Summary, poll
    from postroom.services.polling.outcome import Polling
    from postroom.services.polling.plan_polls import schedule
else:
    __getattr__ = lazily(
        __name__,
        {
            "look": ["Summary", "poll"],
            "outcome": ["Polling"],
            "plan_polls": ["schedule"],
        },
    )

__all__ = [
    "Polling",
    "Summary",
    "poll",
    "schedule",
]
