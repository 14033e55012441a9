"""Say what is odd about a file that is let in: what people should know before they open it, or cannot know at all."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum

from postroom.model import Decision, DecisionRule
from postroom.rules.attachments.judge import MACRO_MEMBERS, Candidate, contradiction


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


def remarks(candidate: Candidate, data: bytes) -> tuple[Decision, ...]:
    """Return what is odd about a file, each with the words for people; `data` is all of it."""
    return tuple(Decision(DecisionRule.ATTACHMENT_NOTE, remark, words) for remark, words in _found(candidate, data))


def _found(candidate: Candidate, data: bytes) -> Iterator[tuple[Remark, str]]:
    kinds = {kind.partition(";")[0].strip().lower() for kind in (candidate.content_type, *candidate.more_types)}
    if other := contradiction(candidate):
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


def _is_encrypted_document(data: bytes) -> bool:
    if data.startswith(_OLE):
        return _ENCRYPTED_PACKAGE in data
    return b"%PDF-" in data[:1024] and b"/Encrypt" in data


def _is_macro(member: str) -> bool:
    lowered = member.lower()
    return lowered.endswith(MACRO_MEMBERS[0]) or lowered.startswith(MACRO_MEMBERS[1])
