"""The functions that make interactions of raw messages, and repair what was left behind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from postroom.bootstrap import clients

if TYPE_CHECKING:
    from postroom.bootstrap.stores import Stores
    from postroom.services.inbound import Ingest


@clients.kept
def process_inbound() -> Callable[[Mapping[str, Any]], int]:
    """Process the raw messages of one S3 event; answers how many there were."""
    from postroom.adapters.aws import ThreadKeys
    from postroom.model import stored_keys

    settings = clients.settings("table", "raw_bucket", "content_bucket", "outbound_queue", "thread_key_secret")
    keys = ThreadKeys(clients.client("secretsmanager"), settings["thread_key_secret"])
    ingest = _ingest(clients.stores(settings), keys.all)

    def run(event: Mapping[str, Any]) -> int:
        stored = stored_keys(event)
        for key in stored:
            ingest(key)
        return len(stored)

    return run


def _ingest(stores: Stores, thread_keys: Callable[[], tuple[bytes, ...]]) -> Ingest:
    from postroom.services.inbound import Ingest, Store
    from postroom.services.policy import Policies

    store = Store(
        contents=stores.contents,
        interactions=stores.interactions,
        outbox=stores.outbox,
        outbound_queue=stores.queue("outbound_queue"),
    )
    policies = Policies(stores.configurations, thread_keys)
    return Ingest(
        raw=stores.raw, interactions=stores.interactions, policies=policies, store=store, clock=clients.utc_now
    )


@clients.kept
def sweep() -> Callable[[], dict[str, int]]:
    """Sweep once; answers the counts."""
    from dataclasses import asdict

    from postroom.services.sweep import Sweep

    settings = clients.settings(
        "table",
        "raw_bucket",
        "content_bucket",
        "inbound_queue",
        "inbound_dead_letters",
        "outbound_queue",
    )
    stores = clients.stores(settings)
    run = Sweep(
        raw=stores.raw,
        raw_bucket=settings["raw_bucket"],
        interactions=stores.interactions,
        outbox=stores.outbox,
        states=stores.states,
        configurations=stores.configurations,
        inbound_queue=stores.queue("inbound_queue"),
        outbound_queue=stores.queue("outbound_queue"),
        dead_letters=stores.dead_letters("inbound_dead_letters"),
        # No key: nothing that it makes is believed, and what is processed already keeps its thread.
        ingest=_ingest(stores, lambda: ()),
        memory=stores.sweep_memory,
        clock=clients.utc_now,
    )
    return lambda: asdict(run())
