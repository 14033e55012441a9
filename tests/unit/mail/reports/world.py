"""Builders of reports as mail systems write them; every address and text here is made up."""

from __future__ import annotations

from dataclasses import dataclass

ORIGINAL = (
    "Received: from app.example.org (app.example.org [192.0.2.7]) by mx.example.org; Mon, 2 Nov 2026 09:00:00 +0000\n"
    "Message-ID: <out.17@example.org>\nFrom: Service <service@example.org>\nTo: {to}\nSubject: Your contract\n"
    "Date: Mon, 2 Nov 2026 09:00:00 +0000\nMIME-Version: 1.0\n"
)


@dataclass(frozen=True, slots=True)
class Expected:
    """What a report says of its first recipient."""

    address: str
    status_class: str
    permanent: bool
    reason: str


def plain(sender: str, subject: str, text: str, *, headers: str = "Return-Path: <>\n") -> bytes:
    """Write a report that follows no standard: one text."""
    head = (
        f"{headers}From: {sender}\nTo: service@example.org\nSubject: {subject}\nDate: Mon, 2 Nov 2026 09:01:00 +0000\n"
    )
    head += 'MIME-Version: 1.0\nContent-Type: text/plain; charset="utf-8"\nContent-Transfer-Encoding: 8bit\n\n'
    return (head + text).encode()


def returned(to: str) -> str:
    """Return the header of the mail that comes back."""
    return ORIGINAL.format(to=to)


def standard(
    sender: str,
    subject: str,
    text: str,
    fields: str,
    *,
    to: str,
    subtype: str = "plain",
    reporter: str = "mx.example.net",
    headers: str = "Return-Path: <>\n",
) -> bytes:
    """Write a report by RFC 3464: a text, the fields of one recipient, and the header of the mail."""
    head = (
        f"{headers}From: {sender}\nTo: service@example.org\nSubject: {subject}\nDate: Mon, 2 Nov 2026 09:01:00 +0000\n"
    )
    head += 'MIME-Version: 1.0\nContent-Type: multipart/report; report-type=delivery-status; boundary="=b"\n\n'
    parts = (
        f'Content-Type: text/{subtype}; charset="utf-8"\nContent-Transfer-Encoding: 8bit\n\n{text}',
        f"Content-Type: message/delivery-status\n\nReporting-MTA: dns; {reporter}\n\n{fields}",
        f"Content-Type: text/rfc822-headers\n\n{returned(to)}",
    )
    return (head + "".join(f"--=b\n{part}\n" for part in parts) + "--=b--\n").encode()
