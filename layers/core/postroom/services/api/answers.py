"""What the HTTP API answers, typed: docs/openapi.json is made from these models, and from nothing else.

A model names what it shows: a field that a dataclass of the model gains is shown when it is named here. Words that the
table may hold from another version stay text.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

from postroom.model import Delivery, HealthState, OutboxState, Status, Subtype
from postroom.model.configuration import ForwardAs, Mailbox, Quote, Receipts, Type
from postroom.services.outbound import Mode

Moment = Annotated[datetime, PlainSerializer(datetime.isoformat, return_type=str, when_used="json-unless-none")]
"""RFC 3339, UTC, with its offset."""


class ApiAnswer(BaseModel):
    """What all answers share: made from the model's own objects, and never changed."""

    model_config = ConfigDict(frozen=True, from_attributes=True, populate_by_name=True)


class ProblemPart(ApiAnswer):
    """One refused value: where it stands in the request, what is wrong with it, and the remedy."""

    path: str
    problem: str
    remedy: str


class ProblemDetails(ApiAnswer):
    """What every error looks like (RFC 9457, application/problem+json)."""

    status: int = Field(description="The HTTP status, once more.")
    code: str = Field(description="Stable for machines.")
    what: str = Field(description="What failed.")
    on: str = Field("", description="On which object; empty where there is none.")
    remedy: str = Field(description="What to do.")
    problems: tuple[ProblemPart, ...] = Field((), description="Each value of the request that was refused.")
    current: dict[str, Any] | None = Field(
        default=None, description="With 412, and 409 of a case: what it is now, as its GET shows it."
    )


class Service(ApiAnswer):
    """That the API and its table answer, and how much the configuration in force holds."""

    status: str = "ok"
    mailboxes: int
    queues: int


class MailboxHealth(ApiAnswer):
    """How a mailbox is, since when, and, when it is not well, which step failed, why, and what to do."""

    state: HealthState
    step: str = Field(
        "", description="state, dns, connect, tls, greeting, login, folder, look, list, fetch, store or act."
    )
    code: str = Field("", description="Stable for machines.")
    reason: str = ""
    remedy: str = ""
    since: Moment | None = None
    failures: int = 0
    next_try: Moment | None = None
    last_success: Moment | None = None


class Warned(ApiAnswer):
    """One thing to see to: which rule says so, what will happen, and what to do."""

    rule: str
    text: str
    remedy: str


class PollBalance(ApiAnswer):
    """The ledger of one poll: listed = stored + known + oversize + problem + left."""

    at: Moment
    listed: int
    stored: int
    known: int
    oversize: int
    problem: int
    left: int
    even: bool = Field(description="Whether they add up.")


class ToQueue(ApiAnswer):
    """How long the newest mails took from their server to their queue, in seconds."""

    mails: int
    median: float
    longest: float


class MailboxNow(ApiAnswer):
    """How a mailbox is now."""

    health: MailboxHealth
    looked_at: bool = Field(description="False until the first look has worked.")
    last_look: Moment | None = Field(
        description="The last one, whatever it found; none while the mailbox waits for its next try, or if not known."
    )
    waiting_since: Moment | None = Field(description="When the oldest mail came that is not fetched yet.")
    lag: float = Field(description="The same in seconds; 0 when none waits.")
    lag_exact: bool = Field(description="False: the lag is the most that it can be.")
    problems: int = Field(description="Mails given up or set aside that nobody has seen to.")
    warnings: tuple[Warned, ...]
    to_queue: ToQueue | None
    monthly_cost: float = Field(description="Estimated, in US dollars.")


class MailboxRow(MailboxNow):
    """A mailbox in a list."""

    name: str
    address: str
    type: Type
    department: str | None
    enabled: bool
    last_poll: PollBalance | None = Field(description="The last one that found something.")


class Page(ApiAnswer):
    """Some of a list; a subclass says of what (`items`)."""

    next: str | None = Field(default=None, description="The cursor of the next page; none on the last.")
    as_of: Moment = Field(description="When it was read.")


class MailboxPage(Page):
    """Some of the mailboxes, in the order of the configuration."""

    items: tuple[MailboxRow, ...]


class MailboxShown(MailboxNow):
    """One mailbox with its settings (secrets as references) and the ledgers of its last polls."""

    settings: Mailbox
    balances: tuple[PollBalance, ...]


class Correspondent(ApiAnswer):
    """A mailbox of RFC 5322; either part may be empty."""

    name: str
    address: str


class DecisionShown(ApiAnswer):
    """The rule that decided, its outcome, and the detail a person wants."""

    rule: str
    outcome: str
    detail: str = ""


class EventShown(ApiAnswer):
    """One entry of a history."""

    at: Moment
    what: str
    detail: str = ""
    who: str


class Row(ApiAnswer):
    """A mail in a list, as the index carries it; of older entries some may be missing."""

    id: str
    mailbox: str = ""
    thread: str = ""
    subject: str = ""
    sender: str | None = Field(None, alias="from")
    created: str = ""
    status: str = ""
    subtype: str = ""


class InteractionRow(Row):
    """An interaction in the list of its queue."""


class AttachmentShown(ApiAnswer):
    """An attached file; its bytes have their own way to people."""

    name: str
    content_type: str
    size: int
    sha256: str
    sniffed_type: str | None
    inline: bool
    content_id: str | None
    blocked: str | None = Field(description="Why it was taken out of reach.")
    key: str | None


