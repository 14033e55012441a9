"""The signed token that ties a reply to what we sent (docs/threat-model.md 6).

A token is ``pr1.<outbound id>.<mac>``. It travels in our Message-ID, and where enabled in the plus-part of the reply
address and as a line of the body. The MAC is HMAC-SHA256 cut to 80 bits in base32, lower case, so that servers and
people who fold case do not break it. All three forms prove the same: whoever answers has seen our mail.
"""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Iterator, Sequence

VERSION = "pr1"
"""First part of every token; a later format gets another one, and both verify for a while."""

MAC_LENGTH = 16
"""Characters of base32, five bits each: the 80 bits of RFC 2104 §5, and no more, to leave room in a local part."""

MINIMUM_KEY_BYTES = 16

_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_TOKEN = re.compile(
    rf"(?<![a-z0-9._-]){VERSION}\.([a-z0-9][a-z0-9_-]{{0,39}})\.([a-z2-7]{{{MAC_LENGTH}}})(?![a-z0-9._-])"
)
_MARKER = re.compile(rf"\[ref:({VERSION}\.[a-z0-9_-]{{1,40}}\.[a-z2-7]{{{MAC_LENGTH}}})\]")

_LONGEST_CANDIDATE = 998
"""RFC 5322 §2.1.1: no header line is longer, and a Message-ID is never folded."""

_BODY_SCANNED = 256 * 1024
_MOST_MARKERS = 16
_LONGEST_LOCAL_PART = 64  # octets, RFC 5321 §4.5.3.1.1
_LONGEST_ADDRESS = 254  # octets: RFC 5321 §4.5.3.1.3 allows 256 with the angle brackets

ID_LENGTH = 26
"""Characters of the outbound ids that model/identity.py derives."""
_PLUS_PART = 1 + len(f"{VERSION}.") + ID_LENGTH + 1 + MAC_LENGTH
ROOM_BEFORE_PLUS = _LONGEST_LOCAL_PART - _PLUS_PART
"""Octets that the local part of an address may have, so that a token still fits behind it."""


def sign(outbound_id: str, *, key: bytes) -> str:
    """Return the MAC of an outbound id: 16 characters of lower-case base32.

    Raises ValueError for an id that would not survive a mail address (lower-case letters, digits, ``_`` and ``-``, at
    most 40), and for a key under 16 bytes.
    """
    if not _ID.fullmatch(outbound_id):
        raise ValueError(
            f"outbound id {outbound_id!r} cannot be signed: use 1 to 40 lower-case letters, digits, '_' or '-'"
        )
    if len(key) < MINIMUM_KEY_BYTES:
        raise ValueError(f"the token key has {len(key)} bytes: use at least {MINIMUM_KEY_BYTES} random ones")
    digest = hmac.digest(key, f"postroom:{VERSION}:{outbound_id}".encode("ascii"), "sha256")
    return base64.b32encode(digest).decode("ascii").lower()[:MAC_LENGTH]


def token_for(outbound_id: str, *, key: bytes) -> str:
    """Return the bare token, ``pr1.<id>.<mac>``."""
    return f"{VERSION}.{outbound_id}.{sign(outbound_id, key=key)}"


def message_id_for(outbound_id: str, *, key: bytes, domain: str) -> str:
    """Return the Message-ID of an outbound mail, angle brackets included."""
    return f"<{token_for(outbound_id, key=key)}@{domain}>"


def plus_address_for(address: str, outbound_id: str, *, key: bytes) -> str | None:
    """Return ``local+pr1.<id>.<mac>@domain``, or None when SMTP allows no address of that length."""
    local, at, domain = address.rpartition("@")
    if not at or not local:
        return None
    tagged = f"{local}+{token_for(outbound_id, key=key)}"
    fits = len(tagged.encode()) <= _LONGEST_LOCAL_PART and len(f"{tagged}@{domain}".encode()) <= _LONGEST_ADDRESS
    return f"{tagged}@{domain}" if fits else None


def has_room_for_plus(address: str) -> bool:
    """Say whether a token fits behind the local part of an address, within the lengths that SMTP allows."""
    local, _at, domain = address.rpartition("@")
    return (
        not local.startswith('"')  # a quoted local part ends with its quote
        and len(local.encode()) <= ROOM_BEFORE_PLUS
        and len(f"{local}@{domain}".encode()) + _PLUS_PART <= _LONGEST_ADDRESS
    )


def marker_for(outbound_id: str, *, key: bytes) -> str:
    """Return the line for a body, ``[ref:pr1.<id>.<mac>]``."""
    return f"[ref:{token_for(outbound_id, key=key)}]"


def verify(candidate: str, *, keys: Sequence[bytes]) -> str | None:
    """Return the outbound id that a Message-ID, a plus-address, a body marker or a bare token proves, else None.

    Every key is tried, newest first by convention: a key that was rotated out keeps old threads together for as long
    as it stays in the list.
    """
    if not keys or len(candidate) > _LONGEST_CANDIDATE:
        return None
    # A plus-part follows a `+`, a Message-ID's a `<`; the domain may be anything, servers and forwarders rewrite it.
    found = _TOKEN.search(candidate.lower())
    if found is None:
        return None
    outbound_id, mac = found.groups()
    proven = False
    for key in keys:
        # No early exit: the time must not tell which key, or how much of a MAC, was right.
        proven |= hmac.compare_digest(sign(outbound_id, key=key), mac)
    return outbound_id if proven else None


def markers_in(text: str) -> Iterator[str]:
    """Yield the body markers of a text, unverified: at most 16, from its first 256 K characters."""
    scanned = text[:_BODY_SCANNED].lower()
    for count, found in enumerate(_MARKER.finditer(scanned)):
        if count >= _MOST_MARKERS:
            return
        yield found.group(1)


def looks_ours(candidate: str) -> bool:
    """Say whether a string has the shape of a token, proven or not: a forged one is worth a hint."""
    return len(candidate) <= _LONGEST_CANDIDATE and _TOKEN.search(candidate.lower()) is not None


def claimed_id(candidate: str) -> str | None:
    """Return the outbound id that a string in the form of a token names, proven or not: for people who look it up."""
    found = _TOKEN.search(candidate.lower()) if len(candidate) <= _LONGEST_CANDIDATE else None
    return found[1] if found else None


def without_plus_part(address: str) -> str:
    """Return an address without its token, to compare it with the mailbox's own."""
    local, at, domain = address.rpartition("@")
    name, plus, tag = local.rpartition("+")  # what is before may have a plus of its own
    return f"{name}@{domain}" if at and plus and tag.lower().startswith(f"{VERSION}.") else address
