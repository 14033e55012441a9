"""The sweeper repairs what no retry will, through its real handler."""

from __future__ import annotations

import json
from datetime import timedelta
from hashlib import sha256
from unittest.mock import patch

import pytest
from postroom import bootstrap
from postroom.adapters.clock import utc_now
from postroom.model.identity import raw_key
from postroom.model.messages import stored_event
from postroom.services.inbound.ingest import Ingest
from postroom.services.inbound.store import Stored

from tests.support.aws_stack import AwsStack, sqs_event
from tests.support.mails import mail


def sweep(stack: AwsStack, *, later: timedelta = timedelta()) -> dict[str, int]:
    """Sweep as if so much time had passed."""
    moment = utc_now() + later
    with patch("postroom.bootstrap.clients.utc_now", lambda: moment):
        bootstrap.forget()
        answer: dict[str, int] = stack.invoke("Sweep", {})
    bootstrap.forget()
    return answer


@pytest.mark.fault(43)
def test_a_raw_message_whose_event_was_lost_is_queued_again(configured: AwsStack) -> None:
    lost = configured.store_raw(mail())
    configured.process(mail(body="this one was not lost"))
    assert sweep(configured)["raw_queued_again"] == 0  # still on its way, as far as anybody knows
    configured.queued("INBOUND_QUEUE_URL")
    assert sweep(configured, later=timedelta(minutes=12))["raw_queued_again"] == 1
    events = configured.queued("INBOUND_QUEUE_URL")
    assert lost.rpartition("/")[2] in events[0]["Records"][0]["s3"]["object"]["key"]
    configured.invoke("ProcessInbound", sqs_event(*events))
    assert len(list(configured.interactions.list_queue("support"))) == 2
    assert sweep(configured, later=timedelta(minutes=12))["raw_queued_again"] == 0


@pytest.mark.fault(43)
def test_a_mail_that_came_twice_does_not_keep_the_sweep_from_its_work(configured: AwsStack) -> None:
    configured.process(mail())
    key = raw_key("support", utc_now(), "1/again", sha256(mail()).hexdigest())
    configured.client("s3").put_object(Bucket=configured.environment["RAW_BUCKET"], Key=key, Body=mail())
    configured.store_raw(mail(body="lost"))
    configured.queued("INBOUND_QUEUE_URL")
    swept = sweep(configured, later=timedelta(minutes=12))
    assert (swept["raw_looked_at"], swept["raw_queued_again"]) == (3, 1)


@pytest.mark.fault(43)
def test_hours_that_were_in_order_are_not_read_again(configured: AwsStack) -> None:
    configured.process(mail())
    assert sweep(configured, later=timedelta(hours=2))["raw_looked_at"] == 1
    assert sweep(configured, later=timedelta(hours=2))["raw_looked_at"] == 0


@pytest.mark.fault(48)
@pytest.mark.fault(51)
@pytest.mark.feature("G25")
def test_what_crashed_five_times_becomes_a_wrapping_interaction(configured: AwsStack) -> None:
    key = configured.store_raw(mail(subject="A killer"))
    event = stored_event(configured.environment["RAW_BUCKET"], key)
    configured.client("sqs").send_message(
        QueueUrl=configured.environment["INBOUND_DEAD_LETTER_QUEUE_URL"], MessageBody=json.dumps(event)
    )
    assert sweep(configured)["wrapped_from_dead_letters"] == 1
    (row,) = configured.interactions.list_queue("support")
    made = configured.interactions.get(row["id"])
    assert made is not None
    assert made.subject == "A killer"
    assert made.wrap_reason is not None
    assert "crashed" in made.wrap_reason
    assert configured.queued("INBOUND_DEAD_LETTER_QUEUE_URL") == []


@pytest.mark.fault(48)
def test_a_dead_letter_that_nothing_can_be_made_of_stays_and_stops_nothing_else(configured: AwsStack) -> None:
    bad = configured.store_raw(mail(subject="A killer"))
    good = configured.store_raw(mail(subject="Another"))
    queue = configured.environment["INBOUND_DEAD_LETTER_QUEUE_URL"]
    for key in (bad, good):
        event = stored_event(configured.environment["RAW_BUCKET"], key)
        configured.client("sqs").send_message(QueueUrl=queue, MessageBody=json.dumps(event))
    wrap = Ingest.wrap

    def failing(ingest: Ingest, key: str, reason: str) -> Stored:
        if key == bad:
            raise ZeroDivisionError
        return wrap(ingest, key, reason)

    with patch.object(Ingest, "wrap", failing):
        swept = sweep(configured, later=timedelta(minutes=12))
    assert swept["wrapped_from_dead_letters"] == 1
    waiting = configured.client("sqs").get_queue_attributes(
        QueueUrl=queue, AttributeNames=["ApproximateNumberOfMessagesNotVisible"]
    )
    assert waiting["Attributes"]["ApproximateNumberOfMessagesNotVisible"] == "1"


@pytest.mark.fault(49)
def test_a_dead_letter_of_a_mail_that_is_there_changes_nothing(configured: AwsStack) -> None:
    interaction_id = configured.process(mail())
    key = configured.interactions.get(interaction_id).raw_key  # type: ignore[union-attr]
    event = stored_event(configured.environment["RAW_BUCKET"], key)
    configured.client("sqs").send_message(
        QueueUrl=configured.environment["INBOUND_DEAD_LETTER_QUEUE_URL"], MessageBody=json.dumps(event)
    )
    sweep(configured)
    made = configured.interactions.get(interaction_id)
    assert made is not None
    assert made.wrap_reason is None


@pytest.mark.fault(67)
def test_an_outbox_entry_whose_message_was_lost_is_queued_again(configured: AwsStack) -> None:
    configured.process(mail())
    (lost,) = configured.queued("OUTBOUND_QUEUE_URL")
    assert sweep(configured)["sends_queued_again"] == 0
    assert sweep(configured, later=timedelta(minutes=3))["sends_queued_again"] == 1
    assert configured.queued("OUTBOUND_QUEUE_URL") == [lost]
