"""Mailboxes on the Exchange simulator, and sessions on them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from ipaddress import ip_network
from typing import Any

from postroom.adapters.clock import utc_now
from postroom.adapters.ews import EwsConnector
from postroom.adapters.ews.session import EwsSession
from postroom.model.configuration.mailbox import Mailbox, Type
from postroom.model.server_mail import Fetched, FetchFailed, Item
from postroom_cli.mailservers.ews import EwsServer

ADDRESS = "box0@example.com"
PASSWORD = "correct horse"
LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))


def mailbox(ews: EwsServer, **options: Any) -> Mailbox:
    """A mailbox on the simulator."""
    options.setdefault("server", ews.url)
    options.setdefault("ca_certificate", ews.ca_pem)
    return Mailbox.model_validate({"name": "test", "address": ADDRESS, "type": Type.EWS, **options})


@contextmanager
def opened(
    ews: EwsServer,
    *,
    secret: str = PASSWORD,
    seconds: float = 20.0,
    clock: Callable[[], datetime] = utc_now,
    **options: Any,
) -> Iterator[EwsSession]:
    """Open a mailbox; the deadline is so many seconds from now."""
    session = EwsConnector(LOOPBACK, clock=clock).open(
        mailbox(ews, **options), secret=secret, deadline=time.monotonic() + seconds
    )
    try:
        yield session
    finally:
        session.close()


def collect(session: EwsSession, items: Sequence[Item]) -> tuple[dict[str, bytes], dict[str, FetchFailed]]:
    """Fetch; the contents by id, and the failures by id. Deletes the spooled files."""
    contents: dict[str, bytes] = {}
    failures: dict[str, FetchFailed] = {}
    for result in session.fetch(items):
        if isinstance(result, Fetched):
            contents[result.item.id] = result.path.read_bytes()
            assert result.size == len(contents[result.item.id])
            result.path.unlink()
        else:
            failures[result.item.id] = result
    return contents, failures
