"""A mail on its way from the mail server to a queue, as two moments."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Arrival:
    """One mail: when its server received it, and when its interaction was in its queue."""

    mailbox: str
    received: datetime
    queued: datetime
