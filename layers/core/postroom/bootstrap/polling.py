"""The functions that look at mailboxes and fetch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from postroom.bootstrap import clients
from postroom.bootstrap.mail_servers import connectors, tokens

if TYPE_CHECKING:
    from postroom.services.polling import Summary

_LOOKERS = 110  # connections: one a mailbox of a poll request, and some


@clients.kept
def schedule_polls() -> Callable[[Mapping[str, Any]], int]:
    """Queue the polls of the minute that a tick names; answers the number of mailboxes."""
    from postroom.services.polling import schedule, scheduled_time

    stores = clients.stores(clients.settings("table", "content_bucket", "poll_queue", "ews_poll_queue"))
    queue, ews_queue = stores.queue("poll_queue"), stores.queue("ews_poll_queue")

    def run(event: Mapping[str, Any]) -> int:
        scheduled = schedule(
            configurations=stores.configurations,
            queue=queue,
            ews_queue=ews_queue,
            now=clients.utc_now(),
            scheduled=scheduled_time(event),
            ticks=stores.ticks,
        )
        return scheduled.mailboxes

    return run


def fetch_mailboxes() -> Callable[[Mapping[str, Any], int], Summary]:
    """Serve one poll request of IMAP, POP3 or Graph mailboxes, within the given milliseconds."""
    return _fetch("poll_queue")


def fetch_ews() -> Callable[[Mapping[str, Any], int], Summary]:
    """Serve one poll request of EWS mailboxes, within the given milliseconds."""
    return _fetch("ews_poll_queue")


@clients.kept
def _fetch(queue: str) -> Callable[[Mapping[str, Any], int], Summary]:
    import time

    from postroom.services.polling import Polling, poll

    settings = clients.settings(
        "table",
        "raw_bucket",
        "content_bucket",
        queue,
        "credentials_key",
        "allow_plaintext_credentials",
        "private_mail_networks",
    )
    stores = clients.stores(settings, connections=_LOOKERS)
    polling = Polling(
        configurations=stores.configurations,
        states=stores.states,
        secrets=stores.stored_secrets,
        connectors=connectors(settings),
        raw=stores.raw,
        queue=stores.queue(queue),
        clock=clients.utc_now,
        tokens=tokens(settings, stores, clock=clients.utc_now),
        looks=stores.looks,
    )

    def run(request: Mapping[str, Any], milliseconds: int) -> Summary:
        return poll(request, polling=polling, deadline=time.monotonic() + milliseconds / 1000)

    return run
