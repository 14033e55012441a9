"""The files that a mail carries, as a person would count them."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, partial

from postroom.mail.containers import is_tnef_stream, open_tnef, sniff
from postroom.mail.content.body_parts import Bodies, bodies
from postroom.mail.content.cms import is_signed_data, signed_content
from postroom.mail.reader import Message, Part, Unreadable, read

# Types of mail that Python has no extension for.
_EXTENSIONS = {
    "application/ics": ".ics",
    "application/pgp-signature": ".asc",
    "application/pkcs7-mime": ".p7m",
    "application/pkcs7-signature": ".p7s",
    "application/x-pkcs7-mime": ".p7m",
    "application/x-pkcs7-signature": ".p7s",
    "image/heic": ".heic",
    "image/heif": ".heif",
    "message/delivery-status": ".txt",
    "message/disposition-notification": ".txt",
    "message/global": ".eml",
    "message/rfc822": ".eml",
    "text/calendar": ".ics",
    "text/rtf": ".rtf",
    "text/rfc822-headers": ".txt",
    "text/vcard": ".vcf",
    "text/x-vcard": ".vcf",
}


_MOST_TYPES = 10
_LONGEST_DESCRIPTION = 80
_DRIVE = re.compile(r"[A-Za-z]:(?=.)")
_SHOWN = ("text/plain", "text/html")
_HEADERS_ONLY = ("text/rfc822-headers", "message/rfc822-headers", "message/global-headers")


@dataclass(frozen=True, slots=True)
class File:
    """One attached file; `data` decodes it anew at each call, so that no copy lies about."""

    name: str
    names: tuple[str, ...]  # every name that some client would use, or the one that it is given here
    content_type: str
    content_types: tuple[str, ...]  # as declared; one that is there twice has one meaning for each half of the clients
    inline: bool
    content_id: str | None
    data: Callable[[], bytes]
    message: Message | None  # what it encloses by its type


def files(content: Bodies) -> list[File]:
    """List the attachments of a message, in its order."""
    in_place = {id(part) for part in content.inline}
    return [
        _file(part, number, inline=id(part) in in_place, given_id=content.content_ids.get(id(part)))
        for number, part in enumerate(content.attachments, 1)
    ]


def _file(part: Part, number: int, *, inline: bool, given_id: str | None) -> File:
    names = part.names or (_made_up(part, number),)
    return File(
        name=next(filter(None, map(_without_path, names)), "") or _made_up(part, number),
        # A subject makes a name, and never the type of what is a mail.
        names=names if part.names or part.message is None else ("message.eml",),
        content_type=part.content_type,
        content_types=(part.content_type, *part.raw_values("content-type")[1:_MOST_TYPES]),
        inline=inline,
        content_id=given_id or part.content_id,
        data=part.data,
        message=part.message,
    )


def enclosed_files(file: File, data: bytes, *, head: bytes) -> list[File]:
    """List the files in a file that is a mail, a TNEF stream or a signature, whether it says so or not.

    `head` is the beginning of `data` that everybody looks at: what was found in it is remembered.
    """
    if is_tnef_stream(head):
        return _in_tnef(file, data)
    if is_signed_data(head):
        return _signed(file, data)
    message = file.message
    if message is None and file.content_type not in _HEADERS_ONLY and sniff(head) == "message/rfc822":
        try:
            message = read(data)
        except Unreadable:
            return []
    if message is None or not any(map(_may_hold_files, message.walk())):
        return []
    return files(bodies(message))


def _in_tnef(file: File, data: bytes) -> list[File]:
    """List the files in a TNEF stream that is a file, under whatever name."""
    found = open_tnef(data)
    return [
        replace(
            file,
            name=names[0],
            names=names,
            content_type=one.content_type,
            content_types=(one.content_type,),
            content_id=one.content_id,
            data=partial(bytes, one.data),
            message=None,
        )
        for number, one in enumerate(found.attachments if found else (), 1)
        for names in (one.names or (f"attachment-{number}.bin",),)
    ]


def _signed(file: File, data: bytes) -> list[File]:
    """List what a CMS signature is around, as a file of its own: whoever opens the signature opens that."""
    content = signed_content(data)
    if content is None:
        return []
    names = tuple(name[: -len(".p7m")] if name.lower().endswith(".p7m") else name for name in file.names)
    kind = sniff(content) or "application/octet-stream"
    return [
        replace(file, names=names, content_type=kind, content_types=(kind,), data=partial(bytes, content), message=None)
    ]


def _may_hold_files(part: Part) -> bool:
    """Say whether more than text to be shown is in a part; returned mails are many, and few of them carry anything."""
    if part.children:
        return False
    if part.content_type not in _SHOWN or b"begin" in part.raw_body or part.names:
        return True
    return any("base64" in value.lower() for value in part.raw_values("content-transfer-encoding"))


def _made_up(part: Part, number: int) -> str:
    """Name a file that has no name: an enclosed message by its subject, others by their place and type."""
    if part.message is not None:
        subject = " ".join(part.message.header("subject").split())[:80]
        return f"{subject or f'message-{number}'}.eml"
    extension = _EXTENSIONS.get(part.content_type) or _extensions().guess_extension(part.content_type) or ".bin"
    # RFC 2183 knows no other name; a description is what some senders have in its place (RFC 2045 §8).
    described = _without_path(" ".join(part.header("content-description").split())[:_LONGEST_DESCRIPTION])
    if not described:
        return f"attachment-{number}{extension}"
    return described if described.lower().endswith(extension) else f"{described}{extension}"


def _without_path(name: str) -> str:
    """Return a file's name without folders and drive (RFC 2183 §2.3); "" where nothing but those is there."""
    name = name.replace("\\", "/").rstrip("/ ").rpartition("/")[2]
    if _DRIVE.match(name):
        name = name[2:]
    return name if name.strip(". ") else ""


@cache
def _extensions() -> mimetypes.MimeTypes:
    """Return the extensions that Python knows by itself: a mail's files have the same names on every computer."""
    return mimetypes.MimeTypes()
