"""Collect all file names of a part that any client might use (security.md 9): what is checked is their union."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from postroom.mail.charset import decode
from postroom.mail.encoded_words import decode_header
from postroom.mail.parameters import Parameters, parse

if TYPE_CHECKING:
    from postroom.mail.part import Part

_PERCENT = re.compile(r"%[0-9A-Fa-f]{2}")
_MAX_NAME = 2_000  # characters; file systems allow 255 bytes
_MAX_NAMES = 50
_MAX_HEADERS = 10


def names_of(part: Part) -> tuple[str, ...]:
    """Return every name, the best first: the filename of Content-Disposition, then the name of Content-Type."""
    found: dict[str, None] = {}
    # A header that is there twice has one meaning for each half of the clients.
    dispositions = _naming(part, "content-disposition")
    types = _naming(part, "content-type")
    raw = "".join(value for one in (*dispositions, *types) for _, value in one.pairs)
    charset = None if raw.isascii() else part.message_charset
    for several, key in ((dispositions, "filename"), (types, "name"), (dispositions, "name"), (types, "filename")):
        for parameters in several:
            for value in parameters.all(key, charset=charset):
                _add(found, value)
    if not found and part.has("content-location") and not part.content_type.startswith(("text/", "multipart/")):
        # RFC 2557 §4.2: clients save by the last step of the location when there is no other name.
        path = part.header("content-location").partition("?")[0].rstrip("/")
        _add(found, path.rpartition("/")[2])
    return tuple(list(found)[:_MAX_NAMES])


def _naming(part: Part, header: str) -> list[Parameters]:
    """Parse the headers in which a name may stand: most have none."""
    return [parse(value) for value in part.raw_values(header)[:_MAX_HEADERS] if "name" in value.lower()]


def _add(found: dict[str, None], value: str) -> None:
    """Add a name decoded as far as any client would (RFC 2047 §5 forbids it in parameters; it is common), and as is."""
    value = value[:_MAX_NAME]
    decoded = decode_header(value) if "=?" in value else value
    forms = [decoded, value]
    if _PERCENT.search(decoded):
        forms.append(decode(unquote_to_bytes(decoded), None))
    for form in forms:
        cleaned = " ".join(form.replace("\0", "").split())
        if cleaned:
            found.setdefault(cleaned)
