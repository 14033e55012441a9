"""The identities that keep a mail from being lost or doubled (design, 'Identities and order')."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime

_RAW_KEY = re.compile(r"raw/(\d{4})/(\d\d)/(\d\d)/(\d\d)/([^/]+)/([0-9a-f]{16})-([0-9a-f]{64})\.eml")


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


def raw_key(mailbox: str, stored: datetime, server_id: str, sha256: str) -> str:
    """Name the raw object, by the hour it is stored in (UTC), so that the sweeper can list what is recent.

    The server's id is hashed, since it may hold anything. Example:
    `raw/2026/11/21/14/support/<16 hex of the server id>-<64 hex of the content>.eml`
    """
    server = hashlib.sha256(server_id.encode("utf-8", "surrogateescape")).hexdigest()[:16]
    return f"{raw_prefix(stored)}{mailbox}/{server}-{sha256}.eml"


def in_place_of_id(digest: str) -> str:
    """Return what stands for the Message-ID of a mail without one: its stable digest, in a form that no field holds."""
    return f"\0{digest}"


def raw_prefix(hour: datetime) -> str:
    """Return what the keys of all raw messages stored in an hour begin with."""
    return f"raw/{hour:%Y/%m/%d/%H}/"


@dataclass(frozen=True, slots=True)
class RawKey:
    """What a raw key says: the mailbox, the hour it was stored in, and the SHA-256 of the content (hex).

    `server` stands for the mail's place on its server, epoch and id: 16 hex digits.
    """

    mailbox: str
    stored: datetime
    sha256: str
    server: str = ""

    @property
    def interaction_id(self) -> str:
        """Return the id of the interaction that this raw message becomes."""
        return interaction_id(self.mailbox, self.sha256)


def parse_raw_key(key: str) -> RawKey:
    """Read a raw key; ValueError when it is not one of ours."""
    match = _RAW_KEY.fullmatch(key)
    if match is None:
        raise ValueError(f"{key!r} is not the key of a raw message")
    year, month, day, hour, mailbox, server, sha256 = match.groups()
    return RawKey(mailbox, datetime(int(year), int(month), int(day), int(hour), tzinfo=UTC), sha256, server)
