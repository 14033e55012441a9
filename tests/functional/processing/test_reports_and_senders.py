"""What a report tells holds also where a sender ends at the same time, or an answer of the table is lost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest
from postroom import bootstrap
from postroom.adapters.clock import utc_now
from postroom.edge import HandlerFailed
from postroom.model.event_kinds import EventKind
from postroom.model.interaction import Event
from postroom.model.outbound import Delivery, OutboxState
from postroom.services.sweep import raw_messages

from tests.functional.processing.test_outbound import CALL, event, replied, send, verified
from tests.functional.processing.test_outbound_troubles import whats
from tests.functional.processing.test_sending_sequences import dying, state_of
from tests.support.aws_stack import AwsStack, sqs_event

__all__ = ["verified"]


def on_the_wire(stack: AwsStack, outbound_id: str, at: datetime, *, claim: str = "c") -> None:
    assert stack.outbox.claim(outbound_id, claim=claim, message_id="<x@example.com>", now=at, abandoned_before=at)
    stack.outbox.mark_data(outbound_id, claim=claim, now=at)


def finish(stack: AwsStack, outbound_id: str, state: OutboxState, **more: Any) -> None:
    told = Event(at=utc_now(), what=EventKind(state.value.lower()), detail="SES did not answer")
    stack.outbox.finish(outbound_id, claim="c", state=state, event=told, **more)


@pytest.mark.fault(70)
@pytest.mark.fault(78)
@pytest.mark.feature("X09")
@pytest.mark.parametrize("first", ["report", "sender"])
def test_a_mail_that_was_reported_is_not_left_uncertain_whoever_was_first(verified: AwsStack, first: str) -> None:
    outbound_id = replied(verified)
    on_the_wire(verified, outbound_id, utc_now())
    if first == "report":  # while its sender still waits for SES, which then does not answer
        assert verified.invoke("TrackDelivery", sqs_event(event("Delivery", outbound_id)))
        finish(verified, outbound_id, OutboxState.UNCERTAIN)
    else:  # the report was recorded, and its recorder died before it looked at the state
        finish(verified, outbound_id, OutboxState.UNCERTAIN)
        told = Event(at=utc_now(), what=EventKind.DELIVERED)
        verified.outbox.report(outbound_id, report_id="e1", delivery=Delivery.DELIVERED, event=told)
        assert verified.invoke("TrackDelivery", sqs_event(event("Delivery", outbound_id)))
    assert verified.invoke("Sweep", {})["uncertain"] == 0
    assert state_of(verified, outbound_id) is OutboxState.SENT
    assert whats(verified, outbound_id)[-1] == "settled"


@pytest.mark.fault(71)
@pytest.mark.fault(72)
def test_a_report_about_those_who_have_a_mail_says_nothing_of_those_who_are_left(verified: AwsStack) -> None:
    outbound_id = replied(verified)
    before = utc_now() - timedelta(minutes=40)
    on_the_wire(verified, outbound_id, before)
    finish(verified, outbound_id, OutboxState.DEFERRED, due=before, remaining=("bob@example.org",))
    told = Event(at=utc_now(), what=EventKind.BOUNCED)
    assert verified.outbox.report(outbound_id, report_id="ann's", delivery=Delivery.BOUNCED, event=told)
    on_the_wire(verified, outbound_id, before + timedelta(minutes=10), claim="d")
    assert verified.invoke("Sweep", {})["uncertain"] == 1
    assert verified.invoke("Sweep", {})["uncertain"] == 0
    assert state_of(verified, outbound_id) is OutboxState.UNCERTAIN


@pytest.mark.fault(68)
def test_a_claim_whose_answer_was_lost_is_known_as_our_own(verified: AwsStack) -> None:
    outbound_id = replied(verified)

    def call(client: Any, operation: str, arguments: Any) -> Any:
        if operation == "UpdateItem" and "ADD tries" in arguments["UpdateExpression"]:
            CALL(client, operation, arguments)  # botocore repeats what it had no answer to
        return CALL(client, operation, arguments)

    with patch("botocore.client.BaseClient._make_api_call", call):
        outbound = send(verified, outbound_id)
    assert (outbound.state, outbound.tries) == (OutboxState.SENT, 1)
    assert whats(verified, outbound_id) == ["sent"]


@pytest.mark.fault(71)
def test_a_defect_in_one_part_of_the_sweep_keeps_no_other_from_its_turn(
    verified: AwsStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    outbound_id = dying(verified, "one")

    def failing(*_arguments: Any, **_named: Any) -> Any:
        raise KeyError("hour")

    monkeypatch.setattr(raw_messages, "look", failing)
    with pytest.raises(HandlerFailed, match="KeyError"):
        verified.invoke("Sweep", {})
    assert state_of(verified, outbound_id) is OutboxState.UNCERTAIN


@pytest.mark.parametrize(
    ("kind", "name"), [("Bounce", "bounce"), ("Complaint", "complaint"), ("DeliveryDelay", "deliveryDelay")]
)
def test_a_report_is_told_at_the_time_that_ses_names(verified: AwsStack, kind: str, name: str) -> None:
    outbound_id = send(verified, replied(verified)).id
    when: dict[str, Any] = {name: {"timestamp": "2026-03-01T10:20:30.000Z"}}
    assert verified.invoke("TrackDelivery", sqs_event(event(kind, outbound_id, **when)))
    times = [one.at.isoformat() for one in verified.outbox.history(outbound_id) if one.what != "sent"]
    assert times == ["2026-03-01T10:20:30+00:00"]


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    yield
    bootstrap.forget()
