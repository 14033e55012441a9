"""A careful reading of a mail with `email` and compat32: what our reader is compared with."""

from __future__ import annotations

import email
import re
from dataclasses import dataclass
from email.message import Message as EmailMessage

from postroom.mail.encoding.charset_names import codec_name
from postroom.mail.reader import Message, Part


@dataclass(frozen=True)
class Leaf:
    """A part without parts: type, decoded bytes, and text for texts (else "")."""

    kind: str
    data: bytes
    text: str


def theirs(raw: bytes) -> list[Leaf]:
    """Return the leaves as `email` finds them; embedded messages are one leaf, not entered."""
    found: list[Leaf] = []
    waiting = [email.message_from_bytes(raw)]
    while waiting:
        part = waiting.pop()
        payload = part.get_payload()
        if part.get_content_maintype() == "message" and isinstance(payload, list):
            found.append(Leaf(part.get_content_type(), b"", ""))
        elif isinstance(payload, list):
            waiting.extend(child for child in reversed(payload) if isinstance(child, EmailMessage))
        else:
            data = part.get_payload(decode=True)
            assert isinstance(data, bytes)
            found.append(Leaf(part.get_content_type(), data, _text(part, data)))
    return found


def _text(part: EmailMessage, data: bytes) -> str:
    if part.get_content_maintype() != "text":
        return ""
    declared = part.get_content_charset("")
    # Careful: the declared charset in the form senders mean, else UTF-8, else Latin-1.
    for charset in (codec_name(declared) or declared, "utf-8", "cp1252"):
        try:
            return lines(data.decode(charset))
        except (LookupError, ValueError):
            continue
    return lines(data.decode("latin-1"))


def ours(message: Message) -> list[Leaf]:
    """Return the leaves as our reader finds them, in the same form."""
    found: list[Leaf] = []
    for part in message.walk():
        if part.children:
            continue
        if part.message is not None:
            found.append(Leaf(part.content_type, b"", ""))
        else:
            found.append(Leaf(part.content_type, part.data(), _our_text(part)))
    return found


def _our_text(part: Part) -> str:
    return lines(part.text()) if part.content_type.startswith("text/") else ""


def lines(text: str) -> str:
    """Return text with LF line ends and without those at its end."""
    return text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n").removeprefix("\ufeff")


def headers(raw: bytes) -> list[tuple[str, str]]:
    """Return the headers as `email` splits them, white space runs as one space, for ASCII-only values."""
    message = email.message_from_bytes(raw)
    return [(name.lower(), squeeze(value)) for name, value in message.items() if str(value).isascii()]


def squeeze(value: object) -> str:
    """Return a value with runs of white space made one space."""
    return re.sub(r"\s+", " ", str(value)).strip()
