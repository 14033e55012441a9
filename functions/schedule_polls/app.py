"""Every minute: queue a look at each mailbox that is due."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from postroom import bootstrap
from postroom.edge import leaves_no_text


@leaves_no_text
def handler(event: Mapping[str, Any], _context: Any) -> dict[str, int]:
    """Queue the polls of the minute that the schedule names; answer how many mailboxes they look at."""
    return {"mailboxes": bootstrap.schedule_polls()(event)}
