"""A mail that the version before had on its way is sent once, and told of truly, by the one that is deployed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from postroom import bootstrap
from postroom.adapters.clock import utc_now
from postroom.adapters.dynamo import items, keys
from postroom.model.event_kinds import EventKind
from postroom.model.interaction import Event
from postroom.model.outbound import Delivery, OutboxState

from tests.functional.processing.test_outbound import _client_error, event, replied, send, verified
from tests.functional.processing.test_outbound_troubles import ses, whats
from tests.functional.processing.test_sending_sequences import dying, state_of
from tests.support.aws_stack import AwsStack, sqs_event

__all__ = ["verified"]


def as_before(stack: AwsStack, outbound_id: str) -> None:
    """Take out of the item what an earlier version did not write."""
    gone = ["unrecorded", "code", "since", "n_deferred"]
    stack.client("dynamodb").update_item(
        TableName=stack.table,
        Key=items.marshal(keys.interaction(outbound_id)),
        UpdateExpression="REMOVE " + ", ".join(f"#{name}" for name in gone),
        ExpressionAttributeNames={f"#{name}": name for name in gone},
    )


def test_a_mail_whose_sender_ended_with_its_version_is_sent_and_no_death_is_told(verified: AwsStack) -> None:
    outbound_id = replied(verified)
    then = utc_now() - timedelta(minutes=20)
    assert verified.outbox.claim(outbound_id, claim="c", message_id="<x@x>", now=then, abandoned_before=then)
    as_before(verified, outbound_id)
    with ses(lambda: None) as requests:
        assert send(verified, outbound_id).state is OutboxState.SENT
        send(verified, outbound_id)
    assert (len(requests), whats(verified, outbound_id)) == (1, ["sent"])


def test_a_mail_that_was_put_off_for_long_is_put_off_again_with_its_reason_and_time(verified: AwsStack) -> None:
    outbound_id = replied(verified)
    then = utc_now() - timedelta(days=6)
    for number in range(3):
        claim = f"c{number}"
        assert verified.outbox.claim(outbound_id, claim=claim, message_id="<x@x>", now=then, abandoned_before=then)
        told = Event(at=then, what=EventKind.DEFERRED, detail="later")
        verified.outbox.finish(outbound_id, claim=claim, state=OutboxState.DEFERRED, event=told, reason="later")
    as_before(verified, outbound_id)
    with ses(lambda: _client_error("RequestExpired", 403)):
        outbound = send(verified, outbound_id)
    assert (outbound.state, outbound.code, outbound.tries) == (OutboxState.DEFERRED, "RequestExpired", 4)
    assert outbound.since is not None
    assert whats(verified, outbound_id) == ["deferred"] * 4


@pytest.mark.parametrize("reported", [False, True])
def test_a_mail_that_was_on_the_wire_is_uncertain_until_a_report_tells(verified: AwsStack, reported: bool) -> None:
    outbound_id = dying(verified, "one")
    as_before(verified, outbound_id)
    if reported:
        verified.invoke("TrackDelivery", sqs_event(event("Send", outbound_id)))
    with ses(lambda: None) as requests:
        assert verified.invoke("Sweep", {})["uncertain"] == int(not reported)
        send(verified, outbound_id)
    assert state_of(verified, outbound_id) is (OutboxState.SENT if reported else OutboxState.UNCERTAIN)
    verified.invoke("TrackDelivery", sqs_event(event("Delivery", outbound_id, "e2")))
    outbound = verified.outbox.get(outbound_id)
    assert outbound is not None
    assert (outbound.state, outbound.delivery, requests) == (OutboxState.SENT, Delivery.DELIVERED, [])


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    yield
    bootstrap.forget()
