"""Bytes that a server wrote anew are the same mail only on evidence; all else is a mail of its own (principle 4).

The family: what a server changes in a mail that it hands out again (header fields, flags, categories, boundaries,
encodings, folds), in every way in which the same mail comes again. What people wrote is never taken for something else.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from unittest.mock import patch

import pytest
from postroom.adapters.dynamo.interactions import DynamoInteractions
from postroom.mail.origin import stable_digest
from postroom.mail.reader import read
from postroom.model.event_kinds import EventKind
from postroom.model.identity import interaction_id, raw_key
from postroom.model.messages import stored_event

from tests.functional.processing.conftest import CONFIGURATION
from tests.functional.processing.test_sweep import dead_letter, sweep
from tests.support.aws_stack import AwsStack, sqs_event
from tests.support.mails import crlf, mail

AT = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=1)
RECEIVED = (
    "Received: from mx.example.com (mx [192.0.2.1]) by imap.example.com; Fri, 20 Nov 2026 10:00:04 +0000",
    "Received: from laptop (laptop [192.0.2.9]) by mx.example.com with ESMTP id A1; Fri, 20 Nov 2026 10:00:01 +0000",
)
ORIGINAL = mail(*RECEIVED)


def multipart(boundary: str, encoding: str, *, text: str = "Grüße", file: bytes = b"\0\1\2") -> bytes:
    """Write a mail with a text and a file, in one of the forms that servers give it."""
    data = text.encode()
    body = base64.encodebytes(data).decode() if encoding == "base64" else "".join(f"={one:02X}" for one in data)
    return crlf(
        [
            "Return-Path: <ann@example.org>",
            *RECEIVED,
            "From: Ann <ann@example.org>" if encoding == "base64" else 'From: "Ann" <ann@example.org>',
            "To: support@example.com",
            "Subject: A file",
            "Date: Fri, 20 Nov 2026 10:00:00 +0000",
            "Message-ID: <file@example.org>",
            "MIME-Version: 1.0",
            f'Content-Type: multipart/mixed; boundary="{boundary}"',
            "",
            f"--{boundary}",
            "Content-Type: text/plain; charset=utf-8",
            f"Content-Transfer-Encoding: {encoding}",
            "",
            body,
            f"--{boundary}",
            "Content-Type: application/octet-stream; name=a.bin",
            "Content-Transfer-Encoding: base64",
            "",
            base64.b64encode(file).decode(),
            f"--{boundary}--",
            "",
        ]
    )


ANEW: dict[str, tuple[bytes, bytes]] = {
    "a-header-more": (ORIGINAL, mail("X-Scanned: clean", *RECEIVED)),
    "a-received-more": (ORIGINAL, mail("Received: by imap2.example.com; Sat, 21 Nov 2026 10:00:00 +0000", *RECEIVED)),
    "categories-and-flags": (
        ORIGINAL,
        mail("Keywords: Red", "X-Message-Flag: Follow up", "Importance: high", *RECEIVED),
    ),
    "line-ends": (ORIGINAL, ORIGINAL.replace(b"\r\n", b"\n")),
    "a-fold": (ORIGINAL, ORIGINAL.replace(b"Subject: Where is ", b"Subject: Where is\r\n ")),
    "boundary-and-encoding": (multipart("one", "base64"), multipart("two", "quoted-printable")),
    "no-message-id": (
        mail(*RECEIVED, message_id=None),
        mail("X-Scanned: clean", *RECEIVED, message_id=None),
    ),
}
OTHERS: dict[str, bytes] = {
    "message-id": mail(*RECEIVED, message_id="<2@example.org>"),
    "no-message-id": mail(*RECEIVED, message_id=None),
    "text": mail(*RECEIVED, body="I ordered it three weeks ago."),
    "sender": mail(*RECEIVED, sender="Bob <bob@example.org>"),
    "recipient": mail(*RECEIVED, to="sales@example.com"),
    "reply-to": mail("Reply-To: mallory@example.net", *RECEIVED),
    "copy": mail("Cc: mallory@example.net", *RECEIVED),
    "subject": mail(*RECEIVED, subject="Where is my parcel now?"),
    "date": ORIGINAL.replace(b"10:00:00 +0000", b"10:00:01 +0000"),
    "lowest-received": mail(RECEIVED[0], RECEIVED[1].replace("A1", "A2")),
}


def store(
    stack: AwsStack,
    content: bytes,
    *,
    server_id: str = "1/7",
    at: datetime | None = AT,
    mailbox: str = "support",
    stored: datetime | None = None,
    **metadata: str,
) -> str:
    """Put a raw message where the fetcher would, fetched under an id of the server; return its key."""
    key = raw_key(mailbox, stored or datetime.now(UTC), server_id, sha256(content).hexdigest())
    dated = {"server-date": at.isoformat()} if at else {}
    given = {
        "uid": server_id.rpartition("/")[2],
        **dated,
        **{name.replace("_", "-"): one for name, one in metadata.items()},
    }
    stack.client("s3").put_object(Bucket=stack.environment["RAW_BUCKET"], Key=key, Body=content, Metadata=given)
    return key


def process(stack: AwsStack, *keys: str) -> None:
    """Run the real handler on the events of these keys."""
    events = [stored_event(stack.environment["RAW_BUCKET"], key) for key in keys]
    assert stack.invoke("ProcessInbound", sqs_event(*events)) == {"batchItemFailures": []}


def made(stack: AwsStack, queue: str = "support") -> list[str]:
    """List the ids of all interactions of a queue."""
    return [row["id"] for row in stack.interactions.list_queue(queue, newest_first=False)]


def own_id(content: bytes, mailbox: str = "support") -> str:
    """Return the id of the interaction that these bytes would be."""
    return interaction_id(mailbox, sha256(content).hexdigest())


@pytest.mark.fault(98)
@pytest.mark.fault(115)
@pytest.mark.parametrize(("first", "second"), ANEW.values(), ids=ANEW.keys())
@pytest.mark.parametrize("at", [AT, None], ids=["dated", "pop3"])
def test_bytes_made_anew_under_one_id_are_one_interaction_with_one_acknowledgement(
    configured: AwsStack, first: bytes, second: bytes, at: datetime | None
) -> None:
    for content in (first, second, second):
        process(configured, store(configured, content, at=at))
    assert made(configured) == [own_id(first)]
    # Without a date of the server, it is as old as its own date.
    assert len(configured.queued("OUTBOUND_QUEUE_URL")) == (at is not None)
    events = configured.interactions.history(own_id(first))
    assert [one.what for one in events] == [EventKind.SAME_MAIL]
    assert "under the same id" in events[0].detail


@pytest.mark.fault(98)
def test_what_is_kept_beside_an_interaction_is_not_queued_again_by_sweep_or_dead_letters(configured: AwsStack) -> None:
    first, second = ANEW["a-header-more"]
    process(configured, store(configured, first), again := store(configured, second))
    configured.queued("INBOUND_QUEUE_URL")
    dead_letter(configured, stored_event(configured.environment["RAW_BUCKET"], again))
    swept = sweep(configured, later=timedelta(minutes=12))
    assert (swept["raw_looked_at"], swept["raw_queued_again"], swept["dead_letters_queued_again"]) == (2, 0, 0)
    assert configured.queued("INBOUND_QUEUE_URL") == []


@pytest.mark.parametrize("series", ["", "there-2"], ids=["same-id", "moved"])
@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS.keys())
def test_what_people_wrote_otherwise_is_always_a_mail_of_its_own(
    configured: AwsStack, other: bytes, series: str
) -> None:
    process(configured, store(configured, ORIGINAL, series="here-1"))
    process(configured, store(configured, other, series=series or "here-1", server_id="2/7" if series else "1/7"))
    assert sorted(made(configured)) == sorted([own_id(ORIGINAL), own_id(other)])


WITHOUT_EVIDENCE: dict[str, Mapping[str, Any]] = {
    "another-id": {"server_id": "1/8", "series": "here-1"},
    "another-mailbox": {"mailbox": "sales", "series": "here-1"},
    "an-earlier-version-fetched-it": {"server_id": "2/8"},
}


@pytest.mark.parametrize("given", WITHOUT_EVIDENCE.values(), ids=WITHOUT_EVIDENCE.keys())
def test_without_evidence_other_bytes_are_another_mail(configured: AwsStack, given: Mapping[str, Any]) -> None:
    other = ANEW["a-header-more"][1]
    process(configured, store(configured, ORIGINAL, series="here-1"))
    process(configured, store(configured, other, **given))
    queue = "general" if "mailbox" in given else "support"
    assert own_id(other, given.get("mailbox", "support")) in made(configured, queue)


def test_another_date_of_the_server_is_another_mail(configured: AwsStack) -> None:
    process(configured, store(configured, ORIGINAL))
    process(configured, store(configured, ANEW["a-header-more"][1], at=AT + timedelta(seconds=1)))
    assert len(made(configured)) == 2


def form(number: int, scan: str = "") -> bytes:
    """Write one of several forms of one second; `scan`: what a server adds."""
    return mail(*([f"X-Scan: {scan}"] if scan else []), f"X-Copy: {number}", *RECEIVED)


@pytest.mark.fault(99)
def test_a_mailbox_that_moved_absorbs_as_many_as_were_stored_and_no_more(configured: AwsStack) -> None:
    # Twice the same mail by all that people wrote, as through two aliases: both stay, and are known at the new place.
    for number in (1, 2):
        process(configured, store(configured, form(number), server_id=f"1/{number}", series="here-1"))
    for number in (1, 2, 3):
        key = store(configured, form(number, "anew"), server_id=f"2/{number}", series="there-2")
        process(configured, key, key)
    assert made(configured) == [own_id(form(1)), own_id(form(2)), own_id(form(3, "anew"))]
    for number in (1, 2):
        (told,) = configured.interactions.history(own_id(form(number)))
        assert "changed place or ids" in told.detail
    # And at a third place, with what the second one added.
    for number in (1, 2, 3):
        process(configured, store(configured, form(number, "again"), server_id=f"3/{number}", series="there-3"))
    assert len(made(configured)) == 3


@pytest.mark.fault(99)
def test_two_forms_of_one_second_that_differ_in_their_message_id_only_both_stay_at_the_new_place(
    configured: AwsStack,
) -> None:
    ids = ("<a@example.org>", "<b@example.org>")
    for place, extra in (("1", ()), ("2", ("X-Scan: anew",))):
        for number, message_id in enumerate(ids):
            content = mail(*extra, *RECEIVED, message_id=message_id)
            process(configured, store(configured, content, server_id=f"{place}/{number}", series=place))
    assert made(configured) == [own_id(mail(*RECEIVED, message_id=one)) for one in ids]


@pytest.mark.fault(115)
@pytest.mark.parametrize("kind", ["GRAPH", "EWS"])
def test_exchange_may_list_a_delivery_under_another_id(stack: AwsStack, kind: str) -> None:
    mailboxes = [
        {
            "name": "support",
            "address": "support@example.com",
            "type": kind,
            "endpoint": "support",
            **(
                {"server": "https://mail.example.com/EWS/Exchange.asmx"} if kind == "EWS" else {"tenant_authority": "t"}
            ),
            "password": {"secret": "support"},
        }
    ]
    stack.configure(**{**CONFIGURATION, "mailboxes": mailboxes})
    process(stack, store(stack, ORIGINAL, server_id="/AAA1", series="here"))
    process(stack, store(stack, ANEW["categories-and-flags"][1], server_id="/AAA2", series="here"))
    assert made(stack) == [own_id(ORIGINAL)]
    unnamed = [mail(*extra, *RECEIVED, message_id=None) for extra in ((), ("X-Scan: anew",))]
    for number, content in enumerate(unnamed):
        process(stack, store(stack, content, server_id=f"/BBB{number}", series="here"))
    assert len(made(stack)) == 3  # without a Message-ID nothing says that it is one delivery


@pytest.mark.fault(98)
@pytest.mark.parametrize("first_event", [0, 1], ids=["in-order", "the-second-first"])
def test_what_a_dead_poll_stored_is_found_before_it_is_an_interaction(configured: AwsStack, first_event: int) -> None:
    ended = datetime.now(UTC) - timedelta(minutes=1)
    first = store(configured, ORIGINAL, stored=ended - timedelta(minutes=2))
    second = store(configured, ANEW["a-header-more"][1], dead_lease=ended.isoformat())
    order = [first, second] if first_event == 0 else [second, first]
    # An index that lags behind knows neither of them yet.
    with patch.object(DynamoInteractions, "by_message_ids", lambda *_arguments: []):
        process(configured, *order)
    assert made(configured) == [own_id(ORIGINAL)]
    assert [one.what for one in configured.interactions.history(own_id(ORIGINAL))] == [EventKind.SAME_MAIL]


def test_an_interaction_of_an_earlier_version_is_known_by_its_raw_message(configured: AwsStack) -> None:
    with patch("postroom.services.inbound.understand_mail.stable_digest", lambda _message: ""):
        process(configured, store(configured, ORIGINAL))
    process(configured, store(configured, ANEW["a-header-more"][1]))
    assert made(configured) == [own_id(ORIGINAL)]


def test_a_wrapped_mail_absorbs_nothing(configured: AwsStack) -> None:
    with patch("postroom.services.inbound.understand_mail.read", side_effect=ZeroDivisionError):
        process(configured, store(configured, ORIGINAL))
    process(configured, store(configured, ANEW["a-header-more"][1]))
    assert len(made(configured, "exceptions") + made(configured)) == 2


def test_embedded_mails_and_their_order_count() -> None:
    def outer(*inner: bytes) -> str:
        parts = b"".join(b"--b\r\nContent-Type: message/rfc822\r\n\r\n" + one for one in inner)
        head = b"From: a@example.org\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
        return stable_digest(read(head + parts + b"--b--\r\n"))

    one, other = mail(body="one"), mail(body="two")
    assert outer(one, other) == outer(mail("X-Scan: x", body="one"), other)
    assert len({outer(one), outer(other), outer(one, other), outer()}) == 4
