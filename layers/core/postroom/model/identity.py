"""The identities that keep a mail from being lost or doubled (design, 'Identities and order')."""

from __future__ import annotations

import base64
import hashlib
from datetime import date


def short_id(*parts: str) -> str:
    """Derive a 26-character id (130 bits, lower-case base32) from the parts: same parts, same id, for ever."""
    digest = hashlib.sha256("\x00".join(parts).encode("utf-8", "surrogateescape")).digest()
    return base64.b32encode(digest).decode("ascii").lower()[:26]


def interaction_id(mailbox: str, sha256: str, recipient: str = "") -> str:
    """Derive an interaction's id from its content key: mailbox + SHA-256 of the raw bytes (+ recipient of a copy)."""
    return short_id("interaction", mailbox, sha256, recipient)


def outbound_id(cause: str, rule: str) -> str:
    """Derive an outbound id from the interaction that caused it and the rule, or from an idempotency key."""
    return short_id("outbound", cause, rule)


def raw_key(mailbox: str, day: date, server_id: str, sha256: str) -> str:
    """Name the raw object; the server's id is hashed, since it may hold anything.

    Example: `raw/support/2026/11/21/<16 hex of the server id>-<64 hex of the content>.eml`
    """
    server = hashlib.sha256(server_id.encode("utf-8", "surrogateescape")).hexdigest()[:16]
    return f"raw/{mailbox}/{day:%Y/%m/%d}/{server}-{sha256}.eml"


def parse_raw_key(key: str) -> tuple[str, str]:
    """Split a raw key into (mailbox, sha256 of the content); ValueError when it is not one of ours."""
    parts = key.split("/")
    if len(parts) != 6 or parts[0] != "raw" or not parts[5].endswith(".eml"):
        raise ValueError(f"{key!r} is not the key of a raw message")
    sha256 = parts[5].removesuffix(".eml").rpartition("-")[2]
    if len(sha256) != 64 or not set(sha256) <= set("0123456789abcdef"):
        raise ValueError(f"{key!r} carries no content hash")
    return parts[1], sha256
