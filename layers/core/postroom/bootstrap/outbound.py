"""The functions that send mail, and follow what becomes of it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from postroom.bootstrap import clients
from postroom.bootstrap.mail_servers import tokens
from postroom.errors import Transient

if TYPE_CHECKING:
    from postroom.services.outbound import Result, Tracked


@clients.kept
def send_outbound() -> Callable[[Mapping[str, Any]], Result]:
    """Send the outbound mail that a queue message names."""
    from postroom.adapters.aws import ThreadKeys
    from postroom.adapters.transports import ConfiguredTransports, SesTransport
    from postroom.model import read_send_request
    from postroom.services.desk import follow_outbound
    from postroom.services.outbound import send

    settings = clients.settings(
        "table",
        "content_bucket",
        "outbound_queue",
        "credentials_key",
        "thread_key_secret",
        "configuration_set",
        "allow_plaintext_credentials",
        "private_mail_networks",
    )
    stores = clients.stores(settings)
    keys = ThreadKeys(clients.client("secretsmanager"), settings["thread_key_secret"])
    queue = stores.queue("outbound_queue")
    clock = clients.utc_now
    transports = ConfiguredTransports(
        secrets=stores.stored_secrets,
        configurations=stores.configurations,
        tokens=tokens(settings, stores, clock=clock),
        # ONE attempt: by itself the client would repeat a request whose outcome is unknown, and send twice.
        ses=lambda: SesTransport(
            clients.client("sesv2", attempts=1, read_timeout=30.0), configuration_set=settings["configuration_set"]
        ),
        allowed_networks=settings.private_mail_networks,
        allow_plaintext_credentials=settings.allow_plaintext_credentials,
    )

    def run(message: Mapping[str, Any]) -> Result:
        sent = send(
            read_send_request(message),
            outbox=stores.outbox,
            configurations=stores.configurations,
            transports=transports,
            thread_key=keys.newest,
            queue=queue,
            suppressions=stores.suppressions,
            clock=clock,
            contents=stores.contents,
        )
        if sent.state is not None and not sent.state.in_flight:
            with contextlib.suppress(Transient):  # the case looks after its answer by itself within minutes
                follow_outbound(
                    sent.outbound_id, outbox=stores.outbox, cases=stores.cases, members=stores.may_hold, now=clock()
                )
        return sent

    return run


@clients.kept
def track_delivery() -> Callable[[Mapping[str, Any]], Tracked]:
    """Record one SES event."""
    from postroom.services.desk import follow_outbound
    from postroom.services.outbound import track

    stores = clients.stores(clients.settings("table"))
    clock = clients.utc_now

    def run(event: Mapping[str, Any]) -> Tracked:
        tracked = track(
            event, outbox=stores.outbox, notices=stores.notices, suppressions=stores.suppressions, clock=clock
        )
        if tracked.outbound_id is not None:
            # Whether or not it is news: an earlier try may have died between the mail and its case.
            follow_outbound(
                tracked.outbound_id, outbox=stores.outbox, cases=stores.cases, members=stores.may_hold, now=clock()
            )
        return tracked

    return run
