"""What is known of the mails of a thread without reading them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ThreadHit:
    """A stored mail that a message refers to."""

    interaction_id: str
    thread_id: str
    message_id: str
    mailbox: str
    participants: frozenset[str]  # addresses that took part in it, lower case
    outbound: bool = False  # we sent it


@dataclass(frozen=True, slots=True)
class Waiting:
    """A reply that came before what it answers."""

    interaction_id: str
    sender: str  # lower case
