"""A message that failed comes back in seconds, later each time, and is counted."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import pytest
from postroom.edge import HandlerFailed
from postroom.sqs_records import COMES_BACK_AFTER, each_record

from tests.functional.processing.test_outbound import CALL
from tests.support.aws_stack import AwsStack, sqs_event


def failing(content: Any) -> None:
    if content.get("bad"):
        raise ValueError("bad")


class PutOffs:
    def __init__(self) -> None:
        self.seconds: list[int] = []

    def __call__(self, *, queue: str, receipt: str, seconds: int) -> None:
        self.seconds.append(seconds)


@pytest.mark.fault(91)
def test_one_record_of_a_batch_that_fails_is_back_in_the_queue_within_seconds_and_counted(
    stack: AwsStack, caplog: pytest.LogCaptureFixture
) -> None:
    sqs, url = stack.client("sqs"), stack.environment["OUTBOUND_QUEUE_URL"]
    for number in range(3):
        sqs.send_message(QueueUrl=url, MessageBody=f'{{"v": 1, "outbound": "none{number}"}}')
    received = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["All"])["Messages"]
    event = sqs_event({}, {}, {})
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    for record, message in zip(event["Records"], received, strict=True):
        record |= {
            "body": message["Body"],
            "receiptHandle": message["ReceiptHandle"],
            "attributes": message["Attributes"],
            "eventSourceARN": arn,
        }
    changed: list[Any] = []

    def watching(client: Any, operation: str, arguments: Any) -> Any:
        if operation == "ChangeMessageVisibility":
            changed.append(arguments)
        return CALL(client, operation, arguments)

    # None of these mails exists, so that each request fails.
    with patch("botocore.client.BaseClient._make_api_call", watching), pytest.raises(HandlerFailed):
        stack.invoke("SendOutbound", event)
    assert [one["VisibilityTimeout"] for one in changed] == [5, 5, 5]
    assert {one["ReceiptHandle"] for one in changed} == {message["ReceiptHandle"] for message in received}
    assert sum(vars(one).get("records_failed", 0) for one in caplog.records) == 3


@pytest.mark.fault(91)
@pytest.mark.parametrize(("received", "seconds"), [(1, 5), (2, 30), (3, 120), (4, 1800), (5, 1800)])
def test_a_message_comes_back_later_each_time_it_failed(received: int, seconds: int) -> None:
    event = sqs_event({"bad": True}, {"bad": False})
    for record in event["Records"]:
        record["attributes"] = {"ApproximateReceiveCount": str(received)}
    put_off = PutOffs()
    answer = each_record(event, None, failing, put_off=put_off)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "0"}]}
    assert put_off.seconds == [seconds]
    # What fails for a while is tried for as long as it was before: half an hour at least until the last time.
    assert sum(COMES_BACK_AFTER) >= 1800
