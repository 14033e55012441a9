"""Read an address that a person typed: strictly, since a guess sends mail to somebody else.

`address.py` reads what strangers wrote, and takes what it can; `ann@exa mple.org` is there `ann@exa` with words behind
it. Who types an address can correct it: here the whole text is one mailbox, or it is refused with what to do.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from dataclasses import dataclass

from postroom.mail.headers.address import Address
from postroom.mail.headers.encoded_words import decode_header

_LONGEST = 2_000  # characters of a mailbox with its name
_LONGEST_ADDRESS = 254  # octets, RFC 5321 §4.5.3.1.3 without the angle brackets
_LONGEST_LOCAL = 64  # octets, RFC 5321 §4.5.3.1.1
_LONGEST_DOMAIN = 253  # octets

_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_HALF = re.compile("[\ud800-\udfff]")
_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")  # the writing direction: a name could pose as an address
_HIDDEN = re.compile("[\u00ad\u034f\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufffd]")
_ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u00a1-\u1fff\u2010-\U0010ffff-]+"
_DOT_ATOM = re.compile(rf"{_ATEXT}(?:\.{_ATEXT})*")
_QUOTED_LOCAL = re.compile(r'"(?:[^"\\\x00-\x1f\x7f]|\\[ -~])*"')
_ASCII_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")
_NAMED = re.compile(r'(?:"((?:[^"\\]|\\.)*)"|([^"<>]*?))\s*<([^<>]*)>')
_ENCODED = re.compile(r"(?:=\?[^?\s]{1,80}\?[bBqQ]\?[^?]*\?=\s*)+")
_LOOKALIKE_AT = "＠﹫"
_LOOKALIKE_DOTS = re.compile("[\u3002\uff0e\uff61]")  # UTS 46 §4: ideographic and full-width full stops


@dataclass(frozen=True, slots=True)
class NotAnAddress:
    """Why a text is not one address, and what to write; sentences that follow the field's name."""

    problem: str
    remedy: str


def typed_mailbox(text: str) -> Address | NotAnAddress:
    """Read `name@domain`, `Name <name@domain>` or `"Last, First" <name@domain>`; everything else is refused.

    The name may be encoded words (RFC 2047). The domain comes back as it was typed, in its UTS 46 form.
    """
    shown = repr(text if len(text) <= 80 else f"{text[:80]}…")
    if len(text) > _LONGEST:
        return NotAnAddress(f"{shown} has {len(text):,} characters.", "Write one address.")
    if bad := _UNSAFE.search(text) or _HALF.search(text) or _TURNING.search(text):
        return _unseen(bad[0], shown)
    plain = text.strip()
    if not plain:
        return NotAnAddress("is empty.", "Write name@domain.")
    if "<" in plain or ">" in plain:
        named = _NAMED.fullmatch(plain)
        if named is None:
            return NotAnAddress(f"{shown} is not one address.", "Write name@domain, or Name <name@domain>.")
        name, refused = _name(named[1], (named[2] or "").strip(), shown)
        address = named[3].strip()
    else:
        name, refused, address = "", None, plain
    if refused is not None:
        return refused
    found = typed_address(address, shown=shown)
    return found if isinstance(found, NotAnAddress) else Address(name, found)


def typed_address(text: str, *, shown: str = "") -> str | NotAnAddress:
    """Read a bare address, without name; `shown`: how the text is quoted in what is refused."""
    shown = shown or repr(text if len(text) <= 80 else f"{text[:80]}…")
    if bad := _UNSAFE.search(text) or _HALF.search(text) or _HIDDEN.search(text):
        return _unseen(bad[0], shown)
    plain = text.strip()
    if any(mark in plain for mark in _LOOKALIKE_AT):
        return NotAnAddress(f"{shown} has another sign for @.", "Write @ itself.")
    if plain[:7].lower() == "mailto:":
        return NotAnAddress(f"{shown} is a link.", "Leave out `mailto:` and what follows a `?`.")
    local, at, domain = plain.rpartition("@")
    if not at or not local or not domain:
        return NotAnAddress(f"{shown} is no e-mail address.", "Write it as name@domain.")
    if not _QUOTED_LOCAL.fullmatch(local):
        if re.search(r"[,;]", plain) or "@" in local:
            return NotAnAddress(f"{shown} is more than one address, or none.", "Give each address by itself.")
        if re.search(r"\s", plain):
            return NotAnAddress(f"{shown} has a space in it.", "Take it out, or correct the address.")
        if not _DOT_ATOM.fullmatch(local):
            return NotAnAddress(f"{shown} cannot stand so before its @.", "Correct what stands before the @.")
    if len(local.encode("utf-8")) > _LONGEST_LOCAL:
        return NotAnAddress(f"{shown} has over {_LONGEST_LOCAL} octets before its @.", "Correct the address.")
    known = _typed_domain(domain, shown)
    if isinstance(known, NotAnAddress):
        return known
    if len(f"{local}@{ascii_domain(known)}".encode()) > _LONGEST_ADDRESS:
        return NotAnAddress(f"{shown} has over {_LONGEST_ADDRESS} octets.", "Correct the address.")
    return f"{local}@{known}"


