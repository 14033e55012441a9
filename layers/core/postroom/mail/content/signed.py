"""Recognise signed and encrypted mail and say which kind it is; nothing is verified or opened here.

S/MIME: RFC 8551 §3; PGP/MIME: RFC 3156; inline PGP: RFC 9580 §6.2; multipart/signed and /encrypted: RFC 1847.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from postroom.mail.content.cms import is_enveloped_data, is_signed_data
from postroom.mail.reader import Message, Part


class Protection(StrEnum):
    """How a message is protected."""

    SMIME_SIGNED = "smime-signed"  # readable, signature in a part of its own
    SMIME_OPAQUE = "smime-opaque-signed"  # text and signature in one part
    SMIME_ENCRYPTED = "smime-encrypted"
    PGP_SIGNED = "pgp-signed"
    PGP_ENCRYPTED = "pgp-encrypted"
    PGP_INLINE_SIGNED = "pgp-inline-signed"
    PGP_INLINE_ENCRYPTED = "pgp-inline-encrypted"
    UNKNOWN_SIGNED = "signed"  # multipart/signed by a protocol we do not know
    UNKNOWN_ENCRYPTED = "encrypted"  # multipart/encrypted by a protocol we do not know


@dataclass(frozen=True, slots=True)
class Protected:
    """Say how a message is protected and which of its parts shows it."""

    kind: Protection
    part: str  # its path, "" for the root

    @property
    def readable(self) -> bool:
        """Say whether the text can be read without a key."""
        return self.kind in _READABLE


_READABLE = {
    Protection.SMIME_SIGNED,
    Protection.SMIME_OPAQUE,
    Protection.PGP_SIGNED,
    Protection.PGP_INLINE_SIGNED,
    Protection.UNKNOWN_SIGNED,
}
_PKCS7 = {"application/pkcs7-mime", "application/x-pkcs7-mime"}
_PKCS7_SIGNATURE = {"application/pkcs7-signature", "application/x-pkcs7-signature"}
_PGP_BEGIN = (
    ("-----BEGIN PGP MESSAGE-----", Protection.PGP_INLINE_ENCRYPTED),
    ("-----BEGIN PGP SIGNED MESSAGE-----", Protection.PGP_INLINE_SIGNED),
)
_VERSION_PART = re.compile(r"PGP/?\s?MIME[ \w]{0,20}version", re.IGNORECASE)
_HEAD = 64  # bytes of a CMS structure that say what it is
_MAX_INLINE_SEARCH = 100_000


def protection(message: Message) -> Protected | None:
    """Return the outermost protection of a message; None for ordinary mail."""
    for part in message.walk():
        kind = _of_type(part) or _inline(part)
        if kind is not None:
            return Protected(kind, part.path)
    return None


def _of_type(part: Part) -> Protection | None:
    if part.content_type == "multipart/signed":
        protocol = (part.parameter("protocol") or "").lower()
        types = {child.content_type for child in part.children}
        if protocol in _PKCS7_SIGNATURE or types & _PKCS7_SIGNATURE:
            return Protection.SMIME_SIGNED
        if protocol == "application/pgp-signature" or "application/pgp-signature" in types:
            return Protection.PGP_SIGNED
        return Protection.UNKNOWN_SIGNED
    if part.content_type == "multipart/encrypted":
        protocol = (part.parameter("protocol") or "").lower()
        types = {child.content_type for child in part.children}
        if protocol == "application/pgp-encrypted" or "application/pgp-encrypted" in types:
            return Protection.PGP_ENCRYPTED
        return Protection.UNKNOWN_ENCRYPTED
    return _pkcs7(part) if is_pkcs7(part) else _taken_apart(part)


def _taken_apart(part: Part) -> Protection | None:
    """Name the protection of which a gateway left the pieces in an ordinary multipart.

    Exchange makes multipart/mixed of PGP/MIME, and at times application/octet-stream of its version part; lists do the
    same to signatures when they add a footer.
    """
    if part.content_type == "application/pgp-encrypted":
        return Protection.PGP_ENCRYPTED
    if part.content_type == "application/pgp-signature":
        return Protection.PGP_SIGNED
    if part.content_type in _PKCS7_SIGNATURE:
        return Protection.SMIME_SIGNED
    if part.content_type.startswith("application/") and any(map(_VERSION_PART.search, _called(part))):
        return Protection.PGP_ENCRYPTED
    return None


def _called(part: Part) -> tuple[str, ...]:
    return (*part.names, part.header("content-description"))


def is_pkcs7(part: Part) -> bool:
    """Say whether a part is a CMS structure of S/MIME."""
    if part.content_type in _PKCS7:
        return True
    # RFC 8551 §3.10: gateways turn the type into another one and leave the name, or not even that. Within a multipart
    # it is a file that somebody signed, a document or an invoice.
    if part.path or not part.content_type.startswith("application/"):
        return False
    if part.content_type == "application/octet-stream" and part.name.lower().endswith((".p7m", ".p7c")):
        return True
    beginning = part.beginning(_HEAD)
    return is_signed_data(beginning) or is_enveloped_data(beginning)


def _pkcs7(part: Part) -> Protection | None:
    kind = (part.parameter("smime-type") or "").lower()
    if kind == "signed-data":
        return Protection.SMIME_OPAQUE
    if kind in ("certs-only", "compressed-data"):
        return None
    if not kind and is_signed_data(part.data()[:_HEAD]):
        return Protection.SMIME_OPAQUE
    return Protection.SMIME_ENCRYPTED


def _inline(part: Part) -> Protection | None:
    if part.content_type != "text/plain" or part.children:
        return None
    # What people read is decoded by now; a file is not, and need not be for this.
    text = part.known_text or part.data()[:_MAX_INLINE_SEARCH].decode("latin-1")
    for line, kind in _PGP_BEGIN:
        place = text.find(line, 0, _MAX_INLINE_SEARCH)
        if place == 0 or (place > 0 and text[place - 1] in "\r\n"):
            return kind
    return None
