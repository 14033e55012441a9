"""Cursors: where a list goes on, signed, so that nobody makes one up or takes it to another list."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from postroom.errors import Invalid, Problem
from postroom.ports import Clock

VALID = timedelta(hours=24)
_MAC = 16  # bytes
_LONGEST = 4_000  # characters


class BadCursor(Invalid):
    """A cursor that this list never gave, or gave too long ago."""

    code = "bad_cursor"


@dataclass(frozen=True, slots=True)
class Cursors:
    """Seals and opens cursors; `key` is asked for at the first one."""

    key: Callable[[], bytes]
    clock: Clock

    def seal(self, position: Any, *, caller: str, question: Mapping[str, Any]) -> str:
        """Make a cursor of a position (JSON); it holds for this caller and this question (route and filter)."""
        expires = int((self.clock() + VALID).timestamp())
        content = json.dumps([expires, position], separators=(",", ":")).encode()
        return _text(self._mac(content, caller, question) + content)

    def open(self, cursor: str, *, caller: str, question: Mapping[str, Any]) -> Any:
        """Return the position; raises BadCursor."""
        try:
            data = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            data = b""
        mac, content = data[:_MAC], data[_MAC:]
        known = len(cursor) <= _LONGEST and hmac.compare_digest(mac, self._mac(content, caller, question))
        if not known:
            raise _refused("was not given for this list.")
        expires, position = json.loads(content)
        if expires < self.clock().timestamp():
            raise _refused("is older than 24 hours.")
        return position

    def _mac(self, content: bytes, caller: str, question: Mapping[str, Any]) -> bytes:
        bound = json.dumps([caller, question], sort_keys=True, default=str).encode()
        signed = hashlib.sha256(bound).digest() + content
        return hmac.digest(self.key(), signed, "sha256")[:_MAC]


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _refused(problem: str) -> BadCursor:
    return BadCursor([Problem("cursor", problem, "Begin again without `cursor`, with the same filter.")])
