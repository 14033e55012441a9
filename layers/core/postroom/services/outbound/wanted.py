"""What a person wants to send: typed, unchecked; `prepare.py` decides everything about it."""

from __future__ import annotations

import hmac
import json
from dataclasses import dataclass
from enum import StrEnum

from postroom.model.configuration import ForwardAs, Quote, Receipts


class Mode(StrEnum):
    """What a mail is to the one that it is about."""

    REPLY = "reply"
    ALL = "all"  # the answer goes to everybody who had the mail
    FORWARD = "forward"


@dataclass(frozen=True, slots=True)
class FileWanted:
    """A file to attach: an upload by its id, or a stored attachment by its interaction and digest."""

    upload: str = ""
    interaction: str = ""
    sha256: str = ""
    content_id: str = ""  # the HTML shows it as `cid:…`


@dataclass(frozen=True, slots=True)
class Reply:
    """What an agent sends about a mail; what is left empty is taken from the mail and the settings."""

    text: str
    idempotency_key: str
    agent: str
    agent_id: str = ""  # of the user, where it is known
    html: str | None = None
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()
    subject: str = ""
    mode: Mode = Mode.REPLY
    alias: str = ""  # name; empty: by C01 and C20
    quote: Quote | None = None
    forward: ForwardAs | None = None
    receipts: Receipts | None = None
    files: tuple[FileWanted, ...] = ()


@dataclass(frozen=True, slots=True)
class NewMail:
    """What an agent sends to somebody who has not written; it begins a thread."""

    text: str
    idempotency_key: str
    agent: str
    to: tuple[str, ...]
    subject: str
    agent_id: str = ""
    html: str | None = None
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()
    department: str = ""  # empty: the installation's default one
    alias: str = ""  # name; empty: the department's default alias (C20)
    queue: str = ""  # whose settings apply; empty: none
    receipts: Receipts | None = None
    files: tuple[FileWanted, ...] = ()


MARK = "mark"
"""Attribute of a mail that a person wrote: what was given, shortened."""


def mark_of(wanted: Reply | NewMail) -> str:
    """Mark a mail by what was given: what is stored of it depends on the configuration too (masking, aliases).

    So short that what was masked cannot be guessed from it; by mistake the same once in 65,536.
    """
    given: list[object] = [wanted.text, wanted.html, wanted.subject, wanted.to, wanted.cc, wanted.bcc]
    # What came later counts where it is given, so that marks of before stay the same.
    if isinstance(wanted, Reply) and (wanted.mode is not Mode.REPLY or wanted.quote or wanted.forward):
        given += [wanted.mode, wanted.quote, wanted.forward]
    given += [[one.upload, one.interaction, one.sha256, one.content_id] for one in wanted.files]
    given += [one for one in (wanted.alias, wanted.receipts) if one]
    key = wanted.idempotency_key.encode("utf-8", "replace")
    return hmac.digest(key, json.dumps(given).encode("ascii"), "sha256").hex()[:4]
