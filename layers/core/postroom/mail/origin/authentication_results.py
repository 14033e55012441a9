"""What the receiving server found out about the sender: Authentication-Results (RFC 8601).

Anybody can write such a header. Only the topmost one of a configured authserv-id is read: the border server removes
those that claim its name before it adds its own on top (RFC 8601 §5), and everything below may be the sender's.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum

from postroom.mail.reader import JOINED, Part


class Result(StrEnum):
    """Result words of RFC 8601 §2.7 (and RFC 7489 §11.2); what is none of them is UNKNOWN."""

    PASS = "pass"  # noqa: S105 (no password)
    FAIL = "fail"
    SOFTFAIL = "softfail"  # SPF: probably not authorised
    NEUTRAL = "neutral"
    NONE = "none"  # the sender's domain publishes nothing
    POLICY = "policy"
    TEMPERROR = "temperror"  # could not be checked just now
    PERMERROR = "permerror"  # what the domain publishes is wrong
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class MethodResult:
    """One method's result, and the properties that say about whom: `header.from`, `smtp.mailfrom`, …"""

    method: str
    result: Result
    properties: dict[str, str]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class AuthVerdict:
    """The verdict of one trusted header; a method that it does not mention is None, and so is all without a header."""

    authserv_id: str | None = None
    spf: Result | None = None
    dkim: Result | None = None
    dmarc: Result | None = None
    arc: Result | None = None
    dmarc_domain: str | None = None  # the From domain that was checked
    spf_domain: str | None = None
    dkim_domains: tuple[str, ...] = ()  # of the signatures that passed
    results: tuple[MethodResult, ...] = ()


UNCHECKED = AuthVerdict()

NO_AUTHSERV_ID = "-"
"""What to configure for a server that writes no name of its own (Microsoft 365 begins with `spf=…`)."""

_LONGEST_HEADER = 16 * 1024
_MOST_RESULTS = 50
_MOST_HEADERS = 50
"""The border server's stands above those that came with the mail; a chain of ten forwarders has ten."""
_METHOD = re.compile(r"([a-z0-9-]{1,40})\s*(?:/\s*\d{1,3}\s*)?=\s*([a-z]{1,40})", re.IGNORECASE)
_PROPERTY = re.compile(
    r"(?<![a-z0-9_.-])([a-z0-9_-]{1,30}(?:\.[a-z0-9_.-]{1,60})?)\s*=\s*(\"(?:[^\"\\]|\\.){0,1000}\"|[^\s\";]{1,1000})",
    re.IGNORECASE,
)
_FOLD = re.compile(r"[\r\n]+[ \t]*")
_WORDS = {word.value: word for word in Result} | {
    "hardfail": Result.FAIL,
    "error": Result.TEMPERROR,
    "bestguesspass": Result.NONE,
}
# Of several DKIM signatures one that passed is enough (RFC 6376 §6.1).
_BEST = (
    Result.PASS,
    Result.NEUTRAL,
    Result.POLICY,
    Result.TEMPERROR,
    Result.SOFTFAIL,
    Result.FAIL,
    Result.PERMERROR,
    Result.NONE,
)


def auth_results(message: Part, *, authserv_ids: Collection[str]) -> AuthVerdict:
    """Return the verdict of the topmost header that a configured server wrote; UNCHECKED without one."""
    trusted = {name.strip().lower() for name in authserv_ids}
    if not trusted:
        return UNCHECKED
    # As written: the border server, which removes what claims its name, reads no encoded words either.
    for value in message.raw_values("Authentication-Results")[:_MOST_HEADERS]:
        text = _FOLD.sub(" ", value).encode("latin-1").decode("utf-8", "replace")
        pieces = list(_pieces(_without_comments(text.partition(JOINED)[0][:_LONGEST_HEADER])))
        if _authserv_id(pieces) in trusted:
            # Not whole as the server wrote it: a line of the sender's may have joined it.
            return (_is_whole(value) and _verdict(pieces)) or UNCHECKED
    return UNCHECKED


def _is_whole(value: str) -> bool:
    return JOINED not in value and "\r" not in value.replace("\r\n", "\n")


def parse(value: str) -> AuthVerdict | None:
    """Parse one header value (RFC 8601 §2.2); None when it is none at all."""
    return _verdict(list(_pieces(_without_comments(value[:_LONGEST_HEADER]))))


