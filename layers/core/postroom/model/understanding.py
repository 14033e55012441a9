"""What is known of a mail by its bytes and the configuration alone, before anything is looked up.

`services/inbound/understand_mail.py` makes it; the plan, the threading, the explanation and the replay read it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from postroom.mail.headers import Address
from postroom.mail.origin import SenderVerdict
from postroom.mail.reply_text import Forwarded
from postroom.mail.reports import PERSON, Automatic, DeliveryReport
from postroom.model.decision import Decision
from postroom.model.interaction import Attachment, Body, Subtype

UNKNOWN_SENDER = SenderVerdict(None, ())


class TokenPlace(StrEnum):
    """Where a verified token was found."""

    REFERENCES = "references"  # In-Reply-To or References
    PLUS_ADDRESS = "plus-address"  # the address that the mail came to
    BODY = "body"  # quoted text, which a forward carries to strangers


@dataclass(frozen=True, slots=True)
class ProvenToken:
    """An outbound mail of ours that this one proves to answer, and where the proof stood."""

    outbound_id: str
    place: TokenPlace


@dataclass(frozen=True, slots=True)
class ReadFile:
    """One attached file: what is recorded of it, and its bytes on demand (decoded anew each time, to save memory)."""

    attachment: Attachment
    data: Callable[[], bytes]
    verdict: Decision | None = None  # of the rules that block files
    remarks: tuple[Decision, ...] = ()  # what is odd about it, blocked or not


@dataclass(frozen=True, slots=True)
class Understanding:
    """Everything about one mail that its bytes and the configuration tell."""

    sha256: str
    size: int
    subject: str
    sender: Address | None
    body: Body
    subtype: Subtype | None  # None: a person's mail, whether new or a reply the thread decides
    wrap_reason: str | None = None
    reply_to: tuple[Address, ...] = ()
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    date: datetime | None = None
    message_id: str | None = None
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    files: tuple[ReadFile, ...] = ()
    automatic: Automatic = PERSON
    report: DeliveryReport | None = None
    original_message_id: str | None = None
    delivery_exception: str | None = None
    return_path: str | None = None
    list_headers: tuple[str, ...] = ()  # what withholds an automatic reply: of lists that are not ours, of help desks
    tokens: tuple[ProvenToken, ...] = ()
    forged_token: bool = False
    original_author: Address | None = None  # who wrote it, where a list sends it under its own address
    forwarded: Forwarded | None = None  # the original, where somebody passes a mail on
    answer_to: tuple[Address, ...] = ()  # whom an answer is proposed to; empty: nobody but ourselves
    own_tag: bool = False  # its own Message-ID is one of ours: it came back to us
    sender_verdict: SenderVerdict = UNKNOWN_SENDER
    attributes: Mapping[str, str] = field(default_factory=dict)
    decisions: tuple[Decision, ...] = ()
    stable_digest: Callable[[], str] = lambda: ""  # worked out when asked for; "": not known

    @property
    def outcome(self) -> str:
        """`interaction` or `wrapped`."""
        return "wrapped" if self.wrap_reason else "interaction"


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of work that was tried out where it may end its process: what it said, or what its process died of."""

    said: str = ""
    died: str = ""
