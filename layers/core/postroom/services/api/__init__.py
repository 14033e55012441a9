"""What the HTTP API answers."""

from typing import TYPE_CHECKING

from postroom.room import lazily

if TYPE_CHECKING:
    from postroom.services.api import problems
    from postroom.services.api.answers import (
        ApiAnswer,
        FileRequest,
        InteractionHistory,
        InteractionRow,
        InteractionWithBody,
        MailboxCosts,
        MailboxPage,
        MailboxProblems,
        MailboxShown,
        OutboundRow,
        OutboundShown,
        ProblemDetails,
        ReplyRequest,
        ReplyTaken,
        Service,
    )
    from postroom.services.api.configuration import (
        ChangeDone,
        ConfigurationDesk,
        ConfiguredObject,
        ConfiguredObjects,
        OptionExplained,
        Recorded,
        VersionPage,
        WholeConfiguration,
    )
    from postroom.services.api.interactions import InteractionQueries, Replies
    from postroom.services.api.mailboxes import MOST_MAILBOXES, MailboxQueries
    from postroom.services.api.outbox import OutboxQueries
    from postroom.services.api.problems import UnreadableRequest
    from postroom.services.api.query_objects import Administration, Desk, Queries, queries
    from postroom.services.api.requests import check_readable
else:
    __getattr__ = lazily(
        __name__,
        {
            "answers": [
                "ApiAnswer",
                "InteractionHistory",
                "InteractionRow",
                "InteractionWithBody",
                "MailboxCosts",
                "MailboxPage",
                "MailboxProblems",
                "MailboxShown",
                "OutboundRow",
                "OutboundShown",
                "ProblemDetails",
                "FileRequest",
                "ReplyRequest",
                "ReplyTaken",
                "Service",
            ],
            "configuration": [
                "ChangeDone",
                "ConfigurationDesk",
                "ConfiguredObject",
                "ConfiguredObjects",
                "OptionExplained",
                "Recorded",
                "VersionPage",
                "WholeConfiguration",
            ],
            "interactions": ["InteractionQueries", "Replies"],
            "mailboxes": ["MOST_MAILBOXES", "MailboxQueries"],
            "outbox": ["OutboxQueries"],
            "problems": ["UnreadableRequest"],
            "query_objects": ["Administration", "Desk", "Queries", "queries"],
            "requests": ["check_readable"],
        },
    )

__all__ = [
    "MOST_MAILBOXES",
    "Administration",
    "ApiAnswer",
    "ChangeDone",
    "ConfigurationDesk",
    "ConfiguredObject",
    "ConfiguredObjects",
    "Desk",
    "FileRequest",
    "InteractionHistory",
    "InteractionQueries",
    "InteractionRow",
    "InteractionWithBody",
    "MailboxCosts",
    "MailboxPage",
    "MailboxProblems",
    "MailboxQueries",
    "MailboxShown",
    "OptionExplained",
    "OutboundRow",
    "OutboundShown",
    "OutboxQueries",
    "ProblemDetails",
    "Queries",
    "Recorded",
    "Replies",
    "ReplyRequest",
    "ReplyTaken",
    "Service",
    "UnreadableRequest",
    "VersionPage",
    "WholeConfiguration",
    "check_readable",
    "problems",
    "queries",
]
