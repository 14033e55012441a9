"""What we send: an outbound interaction, which is its own outbox entry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from postroom.model.decision import Decision
from postroom.model.interaction import InteractionRef, Subtype


class OutboxState(StrEnum):
    """NEW → CLAIMED → DATA → SENT | DEFERRED | FAILED | UNCERTAIN (docs/architecture.md, rule 9)."""

    NEW = "NEW"  # written together with what caused it
    CLAIMED = "CLAIMED"  # one sender has it; died here: certainly not sent, taken again
    DATA = "DATA"  # the content is on the wire; died here: UNCERTAIN
    SENT = "SENT"  # the next server has taken it
    DEFERRED = "DEFERRED"  # certainly not sent; next try is `due`
    FAILED = "FAILED"  # refused for good
    UNCERTAIN = "UNCERTAIN"  # nobody knows; shown, never blindly repeated (X09)


class Delivery(StrEnum):
    """What became of a sent mail, as far as reports tell."""

    UNKNOWN = "unknown"
    TAKEN = "taken"  # by SES; no more is known
    DELIVERED = "delivered"
    DELAYED = "delayed"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    REJECTED = "rejected"  # by SES before sending
    OPENED = "opened"  # disposition notification

    @property
    def failed(self) -> bool:
        """Tell whether the mail left and did its work for nobody."""
        return self in (Delivery.BOUNCED, Delivery.COMPLAINED, Delivery.REJECTED)

    def furthest(self, reported: Delivery | None) -> Delivery:
        """Return the later word of the two: reports come in any order, and an earlier one takes nothing back."""
        return self if reported is None else max(self, reported, key=_PROGRESS.index)


_PROGRESS = (
    Delivery.UNKNOWN,
    Delivery.TAKEN,
    Delivery.DELAYED,
    Delivery.DELIVERED,
    Delivery.OPENED,
    Delivery.REJECTED,
    Delivery.BOUNCED,
    Delivery.COMPLAINED,
)


@dataclass(frozen=True, slots=True)
class Outbound:
    """One mail to send. Everything that decides its content is fixed when it is written."""

    id: str  # f(interaction, rule) for automatic mail, f(idempotency key) for an agent's: never twice
    subtype: Subtype
    thread_id: str
    mailbox: str
    department: str
    from_address: str  # RFC 5322 mailbox, display name allowed
    to: tuple[str, ...]
    subject: str
    text: str
    created: datetime
    server: str  # name of the outbound server in the configuration
    answers: InteractionRef | None = None  # None: it begins a thread, whose id is its own
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()
    html: str | None = None
    in_reply_to: str | None = None
    references: tuple[str, ...] = ()
    reply_to: str = ""  # RFC 5322 mailbox whose address gets the token as its plus-part; empty: no Reply-To
    body_marker: bool = False  # the token ends text and HTML too
    decisions: tuple[Decision, ...] = ()  # why it is as it is: who wrote it, by which alias and server, what was masked
    attributes: Mapping[str, str] = field(default_factory=dict)
    state: OutboxState = OutboxState.NEW
    delivery: Delivery = Delivery.UNKNOWN
    tries: int = 0
    due: datetime | None = None
    message_id: str | None = None  # set when it is claimed: only senders hold the signing key
    claim: str | None = None
    provider_id: str | None = None  # what SES or the next server called it
    reason: str = ""
    code: str = ""  # of the last failure: the error's own
    since: datetime | None = None  # when it first failed for a reason of this sort
    unrecorded: int = 0  # senders that took it since an outcome was recorded last, the one at work included
    acknowledged: datetime | None = None  # when a person took note that it did not arrive
    remaining: tuple[str, ...] = ()  # recipients still to be tried, when some were put off; empty: all

    @property
    def automatic(self) -> bool:
        """Written by a rule, not a person: carries Auto-Submitted and counts against the caps."""
        return self.subtype in (Subtype.OUTBOUND_ACKNOWLEDGEMENT, Subtype.OUTBOUND_AUTO_RESPONSE)


@dataclass(frozen=True, slots=True)
class Envelope:
    """Who sends and who receives, as the next server is told (RFC 5321)."""

    sender: str  # "" for the null path
    recipients: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sent:
    """What the next server said. `refused` and `deferred`: recipients it did not take (yet), with its answers.

    `deferred_code`: why recipients are put off, where it is for an administrator to mend; ours, as an error carries it.
    `message_id`: the Message-ID it wrote over ours, if it does that (SES does).
    """

    provider_id: str = ""
    message_id: str = ""
    refused: Mapping[str, str] = field(default_factory=dict)
    deferred: Mapping[str, str] = field(default_factory=dict)
    deferred_code: str = ""
