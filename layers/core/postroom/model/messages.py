"""The messages in our queues: each written and read here, and its version checked by who reads it.

A message may lie in its queue while functions of another version are put in force; what the reader does not know goes
to the dead letters, where it is seen, instead of being half understood.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote_plus, unquote_plus

from postroom.errors import Permanent

VERSION = 1
"""Of poll requests and requests to send."""

MOST_MAILBOXES = 100
"""Mailboxes in one poll request."""

_S3_VERSION = "2.1"  # S3 user guide, "Event message structure": the major version changes when readers must


def poll_request(mailboxes: Sequence[str], *, backlog: bool = False) -> Mapping[str, Any]:
    """Write a poll request; `backlog`: these mailboxes are known to hold more."""
    return {"v": VERSION, "mailboxes": list(mailboxes), "backlog": backlog}


def read_poll_request(message: Mapping[str, Any]) -> tuple[tuple[str, ...], bool]:
    """Read the mailboxes' names, and whether they are known to hold more; raises Permanent for another version."""
    names = message.get("mailboxes")
    if message.get("v") != VERSION or not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise _unknown(f"This poll request has version {message.get('v')!r}, or names no mailboxes")
    return tuple(names), bool(message.get("backlog"))


def send_request(outbound_id: str) -> Mapping[str, Any]:
    """Write the request to send a mail of the outbox."""
    return {"v": VERSION, "outbound": outbound_id}


def read_send_request(message: Mapping[str, Any]) -> str:
    """Read the id of the mail to send; raises Permanent for another version."""
    outbound_id = message.get("outbound")
    if message.get("v") != VERSION or not isinstance(outbound_id, str):
        raise _unknown(f"This request to send has version {message.get('v')!r}, or names no mail")
    return outbound_id


def stored_event(bucket: str, key: str) -> Mapping[str, Any]:
    """Write the event that S3 sends for a stored object; its keys are URL-encoded."""
    return {
        "Records": [
            {
                "eventVersion": _S3_VERSION,
                "eventSource": "postroom:sweep",
                "eventName": "ObjectCreated:Put",
                "s3": {"bucket": {"name": bucket}, "object": {"key": quote_plus(key)}},
            }
        ]
    }


def stored_keys(event: Mapping[str, Any]) -> list[str]:
    """Read the raw keys of an S3 event; S3's own test event has none (fault 45). Raises Permanent for another."""
    return [_stored_key(record) for record in event.get("Records", [])]


def _stored_key(record: Mapping[str, Any]) -> str:
    version = str(record.get("eventVersion", _S3_VERSION))
    if version.partition(".")[0] != _S3_VERSION.partition(".")[0]:
        raise _unknown(f"This event of S3 has version {version!r}")
    return unquote_plus(record["s3"]["object"]["key"])


def _unknown(what: str) -> Permanent:
    return Permanent(what, code="unknown_message", remedy="Deploy functions of the same version.")
