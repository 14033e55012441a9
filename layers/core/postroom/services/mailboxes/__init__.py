"""Mailboxes as their administrator sees them: opening, testing, health, costs, what is coming."""

from typing import TYPE_CHECKING

from postroom.room import lazily

if TYPE_CHECKING:
    from postroom.services.mailboxes import convert_to_account, costs, health, retry
    from postroom.services.mailboxes.connection_check import ConnectionTest, check_connection
    from postroom.services.mailboxes.convert_to_account import (
        Conversion,
        account_of,
        check_opened,
        existing,
        mailboxes_of,
        not_opened,
    )
    from postroom.services.mailboxes.first_connection_preview import preview
    from postroom.services.mailboxes.forecast import Concern
    from postroom.services.mailboxes.health import TELLING, may_be_tried
    from postroom.services.mailboxes.latency import Delay, delays, note_arrival
    from postroom.services.mailboxes.mailbox_view import Polls, secrets_of, view
    from postroom.services.mailboxes.open import at_step, in_session, open_mailbox, takes_token
    from postroom.services.mailboxes.problems import release_problems, retry_problems
    from postroom.services.mailboxes.retry import after_secret, on_request
else:
    __getattr__ = lazily(
        __name__,
        {
            "connection_check": ["ConnectionTest", "check_connection"],
            "convert_to_account": [
                "Conversion",
                "account_of",
                "check_opened",
                "existing",
                "mailboxes_of",
                "not_opened",
            ],
            "first_connection_preview": ["preview"],
            "forecast": ["Concern"],
            "health": ["TELLING", "may_be_tried"],
            "latency": ["Delay", "delays", "note_arrival"],
            "mailbox_view": ["Polls", "secrets_of", "view"],
            "open": ["at_step", "in_session", "open_mailbox", "takes_token"],
            "problems": ["release_problems", "retry_problems"],
            "retry": ["after_secret", "on_request"],
        },
    )

__all__ = [
    "TELLING",
    "Concern",
    "ConnectionTest",
    "Conversion",
    "Delay",
    "Polls",
    "account_of",
    "after_secret",
    "at_step",
    "check_connection",
    "check_opened",
    "convert_to_account",
    "costs",
    "delays",
    "existing",
    "health",
    "in_session",
    "mailboxes_of",
    "may_be_tried",
    "not_opened",
    "note_arrival",
    "on_request",
    "open_mailbox",
    "preview",
    "release_problems",
    "retry",
    "retry_problems",
    "secrets_of",
    "takes_token",
    "view",
]
