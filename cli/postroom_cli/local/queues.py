"""Drive functions from queues as Lambda's event source mapping does, without its waiting."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from postroom_cli.local.functions import Function
from postroom_cli.local.stack import Aws
from postroom_cli.local.template import ACCOUNT, REGION
from postroom_cli.local.triggers import QueueTrigger

log = logging.getLogger("postroom.local")

_MOST_PER_RECEIVE = 10  # of SQS
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.01, 0.25  # seconds between looks at an empty queue

Invoke = Callable[[Function, Any], Any]


class QueuePoller:
    """Takes the messages of one queue to one function, until stopped.

    `look` asks for a look before the pause is over; `worked` is told of every batch done, which may have filled others.

    `retry_after`: seconds until a failed message is tried again; None leaves it to the queue's visibility timeout.
    """

    def __init__(
        self,
        trigger: QueueTrigger,
        *,
        aws: Aws,
        invoke: Invoke,
        look: threading.Event,
        worked: Callable[[], None],
        retry_after: int | None,
    ) -> None:
        self.trigger = trigger
        self._sqs = aws("sqs")
        self._url = self._sqs.get_queue_url(QueueName=trigger.queue_name)["QueueUrl"]
        self._invoke = invoke
        self._look = look
        self._worked = worked
        self._retry_after = retry_after
        self.batches = 0

    def run(self, stopped: threading.Event) -> None:
        """Drain the queue again and again; an empty one is looked at less and less often."""
        pause = _SHORTEST_PAUSE
        while not stopped.is_set():
            try:
                busy = self.drain_once()
            except (BotoCoreError, ClientError) as error:
                if stopped.is_set():
                    return
                log.error("The queue %s cannot be read: %s", self.trigger.queue_name, error)
                busy = False
            if busy:
                self._worked()
                pause = _SHORTEST_PAUSE
                continue
            if self._look.wait(pause):
                self._look.clear()
                pause = _SHORTEST_PAUSE
            else:
                pause = min(pause * 2, _LONGEST_PAUSE)

    def drain_once(self) -> bool:
        """Take one batch to the function; False when the queue was empty."""
        messages = self._receive()
        if not messages:
            return False
        self.batches += 1
        done, failed = self._deliver(messages)
        if done:
            self._delete(done)
        for message in failed:
            if self._retry_after is not None:
                self._sqs.change_message_visibility(
                    QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=self._retry_after
                )
        return True

    def _receive(self) -> list[Mapping[str, Any]]:
        # No long polling: moto's server would keep its other requests waiting meanwhile.
        messages: list[Mapping[str, Any]] = []
        while len(messages) < self.trigger.batch_size:
            answer = self._sqs.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=min(_MOST_PER_RECEIVE, self.trigger.batch_size - len(messages)),
                WaitTimeSeconds=0,
                AttributeNames=["All"],
                MessageAttributeNames=["All"],
            )
            received = answer.get("Messages", [])
            messages.extend(received)
            if len(received) < _MOST_PER_RECEIVE:
                break
        return messages

    def _deliver(
        self, messages: Sequence[Mapping[str, Any]]
    ) -> tuple[list[Mapping[str, Any]], list[Mapping[str, Any]]]:
        function = self.trigger.function
        try:
            answer = self._invoke(function, sqs_event(self.trigger.queue_name, messages))
        except Exception:
            log.exception("%s failed for %d messages of %s", function.name, len(messages), self.trigger.queue_name)
            return [], list(messages)
        failures = failed_ids(answer) if self.trigger.partial else frozenset()
        if failures is None:
            log.error("%s answered with an unreadable list of failures; Lambda fails the whole batch", function.name)
            return [], list(messages)
        if failures:
            log.warning("%s could not do %d of %d messages", function.name, len(failures), len(messages))
        failed = [message for message in messages if message["MessageId"] in failures]
        return [message for message in messages if message["MessageId"] not in failures], failed

    def _delete(self, messages: Sequence[Mapping[str, Any]]) -> None:
        for start in range(0, len(messages), _MOST_PER_RECEIVE):
            self._sqs.delete_message_batch(
                QueueUrl=self._url,
                Entries=[
                    {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
                    for number, message in enumerate(messages[start : start + _MOST_PER_RECEIVE])
                ],
            )


def sqs_event(queue_name: str, messages: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the event that Lambda makes of received messages."""
    return {
        "Records": [
            {
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "attributes": dict(message.get("Attributes", {})),
                "messageAttributes": {},
                "md5OfBody": message.get("MD5OfBody", ""),
                "eventSource": "aws:sqs",
                "eventSourceARN": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue_name}",
                "awsRegion": REGION,
            }
            for message in messages
        ]
    }


def failed_ids(answer: Any) -> frozenset[str] | None:
    """Read a handler's `batchItemFailures`; None when Lambda would take it as the failure of the whole batch."""
    if not answer:
        return frozenset()
    if not isinstance(answer, Mapping):
        return None
    items = answer.get("batchItemFailures") or ()
    ids = [item.get("itemIdentifier") if isinstance(item, Mapping) else None for item in items]
    return None if any(not identifier for identifier in ids) else frozenset(str(identifier) for identifier in ids)
