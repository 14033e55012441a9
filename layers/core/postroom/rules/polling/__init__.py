"""What a listing of a mailbox means: what to fetch, what to remember, what to ask the server for."""

from typing import TYPE_CHECKING

from postroom.room import lazily

if TYPE_CHECKING:
    from postroom.rules.polling import arrival, position, set_aside
    from postroom.rules.polling.ledger import Ledger
    from postroom.rules.polling.position import OLD_MARGIN, is_old, is_oversize, place, place_parts, series
    from postroom.rules.polling.server_actions import after_giving_up, after_storage
    from postroom.rules.polling.set_aside import unacknowledged
else:
    __getattr__ = lazily(
        __name__,
        {
            "ledger": ["Ledger"],
            "position": ["OLD_MARGIN", "is_old", "is_oversize", "place", "place_parts", "series"],
            "server_actions": ["after_giving_up", "after_storage"],
            "set_aside": ["unacknowledged"],
        },
    )

__all__ = [
    "OLD_MARGIN",
    "Ledger",
    "after_giving_up",
    "after_storage",
    "arrival",
    "is_old",
    "is_oversize",
    "place",
    "place_parts",
    "position",
    "series",
    "set_aside",
    "unacknowledged",
]
