"""Who may ask the servers on the loopback: this machine's own programs that know the key of the run.

A page of some web site in the same person's browser reaches the loopback too, by its address or by a name that is made
to resolve to it (DNS rebinding), and so does every other account of the machine. So a request names the loopback in
Host, comes from no other origin, and brings the key, which stands in a file that only its owner can read.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Mapping
from urllib.parse import parse_qs, urlsplit

_LOCAL_HOSTS = frozenset({"127.0.0.1", "localhost"})
_SIGNED_BY = re.compile(r"\bCredential=([^/,\s]+)/")


def new_key() -> str:
    """Make the key of a run; it is an access key id as well, which AWS lets have letters and digits."""
    return f"LOCAL{secrets.token_hex(16).upper()}"


def foreign(headers: Mapping[str, str]) -> str | None:
    """Say why a request comes from somewhere else than this machine's own programs; None when it does not.

    `headers` with names in lower case. A page of the server itself is of the same host and port.
    """
    host = headers.get("host", "")
    if not _is_local(host):
        return "Ask by 127.0.0.1 or localhost."
    origin = headers.get("origin")
    if origin is not None:
        try:
            found = urlsplit(origin)
            own = found.scheme == "http" and _is_local(found.netloc) and found.port == urlsplit(f"//{host}").port
        except ValueError:
            own = False
        if not own:
            return "Pages of other sites may not ask."
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return "Pages of other sites may not ask."
    return None


def has_bearer(headers: Mapping[str, str], key: str) -> bool:
    """Tell whether a request brings the key as `Authorization: Bearer`."""
    kind, _space, given = headers.get("authorization", "").partition(" ")
    return kind.lower() == "bearer" and _same(given.strip(), key)


def is_signed(headers: Mapping[str, str], query: str, key: str) -> bool:
    """Tell whether a request to AWS is signed in the name of the key (Signature Version 4, in a header or the URL)."""
    found = _SIGNED_BY.search(headers.get("authorization", ""))
    given = found[1] if found else parse_qs(query).get("X-Amz-Credential", [""])[0].partition("/")[0]
    return _same(given, key)


def _same(given: str, key: str) -> bool:
    return bool(key) and hmac.compare_digest(given.encode("utf-8", "replace"), key.encode("utf-8"))


def _is_local(netloc: str) -> bool:
    try:
        return urlsplit(f"//{netloc}").hostname in _LOCAL_HOSTS
    except ValueError:
        return False
