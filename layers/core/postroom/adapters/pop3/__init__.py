"""POP3 (RFC 1939): our own client."""

from typing import TYPE_CHECKING

from postroom.room import lazily

if TYPE_CHECKING:
    from postroom.adapters.pop3.session import Pop3Connector
else:
    __getattr__ = lazily(
        __name__,
        {
            "session": ["Pop3Connector"],
        },
    )

__all__ = [
    "Pop3Connector",
]
