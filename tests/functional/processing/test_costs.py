"""What one mail costs once it is stored: docs/costs.md lists these numbers."""

from __future__ import annotations

import pytest
from postroom.model.messages import stored_event
from postroom.model.prices import USES, Resource, Step

from tests.functional.processing.test_outbound import answer, replied, send, verified
from tests.support.aws_calls import AwsCalls, aws_calls
from tests.support.aws_stack import AwsStack, sqs_event
from tests.support.mails import mail

__all__ = ["verified"]

ORDINARY = "Dear support,\r\n\r\n" + "I ordered a blue kettle two weeks ago and it has not arrived yet.\r\n" * 6


def process(stack: AwsStack, calls: AwsCalls, raw: bytes, mailbox: str) -> None:
    """Process one mail with a warm function, counting its own calls only."""
    stack.process(mail(body="warms the function up", message_id="<warm@x>"), mailbox="sales")
    key = stack.store_raw(raw, mailbox=mailbox)
    event = sqs_event(stored_event(stack.environment["RAW_BUCKET"], key))
    calls.reset()
    assert stack.invoke("ProcessInbound", event) == {"batchItemFailures": []}


def test_an_ordinary_mail_costs_seven_write_units_and_no_put(configured: AwsStack) -> None:
    with aws_calls() as calls:
        process(configured, calls, mail(body=ORDINARY), "sales")
        assert (calls.of("s3", "PutObject"), calls.of("s3", "GetObject")) == (0, 1)
        assert (calls.writes, calls.write_units) == (2, 7)  # case, its list, customer and number; mail, and Message-ID
        assert calls.write_units == USES[Step.MAIL][Resource.WRITE_UNITS]
        assert calls.write_units + USES[Step.FETCH][Resource.WRITE_UNITS] <= 9
        assert calls.reads == 3  # which configuration is in force; whether it is here already; who waits for it
        assert calls.of("kms") == calls.of("secretsmanager") == calls.of("sqs") == 0


def test_an_acknowledged_mail_costs_one_transaction_and_one_message(configured: AwsStack) -> None:
    with aws_calls() as calls:
        process(configured, calls, mail(body=ORDINARY), "support")
        assert (calls.writes, calls.of("dynamodb", "TransactWriteItems")) == (4, 1)
        assert calls.of("sqs", "SendMessage") == 1
        assert calls.write_units <= 24
        assert (
            calls.write_units
            <= USES[Step.MAIL][Resource.WRITE_UNITS] + USES[Step.ACKNOWLEDGEMENT][Resource.WRITE_UNITS]
        )


@pytest.mark.parametrize("size", [20_000, 200_000], ids=["20KB", "200KB"])
def test_a_long_mail_costs_one_put_more_or_the_units_of_its_text(configured: AwsStack, size: int) -> None:
    words = " ".join(f"w{number * 7919 % 10_007}" for number in range(size // 6))
    with aws_calls() as calls:
        process(configured, calls, mail(body=words), "sales")
        assert calls.of("s3", "PutObject") == 1
        assert calls.write_units <= 8


def test_sending_a_mail_costs_five_reads_and_three_updates(verified: AwsStack) -> None:
    interaction_id = verified.process(mail("Auto-Submitted: auto-generated", message_id="<two@x>"))
    message = sqs_event({"v": 1, "outbound": answer(verified, interaction_id).outbound.id})
    first = replied(verified)
    with aws_calls() as calls:
        send(verified, first)  # warms the function up
        calls.reset()
        assert verified.invoke("SendOutbound", message) == {"batchItemFailures": []}
        assert (calls.reads, calls.writes, calls.of("dynamodb", "UpdateItem")) == (
            5,
            3,
            3,
        )  # the case follows: the mail, and it
        assert calls.of("s3") == calls.of("kms") == calls.of("secretsmanager") == calls.of("sqs") == 0
