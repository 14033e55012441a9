"""Interactions that a person corrects: quarantine, replay, split and merge."""

from typing import TYPE_CHECKING

from postroom.room import lazily

if TYPE_CHECKING:
    from postroom.services.interactions import split_merge
    from postroom.services.interactions.quarantine import Quarantine
    from postroom.services.interactions.replay import Replay, Replayed
    from postroom.services.interactions.take_in import TakeIn
    from postroom.services.interactions.threads import Threads
else:
    __getattr__ = lazily(
        __name__,
        {
            "quarantine": ["Quarantine"],
            "replay": ["Replay", "Replayed"],
            "take_in": ["TakeIn"],
            "threads": ["Threads"],
        },
    )

__all__ = [
    "Quarantine",
    "Replay",
    "Replayed",
    "TakeIn",
    "Threads",
    "split_merge",
]