class BodyShown(ApiAnswer):
    """What people read: masked text and masked, sanitised HTML."""

    text: str
    text_reply: str
    html: str | None
    remote_images: int


class InteractionShown(ApiAnswer):
    """One inbound interaction."""

    id: str
    mailbox: str
    queue: str
    department: str
    thread_id: str
    subtype: Subtype
    subject: str
    sender: Correspondent | None
    created: Moment
    size: int = Field(description="Bytes of the raw message.")
    sha256: str
    raw_key: str
    status: Status
    parent_id: str | None
    message_id: str | None
    to: tuple[Correspondent, ...]
    cc: tuple[Correspondent, ...]
    reply_to: tuple[Correspondent, ...]
    date: Moment | None = Field(description="The Date header.")
    server_date: Moment | None = Field(description="When the mail server received it.")
    wrap_reason: str | None = Field(description="Why it could not be read; the raw message is there.")
    attachments: tuple[AttachmentShown, ...]
    decisions: tuple[DecisionShown, ...]
    attributes: Mapping[str, str]
    preview: str


class InteractionWithBody(InteractionShown):
    """One inbound interaction with what people read of it."""

    body: BodyShown | None


class InteractionHistory(ApiAnswer):
    """What was decided on an interaction when it came, and what happened to it since."""

    decisions: tuple[DecisionShown, ...]
    events: tuple[EventShown, ...]


class FileRequest(BaseModel):
    """A file to attach: an upload by its id, or a stored attachment by its interaction and digest."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    upload: str = Field(default="", max_length=200)
    interaction: str = Field(default="", max_length=200)
    sha256: str = Field(default="", max_length=64)
    content_id: str = Field(default="", max_length=200, description="The HTML shows it as `cid:…`.")


class ReplyRequest(BaseModel):
    """What an agent sends; empty recipients and subject are taken from the interaction."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: str = Field(description="The answer as plain text.")
    html: str | None = Field(default=None, description="The same as HTML.")
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()
    subject: str = ""
    mode: Mode = Field(default=Mode.REPLY, description="An answer, an answer to all, or a forward.")
    alias: str = Field(default="", max_length=200, description="Name of the alias to send as; empty: the mail's own.")
    quote: Quote | None = Field(default=None, description="Whether the mail stands below; empty: as the settings say.")
    forward: ForwardAs | None = Field(default=None, description="How it is passed on; empty: as the settings say.")
    receipts: Receipts | None = Field(default=None, description="What it asks for; empty: as the settings say.")
    files: tuple[FileRequest, ...] = Field(default=(), max_length=100, description="Uploads, or files of stored mails.")


class ReplyTaken(ApiAnswer):
    """The outbound mail that a reply became."""

    id: str
    state: OutboxState
    created: bool = Field(description="False: the same key was given before, and nothing new was made.")
    warnings: tuple[str, ...] = Field(default=(), description="What its writer should know; it is sent all the same.")


class Unsent(ApiAnswer):
    """Why a mail has not left, since when, and what is next; empty of one that has."""

    to: tuple[str, ...] = ()
    tries: int | None = None
    delivery: Delivery | None = None
    reason: str = ""
    code: str = ""
    since: Moment | None = None
    due: Moment | None = None
    acknowledged: Moment | None = Field(None, description="When a person took note that it did not arrive.")
    needs_attention: bool = Field(False, description="It leaves only when a person has done something.")


class OutboundRow(Row, Unsent):
    """An outbound mail in the list of its state."""

    state: str = ""


class RecipientShown(ApiAnswer):
    """What became of an outbound mail at one of its recipients."""

    address: str
    state: OutboxState
    code: str
    said: str = Field(description="What the server said of this recipient, where it did not take the mail for it.")
    delivery: Delivery


class OutboundShown(ApiAnswer):
    """One outbound mail with its history."""

    id: str
    subtype: Subtype
    thread_id: str
    parent_id: str | None
    mailbox: str
    department: str
    from_address: str
    to: tuple[str, ...]
    subject: str
    text: str
    created: Moment
    server: str
    cc: tuple[str, ...]
    bcc: tuple[str, ...]
    html: str | None
    in_reply_to: str | None
    references: tuple[str, ...]
    reply_to: str
    body_marker: bool
    decisions: tuple[DecisionShown, ...]
    attributes: Mapping[str, str]
    state: OutboxState
    delivery: Delivery
    tries: int
    due: Moment | None
    message_id: str | None
    claim: str | None
    provider_id: str | None
    reason: str
    code: str
    since: Moment | None
    unrecorded: int
    acknowledged: Moment | None = Field(None, description="When a person took note that it did not arrive.")
    remaining: tuple[str, ...]
    recipients: tuple[RecipientShown, ...]
    revision: int = Field(description="Rises whenever it is recorded what became of the mail.")
    needs_attention: bool = Field(False, description="It leaves only when a person has done something.")
    events: tuple[EventShown, ...]


class MailSetAside(ApiAnswer):
    """A mail that was given up or set aside."""

    server_id: str
    state: str
    says: str = Field(description="What is known of it.")
    reason: str = Field(description="How the last try ended.")


class MailboxProblems(ApiAnswer):
    """The mails of a mailbox that were given up or set aside."""

    items: tuple[MailSetAside, ...]


class MailboxCosts(ApiAnswer):
    """What a mailbox costs a month, estimated; US dollars by part."""

    mailbox: str
    total: float
    parts: dict[str, float]
