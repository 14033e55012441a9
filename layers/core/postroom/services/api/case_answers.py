"""What the HTTP API answers and takes about cases, typed."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from postroom.model.case import CaseState
from postroom.services.api.answers import ApiAnswer, Moment, Page, ReplyRequest, Row

MOST_MAILS = 100
"""Mails that a case is shown with, the newest; `counts` says how many there are."""

Tags = Annotated[tuple[str, ...], BeforeValidator(sorted)]


class QueueList(StrEnum):
    """The lists of a queue."""

    WAITING = "waiting"
    PENDING = "pending"
    CLOSED = "closed"


class QueueRow(ApiAnswer):
    """A queue with what waits in it."""

    name: str
    waiting: int = Field(description="Cases that nobody has; 1000: at least so many.")
    most_urgent_since: Moment | None = Field(
        description="Since when the case waits that is the next; none: none waits."
    )


class QueuePage(Page):
    """Some of the queues that the caller may see, in the order of the configuration."""

    items: tuple[QueueRow, ...]


class CaseListRow(ApiAnswer):
    """A case in a list."""

    id: str
    number: str = Field(description="What people call it by.")
    state: CaseState
    version: int
    subject: str
    customer: str
    queue: str
    created: Moment
    enqueued: Moment = Field(description="Since when it waits; it decides its place.")
    priority: int
    agent: str
    due: Moment | None
    unread: bool
    attention: str = Field(description="Why it is at the top.")
    tags: Tags
    mails: int
    close_code: str


class CaseListPage(Page):
    """Some of the cases of a queue: the most urgent first; closed ones the newest first."""

    items: tuple[CaseListRow, ...]


class CountsShown(ApiAnswer):
    """What happened to a case how often."""

    mails: int
    inbound: int
    replies: int
    reopened: int
    transfers: int


class WaitShown(ApiAnswer):
    """What a pending case waits for."""

    until: Moment | None
    wake_on_reply: bool


class AnswerShown(ApiAnswer):
    """The answer that is on its way, or was the last."""

    outbound: str = Field(description="Its id in the outbox.")
    close_after: bool
    code: str
    outcome: str = Field(description="sent, failed, uncertain; empty while it is on its way.")


class CaseShown(ApiAnswer):
    """One case."""

    id: str
    number: str = Field(description="What people call it by.")
    state: CaseState
    version: int = Field(description="The ETag: it rises with every change.")
    mails_version: int = Field(description="Rises with customers' mail and answers: an answer names the one it read.")
    queue: str
    department: str
    mailbox: str
    subject: str
    customer: str
    created: Moment
    enqueued: Moment
    priority: int
    agent: str = Field(description="Who has it.")
    last_agent: str
    claimed: Moment | None
    unread: bool
    attention: str = Field(description="Why it is at the top.")
    wait: WaitShown | None
    answer: AnswerShown | None
    close_code: str
    closed: Moment | None
    no_answer: bool
    merged_into: str
    continues: str
    continued_by: str
    category: str
    tags: Tags
    fields: Mapping[str, str]
    counts: CountsShown


class CaseMail(Row):
    """A mail of a case, in or out."""

    direction: str = ""


class NoteShown(ApiAnswer):
    """What people of ours wrote on a case; no mail ever quotes it."""

    id: str
    at: Moment
    who: str
    text: str
    edited: Moment | None


class CaseWithMails(CaseShown):
    """One case with its newest mails and its notes, each the oldest first."""

    mails: tuple[CaseMail, ...]
    notes: tuple[NoteShown, ...]


class CaseEventShown(ApiAnswer):
    """One entry of a case's history."""

    version: int = Field(description="Of the case after it.")
    at: Moment
    what: str
    who: str
    detail: str


class CaseHistory(ApiAnswer):
    """Who did what to a case, the oldest first."""

    events: tuple[CaseEventShown, ...]


class Wanted(BaseModel):
    """What all requests share."""

    model_config = ConfigDict(extra="forbid", frozen=True)


_Word = Annotated[str, Field(max_length=200)]


class NextWanted(Wanted):
    """From which queues the most urgent case is wanted."""

    queues: tuple[_Word, ...] = Field(default=(), max_length=100, description="Empty: all that the caller works in.")


class ReleaseWanted(Wanted):
    """Why a case is given back."""

    reason: str = Field(default="", max_length=400)


class TransferWanted(Wanted):
    """Where a case goes to."""

    queue: _Word
    note: str = Field(default="", max_length=400, description="What the next one should know.")


class PendingWanted(Wanted):
    """Until when a case is put aside."""

    until: AwareDatetime | None = Field(default=None, description="Empty: until the customer writes.")
    wake_on_reply: bool = Field(default=True, description="A customer's mail ends it sooner.")


class CloseWanted(Wanted):
    """How a case is closed without an answer."""

    code: _Word = Field(default="", description="What became of it.")
    no_answer: bool = Field(default=False, description="It needs none; `code` has to say why.")


class TagsWanted(Wanted):
    """Tags to add and to remove; those that are not named stay."""

    add: tuple[str, ...] = Field(default=(), max_length=100)
    remove: tuple[str, ...] = Field(default=(), max_length=100)


class NoteWanted(Wanted):
    """A note to write."""

    text: str


class CaseReplyRequest(ReplyRequest):
    """What an agent answers a case with; empty recipients and subject are taken from the mail."""

    mails_version: int = Field(description="That of the case as it was read: refused when more has come since.")
    close_after: bool = Field(default=False, description="Close the case when the answer was sent.")
    code: _Word = Field(default="", description="What it is closed with.")
    override: bool = Field(default=False, description="Send although more has come since; it is recorded.")
    mail: _Word = Field(default="", description="Which mail is answered; empty: the newest that came in.")