def _authserv_id(pieces: list[str]) -> str:
    """Return who wrote the header; "" for what is none."""
    head = pieces[0].strip() if pieces else ""
    if "=" in head.split(" ", 1)[0]:
        return NO_AUTHSERV_ID
    return (head.split() or [""])[0].strip('"').lower()


def _verdict(pieces: list[str]) -> AuthVerdict | None:
    name = _authserv_id(pieces)
    if not name:
        return None
    results = tuple(_results(pieces if name == NO_AUTHSERV_ID else pieces[1:]))
    dmarc = _worst(results, "dmarc")
    spf = _single(results, "spf")
    signatures = [found for found in results if found.method == "dkim"]
    return AuthVerdict(
        authserv_id=name,
        spf=spf.result if spf else None,
        dkim=min((found.result for found in signatures), key=_rank, default=None),
        dmarc=dmarc.result if dmarc else None,
        arc=_result(_single(results, "arc")),
        dmarc_domain=_domain(dmarc, "header.from", "from"),
        spf_domain=_domain(spf, "smtp.mailfrom", "smtp.mail", "smtp.helo"),
        dkim_domains=tuple(
            domain
            for found in signatures
            if found.result is Result.PASS and (domain := _domain(found, "header.d", "header.i"))
        ),
        results=results,
    )


def _results(pieces: list[str]) -> Iterator[MethodResult]:
    for piece in pieces[:_MOST_RESULTS]:
        text = piece.strip()
        found = _METHOD.match(text)
        if not found:
            continue
        properties: dict[str, str] = {}
        for match in _PROPERTY.finditer(text, found.end()):
            properties.setdefault(match.group(1).lower(), match.group(2).strip('"'))
        yield MethodResult(
            method=found.group(1).lower(),
            result=_WORDS.get(found.group(2).lower(), Result.UNKNOWN),
            properties=properties,
            reason=properties.pop("reason", ""),
        )


def _single(results: tuple[MethodResult, ...], method: str) -> MethodResult | None:
    # Twice the same method in one header would let the second one contradict the first: the first counts.
    return next((found for found in results if found.method == method), None)


def _worst(results: tuple[MethodResult, ...], method: str) -> MethodResult | None:
    """Return the result that proves least: a second one may be the sender's, written into a value of the first."""
    found = [one for one in results if one.method == method]
    proven = {(one.result, _domain(one, "header.from", "from")) for one in found if one.result is Result.PASS}
    if len(proven) > 1:  # for which of the domains?
        return MethodResult(method, Result.PASS, {})
    return next((one for one in found if one.result is not Result.PASS), found[0] if found else None)


def _result(found: MethodResult | None) -> Result | None:
    return found.result if found else None


def _rank(result: Result) -> int:
    return _BEST.index(result) if result in _BEST else len(_BEST)


def _domain(found: MethodResult | None, *names: str) -> str | None:
    for name in names:
        value = found.properties.get(name) if found else None
        if value:
            return value.rpartition("@")[2].strip("<>").rstrip(".").lower() or None
    return None


def _pieces(text: str) -> Iterator[str]:
    """Split at semicolons outside quoted strings."""
    start, quoted, at = 0, False, 0
    while at < len(text):
        character = text[at]
        if character == "\\" and quoted:
            at += 1
        elif character == '"':
            quoted = not quoted
        elif character == ";" and not quoted:
            yield text[start:at]
            start = at + 1
        at += 1
    if text[start:].strip():
        yield text[start:]


def _without_comments(text: str) -> str:
    """Remove comments, nested ones too (RFC 5322 §3.2.2): `spf=pass (dmarc=pass; …)` says nothing about DMARC.

    A comment that is never closed runs to the end, so nothing behind it is believed.
    """
    kept: list[str] = []
    depth, quoted, at = 0, False, 0
    while at < len(text):
        character = text[at]
        if character == "\\" and (quoted or depth):
            if not depth:
                kept.append(text[at : at + 2])
            at += 2
            continue
        if character == '"' and not depth:
            quoted = not quoted
        if not quoted and character == "(":
            depth += 1
        elif not quoted and character == ")" and depth:
            depth -= 1
            kept.append(" ")
        elif not depth:
            kept.append(character)
        at += 1
    return "".join(kept)
