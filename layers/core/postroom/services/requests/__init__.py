"""What every request of the API passes: who asks, how often, repetitions, cursors."""

from typing import TYPE_CHECKING

from postroom.room import lazily

if TYPE_CHECKING:
    from postroom.services.requests.cursors import BadCursor, Cursors
    from postroom.services.requests.entrance import Door, door
    from postroom.services.requests.rates import TooManyRequests
    from postroom.services.requests.repeats import operation
else:
    __getattr__ = lazily(
        __name__,
        {
            "cursors": ["BadCursor", "Cursors"],
            "entrance": ["Door", "door"],
            "rates": ["TooManyRequests"],
            "repeats": ["operation"],
        },
    )

__all__ = [
    "BadCursor",
    "Cursors",
    "Door",
    "TooManyRequests",
    "door",
    "operation",
]
