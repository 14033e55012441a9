"""Collect all file names of a part that any client might use: their union is checked (docs/threat-model.md 9)."""

from __future__ import annotations

import re
from typing import Protocol
from urllib.parse import unquote_to_bytes

from postroom.mail.encoding import decode
from postroom.mail.headers import Parameters, decode_header, parse

_PERCENT = re.compile(r"%[0-9A-Fa-f]{2}")
_MAX_NAME = 2_000  # characters; file systems allow 255 bytes
_TAIL = 100  # of a longer name: its extension is what programs act on
MAX_NAMES = 50
"""Names of one part; one more says that there were more."""
_MAX_HEADERS = 10


class Named(Protocol):
    """The part of a message whose names are asked for: its headers."""

    content_type: str

    @property
    def message_charset(self) -> str | None: ...

    def has(self, name: str) -> bool: ...

    def header(self, name: str) -> str: ...

    def raw_values(self, name: str) -> list[str]: ...


def names_of(part: Named) -> tuple[str, ...]:
    """Return every name, the best first: the filename of Content-Disposition, then the name of Content-Type."""
    found: dict[str, None] = {}
    # A header that is there twice has one meaning for each half of the clients.
    dispositions = _naming(part, "content-disposition")
    types = _naming(part, "content-type")
    if not (dispositions or types or part.has("content-location")):
        return ()
    raw = "".join(value for one in (*dispositions, *types) for _, value in one.pairs)
    charset = None if raw.isascii() else part.message_charset
    for several, key in ((dispositions, "filename"), (types, "name"), (dispositions, "name"), (types, "filename")):
        for parameters in several:
            for value in parameters.all(key, charset=charset):
                _add(found, value)
    if not found and part.has("content-location") and not part.content_type.startswith(("text/", "multipart/")):
        # RFC 2557 §4.2: clients save by the last step of the location when there is no other name.
        location = part.header("content-location").partition("?")[0]
        _scheme, is_absolute, place = location.partition("://")
        path = place.partition("/")[2] if is_absolute else location
        _add(found, path.rstrip("/").rpartition("/")[2])
    return tuple(list(found)[: MAX_NAMES + 1])


def _naming(part: Named, header: str) -> list[Parameters]:
    """Parse the headers in which a name may stand: most have none."""
    values = part.raw_values(header)
    if len(values) > _MAX_HEADERS:
        values = [*values[: _MAX_HEADERS - 1], values[-1]]  # clients take the first or the last
    return [parse(value) for value in values if "name" in value.lower()]


def _add(found: dict[str, None], value: str) -> None:
    """Add a name decoded as far as any client would (RFC 2047 §5 forbids it in parameters; it is common), and as is."""
    if len(value) > _MAX_NAME:
        value = value[: _MAX_NAME - _TAIL] + value[-_TAIL:]
    decoded = decode_header(value) if "=?" in value else value
    # An encoded word that holds nothing is no name, though the policy would see none in it either.
    forms = [decoded, value] if decoded.strip() else []
    if _PERCENT.search(decoded):
        forms.append(decode(unquote_to_bytes(decoded), None))
    for form in forms:
        cleaned = " ".join(form.replace("\0", "").split())
        if cleaned:
            found.setdefault(cleaned)
