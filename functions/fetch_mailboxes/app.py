"""Look at the mailboxes of each poll request, all at the same time, and fetch what is new."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from postroom import bootstrap
from postroom.edge import leaves_no_text
from postroom.sqs_records import each_record


@leaves_no_text
def handler(event: dict[str, Any], context: Any) -> Mapping[str, Any]:
    """Serve poll requests from SQS within the time that is left to this invocation."""
    fetch = bootstrap.fetch_mailboxes()
    return each_record(
        event,
        context,
        lambda request: fetch(request, context.get_remaining_time_in_millis()),
        put_off=bootstrap.put_off(),
    )


@leaves_no_text
def ews_handler(event: dict[str, Any], context: Any) -> Mapping[str, Any]:
    """Serve poll requests of EWS mailboxes: the same code, on its own queue and with its own layer."""
    fetch = bootstrap.fetch_ews()
    return each_record(
        event,
        context,
        lambda request: fetch(request, context.get_remaining_time_in_millis()),
        put_off=bootstrap.put_off(),
    )
