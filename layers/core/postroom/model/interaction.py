"""What a mail becomes: an interaction, inbound or outbound, in a thread and (inbound) in a queue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NewType

from postroom.mail.headers import Address
from postroom.model.decision import Decision
from postroom.model.event_kinds import EventKind, UnlistedKind


class Direction(StrEnum):
    """Which way the mail went."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"
    DUPLICATE = "duplicate"  # inbound, and no interaction: model/raw_message.py


class Subtype(StrEnum):
    """What kind of mail it is; the names are the reference system's where it has one."""

    INBOUND_NEW = "InboundNew"  # starts a thread
    INBOUND_CUSTOMER_REPLY = "InboundCustomerReply"  # joins one
    INBOUND_NDR = "InboundNDR"  # a delivery of ours failed or is late (RFC 3464, or recognised)
    INBOUND_REPORT = "InboundReport"  # a delivery of ours worked
    INBOUND_DISPOSITION = "InboundDisposition"  # RFC 8098: read, deleted, …
    INBOUND_FEEDBACK = "InboundFeedback"  # RFC 5965: a complaint
    INBOUND_AUTOMATIC = "InboundAutomatic"  # written by a machine: out of office, lists, alerts
    SERVER_SUBSTITUTE = "ServerSubstitute"  # what a mail server wrote instead of a mail that it could not read
    PERMANENT_UNDELIVERABLE = "PermanentUndeliverable"  # delivery exception (C14)
    TEMPORARY_UNDELIVERABLE = "TemporaryUndeliverable"  # delivery exception (C14)
    OUTBOUND_NEW = "OutboundNew"
    OUTBOUND_REPLY = "OutboundReply"
    OUTBOUND_ACKNOWLEDGEMENT = "OutboundAcknowledgement"
    OUTBOUND_AUTO_RESPONSE = "OutboundAutoResponse"


class Status(StrEnum):
    """Where an interaction stands."""

    QUEUED = "queued"  # waits in its queue
    ASSIGNED = "assigned"  # an agent has it
    DONE = "done"  # answered or closed
    OUTBOUND = "outbound"  # an outbound mail: see its outbox state


MAILBOX_ADDRESS = "_MailboxAddress"
"""Attribute of an inbound interaction: the address, with its name, of the mailbox that it came in by."""

ANSWER_TO = "Answer-To"
"""Attribute of an inbound interaction: the addresses that an answer is proposed to, where they are not the sender's."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """One attached file as recorded; the bytes lie in the content bucket under `key`, or `inline_data` when small."""

    name: str
    content_type: str
    size: int
    sha256: str
    sniffed_type: str | None = None
    inline: bool = False
    content_id: str | None = None
    blocked: str | None = None  # why it was taken out of reach; the raw message still has it
    key: str | None = None
    inline_data: bytes | None = None


@dataclass(frozen=True, slots=True)
class Body:
    """What people read: masked text and masked, sanitised HTML."""

    text: str
    text_reply: str
    html: str | None = None
    remote_images: int = 0


@dataclass(frozen=True, slots=True)
class Interaction:
    """One inbound mail as people and rules see it. `id` is derived from the content key, so it can exist only once."""

    id: str
    mailbox: str
    queue: str
    department: str
    thread_id: str  # the id of the interaction that began the thread
    subtype: Subtype
    subject: str
    sender: Address | None
    created: datetime  # when Postroom made it, UTC
    size: int  # bytes of the raw message
    sha256: str
    raw_key: str
    status: Status = Status.QUEUED
    parent_id: str | None = None
    message_id: str | None = None
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    reply_to: tuple[Address, ...] = ()
    date: datetime | None = None  # the Date header
    server_date: datetime | None = None  # when the mail server received it
    wrap_reason: str | None = None  # set: a wrapping interaction (G25)
    attachments: tuple[Attachment, ...] = ()
    decisions: tuple[Decision, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)
    preview: str = ""
    stable_digest: str = ""  # of what stays when a server writes the bytes anew; mail/origin/stable_form.py
    series: str = ""  # of ids on the server that its own is one of; model.SERIES


InteractionRef = NewType("InteractionRef", str)
"""The id of an incoming interaction, where something is said to belong to it."""


@dataclass(frozen=True, slots=True)
class PreparedInteraction:
    """An interaction ready to be written together with what it causes; `item` is the form that its store gave it."""

    id: InteractionRef
    item: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of an interaction's history after its creation."""

    at: datetime
    what: EventKind | UnlistedKind
    detail: str = ""
    who: str = "postroom"


class Added(StrEnum):
    """What became of adding an interaction."""

    CREATED = "created"
    EXISTED = "existed"  # already there, and the same: success
