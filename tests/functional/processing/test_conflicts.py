"""DynamoDB cancels a transaction that meets another on the same item, and botocore does not repeat it (fault 85)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from moto.core.botocore_stubber import BotocoreStubber, MockRawResponse
from postroom.adapters.clock import utc_now
from postroom.adapters.dynamo import client, give_back, raise_shared
from postroom.edge import HandlerFailed
from postroom.model import Cap
from postroom.model.messages import stored_event
from postroom.model.outbound import OutboxState

from tests.functional.processing.conftest import CONFIGURATION
from tests.support.aws_calls import aws_calls
from tests.support.aws_stack import AwsStack, sqs_event
from tests.support.mails import mail

AT_ONCE = 200
HEADERS = {"x-amzn-RequestId": "1", "content-type": "application/x-amz-json-1.0"}
CANCELLED = {
    "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
    "message": "Transaction cancelled, please refer cancellation reasons for specific reasons",
    "CancellationReasons": [{"Code": "TransactionConflict", "Message": "Transaction is ongoing for the item"}],
}
ONGOING = {
    "__type": "com.amazonaws.dynamodb.v20120810#TransactionConflictException",
    "message": "Transaction is ongoing for the item",
}


class Dynamo:
    """Answers the first tries of each write as DynamoDB does that meets a transaction, and notes who writes what."""

    def __init__(self, operation: str, answer: dict[str, Any], *, tries: int) -> None:
        self.operation, self.answer, self.tries = operation, answer, tries
        self.refused: Counter[str] = Counter()  # by request
        self.writers: Counter[str] = Counter()  # item → transactions that wrote it

    @contextmanager
    def installed(self) -> Iterator[None]:
        call_moto = BotocoreStubber.__call__

        def send(stubber: BotocoreStubber, event_name: str, request: AWSPreparedRequest, **named: Any) -> Any:
            if event_name != f"before-send.dynamodb.{self.operation}":
                return call_moto(stubber, event_name, request, **named)
            invocation = str(request.headers["amz-sdk-invocation-id"])
            self.refused[invocation] += 1
            if self.refused[invocation] <= self.tries:
                raw: Any = MockRawResponse(json.dumps(self.answer).encode())
                return AWSResponse(request.url, 400, HTTPHeaders.from_dict(HEADERS), raw)
            body: Any = request.body
            self._note(json.loads(body))
            return call_moto(stubber, event_name, request, **named)

        with patch.object(BotocoreStubber, "__call__", send), patch.object(client, "FIRST_WAIT_SECONDS", 0.0001):
            yield

    def _note(self, asked: Any) -> None:
        for write in asked.get("TransactItems", []):
            ((kind, values),) = write.items()
            key = values["Item" if kind == "Put" else "Key"]
            self.writers[f"{key['pk']['S']} {key['sk']['S']}"] += 1


@pytest.mark.fault(85)
def test_of_200_acknowledged_mails_at_once_none_is_late_and_no_two_share_an_item(configured: AwsStack) -> None:
    settings = {**CONFIGURATION["settings"], "auto_reply": {"per_domain_a_day": AT_ONCE}}
    configured.configure(**{**CONFIGURATION, "settings": settings})
    bucket = configured.environment["RAW_BUCKET"]
    keys = [
        configured.store_raw(mail(sender=f"ann{number}@example.org", body=f"Mail {number}."))
        for number in range(AT_ONCE)
    ]
    dynamo = Dynamo("TransactWriteItems", CANCELLED, tries=1)
    with dynamo.installed():
        answer = configured.invoke("ProcessInbound", sqs_event(*[stored_event(bucket, key) for key in keys]))
    assert answer == {"batchItemFailures": []}
    assert len(list(configured.interactions.list_outbox(OutboxState.NEW))) == AT_ONCE
    assert set(dynamo.refused.values()) == {2}  # each met another once, and was repeated
    assert max(dynamo.writers.values()) == 1


@pytest.mark.fault(85)
@pytest.mark.fault(55)
def test_a_single_write_that_meets_a_transaction_is_repeated_too(configured: AwsStack) -> None:
    dynamo = Dynamo("PutItem", ONGOING, tries=3)
    with dynamo.installed():
        interaction_id = configured.process(mail(), mailbox="sales")
    assert configured.interactions.get(interaction_id) is not None


@pytest.mark.fault(85)
def test_what_meets_transactions_without_end_is_tried_again_by_its_message(configured: AwsStack) -> None:
    event = sqs_event(stored_event(configured.environment["RAW_BUCKET"], configured.store_raw(mail())))
    dynamo = Dynamo("TransactWriteItems", CANCELLED, tries=10_000)

    with dynamo.installed(), pytest.raises(HandlerFailed, match="BatchProcessingError"):
        configured.invoke("ProcessInbound", event)
    assert set(dynamo.refused.values()) == {client.MOST_TRIES}
    assert configured.invoke("ProcessInbound", event) == {"batchItemFailures": []}


@pytest.mark.feature("X10")
def test_the_cap_of_the_installation_counts_what_was_written_and_nothing_else(configured: AwsStack) -> None:
    configured.configure(**{**CONFIGURATION, "settings": {**CONFIGURATION["settings"], "auto_reply": {"per_hour": 2}}})
    first = mail(sender="a@example.org")
    for _again in range(4):  # the same mail, and one whose sender is full, cost the installation nothing
        configured.process(first)
        configured.process(mail(sender="a@example.org", body="More."))
    configured.process(mail(sender="b@example.org"))
    last = configured.process(mail(sender="c@example.org"))
    assert len(list(configured.interactions.list_outbox(OutboxState.NEW))) == 2
    found = configured.interactions.get(last)
    assert found is not None
    (decision,) = [one for one in found.decisions if one.rule == "auto-reply"]
    assert "per_hour is 2" in decision.detail


@pytest.mark.fault(107)
def test_an_event_that_comes_again_asks_for_no_mail_that_its_caps_withheld(configured: AwsStack) -> None:
    configured.process(mail(body="First."))
    configured.queued("OUTBOUND_QUEUE_URL")
    withheld = mail(body="Second, within 24 hours.")
    configured.process(withheld)
    configured.process(withheld)
    assert configured.queued("OUTBOUND_QUEUE_URL") == []


@pytest.mark.fault(107)
def test_an_event_that_comes_again_asks_for_the_mail_that_waits(configured: AwsStack) -> None:
    configured.process(mail())
    assert len(configured.queued("OUTBOUND_QUEUE_URL")) == 1
    configured.process(mail())
    assert len(configured.queued("OUTBOUND_QUEUE_URL")) == 1


def test_an_acknowledgement_costs_two_counts_beside_its_transaction(
    configured: AwsStack,
) -> None:
    with aws_calls() as calls:
        configured.process(mail(sender="warm@example.org"))
        calls.reset()
        configured.process(mail())
        assert (calls.of("dynamodb", "TransactWriteItems"), calls.of("dynamodb", "UpdateItem")) == (1, 2)


@pytest.mark.fault(63)
def test_a_counter_is_given_back_once_though_the_answer_is_lost(configured: AwsStack) -> None:
    # moto does not keep the token that makes AWS do it once: that all repetitions carry the same one is what holds.
    client = configured.client("dynamodb")
    tokens: list[str] = []
    lost = [True]

    def note(request: Any, **_rest: Any) -> None:
        if b"ClientRequestToken" in request.body:
            tokens.append(json.loads(request.body)["ClientRequestToken"])

    def lose(response: Any, operation: Any, **_rest: Any) -> float | None:
        return 0.0 if operation.name == "TransactWriteItems" and lost and lost.pop() else None

    client.meta.events.register("before-send.dynamodb", note)
    client.meta.events.register("needs-retry.dynamodb", lose)
    cap = Cap("shared", "shared", limit=5, expires=utc_now() + timedelta(hours=1), shared=True)
    for _time in range(3):
        assert raise_shared(client, configured.table, cap, utc_now())
    give_back(client, configured.table, cap)
    assert len(tokens) == 2
    assert len(set(tokens)) == 1
