"""A person decides about a mail whose sending failed or is uncertain (X09): send it again, or mark it as sent."""

from __future__ import annotations

import contextlib

from postroom.errors import Conflict, NotFound, Transient
from postroom.model import Event, EventKind, Outbound, OutboxState, send_request
from postroom.ports import Clock, Outbox, Queue
from postroom.services.outbound.view import did_not_arrive

_AGAIN = (OutboxState.UNCERTAIN, OutboxState.FAILED, OutboxState.DEFERRED)
_SENT = (OutboxState.UNCERTAIN, OutboxState.DATA)


def resend(outbound_id: str, *, outbox: Outbox, queue: Queue, clock: Clock, who: str) -> None:
    """Send a mail again on purpose; raises NotFound, or Conflict for one that is on its way or sent."""
    outbound = _get(outbound_id, outbox)
    if outbound.state not in _AGAIN:
        raise Conflict(
            f"The mail is {outbound.state.value}, and is not sent again",
            on=outbound_id,
            remedy="Only mails that are UNCERTAIN, FAILED or DEFERRED can be sent again.",
        )
    event = Event(at=clock(), what=EventKind.RESEND_REQUESTED, detail=f"was {outbound.state.value}", who=who)
    outbox.settle(outbound_id, was=outbound.state, state=OutboxState.NEW, event=event)
    with contextlib.suppress(Transient):  # it is NEW: the sweeper queues it again by itself
        queue.send(send_request(outbound_id))


def mark_sent(outbound_id: str, *, outbox: Outbox, clock: Clock, who: str) -> None:
    """Record that an uncertain mail did leave; raises NotFound, or Conflict when it is not uncertain."""
    outbound = _get(outbound_id, outbox)
    if outbound.state not in _SENT:
        raise Conflict(
            f"The mail is {outbound.state.value}; only an UNCERTAIN one is marked by a person",
            on=outbound_id,
            remedy="Nothing needs to be done.",
        )
    event = Event(at=clock(), what=EventKind.MARKED_SENT, detail=f"was {outbound.state.value}", who=who)
    outbox.settle(outbound_id, was=outbound.state, state=OutboxState.SENT, event=event)


def acknowledge(outbound_id: str, *, outbox: Outbox, clock: Clock, who: str) -> None:
    """Take note that a mail did not arrive; raises NotFound, or Conflict for one that may arrive still."""
    outbound = _get(outbound_id, outbox)
    if not did_not_arrive(outbound):
        raise Conflict(
            f"The mail is {outbound.state.value}, {outbound.delivery.value}, and may arrive still",
            on=outbound_id,
            remedy="`postroom outbox unsettled` lists what waits for a person, and why.",
        )
    if outbound.acknowledged is not None:
        return
    reason = outbound.state.value if outbound.state is OutboxState.FAILED else outbound.delivery.value
    event = Event(at=clock(), what=EventKind.FAILURE_ACKNOWLEDGED, detail=f"was {reason}", who=who)
    outbox.acknowledge(outbound_id, state=outbound.state, delivery=outbound.delivery, event=event)


def _get(outbound_id: str, outbox: Outbox) -> Outbound:
    outbound = outbox.get(outbound_id)
    if outbound is None:
        raise NotFound("There is no such outbound mail", on=outbound_id)
    return outbound
