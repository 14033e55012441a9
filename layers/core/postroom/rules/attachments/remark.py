"""Say what is odd about a file that is let in: what people should know before they open it, or cannot know at all."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum

from postroom.mail.containers import KNOWN_EXTENSIONS, identify
from postroom.model import Decision, DecisionRule
from postroom.rules.attachments.extensions import last_extension
from postroom.rules.attachments.judge import MACRO_MEMBERS, OLE_DOCUMENTS, ZIP_DOCUMENTS, Candidate


class Remark(StrEnum):
    """What is odd about a file."""

    MISMATCH = "mismatch"  # it is of another type than its name says
    ENCRYPTED = "encrypted"  # nobody can look into it without a password
    MACROS = "macros"  # it brings a program that Office would run
    PARTIAL = "partial"  # one piece of a mail (RFC 2046 §5.2.2): the rest, and what it makes, is not here
    REMOTE = "remote"  # what it shows is fetched from elsewhere (RFC 2046 §5.2.3, RFC 5545 §3.8.1.1)


_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_LOOKED_AT = 8 << 20  # bytes in which the marks of a document are looked for
_ENCRYPTED_PACKAGE = "EncryptedPackage".encode("utf-16-le")  # [MS-OFFCRYPTO] §2.3.4.4
_VBA_STORAGE = "_VBA_PROJECT".encode("utf-16-le")  # [MS-OVBA] §2.2.1
_ICS_REMOTE = re.compile(rb"^ATTACH(?:;[^:\r\n]{0,500})?:\s*(?:https?|ftp|file|smb):", re.IGNORECASE | re.MULTILINE)
# Names that say nothing of the content, or whose content is told by its text only.
_ANY_CONTENT = frozenset(str.split("bin dat tmp bak txt text log csv eml msg mht mhtml p7m p7s asc pgp gpg sig"))


def remarks(candidate: Candidate, data: bytes) -> tuple[Decision, ...]:
    """Return what is odd about a file, each with the words for people; `data` is all of it."""
    return tuple(Decision(DecisionRule.ATTACHMENT_NOTE, remark, words) for remark, words in _found(candidate, data))


def _found(candidate: Candidate, data: bytes) -> Iterator[tuple[Remark, str]]:
    kinds = {kind.partition(";")[0].strip().lower() for kind in (candidate.content_type, *candidate.more_types)}
    if other := _other_type(candidate):
        yield Remark.MISMATCH, f"the content is {other}"
    beginning = data[:_LOOKED_AT]
    if candidate.encrypted or _is_encrypted_document(beginning):
        yield Remark.ENCRYPTED, "it is encrypted: nobody has looked into it"
    if any(_is_macro(member) for member in candidate.members) or (
        beginning.startswith(_OLE) and _VBA_STORAGE in beginning
    ):
        yield Remark.MACROS, "it has macros"
    if "message/partial" in kinds:
        yield Remark.PARTIAL, "it is one piece of a mail; what the pieces make together was not looked at"
    if "message/external-body" in kinds:
        yield Remark.REMOTE, "what it means is on another server"
    if (kinds & {"text/calendar", "application/ics"} or b"BEGIN:VCALENDAR" in beginning[:100]) and _ICS_REMOTE.search(
        beginning
    ):
        yield Remark.REMOTE, "the calendar entry has an attachment on another server"


def _other_type(candidate: Candidate) -> str | None:
    """Return the type of the content, where the names say another one that is known."""
    signature = identify(candidate.head)
    last = {extension for name in candidate.names if (extension := last_extension(name))}
    if signature is None or not last or last & _ANY_CONTENT or last & set(signature.extensions):
        return None
    if signature.media_type.startswith("text/") or signature.media_type == "message/rfc822":
        return None  # told by a few words: not surely enough to accuse anybody
    if signature.media_type.startswith("application/") and "zip" in signature.media_type and last <= ZIP_DOCUMENTS:
        return None
    if signature.media_type == "application/x-ole-storage" and last <= OLE_DOCUMENTS:
        return None
    if not last & KNOWN_EXTENSIONS:
        return None  # a type of which we do not know what it looks like
    return signature.media_type


def _is_encrypted_document(data: bytes) -> bool:
    if data.startswith(_OLE):
        return _ENCRYPTED_PACKAGE in data
    return b"%PDF-" in data[:1024] and b"/Encrypt" in data


def _is_macro(member: str) -> bool:
    lowered = member.lower()
    return lowered.endswith(MACRO_MEMBERS[0]) or lowered.startswith(MACRO_MEMBERS[1])
