"""The messages in our queues: each written and read here, and its version checked by who reads it.

A message may lie in its queue while functions of another version are put in force; what the reader does not know goes
to the dead letters, where it is seen, instead of being half understood.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote_plus, unquote_plus

from postroom.errors import Permanent

VERSION = 1
"""Of poll requests and requests to send."""

MOST_MAILBOXES = 100
"""Mailboxes in one poll request."""

_REPEATED = "postroomRepeated"
_S3_VERSION = "2.1"  # S3 user guide, "Event message structure": the major version changes when readers must


MOST_LINKS = 3
"""Invocations that may follow one another for a backlog; then the next regular poll takes it up."""


@dataclass(frozen=True, slots=True)
class PollRequest:
    """Mailboxes to look at. `backlog`: they are known to hold more."""

    mailboxes: tuple[str, ...]
    backlog: bool = False
    planned: datetime | None = None  # the moment that the look was planned for; None: asked for at once
    link: int = 1  # which one it is of the invocations that follow one another for a backlog
    apart: bool = False  # these hang, and were taken out of the others' message


def poll_request(
    mailboxes: Sequence[str],
    *,
    backlog: bool = False,
    planned: datetime | None = None,
    link: int = 1,
    apart: bool = False,
) -> Mapping[str, Any]:
    """Write a poll request; see PollRequest."""
    message: dict[str, Any] = {"v": VERSION, "mailboxes": list(mailboxes), "backlog": backlog}
    if planned is not None:
        message["planned"] = int(planned.timestamp())
    if link > 1:
        message["link"] = link
    if apart:
        message["apart"] = True
    return message


def read_poll_request(message: Mapping[str, Any]) -> PollRequest:
    """Read a poll request; raises Permanent for another version. What an earlier version left out has its default."""
    names = message.get("mailboxes")
    if message.get("v") != VERSION or not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise _unknown(f"This poll request has version {message.get('v')!r}, or names no mailboxes")
    planned, link = message.get("planned"), message.get("link")
    return PollRequest(
        tuple(names),
        bool(message.get("backlog")),
        datetime.fromtimestamp(planned, UTC) if isinstance(planned, int) else None,
        link if isinstance(link, int) else 1,
        bool(message.get("apart")),
    )


def send_request(outbound_id: str) -> Mapping[str, Any]:
    """Write the request to send a mail of the outbox."""
    return {"v": VERSION, "outbound": outbound_id}


def read_send_request(message: Mapping[str, Any]) -> str:
    """Read the id of the mail to send; raises Permanent for another version."""
    outbound_id = message.get("outbound")
    if message.get("v") != VERSION or not isinstance(outbound_id, str):
        raise _unknown(f"This request to send has version {message.get('v')!r}, or names no mail")
    return outbound_id


def stored_event(bucket: str, key: str, *, repeated: datetime | None = None) -> Mapping[str, Any]:
    """Write the event that S3 sends for a stored object; its keys are URL-encoded. `repeated`: when we did so again."""
    record: dict[str, Any] = {
        "eventVersion": _S3_VERSION,
        "eventSource": "postroom:sweep",
        "eventName": "ObjectCreated:Put",
        "s3": {"bucket": {"name": bucket}, "object": {"key": quote_plus(key)}},
    }
    if repeated is not None:
        record[_REPEATED] = repeated.isoformat()
    return {"Records": [record]}


def repeated_at(event: Mapping[str, Any]) -> datetime | None:
    """Read when an event was queued again by ourselves; None for S3's own."""
    times = [datetime.fromisoformat(record[_REPEATED]) for record in event.get("Records", []) if _REPEATED in record]
    return max(times, default=None)


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
