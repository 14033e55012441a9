"""IMAP4rev1 (RFC 3501): our own client."""

from typing import TYPE_CHECKING

from postroom.room import lazily

if TYPE_CHECKING:
    from postroom.adapters.imap.session import ImapConnector
else:
    __getattr__ = lazily(
        __name__,
        {
            "session": ["ImapConnector"],
        },
    )

__all__ = [
    "ImapConnector",
]
