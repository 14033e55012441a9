"""Looking at mailboxes, and fetching what is new."""

from typing import TYPE_CHECKING

from postroom.room import lazily

if TYPE_CHECKING:
    from postroom.services.polling.look import Summary, poll
    from postroom.services.polling.outcome import Polling
    from postroom.services.polling.plan_polls import schedule, scheduled_time
else:
    __getattr__ = lazily(
        __name__,
        {
            "look": ["Summary", "poll"],
            "outcome": ["Polling"],
            "plan_polls": ["schedule", "scheduled_time"],
        },
    )

__all__ = [
    "Polling",
    "Summary",
    "poll",
    "schedule",
    "scheduled_time",
]
