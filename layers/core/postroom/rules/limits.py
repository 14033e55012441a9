"""What a way out takes: size, recipients, files; the settings' limits, and those of the service itself (S08)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from postroom.errors import Problem
from postroom.mail.outgoing import base64_size
from postroom.model import OutboundFile
from postroom.model.configuration import OutboundServer, ServerType

MEGABYTE = 1_000_000
_PART = 600  # octets of a part's own header fields and boundary, at most
_HEADER = 4_000  # octets of our header fields besides recipients


@dataclass(frozen=True, slots=True)
class Limit:
    """A number, and what sets it."""

    most: int
    by: str


_OF_SERVICE: dict[ServerType, tuple[int, int]] = {
    ServerType.SES: (40 * MEGABYTE, 50),  # SES v2 SendEmail: 40 MB as sent, 50 recipients
    ServerType.GRAPH: (4 * MEGABYTE, 500),  # sendMail in MIME: 4 MB a request; Exchange Online: 500 recipients
}
"""Bytes of a mail as it is sent, and recipients, whatever the settings allow."""


def size_limit(server: OutboundServer) -> Limit:
    """Return the largest mail as it is sent, in bytes."""
    own = Limit(server.maximum_size * MEGABYTE, f"`maximum_size` of {server.name} is {server.maximum_size} MB")
    most, _recipients = _OF_SERVICE.get(server.type, (own.most, 0))
    return own if own.most <= most else Limit(most, f"{server.type.value} takes {most // MEGABYTE} MB")


def recipients_limit(server: OutboundServer) -> Limit:
    """Return how many recipients a mail may have: To, Cc and Bcc together."""
    own = Limit(server.maximum_recipients, f"`maximum_recipients` of {server.name} is {server.maximum_recipients}")
    _size, most = _OF_SERVICE.get(server.type, (0, own.most))
    return own if own.most <= most else Limit(most, f"{server.type.value} takes {most}")


def encoded_size(text: str, html: str | None, files: Sequence[OutboundFile]) -> int:
    """Say how large a mail becomes at most, in octets as it is sent: everything in base64."""
    bodies = [part for part in (text, html) if part is not None]
    content = sum(base64_size(2 * part.count("\n") + len(part.encode("utf-8", "replace"))) for part in bodies)
    return _HEADER + content + sum(base64_size(one.size) for one in files) + _PART * (len(files) + len(bodies) + 3)


def over_limits(
    server: OutboundServer, *, recipients: int, text: str, html: str | None, files: Sequence[OutboundFile]
) -> list[Problem]:
    """List the limits of a way out that a mail goes over, before anybody is told that it is on its way."""
    problems = []
    allowed = recipients_limit(server)
    if recipients > allowed.most:
        what = f"are {recipients:,} recipients, and {allowed.by}."
        problems.append(Problem("to", what, "Send it to fewer, in several mails."))
    largest = server.maximum_attachment_size * MEGABYTE
    for number, one in enumerate(files):
        if one.size > largest:
            what = f"{one.name!r} has {one.size:,} bytes, and `maximum_attachment_size` of {server.name} is "
            what += f"{server.maximum_attachment_size} MB."
            problems.append(Problem(f"files[{number}]", what, "Make it smaller, or send a link to it."))
    size, room = encoded_size(text, html, files), size_limit(server)
    if size > room.most:
        what = f"make a mail of {size:,} bytes as it is sent, and {room.by}."
        problems.append(Problem("files" if files else "text", what, "Attach less, or send it in several mails."))
    return problems
