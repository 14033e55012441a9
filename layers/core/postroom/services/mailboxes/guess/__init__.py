"""Guessing the settings of a mailbox from its address."""

from typing import TYPE_CHECKING

from postroom.room import lazily

if TYPE_CHECKING:
    from postroom.services.mailboxes.guess.propose import Proposal, Srv, guess
else:
    __getattr__ = lazily(
        __name__,
        {
            "propose": ["Proposal", "Srv", "guess"],
        },
    )

__all__ = [
    "Proposal",
    "Srv",
    "guess",
]
