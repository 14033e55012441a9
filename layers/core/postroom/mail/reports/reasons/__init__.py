"""Why a delivery failed: the words of servers, and what they mean."""

from typing import TYPE_CHECKING

from postroom.room import lazily

if TYPE_CHECKING:
    from postroom.mail.reports.reasons.classify import reason_for, status_for
    from postroom.mail.reports.reasons.vocabulary import NO_FAILURE, Command, Failure, Reason, is_permanent
else:
    __getattr__ = lazily(
        __name__,
        {
            "classify": ["reason_for", "status_for"],
            "vocabulary": ["Command", "Failure", "NO_FAILURE", "Reason", "is_permanent"],
        },
    )

__all__ = [
    "NO_FAILURE",
    "Command",
    "Failure",
    "Reason",
    "is_permanent",
    "reason_for",
    "status_for",
]
