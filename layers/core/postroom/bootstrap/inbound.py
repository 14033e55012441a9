"""The functions that make interactions of raw messages, and repair what was left behind."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from postroom.bootstrap import clients

if TYPE_CHECKING:
    from postroom.bootstrap.stores import Stores
    from postroom.ports import Trial
    from postroom.services.inbound import Ingest


LEAST_SECONDS = 35.0  # two trials and what follows them


@clients.kept
def _processing() -> Ingest:
    from postroom.adapters.aws import ThreadKeys

    settings = clients.settings("table", "raw_bucket", "content_bucket", "outbound_queue", "thread_key_secret")
    keys = ThreadKeys(clients.client("secretsmanager"), settings["thread_key_secret"])
    return _ingest(clients.stores(settings), keys.all)


@clients.kept
def process_inbound() -> Callable[[Mapping[str, Any]], int]:
    """Process the raw messages of one S3 event; answers how many there were."""
    from postroom.model import stored_keys

    ingest = _processing()

    def run(event: Mapping[str, Any]) -> int:
        stored = stored_keys(event)
        for key in stored:
            ingest(key)
        return len(stored)

    return run


@clients.kept
def process_again() -> Callable[[Mapping[str, Any], float], int]:
    """Process raw messages of an event that was received before, each in a child first; `seconds` are left."""
    from postroom.errors import Transient
    from postroom.model import stored_keys

    ingest = _processing()

    def run(event: Mapping[str, Any], seconds: float) -> int:
        stored = stored_keys(event)
        for key in stored:
            if seconds < LEAST_SECONDS:
                raise Transient("No time is left to try a mail out", on=key, code="no_time")
            ingest.carefully(key)
        return len(stored)

    return run


def _trial() -> Trial:
    """Let children have half of the function's memory, beyond what it has already."""
    from postroom.adapters import try_out

    megabytes = int(os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "2048"))
    return functools.partial(try_out, memory=megabytes * 1024 * 1024 // 2)


def _ingest(stores: Stores, thread_keys: Callable[[], tuple[bytes, ...]]) -> Ingest:
    from postroom.services.desk import IncomingCases
    from postroom.services.inbound import Ingest, Store
    from postroom.services.policy import Policies

    store = Store(
        cases=IncomingCases(stores.cases, stores.interactions, stores.may_hold),
        contents=stores.contents,
        interactions=stores.interactions,
        outbox=stores.outbox,
        outbound_queue=stores.queue("outbound_queue"),
        suppressions=stores.suppressions,
    )
    policies = Policies(stores.configurations, thread_keys)
    return Ingest(
        raw=stores.raw,
        interactions=stores.interactions,
        duplicates=stores.duplicates,
        policies=policies,
        store=store,
        trial=_trial(),
        clock=clients.utc_now,
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
        looks=stores.looks,
        inbound_queue=stores.queue("inbound_queue"),
        outbound_queue=stores.queue("outbound_queue"),
        dead_letters=stores.dead_letters("inbound_dead_letters"),
        # No key: nothing that it makes is believed, and what is processed already keeps its thread.
        ingest=_ingest(stores, lambda: ()),
        memory=stores.sweep_memory,
        clock=clients.utc_now,
    )
    from postroom.services.desk import run_due

    def swept() -> dict[str, int]:
        done = asdict(run())
        changed = run_due(cases=stores.cases, outbox=stores.outbox, members=stores.may_hold, now=clients.utc_now())
        return {**done, "cases": changed}

    return swept
