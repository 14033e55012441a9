"""An outbound mail's history stays bounded whatever is reported of it, and keeps every fact about its delivery."""

from __future__ import annotations

from typing import Any

import pytest
from postroom.adapters.clock import utc_now
from postroom.adapters.dynamo import items
from postroom.adapters.outbox.history import entry, most
from postroom.model.event_kinds import EventKind
from postroom.model.interaction import Event
from postroom.model.outbound import Delivery, OutboxState

from tests.functional.processing.test_outbound import BOUNCE, event, replied, send, verified
from tests.functional.processing.test_outbound_troubles import ses
from tests.support.aws_stack import AwsStack, sqs_event

__all__ = ["verified"]


def reported(stack: AwsStack, *events: dict[str, Any]) -> None:
    for start in range(0, len(events), 10):
        answer = stack.invoke("TrackDelivery", sqs_event(*events[start : start + 10]))
        assert answer == {"batchItemFailures": []}


def told(stack: AwsStack, outbound_id: str, what: str) -> list[str]:
    return [one.detail for one in stack.outbox.history(outbound_id) if one.what == what]


@pytest.mark.parametrize(("kind", "what"), [("Open", "opened"), ("Click", "click"), ("DeliveryDelay", "delayed")])
def test_what_ses_reports_again_and_again_is_told_first_and_last_and_counted(
    verified: AwsStack, kind: str, what: str
) -> None:
    outbound_id = send(verified, replied(verified)).id
    reported(verified, event("Delivery", outbound_id, "d"))
    reported(verified, *(event(kind, outbound_id, f"e{number}") for number in range(30)))
    size = items.size(verified.interactions.item(outbound_id) or {})
    reported(verified, *(event(kind, outbound_id, f"f{number}") for number in range(30)))
    reported(verified, event(kind, outbound_id, "f29"), event(kind, outbound_id, "e0"))  # repeated by SQS
    reported(verified, event("Bounce", outbound_id, "b", **BOUNCE))
    found = told(verified, outbound_id, what)
    assert len(found) == most(what) + 1
    assert "the last of 60 in all" in found[-1]
    assert "5.1.1" in told(verified, outbound_id, "bounced")[0]
    assert len(told(verified, outbound_id, "delivered")) == 1
    assert items.size(verified.interactions.item(outbound_id) or {}) - size < 500
    outbound = verified.outbox.get(outbound_id)
    assert outbound is not None
    assert outbound.delivery is Delivery.BOUNCED


def test_the_fullest_history_fits_beside_the_largest_mail() -> None:
    by_us = {"tried_again", "resend_requested", "marked_sent", "settled", "sender_died"}  # in few words of ours
    reported_or_said = {"deferred", "delivered", "bounced", "complained", "rejected", "delayed", "opened", "failed"}
    kinds = by_us | reported_or_said | {"uncertain", "partly_sent", "sent"}

    def size(what: str) -> int:
        detail = "x" * (100 if what in by_us else 9_999)
        event = Event(at=utc_now(), what=EventKind(what), detail=detail, who="w" * 64)
        return 20 + sum(len(part) for part in entry(event))

    identities = 64 * sum(most(what) for what in reported_or_said)
    fullest = identities + sum(size(what) * (most(what) + 1) for what in kinds)
    assert items.OUTBOUND_LIMIT + fullest < 400_000


@pytest.mark.fault(79)
def test_reports_that_are_recorded_at_the_same_time_do_not_undo_each_other(verified: AwsStack) -> None:
    outbound_id = send(verified, replied(verified)).id
    outbox, unpatched = verified.outbox, type(verified.outbox)._item
    raced: list[bool] = []

    class Raced(type(outbox)):  # type: ignore[misc]  # the class of a fixture's value
        def _item(self, wanted: str) -> Any:
            read = unpatched(self, wanted)
            if not raced:
                raced.append(
                    outbox.report(
                        wanted,
                        report_id="complaint",
                        delivery=Delivery.COMPLAINED,
                        event=Event(at=utc_now(), what=EventKind.COMPLAINED),
                    )
                )
            return read

    slow = Raced(verified.client("dynamodb"), verified.table)
    assert slow.report(
        outbound_id,
        report_id="delivery",
        delivery=Delivery.DELIVERED,
        event=Event(at=utc_now(), what=EventKind.DELIVERED),
    )
    outbound = verified.outbox.get(outbound_id)
    assert outbound is not None
    assert (raced, outbound.delivery) == ([True], Delivery.COMPLAINED)
    assert {"complained", "delivered"} <= {one.what for one in verified.outbox.history(outbound_id)}


@pytest.mark.fault(78)
def test_a_mail_that_ses_says_it_took_is_not_uncertain_because_its_sender_died(verified: AwsStack) -> None:
    from datetime import timedelta

    outbound_id = replied(verified)
    before = utc_now() - timedelta(minutes=20)
    verified.outbox.claim(outbound_id, claim="c", message_id="<x@example.com>", now=before, abandoned_before=before)
    verified.outbox.mark_data(outbound_id, claim="c", now=before)
    reported(verified, event("Send", outbound_id, "s"))
    assert verified.invoke("Sweep", {})["uncertain"] == 0
    outbound = verified.outbox.get(outbound_id)
    assert outbound is not None
    assert (outbound.state, outbound.delivery) == (OutboxState.SENT, Delivery.TAKEN)


def test_deferrals_beyond_those_that_are_told_one_by_one_are_counted(verified: AwsStack) -> None:
    outbound_id = replied(verified)
    now = utc_now()
    for number in range(most("deferred") + 5):
        claimed = verified.outbox.claim(
            outbound_id, claim=f"c{number}", message_id="<x@example.com>", now=now, abandoned_before=now
        )
        assert claimed is not None
        verified.outbox.finish(
            outbound_id,
            claim=f"c{number}",
            state=OutboxState.DEFERRED,
            event=Event(at=now, what=EventKind.DEFERRED, detail=f"no {number}"),
            reason=f"no {number}",
            due=now,
        )
    found = told(verified, outbound_id, "deferred")
    assert len(found) == most("deferred") + 1
    assert found[-1] == f"no {most('deferred') + 4} (the last of {most('deferred') + 5} in all)"
    with ses(lambda: None) as requests:
        assert send(verified, outbound_id).state is OutboxState.SENT
    assert len(requests) == 1
    assert verified.outbox.history(outbound_id)[-1].what == "sent"
