"""Whom a mail is from, and what it refers to."""

from typing import TYPE_CHECKING

from postroom.room import lazily

if TYPE_CHECKING:
    from postroom.mail.origin import message_ids
    from postroom.mail.origin.authentication_results import AuthVerdict, auth_results
    from postroom.mail.origin.author import original_author, stated_author
    from postroom.mail.origin.lists import is_own_list
    from postroom.mail.origin.sender import SenderFlag, SenderVerdict, sender_verdict
    from postroom.mail.origin.stable_form import stable_digest
else:
    __getattr__ = lazily(
        __name__,
        {
            "authentication_results": ["AuthVerdict", "auth_results"],
            "author": ["original_author", "stated_author"],
            "lists": ["is_own_list"],
            "sender": ["SenderFlag", "SenderVerdict", "sender_verdict"],
            "stable_form": ["stable_digest"],
        },
    )

__all__ = [
    "AuthVerdict",
    "SenderFlag",
    "SenderVerdict",
    "auth_results",
    "is_own_list",
    "message_ids",
    "original_author",
    "sender_verdict",
    "stable_digest",
    "stated_author",
]
