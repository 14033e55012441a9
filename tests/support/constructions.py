"""Mails of any size, each of one piece again and again: where time grows faster than a mail, one of them shows it.

`python -m tests.support.constructions [WORD]` prints the seconds of each at an eighth, a quarter, a half and all of
3 MB, and the exponent of their growth: 1 is linear time, 2 quadratic.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial

from postroom.model.configuration.document import Configuration
from postroom.services.inbound.understand_mail import understand
from postroom.services.policy.compiled import Policies, Policy

from tests.support.growth import exponent_of, seconds

MEGABYTES_3 = 3 * 1024 * 1024
_HEAD = b"From: a@example.com\r\nTo: b@example.org\r\nSubject: x\r\nDate: Fri, 20 Nov 2026 10:00:00 +0000\r\n"

_FIELDS = str.split(
    "Subject From To Cc Reply-To Received References In-Reply-To Message-ID Date Content-Type Content-Disposition "
    "Authentication-Results List-Id Auto-Submitted X-Anything"
)
_FIELD_PIECES: dict[str, bytes] = {
    "angles": b"<",
    "word-beginnings": b"=?",
    "words": b"=?utf-8?q?=C3=A4?= ",
    "quotes": b'"',
    "comments": b"(",
    "commas": b",",
    "parameters": b"; a=b",
    "continued": b"; a*0*=b",
    "addresses": b"<a@b.example>, ",
    "names": b"Ann Example ",
    "backslashes": b"\\",
    "colons": b"a:",
    "spaces": b" ",
    "folds": b"\r\n ",
    "eights": b"\xe4",
    "ids": b"<1@b> ",
}
_TEXT_PIECES: dict[str, bytes] = {
    "quotes": b"> ",
    "quoted-lines": b"> a\r\n",
    "dashes": b"-- \r\n",
    "introductions": b"On Monday Ann <a@b.example> wrote:\r\n",
    "beginnings": b"On Monday ",
    "wrote": b"wrote:\r\n",
    "fields": b"From: a@b.example\r\n",
    "rules": b"________________\r\n",
    "links": b"http://a.example/ ",
    "numbers": b"4111 1111 1111 1111 ",
    "digits": b"4",
    "spaces": b" ",
    "empty": b"\r\n",
    "names": b"Ann\r\n",
    "sent-from": b"Sent from my phone\r\n",
    "codes": b"550 5.1.1 <a@b.example> ",
    "begin": b"begin 644 a\r\n",
    "eights": b"\xe4 ",
    "wide": b"\xf0\x9f\x98\x80",
}
_HTML_PIECES: dict[str, bytes] = {
    "angles": b"<",
    "ends": b"</",
    "comments": b"<!--",
    "divs": b"<div>",
    "closed-divs": b"<div>a</div>",
    "cells": b"<table><tr><td>",
    "links": b'<a href="http://a.example/">b</a>',
    "open-links": b"<a href=",
    "attributes": b"<p a=1 ",
    "styles": b'<p style="color:red;display:none">a</p>',
    "style-elements": b"<style>p{}</style>",
    "open-styles": b"<style>",
    "entities": b"&amp;",
    "ampersands": b"&",
    "numbers": b"&#x41",
    "breaks": b"<br>",
    "quotes": b"<blockquote>",
    "pictures": b'<img src="cid:a">',
    "data": b'<img src="data:image/png;base64,iVBORw0KGgo=">',
    "lists": b"<ul><li>",
    "sections": b"<![CDATA[",
    "scripts": b"<script>a</script>",
    "words": b"word ",
    "hidden": b"<span hidden>a</span>",
    "gmail": b'<div class="gmail_quote">',
}
_PART = b"--b\r\n\r\na\r\n"
_MIME_PIECES: dict[str, bytes] = {
    "parts": _PART,
    "files": b"--b\r\nContent-Type: image/png; name=a.png\r\nContent-Disposition: attachment\r\n\r\na\r\n",
    "mails": b"--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: a\r\n\r\nb\r\n",
    "html": b"--b\r\nContent-Type: text/html\r\n\r\n<p>a\r\n",
    "boundaries": b"--b\r\n",
    "almost-boundaries": b"--bb\r\n",
    "dashes": b"--",
    "nested": b"--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n",
    "reports": b"--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; a\r\n\r\n",
    "calendars": b"--b\r\nContent-Type: text/calendar\r\n\r\nBEGIN:VCALENDAR\r\n",
}
_ENCODED: dict[str, tuple[bytes, bytes]] = {
    "base64": (b"base64", b"SGVsbG8gd29ybGQh\r\n"),
    "base64-noise": (b"base64", b"S=-_G\r\n"),
    "quoted-printable": (b"quoted-printable", b"=C3=A4=\r\n"),
    "quoted-noise": (b"quoted-printable", b"="),
    "uuencode": (b"x-uuencode", b"M" + b"0" * 60 + b"\r\n"),
}


def _field(name: str, piece: bytes, size: int) -> bytes:
    return _HEAD + name.encode() + b": " + piece * (size // len(piece)) + b"\r\n\r\ntext\r\n"


def _fields(name: str, piece: bytes, size: int) -> bytes:
    line = name.encode() + b": " + piece * 4 + b"\r\n"
    return _HEAD + line * (size // len(line)) + b"\r\ntext\r\n"


def _body(kind: bytes, piece: bytes, size: int, encoding: bytes = b"8bit") -> bytes:
    head = b"MIME-Version: 1.0\r\nContent-Type: " + kind + b"\r\nContent-Transfer-Encoding: " + encoding + b"\r\n\r\n"
    return _HEAD + head + piece * (size // len(piece)) + b"\r\n"


def _constructions() -> dict[str, Callable[[int], bytes]]:
    made: dict[str, Callable[[int], bytes]] = {}
    for name in _FIELDS:
        for what, piece in _FIELD_PIECES.items():
            made[f"{name.lower()}-of-{what}"] = partial(_field, name, piece)
        made[f"many-{name.lower()}"] = partial(_fields, name, _FIELD_PIECES["addresses"])
    for what, piece in _TEXT_PIECES.items():
        made[f"text-of-{what}"] = partial(_body, b"text/plain; charset=utf-8", piece)
    for what, piece in _HTML_PIECES.items():
        made[f"html-of-{what}"] = partial(_body, b"text/html; charset=utf-8", piece)
    for what, piece in _MIME_PIECES.items():
        made[f"mime-of-{what}"] = partial(_body, b"multipart/mixed; boundary=b", piece)
    for what, (encoding, piece) in _ENCODED.items():
        made[f"encoded-{what}"] = partial(_body, b"text/plain", piece, encoding=encoding)
        made[f"file-{what}"] = partial(_body, b"application/pdf; name=a.pdf", piece, encoding=encoding)
    return made


CONSTRUCTIONS: dict[str, Callable[[int], bytes]] = _constructions()


class _Fixed:
    """Implements ports.Configurations: what is configured masks card numbers and knows addresses of its own."""

    def current(self) -> Configuration:
        return Configuration.model_validate(
            {
                "masking_patterns": [{"name": "cards", "kind": "card"}],
                "settings": {"trusted_authserv_ids": ["mx.example.com"]},
            }
        )


def policy() -> Policy:
    """Return the policy that they are understood by."""
    return Policies(_Fixed(), lambda: (b"k" * 32,)).of_mailbox("support")[0]


def everything(raw: bytes, *, by: Policy) -> None:
    """Do all that is done with a mail's bytes."""
    mail = understand(raw, policy=by)
    mail.stable_digest()
    for file in mail.files:
        file.data()


def main() -> None:
    """Print the table, the slowest and the steepest last."""
    by = policy()
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    sizes = [MEGABYTES_3 // part for part in (8, 4, 2, 1)]
    rows = []
    for name, make in CONSTRUCTIONS.items():
        if wanted not in name:
            continue
        times = [seconds(partial(everything, by=by), make(size)) for size in sizes]
        grows = exponent_of(times[0], times[-1], factor=8)
        rows.append((times[-1], grows, name))
        print(f"{name:40} " + " ".join(f"{one:7.3f}" for one in times) + f"  {grows:5.2f}", flush=True)  # noqa: T201
    over = [row for row in rows if row[0] > 1 or row[1] > 1.5]
    print(f"{len(rows)} constructions; over a second or steeper than 1.5: {len(over)}")  # noqa: T201
    for taken, grows, name in sorted(over):
        print(f"  {name:40} {taken:7.3f} s  {grows:5.2f}")  # noqa: T201


if __name__ == "__main__":
    main()
