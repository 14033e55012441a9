"""SQS queues of versioned JSON messages."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from postroom.adapters.aws.client import aws_errors
from postroom.errors import Transient

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

_BATCH = 10  # the most messages that SendMessageBatch takes
_TRIES = 3


class SqsQueue:
    """Implements ports.Queue and ports.BatchQueue."""

    def __init__(self, client: SQSClient, url: str) -> None:
        self._client = client
        self._url = url

    def send(self, message: Mapping[str, Any], *, delay: int = 0) -> None:
        """Queue a JSON message; delay in seconds, 0–900."""
        with aws_errors("queueing a message", on=self._name):
            self._client.send_message(QueueUrl=self._url, MessageBody=_body(message), DelaySeconds=delay)

    def send_many(self, messages: Sequence[tuple[Mapping[str, Any], int]]) -> None:
        """Queue messages with their delays, ten to a request; those refused are tried again, then Transient."""
        for start in range(0, len(messages), _BATCH):
            waiting: list[SendMessageBatchRequestEntryTypeDef] = [
                {"Id": str(number), "MessageBody": _body(message), "DelaySeconds": delay}
                for number, (message, delay) in enumerate(messages[start : start + _BATCH])
            ]
            for _attempt in range(_TRIES):
                with aws_errors("queueing messages", on=self._name):
                    answer = self._client.send_message_batch(QueueUrl=self._url, Entries=waiting)
                refused = {row["Id"] for row in answer.get("Failed", [])}
                waiting = [entry for entry in waiting if entry["Id"] in refused]
                if not waiting:
                    break
            if waiting:
                raise Transient(f"SQS refused {len(waiting)} messages", on=self._name, code="aws_busy")

    @property
    def _name(self) -> str:
        return self._url.rpartition("/")[2]


class SqsVisibility:
    """Implements sqs_records.PutOff."""

    def __init__(self, client: SQSClient) -> None:
        self._client = client

    def __call__(self, *, queue: str, receipt: str, seconds: int) -> None:
        """Let a message come back after so many seconds; `queue` is the queue's ARN."""
        name = queue.rpartition(":")[2]
        with aws_errors("letting a message come back", on=name):
            url = self._client.get_queue_url(QueueName=name)["QueueUrl"]
            self._client.change_message_visibility(QueueUrl=url, ReceiptHandle=receipt, VisibilityTimeout=seconds)


class SqsDeadLetters:
    """Implements services.sweep.DeadLetters."""

    def __init__(self, client: SQSClient, url: str) -> None:
        self._client = client
        self._url = url

    def receive(self) -> list[tuple[str, Mapping[str, Any]]]:
        """Receive up to ten messages as (receipt, content); they stay hidden for five minutes unless deleted."""
        with aws_errors("reading dead letters", on=self._url.rpartition("/")[2]):
            answer = self._client.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10, VisibilityTimeout=300)
        return [(message["ReceiptHandle"], json.loads(message["Body"])) for message in answer.get("Messages", [])]

    def delete(self, receipt: str) -> None:
        """Take one away."""
        with aws_errors("deleting a dead letter", on=self._url.rpartition("/")[2]):
            self._client.delete_message(QueueUrl=self._url, ReceiptHandle=receipt)


def _body(message: Mapping[str, Any]) -> str:
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"))
