"""Nothing that somebody writes into a field of a mail begins another field, in any field, by any character."""

from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_bytes, policy
from typing import Any

import pytest
from postroom.errors import Invalid
from postroom.mail.outgoing.composition import Composition, compose
from postroom.mail.outgoing.mime import Enclosure, Ways

CHARACTERS = (
    "\r", "\n", "\r\n", "\n\r", "\r\n\r\n", "\r\r\n", "\0", "\x01", "\x08", "\t", "\x0b", "\x0c", "\x1b", "\x1c",
    "\x1d", "\x1e", "\x1f", "\x7f", "\x85", "\u2028", "\u2029", "\u200b", "\u202e", "\ufeff", "\ud800", "\udfff",
    "\\\r\n", '"\r\n', "=0D=0A", "=?utf-8?q?=0D=0A?=", "%0D%0A", "\r\n ", "嘊嘍", "\u010a\u010d",
)  # fmt: skip
EVIL = "Bcc: evil@example.net"

FIELDS: dict[str, Any] = {
    "subject": lambda text: {"subject": text},
    "sender-name": lambda text: {"sender": f'"{text}" <us@example.com>'},
    "sender-address": lambda text: {"sender": f"us{text}@example.com"},
    "to-name": lambda text: {"to": [f'"{text}" <ann@example.org>']},
    "to-address": lambda text: {"to": [f"ann@example.org{text}"]},
    "cc": lambda text: {"cc": [f'"{text}" <bob@example.org>']},
    "reply_to": lambda text: {"reply_to": f'"{text}" <us@example.com>'},
    "receipt_to": lambda text: {"receipt_to": f'"{text}" <us@example.com>'},
    "message_id": lambda text: {"message_id": f"<1{text}@example.com>"},
    "in_reply_to": lambda text: {"in_reply_to": f"<1{text}@example.com>"},
    "references": lambda text: {"references": [f"<1{text}@example.com>"]},
    "file-name": lambda text: {"files": [Enclosure(f"a{text}.png", "image/png", b"x")]},
    "file-type": lambda text: {"files": [Enclosure("a.png", f"image/png{text}", b"x")]},
    "content-id": lambda text: {
        "files": [Enclosure("a.png", "image/png", b"x", f"a{text}")],
        "html": f"<img src='cid:a{text}'>".encode("utf-8", "replace").decode(),
    },
    "charset": lambda text: {"ways": Ways(charset=f"utf-8{text}")},
    "encoding": lambda text: {"ways": Ways(body=f"8bit{text}")},
    "file-encoding": lambda text: {
        "files": [Enclosure("a.png", "image/png", b"x")],
        "ways": Ways(files=f"base64{text}"),
    },
}
KNOWN = {
    "from", "to", "cc", "reply-to", "subject", "date", "message-id", "in-reply-to", "references", "mime-version",
    "content-type", "content-transfer-encoding", "content-disposition", "content-id", "disposition-notification-to",
}  # fmt: skip


def mail(**changes: Any) -> Composition:
    given: dict[str, Any] = {
        "sender": "us@example.com",
        "to": ["ann@example.org"],
        "subject": "x",
        "text": "x",
        "date": datetime(2026, 11, 30, tzinfo=UTC),
        "message_id": "<1@example.com>",
        **changes,
    }
    return Composition(**given)


@pytest.mark.feature("S01")
@pytest.mark.parametrize("field", FIELDS)
def test_no_character_in_a_field_begins_another(field: str) -> None:
    for character in CHARACTERS:
        for text in (f"{character}{EVIL}", f"a{character}{EVIL}{character}b"):
            try:
                content = compose(mail(**FIELDS[field](text)))
            except Invalid:
                continue
            assert content.isascii(), (field, text)
            assert b"\r" not in content.replace(b"\r\n", b""), (field, text)
            assert b"\n" not in content.replace(b"\r\n", b""), (field, text)
            parsed = message_from_bytes(content, policy=policy.compat32)
            for part in parsed.walk():
                assert {name.lower() for name in part.keys()} <= KNOWN, (field, text, part.keys())  # noqa: SIM118 - no mapping


def test_there_are_as_many_cases_as_are_claimed() -> None:
    assert len(FIELDS) * len(CHARACTERS) >= 500
