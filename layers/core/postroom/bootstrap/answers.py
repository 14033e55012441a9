"""The function that answers the HTTP API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postroom.bootstrap import clients

if TYPE_CHECKING:
    from postroom.services.api import Queries


@clients.kept
def api() -> Queries:
    """Answer the HTTP API; reads, and writes replies."""
    from postroom.services.api import queries

    stores = clients.stores(clients.settings("table", "content_bucket", "outbound_queue"))
    return queries(
        interactions=stores.interactions,
        outbox=stores.outbox,
        configurations=stores.configurations,
        states=stores.states,
        outbound_queue=stores.queue("outbound_queue"),
        clock=clients.utc_now,
        arrivals=stores.arrivals,
        looks=stores.looks,
    )
