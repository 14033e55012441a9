"""What administration is done with: the ports that commands on the configuration need."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from postroom.ports import Clock

if TYPE_CHECKING:
    from postroom.bootstrap.stores import Stores
    from postroom.services.administration import Installation


def installation_of(stores: Stores, *, clock: Clock) -> Installation:
    """Return the ports that commands need, of one installation."""
    from postroom.services.administration import Installation

    return Installation(
        configurations=stores.configurations,
        waiting=stores.waiting_changes,
        interactions=stores.interactions,
        states=stores.states,
        outbox=stores.outbox,
        queue=stores.queue("outbound_queue"),
        clock=clock,
        pause=time.sleep,
    )
