"""Record what SES reports of the mails we sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from postroom import bootstrap
from postroom.edge import leaves_no_text
from postroom.sqs_records import each_record


@leaves_no_text
def handler(event: dict[str, Any], context: Any) -> Mapping[str, Any]:
    """Serve SES events that come through EventBridge and SQS."""
    return each_record(event, context, bootstrap.track_delivery(), put_off=bootstrap.put_off())
