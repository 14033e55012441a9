"""Works through the records of an SQS event; those that fail go back to the queue one by one, the others are done.

A message that failed would come back when its visibility ends, six time-outs of its function later: it is told to come
back in seconds, and later with each time it failed, in this one place for all queues.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from postroom.errors import PostroomError

logger = logging.getLogger(__name__)

COMES_BACK_AFTER = (5, 30, 120, 1800)
"""Seconds by how often a message was received: soon while it may be chance, then late enough for trouble to pass before
the fifth time, which is its last."""


class PutOff(Protocol):
    """Lets a message come back after so many seconds; raises what the adapters raise."""

    def __call__(self, *, queue: str, receipt: str, seconds: int) -> None: ...


class _Processor(BatchProcessor):
    """Powertools' own notes a failed record at debug level only; a record that will be tried again is worth a line."""

    def __init__(self, put_off: PutOff) -> None:
        super().__init__(event_type=EventType.SQS)
        self._put_off = put_off

    def failure_handler(self, record: Any, exception: Any) -> Any:
        error = exception[1]
        facts: dict[str, Any] = {"sqs_message": record.message_id, "records_failed": 1}
        if isinstance(error, PostroomError):
            logger.warning("record_failed", extra={**facts, "code": error.code, "step": error.step})
        else:
            logger.error("record_failed", exc_info=exception, extra=facts)
        self._comes_back(record)
        return super().failure_handler(record, exception)

    def _comes_back(self, record: SQSRecord) -> None:
        seconds = COMES_BACK_AFTER[min(_received(record), len(COMES_BACK_AFTER)) - 1]
        try:
            self._put_off(queue=record.event_source_arn, receipt=record.receipt_handle, seconds=seconds)
        except PostroomError as error:  # it comes back when its visibility ends
            logger.warning("not_put_off", extra={"code": error.code, "sqs_message": record.message_id})


def _received(record: SQSRecord) -> int:
    """Return how often a message was received, this time included."""
    return max(1, int(record["attributes"].get("ApproximateReceiveCount", 1)))


def each_record(
    event: dict[str, Any],
    context: Any,
    handle: Callable[[Mapping[str, Any]], object],
    *,
    put_off: PutOff,
    again: Callable[[Mapping[str, Any], float], object] | None = None,
) -> Mapping[str, Any]:
    """Hand each record's JSON to `handle`; answer SQS with the records that failed, which are counted for the alarm.

    `again`: gets those that were received before, with the seconds that are left: one of them, or a neighbour of theirs
    at that time, may have ended the process.

    Raises powertools' BatchProcessingError when all of them failed, so that the function's error metric shows it; it
    holds the texts of all of them, which `edge.leaves_no_text` keeps from the runtime.
    """

    def one(record: SQSRecord) -> None:
        if again is not None and _received(record) > 1:
            again(record.json_body, context.get_remaining_time_in_millis() / 1000)
        else:
            handle(record.json_body)

    # Made for each event: a processor keeps the results of its last batch.
    return process_partial_response(event=event, record_handler=one, processor=_Processor(put_off), context=context)
