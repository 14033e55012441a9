"""Look at a request of the HTTP API (payload format 2.0) before a route does: whether it is text, and sensible JSON."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

from postroom.errors import Invalid, Problem
from postroom.services.api.problems import BodyTooLarge, UnreadableRequest

LARGEST_BODY = 1_000_000
"""Bytes; a reply is text, and files go another way."""

_JSON = ("application/json", "application/merge-patch+json")

DEEPEST = 20
"""Levels of JSON; the deepest request has three."""


def check_readable(event: Mapping[str, Any]) -> None:
    """Refuse what is no text or no sensible JSON, with its place; raises UnreadableRequest, BodyTooLarge or Invalid.

    The framework would let it through to code that takes text for text: half a surrogate pair cannot be stored, a
    million brackets end the recursion, a key given twice means two things.
    """
    for part in ("rawPath", "queryStringParameters", "headers"):
        _check_text(part, event.get(part))
    body = event.get("body")
    if not body:
        return
    text = _decoded(str(body), encoded=bool(event.get("isBase64Encoded")))
    kind = {str(name).lower(): value for name, value in (event.get("headers") or {}).items()}.get("content-type", "")
    if kind and not str(kind).strip().lower().startswith(_JSON):
        return  # refused by the framework, by its type
    parsed = _parsed(text)
    _check_text("body", parsed)
    if not isinstance(parsed, dict):  # the framework takes the first of a list for the whole
        raise Invalid([Problem("body", "is no JSON object.", "Send a JSON object.")])


def _decoded(body: str, *, encoded: bool) -> str:
    if encoded:
        try:
            data = base64.b64decode(body, validate=True)
        except (binascii.Error, ValueError) as error:
            raise _unreadable("body", "is no base64.", "Send the body as it is, in UTF-8.") from error
    else:
        try:
            data = body.encode("utf-8")
        except UnicodeEncodeError as error:
            raise _half("body", error.start) from error
    if len(data) > LARGEST_BODY:
        raise BodyTooLarge(
            [Problem("body", f"has {len(data):,} bytes.", f"Send at most {LARGEST_BODY:,} bytes; shorten the text.")]
        )
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _unreadable("body", f"is not UTF-8 from byte {error.start:,} on.", "Send JSON in UTF-8.") from error


def _parsed(text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_once, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise _unreadable("body", f"is no JSON: {error.msg} at {place}.", "Correct it there.") from error
    except RecursionError:
        raise _too_deep("body") from None
    except ValueError as error:  # a number of thousands of digits
        raise _unreadable("body", "holds a number that is too long.", "Shorten it.") from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise _unreadable(f"body.{_shown(name)}", "is given twice.", "Give it once.")
        found[name] = value
    return found


def _no_number(word: str) -> Any:
    raise _unreadable("body", f"holds {word}, which JSON does not have.", "Give a number, or null.")


def _check_text(path: str, value: Any) -> None:
    """Walk a value without recursion; refuses half surrogate pairs, and more levels than DEEPEST."""
    left: list[tuple[str, Any, int]] = [(path, value, 0)]
    while left:
        place, one, depth = left.pop()
        if depth > DEEPEST:
            raise _too_deep(path)
        if isinstance(one, str):
            try:
                one.encode("utf-8")
            except UnicodeEncodeError as error:
                raise _half(place, error.start) from error
        elif isinstance(one, Mapping):
            left += [(place, str(name), depth) for name in one]
            left += [(f"{place}.{_shown(str(name))}", part, depth + 1) for name, part in one.items()]
        elif isinstance(one, list):
            left += [(f"{place}.{number}", part, depth + 1) for number, part in enumerate(one)]


def _shown(name: str) -> str:
    """Shorten a name for a place in a message."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")[:60]


def _half(path: str, position: int) -> UnreadableRequest:
    return _unreadable(
        path, f"holds half a surrogate pair at character {position + 1:,}.", "Send whole characters (RFC 8259 §8.2)."
    )


def _too_deep(path: str) -> UnreadableRequest:
    return _unreadable(path, f"is nested more than {DEEPEST} levels deep.", "Send what docs/openapi.json describes.")


def _unreadable(path: str, problem: str, remedy: str) -> UnreadableRequest:
    return UnreadableRequest([Problem(path, problem, remedy)])
