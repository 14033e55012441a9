"""The files that a mail carries, as a person would count them."""

from __future__ import annotations

import mimetypes
from collections.abc import Callable
from dataclasses import dataclass

from postroom.mail.bodies import Bodies
from postroom.mail.part import Part


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
    return f"attachment-{number}{mimetypes.guess_extension(part.content_type) or '.bin'}"
