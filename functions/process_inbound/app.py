"""Make an interaction, or a wrapping interaction, of each raw message that S3 announces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from postroom import bootstrap
from postroom.edge import leaves_no_text
from postroom.sqs_records import each_record


@leaves_no_text
def handler(event: dict[str, Any], context: Any) -> Mapping[str, Any]:
    """Serve S3 events that come through SQS."""
    return each_record(
        event,
        context,
        bootstrap.process_inbound(),
        put_off=bootstrap.put_off(),
        again=lambda event, seconds: bootstrap.process_again()(event, seconds),
    )
