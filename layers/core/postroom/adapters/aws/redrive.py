"""Dead letters as operators see them: how many, and back into their queue."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from postroom.adapters.aws.client import aws_errors

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


def queue_urls(client: SQSClient) -> list[str]:
    """List the URLs of all queues."""
    with aws_errors("listing the queues"):
        urls: list[str] = client.get_paginator("list_queues").paginate().build_full_result().get("QueueUrls", [])
    return urls


def find_dead_letters(client: SQSClient, name: str, queue_url: str) -> SqsRedrive | None:
    """Find where the failed messages of a queue go; None when they go nowhere."""
    with aws_errors("asking for a queue's dead letters", on=name):
        answer = client.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["RedrivePolicy"])
        policy = answer.get("Attributes", {}).get("RedrivePolicy")
        if not policy:
            return None
        arn: str = json.loads(policy)["deadLetterTargetArn"]
        return SqsRedrive(client, name, queue_url, client.get_queue_url(QueueName=arn.rpartition(":")[2])["QueueUrl"])


class SqsRedrive:
    """Implements ports.Redrive."""

    def __init__(self, client: SQSClient, name: str, queue_url: str, url: str) -> None:
        self._client = client
        self.name = name
        self._queue_url = queue_url
        self.url = url

    def count(self) -> int:
        """Return about how many messages there are, those that somebody is looking at included."""
        with aws_errors("counting dead letters"):
            answer = self._client.get_queue_attributes(
                QueueUrl=self.url,
                AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
            )
        return sum(int(value) for value in answer["Attributes"].values())

    def move(self) -> int:
        """Move message by message: each is in its queue before it leaves the dead letters, so that none is lost."""
        moved = 0
        # As many as there were at the start: one that fails again at once must not be moved round and round.
        for _round in range(self.count()):
            with aws_errors("redriving dead letters", on=self.name):
                answer = self._client.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10, VisibilityTimeout=60)
                messages = answer.get("Messages", [])
                for message in messages:
                    self._client.send_message(QueueUrl=self._queue_url, MessageBody=message["Body"])
                    self._client.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
                    moved += 1
            if not messages:
                break
        return moved
