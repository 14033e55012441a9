"""The files that a mail carries, as a person would count them."""

from __future__ import annotations

import mimetypes
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from postroom.mail.bodies import Bodies
from postroom.mail.part import Part

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


@dataclass(frozen=True, slots=True)
class File:
    """One attached file; `data` decodes it anew at each call, so that no copy lies about."""

    name: str
    names: tuple[str, ...]  # every name that some client would use
    content_type: str
    inline: bool
    content_id: str | None
    data: Callable[[], bytes]


def files(content: Bodies) -> list[File]:
    """List the attachments of a message, in its order."""
    in_place = {id(part) for part in content.inline}
    return [_file(part, number, inline=id(part) in in_place) for number, part in enumerate(content.attachments, 1)]


def _file(part: Part, number: int, *, inline: bool) -> File:
    names = part.names
    return File(
        name=names[0] if names else _made_up(part, number),
        names=names,
        content_type=part.content_type,
        inline=inline,
        content_id=part.content_id,
        data=part.data,
    )


def _made_up(part: Part, number: int) -> str:
    """Name a file that has no name: an enclosed message by its subject, others by their place and type."""
    if part.message is not None:
        subject = " ".join(part.message.header("subject").split())[:80]
        return f"{subject or f'message-{number}'}.eml"
    extension = _EXTENSIONS.get(part.content_type) or _extensions().guess_extension(part.content_type) or ".bin"
    return f"attachment-{number}{extension}"


@cache
def _extensions() -> mimetypes.MimeTypes:
    """Return the extensions that Python knows by itself: a mail's files have the same names on every computer."""
    return mimetypes.MimeTypes()
