"""What the HTTP API answers."""

from typing import TYPE_CHECKING

from postroom.room import lazily

if TYPE_CHECKING:
    from postroom.services.api import problems
    from postroom.services.api.answers import (
        InteractionHistory,
        InteractionRow,
        InteractionWithBody,
        MailboxPage,
        MailboxShown,
        OutboundRow,
        OutboundShown,
        ProblemDetails,
        ReplyRequest,
        ReplyTaken,
        Service,
    )
    from postroom.services.api.mailboxes import MOST_MAILBOXES
    from postroom.services.api.query_objects import Queries, queries
    from postroom.services.api.requests import caller, check_readable
else:
    __getattr__ = lazily(
        __name__,
        {
            "answers": [
                "InteractionHistory",
                "InteractionRow",
                "InteractionWithBody",
                "MailboxPage",
                "MailboxShown",
                "OutboundRow",
                "OutboundShown",
                "ProblemDetails",
                "ReplyRequest",
                "ReplyTaken",
                "Service",
            ],
            "mailboxes": ["MOST_MAILBOXES"],
            "query_objects": ["Queries", "queries"],
            "requests": ["caller", "check_readable"],
        },
    )

__all__ = [
    "MOST_MAILBOXES",
    "InteractionHistory",
    "InteractionRow",
    "InteractionWithBody",
    "MailboxPage",
    "MailboxShown",
    "OutboundRow",
    "OutboundShown",
    "ProblemDetails",
    "Queries",
    "ReplyRequest",
    "ReplyTaken",
    "Service",
    "caller",
    "check_readable",
    "problems",
    "queries",
]
