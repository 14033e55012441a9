"""The sweeper repairs what no retry will, through its real handler."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from hashlib import sha256
from unittest.mock import patch

import pytest
from postroom import bootstrap
from postroom.adapters.clock import utc_now
from postroom.adapters.dynamo import DynamoLooks
from postroom.errors import Transient
from postroom.model.identity import raw_key
from postroom.model.messages import stored_event
from postroom.services.inbound.ingest import Ingest
from postroom.services.inbound.store import Stored

from tests.functional.processing.conftest import CONFIGURATION
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


def dead_letter(stack: AwsStack, event: object) -> None:
    """Lay a message into the inbound dead letters, as SQS does after five receives."""
    queue = stack.environment["INBOUND_DEAD_LETTER_QUEUE_URL"]
    stack.client("sqs").send_message(QueueUrl=queue, MessageBody=json.dumps(event))


@pytest.mark.fault(48)
@pytest.mark.fault(51)
@pytest.mark.fault(87)
@pytest.mark.feature("G25")
def test_what_crashed_five_times_is_tried_once_more_and_then_wrapped(configured: AwsStack) -> None:
    key = configured.store_raw(mail(subject="A killer"))
    configured.queued("INBOUND_QUEUE_URL")  # SQS gave it out five times
    dead_letter(configured, stored_event(configured.environment["RAW_BUCKET"], key))
    swept = sweep(configured)
    assert (swept["dead_letters_queued_again"], swept["wrapped_from_dead_letters"]) == (1, 0)
    (again,) = configured.queued("INBOUND_QUEUE_URL")
    assert list(configured.interactions.list_queue("support")) == []
    dead_letter(configured, again)
    swept = sweep(configured)
    assert (swept["dead_letters_queued_again"], swept["wrapped_from_dead_letters"]) == (0, 1)
    (row,) = configured.interactions.list_queue("support")
    made = configured.interactions.get(row["id"])
    assert made is not None
    assert made.subject == "A killer"
    assert made.wrap_reason is not None
    assert "crashed" in made.wrap_reason
    assert configured.queued("INBOUND_DEAD_LETTER_QUEUE_URL") == []


@pytest.mark.fault(87)
def test_a_healthy_mail_among_the_dead_letters_is_processed_and_not_wrapped(configured: AwsStack) -> None:
    key = configured.store_raw(mail())
    configured.queued("INBOUND_QUEUE_URL")
    dead_letter(configured, stored_event(configured.environment["RAW_BUCKET"], key))
    sweep(configured)
    configured.invoke("ProcessInbound", sqs_event(*configured.queued("INBOUND_QUEUE_URL")))
    (row,) = configured.interactions.list_queue("support")
    made = configured.interactions.get(row["id"])
    assert made is not None
    assert made.wrap_reason is None


@pytest.mark.fault(86)
@pytest.mark.fault(87)
def test_nothing_is_wrapped_or_queued_while_healthy_mail_fails_too(configured: AwsStack) -> None:
    configured.process(mail(body="this one is processed already"))
    bucket = configured.environment["RAW_BUCKET"]
    failed = stored_event(bucket, configured.store_raw(mail(body="failed")), repeated=utc_now())
    dead_letter(configured, failed)
    configured.queued("INBOUND_QUEUE_URL")
    later = timedelta(minutes=12)
    with patch("postroom.services.inbound.ingest.understand", side_effect=Transient("no table")):
        swept = sweep(configured, later=later)
    assert (swept["processing_fails"], swept["wrapped_from_dead_letters"], swept["raw_queued_again"]) == (1, 0, 0)
    # It works again: what failed in that time is tried once more, though it was before.
    swept = sweep(configured, later=later + timedelta(minutes=5))
    assert (swept["dead_letters_queued_again"], swept["wrapped_from_dead_letters"]) == (1, 0)
    assert len(configured.queued("INBOUND_QUEUE_URL")) == 1


@pytest.mark.fault(48)
def test_a_dead_letter_that_nothing_can_be_made_of_stays_and_stops_nothing_else(configured: AwsStack) -> None:
    bucket, queue = configured.environment["RAW_BUCKET"], configured.environment["INBOUND_DEAD_LETTER_QUEUE_URL"]
    bad = configured.store_raw(mail(subject="A killer"))
    good = configured.store_raw(mail(subject="Another"))
    for key in (bad, good):
        dead_letter(configured, stored_event(bucket, key, repeated=utc_now()))
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


def stored_in(stack: AwsStack, named: datetime, content: bytes) -> str:
    """Store a raw message now under a key that names another moment."""
    key = raw_key("support", named, "1/other-hour", sha256(content).hexdigest())
    stack.client("s3").put_object(Bucket=stack.environment["RAW_BUCKET"], Key=key, Body=content)
    return key


@pytest.mark.fault(101)
def test_an_event_that_was_lost_50_hours_before_the_next_sweep_is_found(configured: AwsStack) -> None:
    sweep(configured)  # the mark stands before this hour, and no sweep works for 50 of them
    configured.store_raw(mail(body="lost"))
    configured.queued("INBOUND_QUEUE_URL")
    assert sweep(configured, later=timedelta(hours=50))["raw_queued_again"] == 1
    assert len(configured.queued("INBOUND_QUEUE_URL")) == 1


@pytest.mark.fault(101)
def test_a_key_that_names_the_hour_before_it_was_stored_is_not_passed(configured: AwsStack) -> None:
    full_hour = utc_now().replace(minute=0, second=0, microsecond=0)
    before = full_hour - timedelta(seconds=2)  # named at 10:59:58, and stored in this hour
    with patch("postroom.bootstrap.clients.utc_now", lambda: full_hour + timedelta(minutes=11)):
        bootstrap.forget()
        configured.invoke("Sweep", {})  # the hour is empty as yet
    bootstrap.forget()
    stored_in(configured, before, mail(body="stored late"))
    configured.queued("INBOUND_QUEUE_URL")
    assert sweep(configured, later=timedelta(hours=1, minutes=30))["raw_queued_again"] == 1


@pytest.mark.fault(101)
@pytest.mark.fault(112)
def test_a_key_of_a_wrong_clock_is_found_within_a_day(configured: AwsStack) -> None:
    sweep(configured, later=timedelta(hours=3))
    stored_in(configured, utc_now() - timedelta(hours=7), mail(body="of a clock that is late"))
    configured.queued("INBOUND_QUEUE_URL")
    assert sweep(configured, later=timedelta(hours=27, minutes=5))["raw_queued_again"] == 1


@pytest.mark.fault(86)
def test_what_was_queued_again_is_not_queued_at_every_sweep(configured: AwsStack) -> None:
    configured.store_raw(mail(body="lost"))
    configured.queued("INBOUND_QUEUE_URL")
    counts = [sweep(configured, later=timedelta(minutes=12 + 5 * run))["raw_queued_again"] for run in range(5)]
    assert counts == [1, 0, 0, 0, 0]
    assert sweep(configured, later=timedelta(hours=25))["raw_queued_again"] == 1  # that message was lost too


@pytest.mark.fault(49)
def test_a_dead_letter_of_a_mail_that_is_there_changes_nothing(configured: AwsStack) -> None:
    interaction_id = configured.process(mail())
    key = configured.interactions.get(interaction_id).raw_key  # type: ignore[union-attr]
    dead_letter(configured, stored_event(configured.environment["RAW_BUCKET"], key))
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


@pytest.mark.fault(104)
def test_a_mailbox_that_nobody_polls_is_counted_until_it_is_polled(configured: AwsStack) -> None:
    mailboxes = [{**one, "enabled": True} for one in CONFIGURATION["mailboxes"]]
    configured.configure(**{**CONFIGURATION, "mailboxes": mailboxes})
    assert sweep(configured)["mailboxes_not_polled"] == 0  # they are to be polled since just now
    later = timedelta(minutes=30)
    assert sweep(configured, later=later)["mailboxes_not_polled"] == 2
    looks = DynamoLooks(configured.client("dynamodb"), configured.table)
    looks.note(["support"], at=utc_now() + later, kept=timedelta(days=1))
    assert sweep(configured, later=later)["mailboxes_not_polled"] == 1
