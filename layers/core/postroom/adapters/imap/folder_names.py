"""Folder names as IMAP writes them: modified UTF-7 (RFC 3501 §5.1.3), quoted."""

from __future__ import annotations

import base64
import re

# What stands for itself is printable ASCII; all between two such characters is one run of base64.
_OTHERS = re.compile(r"[^\x20-\x7e]+|&")


def quote_folder(name: str) -> bytes:
    """Write a folder's name as it goes on the wire; controls become part of the base64."""
    return b'"' + to_modified_utf7(name).replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


def to_modified_utf7(name: str) -> bytes:
    """Write a name in modified UTF-7: `&` as `&-`, others in UTF-16 and base64 with `,` for `/`, without padding."""
    return _OTHERS.sub(_shifted, name).encode("ascii")


def _shifted(match: re.Match[str]) -> str:
    if match[0] == "&":
        return "&-"
    # A lone surrogate is no character, but a name that holds one must be refused by the server, not by a crash.
    utf16 = match[0].encode("utf-16-be", "surrogatepass")
    return "&" + base64.b64encode(utf16, b"+,").decode("ascii").rstrip("=") + "-"
