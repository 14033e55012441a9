"""Builds mails for tests: short, readable, with CRLF."""

from __future__ import annotations

from collections.abc import Sequence

CUSTOMER = "ann@example.org"


def mail(
    *headers: str,
    sender: str = f"Ann <{CUSTOMER}>",
    to: str = "support@example.com",
    subject: str = "Where is my parcel?",
    message_id: str | None = "<1@example.org>",
    return_path: str | None = f"<{CUSTOMER}>",
    body: str = "I ordered it two weeks ago.",
) -> bytes:
    """Return a plain mail; extra header lines come first, and a header given there stands beside the default one."""
    lines: list[str] = [f"Return-Path: {return_path}"] if return_path is not None else []
    lines += [*headers, f"From: {sender}", f"To: {to}", f"Subject: {subject}", "Date: Fri, 20 Nov 2026 10:00:00 +0000"]
    if message_id is not None:
        lines.append(f"Message-ID: {message_id}")
    return crlf([*lines, "", body, ""])


def crlf(lines: Sequence[str]) -> bytes:
    """Join lines as they travel."""
    return "\r\n".join(lines).encode()
