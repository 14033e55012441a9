"""What a mail server hands out instead of a mail that it cannot read: known by what it lacks, not by its words.

Exchange writes one in the language of the server when it fails to convert a mail for IMAP or POP3 (2010 to 2019, seen
2026). No mail system has carried it, so nothing has stamped it, and its sender is a product's name without an address.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

_STAMPED = ("received", "message-id", "return-path", "resent-from")
_SAYS = ("from", "date", "subject")


def is_substitute(fields: Mapping[str, Sequence[bytes]]) -> bool:
    """Tell whether these header fields (by lower-case name) are a server's own; mail with parts is none."""
    if any(name in fields for name in _STAMPED) or not all(name in fields for name in _SAYS):
        return False
    kinds = fields.get("content-type", ())
    plain = all(kind.strip().lower().startswith(b"text/plain") for kind in kinds)
    sender = fields["from"][0].strip()
    return plain and len(fields["from"]) == 1 and bool(sender) and b"@" not in sender and b"<" not in sender
