"""Messages that look cut off, from servers that tell no length: asked for twice, the answers have to agree.

Graph and EWS convert a message when it is asked for, and tell the size that it has in their store only. What stands in
between may end an answer early, and in good order.
"""

from __future__ import annotations

import re
from pathlib import Path

from postroom.model import Fetched, FetchFailed

_BEGIN = 64 * 1024
_END = 4 * 1024
_PART = 4  # a message is no smaller than this part of what it takes in the store
_HEADER_END = re.compile(rb"\r\n\r\n|\n\n")
_BOUNDARY = re.compile(
    rb"^content-type[ \t]*:[^\r\n]*multipart/(?:[^\r\n]|\r?\n[ \t])*?boundary[ \t]*=[ \t]*"
    rb"(?:\"([^\"\r\n]+)\"|([^\s;\"]+))",
    re.IGNORECASE | re.MULTILINE,
)


def looks_cut_off(path: Path) -> bool:
    """Tell whether a message ends within its header, within a line, or before its parts do."""
    with path.open("rb") as file:
        begin = file.read(_BEGIN)
        size = file.seek(0, 2)
        file.seek(max(0, size - _END))
        end = file.read()
    header = _HEADER_END.search(begin)
    if (header is None and size <= _BEGIN) or not end.endswith((b"\n", b"\r")):
        return True
    found = _BOUNDARY.search(begin[: header.start()] if header else begin)
    return found is not None and b"--" + (found[1] or found[2]) + b"--" not in end


def is_too_little(found: Fetched) -> bool:
    """Tell whether a message is much smaller than what the server says that it takes."""
    return found.item.size is not None and found.size * _PART < found.item.size


def agreed(first: Fetched, again: Fetched | FetchFailed) -> Fetched | FetchFailed:
    """Return what two answers for a message come to, the first of which looks cut off; deletes what is not returned."""
    first.path.unlink(missing_ok=True)
    if not isinstance(again, Fetched):
        return again
    if again.sha256 != first.sha256:
        why = "the server sent something else each time it was asked"
    elif is_too_little(again):
        why = f"the server sent {again.size:,} bytes of a message that takes {again.item.size:,} in its store"
    else:
        return again  # it is one that ends so
    again.path.unlink(missing_ok=True)
    return FetchFailed(again.item, why, doubtful=True)
