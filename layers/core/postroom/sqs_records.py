"""Works through the records of an SQS event; those that fail go back to the queue one by one, the others are done."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from postroom.errors import PostroomError

logger = logging.getLogger(__name__)


class _Processor(BatchProcessor):
    """Powertools' own notes a failed record at debug level only; a record that will be tried again is worth a line."""

    def failure_handler(self, record: Any, exception: Any) -> Any:
        error = exception[1]
        if isinstance(error, PostroomError):
            facts = {"code": error.code, "step": error.step, "sqs_message": record.message_id}
            logger.warning("record_failed", extra=facts)
        else:
            logger.error("record_failed", exc_info=exception, extra={"sqs_message": record.message_id})
        return super().failure_handler(record, exception)


def each_record(
    event: dict[str, Any], context: Any, handle: Callable[[Mapping[str, Any]], object]
) -> Mapping[str, Any]:
    """Hand each record's JSON to `handle`; answer SQS with the records that failed.

    Raises powertools' BatchProcessingError when all of them failed, so that the function's error metric shows it; it
    holds the texts of all of them, which `edge.leaves_no_text` keeps from the runtime.
    """

    def one(record: SQSRecord) -> None:
        handle(record.json_body)

    # Made for each event: a processor keeps the results of its last batch.
    processor = _Processor(event_type=EventType.SQS)
    return process_partial_response(event=event, record_handler=one, processor=processor, context=context)
