"""What can happen to a case. Each carries the facts that were looked up, so that the rules need nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from postroom.model.case import (
    Case,
    CaseEffects,
    CaseEventKind,
)


@dataclass(frozen=True, slots=True)
class MailJoined:
    """A mail came into its thread. `automatic`: no person wrote it; `bounce`: what it says of our mail `about`.

    `member`: who had the case last may still have it.
    """

    mail: str
    automatic: bool = False
    about: str = ""
    bounce: str = ""
    member: bool = True
    sent_elsewhere: bool = False  # one of ours answered from elsewhere, and it was copied to the mailbox
    effects: CaseEffects = CaseEffects()  # noqa: RUF009 - frozen: what workflows want


@dataclass(frozen=True, slots=True)
class Continued:
    """A customer's mail came too late to reopen it, and began the case `by`."""

    by: str


@dataclass(frozen=True, slots=True)
class Claimed:
    """An agent takes it out of its queue. `idle_after`: how long its queue lets a claim rest."""

    who: str
    idle_after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Released:
    """It goes back to its queue. `seen`: when its holder had acted last, where it is idleness that releases it."""

    holder: str
    who: str
    why: CaseEventKind = CaseEventKind.RELEASED
    reason: str = ""
    seen: datetime | None = None


@dataclass(frozen=True, slots=True)
class Transferred:
    """It goes to a queue, or to an agent of one. `others`: may take it from whoever has it."""

    who: str
    queue: str
    department: str
    agent: str = ""
    note: str = ""
    others: bool = False
    cancelled: str = ""  # the answer that is taken back in the same write
    weight: int = 1
    idle_after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """An agent takes it from a colleague. `writing`: who has it is writing an answer."""

    who: str
    writing: bool = False
    force: bool = False
    cancelled: str = ""
    idle_after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """Its holder answers, in one transaction with the mail. `against`: the `mails_version` it was written for."""

    who: str
    outbound: str
    against: int
    close_after: bool = False
    code: str = ""
    override: bool = False


@dataclass(frozen=True, slots=True)
class Undone:
    """The answer is taken back: written in one transaction with its cancelling."""

    who: str
    outbound: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """No recipient of the answer is in flight any more. `state`: sent, failed, uncertain or cancelled."""

    outbound: str
    state: str
    reason: str = ""
    member: bool = True


@dataclass(frozen=True, slots=True)
class Bounced:
    """A report says that one of its answers did not arrive."""

    outbound: str
    report: str
    reason: str
    member: bool = True


@dataclass(frozen=True, slots=True)
class Waiting:
    """It is put aside until a date, until the customer writes, or until the first of both."""

    who: str
    until: datetime | None
    wake_on_reply: bool = True
    others: bool = False


@dataclass(frozen=True, slots=True)
class TimePassed:
    """The date has come that it waited for; `until` is the one that was seen."""

    until: datetime
    member: bool = True


@dataclass(frozen=True, slots=True)
class Resumed:
    """A person goes on with it before its date."""

    who: str
    idle_after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Closed:
    """A person closes it without an answer."""

    who: str
    code: str = ""
    no_answer: bool = False
    others: bool = False


@dataclass(frozen=True, slots=True)
class Reopened:
    """A person opens it again, and has it."""

    who: str
    idle_after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class MergedInto:
    """Its mails go to another case."""

    who: str
    target: str


@dataclass(frozen=True, slots=True)
class Absorbed:
    """The mails of another case come into it."""

    who: str
    source: Case
    mails: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MailsLeft:
    """Some of its mails go to a case of their own."""

    who: str
    mails: tuple[str, ...]
    into: str


@dataclass(frozen=True, slots=True)
class Noted:
    """Somebody wrote a note, or changed one."""

    who: str
    detail: str


@dataclass(frozen=True, slots=True)
class Changed:
    """Tags, category, fields or priority change; None: stays as it is. An empty field is taken away."""

    who: str
    add_tags: frozenset[str] = frozenset()
    remove_tags: frozenset[str] = frozenset()
    category: str | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    priority: int | None = None


@dataclass(frozen=True, slots=True)
class Hinted:
    """A person should decide about something."""

    detail: str


@dataclass(frozen=True, slots=True)
class Rerouted:
    """Its first mail was read again: rules lead it to this queue, and it has this subject and customer."""

    who: str
    queue: str
    department: str
    subject: str = ""
    customer: str = ""


@dataclass(frozen=True, slots=True)
class Unmerged:
    """The merge was undone: its mails are its own again."""

    who: str


Trigger = (
    MailJoined
    | Continued
    | Claimed
    | Released
    | Transferred
    | Taken
    | Answered
    | Undone
    | Outcome
    | Bounced
    | Waiting
    | TimePassed
    | Resumed
    | Closed
    | Reopened
    | MergedInto
    | Absorbed
    | MailsLeft
    | Noted
    | Changed
    | Hinted
    | Rerouted
    | Unmerged
)
