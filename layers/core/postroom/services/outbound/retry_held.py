"""Try deferred mail again at once when an administrator supplies what its way out lacked (C04).

Nothing here decides that a mail may be sent twice: what is DEFERRED has certainly not left. Mail whose way out is as it
was keeps its own time.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from postroom.errors import Conflict, Transient
from postroom.model import Event, EventKind, Outbound, OutboxState, send_request
from postroom.model.configuration import Configuration, OutboundServer
from postroom.ports import Outbox, Queue
from postroom.rules import server_of

_SENDING = ("outbound_servers", "aliases", "accounts", "oauth_applications")
_LATEST = timedelta(days=365)  # past every time that a mail can be due


def after_change(
    old: Configuration, new: Configuration, *, outbox: Outbox, queue: Queue, now: datetime, who: str
) -> tuple[str, ...]:
    """Queue the deferred mails whose way out is another one now; returns their ids."""
    same_default = old.settings.default_outbound_server == new.settings.default_outbound_server
    if same_default and all(getattr(old, section) == getattr(new, section) for section in _SENDING):
        return ()
    return _release(
        lambda outbound: _way_out(old, outbound) != _way_out(new, outbound),
        "its way out was changed",
        outbox=outbox,
        queue=queue,
        now=now,
        who=who,
    )


def after_secret(
    configuration: Configuration, secret: str, *, outbox: Outbox, queue: Queue, now: datetime, who: str
) -> tuple[str, ...]:
    """Queue the deferred mails whose way out uses a secret that was entered; returns their ids."""
    if not any(secret in _secrets(_account_of(configuration, server)) for server in configuration.outbound_servers):
        return ()
    return _release(
        lambda outbound: secret in _secrets(_way_out(configuration, outbound)),
        f"the secret {secret} was entered",
        outbox=outbox,
        queue=queue,
        now=now,
        who=who,
    )


def _way_out(configuration: Configuration, outbound: Outbound) -> tuple[Any, ...]:
    return _account_of(configuration, server_of(configuration, outbound))


def _account_of(configuration: Configuration, server: OutboundServer) -> tuple[Any, ...]:
    account = configuration.account(server.account)
    return server, account, configuration.application(account.application) if account else None


def _secrets(way: tuple[Any, ...]) -> set[str]:
    server, account, application = way
    references = (
        server.password,
        account.token_reference if account else None,
        application.client_secret if application else None,
    )
    return {reference.secret for reference in references if reference is not None and reference.secret}


def _release(
    concerned: Callable[[Outbound], bool], why: str, *, outbox: Outbox, queue: Queue, now: datetime, who: str
) -> tuple[str, ...]:
    released = []
    for outbound_id in list(outbox.waiting(OutboxState.DEFERRED, before=now + _LATEST)):
        outbound = outbox.get(outbound_id)
        if outbound is None or not concerned(outbound):
            continue
        event = Event(at=now, what=EventKind.TRIED_AGAIN, detail=why, who=who)
        try:
            outbox.settle(outbound_id, was=OutboxState.DEFERRED, state=OutboxState.NEW, event=event)
        except Conflict:
            continue  # its time had come, and a sender has it
        released.append(outbound_id)
        with contextlib.suppress(Transient):  # it is NEW: the sweeper queues it again by itself
            queue.send(send_request(outbound_id))
    return tuple(released)
