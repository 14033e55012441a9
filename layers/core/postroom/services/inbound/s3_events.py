"""The event by which S3 says that a raw message was stored, read and written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote_plus, unquote_plus


def stored_event(bucket: str, key: str) -> dict[str, Any]:
    """Write the event that S3 sends for a stored object; its keys are URL-encoded."""
    return {
        "Records": [
            {
                "eventSource": "postroom:sweep",
                "eventName": "ObjectCreated:Put",
                "s3": {"bucket": {"name": bucket}, "object": {"key": quote_plus(key)}},
            }
        ]
    }


def stored_keys(event: Mapping[str, Any]) -> list[str]:
    """Read the raw keys of an S3 event; S3's own test event has none (fault 45)."""
    return [unquote_plus(record["s3"]["object"]["key"]) for record in event.get("Records", [])]
