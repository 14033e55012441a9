"""Send the mail that each request names: one attempt, recorded whatever comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from postroom import bootstrap
from postroom.edge import leaves_no_text
from postroom.sqs_records import each_record


@leaves_no_text
def handler(event: dict[str, Any], context: Any) -> Mapping[str, Any]:
    """Serve requests to send from SQS."""
    return each_record(event, context, bootstrap.send_outbound(), put_off=bootstrap.put_off())
