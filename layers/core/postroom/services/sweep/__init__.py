"""Repairs every five minutes."""

from typing import TYPE_CHECKING

from postroom.room import lazily

if TYPE_CHECKING:
    from postroom.services.sweep.sweep import Sweep
else:
    __getattr__ = lazily(
        __name__,
        {
            "sweep": ["Sweep"],
        },
    )

__all__ = [
    "Sweep",
]