def _unseen(character: str, shown: str) -> NotAnAddress:
    what = "half a character" if "\ud800" <= character <= "\udfff" else "a control or an invisible character"
    return NotAnAddress(f"{shown} holds {what}, U+{ord(character):04X}.", "Type the address anew.")


def ascii_domain(domain: str) -> str | None:
    """Return a domain as DNS and servers without SMTPUTF8 know it (UTS 46, non-transitional); None: it is none.

    `ﬁrma.de` is `firma.de`, `straße.de` is not `strasse.de`, and a decomposed `ü` is the letter.
    """
    if domain.startswith("[") and domain.endswith("]"):
        return domain if _is_literal(domain) else None
    try:
        labels = [_ascii_label(label) for label in _mapped(domain).split(".")]
    except UnicodeError:  # which idna's own errors are
        return None
    joined = ".".join(labels)
    return joined if all(labels) and len(joined) <= _LONGEST_DOMAIN else None


def _mapped(domain: str) -> str:
    if domain.isascii():
        return domain
    # Here, since its tables take a while to load, and hardly any domain needs them.
    from idna import uts46_remap

    return uts46_remap(domain, std3_rules=False)


def _ascii_label(label: str) -> str:
    if label.isascii() and label[:4].lower() != "xn--":
        return label if _ASCII_LABEL.fullmatch(label) else ""
    from idna import alabel, ulabel  # as above

    if not label.isascii():
        return alabel(label).decode("ascii")
    ulabel(label.lower())  # raises for what stands for no name
    return label


def _typed_domain(domain: str, shown: str) -> str | NotAnAddress:
    if domain.startswith("["):
        return (
            domain if _is_literal(domain) else NotAnAddress(f"{shown} has no IP address in [ ].", "Write its domain.")
        )
    if domain.endswith((".", "。")) or ".." in domain or domain.startswith("."):
        return NotAnAddress(f"{shown} has a dot too many in its domain.", "Take it out.")
    if re.search(r"[\s,;:/\\\"()<>]", domain):
        return NotAnAddress(
            f"{shown} has {domain[:60]!r} for a domain, which is none.", "Correct what stands after the @."
        )
    if ascii_domain(domain) is None:
        return NotAnAddress(
            f"{shown} has {domain[:60]!r} for a domain, which no domain is called (UTS 46).",
            "Correct what stands after the @.",
        )
    if domain.isascii():
        return domain
    return ".".join(unicodedata.normalize("NFC", label) for label in _mapped(domain).split("."))


def _is_literal(domain: str) -> bool:
    inner = domain[1:-1]
    try:
        ipaddress.ip_address(inner[5:] if inner[:5].lower() == "ipv6:" else inner)
    except ValueError:
        return False
    return True


def _name(quoted: str | None, words: str, shown: str) -> tuple[str, NotAnAddress | None]:
    """Return the display name, or why it is none."""
    if quoted is not None:
        return re.sub(r"\\(.)", r"\1", quoted).strip(), None
    if _ENCODED.fullmatch(words):
        decoded = decode_header(words)
        if _UNSAFE.search(decoded) or _HALF.search(decoded):
            return "", NotAnAddress(f"{shown} holds a control character in its name.", "Type the name anew.")
        return decoded.strip(), None
    if re.search(r"[,;:@\[\]\\]", words):
        return "", NotAnAddress(
            f"{shown} has a name with signs that separate addresses.", 'Put the name in quotes: "Last, First" <…>.'
        )
    return words, None
