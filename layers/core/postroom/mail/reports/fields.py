"""The fields of a delivery status part (RFC 3464 §2), also where they are badly formed or stand in a text."""

from __future__ import annotations

import re
from collections.abc import Iterable

Fields = dict[str, str]

_MOST_FIELDS = 2_000

LONGEST_DIAGNOSTIC = 2_000

_FIELD = re.compile(r"([A-Za-z][A-Za-z0-9-]{1,60})[ \t]{0,4}:[ \t]*(.*)")

_STATUS_FIELDS = frozenset(
    [
        "original-envelope-id",
        "reporting-mta",
        "dsn-gateway",
        "received-from-mta",
        "arrival-date",
        "original-recipient",
        "final-recipient",
        "action",
        "status",
        "remote-mta",
        "diagnostic-code",
        "last-attempt-date",
        "final-log-id",
        "will-retry-until",
    ]
)


def field_blocks(text: str) -> list[Fields]:
    """Split the body of a status part into its blocks of fields (RFC 3464 §2.1), names in lower case.

    A repeated Final-Recipient begins a block too: some senders leave out the empty line.
    """
    blocks: list[Fields] = [{}]
    last = ""
    for count, line in enumerate(text.split("\n")):
        if count > _MOST_FIELDS:
            break
        line = line.rstrip("\r")[:LONGEST_DIAGNOSTIC]
        if not line.strip():
            if blocks[-1]:
                blocks.append({})
            last = ""
        elif line[0] in " \t" and last:
            blocks[-1][last] = f"{blocks[-1][last]} {line.strip()}"[: 4 * LONGEST_DIAGNOSTIC]
        else:
            found = _FIELD.match(line.lstrip("> \t") if not last else line)
            if not found:
                # A folded line whose white space got lost: it belongs to the diagnostic before it.
                if last == "diagnostic-code":
                    blocks[-1][last] = f"{blocks[-1][last]} {line.strip()}"[: 4 * LONGEST_DIAGNOSTIC]
                continue
            name = found.group(1).lower()
            if name == "final-recipient" and name in blocks[-1]:
                blocks.append({})
            last = name
            blocks[-1].setdefault(name, found.group(2).strip())
    return [block for block in blocks if block]


def without_fields(words: str) -> str:
    """Return a text without the status fields in it: they are read as fields."""
    kept = []
    for line in words.split("\n"):
        found = _FIELD.match(line)
        if not found or found.group(1).lower() not in _STATUS_FIELDS:
            kept.append(line)
    return "\n".join(kept)


def address_in(value: str) -> str:
    """Return the address of an `rfc822; user@example` field, or the name of a `dns; host` one."""
    kind, semicolon, rest = value.partition(";")
    text = (rest if semicolon else kind).strip()[:998]
    if text.endswith(">") and "<" in text:
        text = text[text.rindex("<") + 1 : -1]
    if text.startswith(("|", "/")):  # exim: the program behind the address, and the address among its arguments
        text = next((word for word in text.split() if "@" in word), text)
    return text.strip("<> \t\"'")


def merged(blocks: Iterable[Fields]) -> Fields:
    """Put blocks together; the first of each name counts."""
    merged: Fields = {}
    for block in blocks:
        for name, value in block.items():
            merged.setdefault(name, value)
    return merged


def original_id(blocks: Iterable[Fields]) -> str | None:
    """Return the Message-ID that the fields name."""
    fields = merged(blocks)
    value = fields.get("original-message-id") or fields.get("x-original-message-id") or ""
    return value.strip() or None


def short(text: str | None) -> str | None:
    """Return a text in one line, cut where no diagnostic goes on."""
    joined = " ".join((text or "").split())
    return joined[:LONGEST_DIAGNOSTIC] or None
