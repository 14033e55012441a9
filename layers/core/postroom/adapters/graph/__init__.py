"""Microsoft Graph: mailboxes of Exchange Online."""

from typing import TYPE_CHECKING

from postroom.room import lazily

if TYPE_CHECKING:
    from postroom.adapters.graph.session import GraphConnector
else:
    __getattr__ = lazily(
        __name__,
        {
            "session": ["GraphConnector"],
        },
    )

__all__ = [
    "GraphConnector",
]
