"""The protocol trace of EWS (G10): operations, statuses, codes, sizes and times in our own words.

Nothing is copied from a request or an answer but names that are known here, so no secret and no mail can be in it.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from exchangelib import errors

from postroom.errors import PostroomError

Note = Callable[[str, str], None]
"""Takes `>` or `<`, and a line."""

_OPERATION = re.compile(rb"Body><m:([A-Z][A-Za-z]{1,40})[ >]")
_CODE = re.compile(rb"ResponseCode[^<>]{0,200}>\s*(NoError|Error[A-Za-z0-9]{1,80})\s*<")
_SCHEMES = ("NTLM", "Negotiate", "Basic", "Bearer", "Digest", "Kerberos")


class Traced:
    """Notes each request of another adapter of requests, those of an NTLM login too, and the status of each answer."""

    def __init__(self, inner: Any, note: Note) -> None:
        self._inner = inner
        self._note = note

    def send(self, request: Any, *args: Any, **options: Any) -> Any:
        """Send a request by the other adapter."""
        body = request.body or b""
        body = body.encode("utf-8") if isinstance(body, str) else body
        self._note(">", f"POST {_asked(body)}, {len(body):,} bytes{_login(request.headers.get('Authorization', ''))}")
        began = time.monotonic()
        try:
            response = self._inner.send(request, *args, **options)
        except PostroomError as error:
            self._note("<", f"{error.code} after {time.monotonic() - began:.3f} s")
            raise
        except Exception as error:
            self._note("<", f"{type(error).__name__} after {time.monotonic() - began:.3f} s")
            raise
        response.connection = self  # what NTLM sends its next message by
        offers = response.headers.get("WWW-Authenticate", "").lower()
        offered = [name for name in _SCHEMES if name.lower() in offers]
        told = f", offers {', '.join(offered)}" if offered else ""
        self._note("<", f"{response.status_code} in {time.monotonic() - began:.3f} s{told}")
        return response

    def close(self) -> None:
        """Close the other adapter."""
        self._inner.close()


def what_came(content: bytes) -> str:
    """Say what an answer is: its size, and the response codes in it."""
    codes = Counter(code.decode("ascii") for code in _CODE.findall(content))
    told = [f"{count} × {code if _is_known(code) else 'an unknown code'}" for code, count in codes.items()]
    return f"{len(content):,} bytes{': ' if told else ''}{', '.join(told)}"


def _asked(body: bytes) -> str:
    operation = _OPERATION.search(body)
    items = body.count(b"<t:ItemId ")
    name = operation[1].decode("ascii") if operation else "nothing"
    return f"{name} of {items:,} items" if items else name


def _login(authorization: str) -> str:
    scheme = authorization.partition(" ")[0]
    return f", login by {scheme}" if scheme in _SCHEMES else ""


def _is_known(code: str) -> bool:
    return code == "NoError" or hasattr(errors, code)
