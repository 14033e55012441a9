"""What we send: an outbound interaction, which is its own outbox entry, and what becomes of it at each recipient.

As long as all recipients share the mail's state, none is named. Once they differ, all are, and nothing is inferred of
one who is not. Those in flight follow the mail's own state (ADR 0032).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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
    CANCELLED = "CANCELLED"  # taken back by a person while it was NEW; no sender ever takes it

    @property
    def in_flight(self) -> bool:
        """Tell whether the mail is to be sent, or being sent."""
        return self in _IN_FLIGHT


_IN_FLIGHT = (OutboxState.NEW, OutboxState.CLAIMED, OutboxState.DATA, OutboxState.DEFERRED)


@dataclass(frozen=True, slots=True)
class AtRecipient:
    """What became of a mail at one of its recipients: state, the code of our error, and what the server said."""

    state: OutboxState
    code: str = ""
    said: str = ""


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


AGENT_ID = "agent_id"
"""Attribute of an outbound mail: the id of the user whose mail it is."""


@dataclass(frozen=True, slots=True)
class OutboundFile:
    """A file of a mail to send; its bytes lie in the content bucket under `key` until the mail is sent and after."""

    name: str
    content_type: str
    size: int
    sha256: str
    key: str
    content_id: str = ""  # without angle brackets; the HTML shows it as `cid:…`


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
    files: tuple[OutboundFile, ...] = ()
    ask_read: bool = False  # for a disposition notification (RFC 8098)
    ask_delivery: bool = False  # for delivery notifications (RFC 3461)
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
    remaining: tuple[str, ...] = ()  # recipients still to be tried, when they are not all of them; empty: all
    recipients: Mapping[str, AtRecipient] = field(default_factory=dict)  # all of them, once they differ; else none
    deliveries: Mapping[str, Delivery] = field(default_factory=dict)  # by recipient, as far as reports name them
    revision: int = 0  # rises whenever it is recorded what became of the mail

    @property
    def automatic(self) -> bool:
        """Written by a rule, not a person: carries Auto-Submitted and counts against the caps."""
        return self.subtype in (Subtype.OUTBOUND_ACKNOWLEDGEMENT, Subtype.OUTBOUND_AUTO_RESPONSE)


class SuppressionReason(StrEnum):
    """Why nothing more is sent to an address."""

    BOUNCED = "bounced"  # a server says that the address is dead
    COMPLAINED = "complained"  # its owner called a mail of ours spam
    BY_HAND = "by_hand"  # an administrator says so


@dataclass(frozen=True, slots=True)
class Suppression:
    """An address that nothing more is sent to."""

    address: str
    reason: SuppressionReason
    at: datetime
    source: str  # what told us: the outbound mail, or a person
    detail: str = ""  # what was said
    expires: datetime | None = None  # None: until it is removed


@dataclass(frozen=True, slots=True)
class Envelope:
    """Who sends and who receives, as the next server is told (RFC 5321)."""

    sender: str  # "" for the null path
    recipients: tuple[str, ...]
    ask_delivery: bool = False  # delivery notifications are asked for, where the server has DSN (RFC 3461)


@dataclass(frozen=True, slots=True)
class Sent:
    """What the next server said. `others`: the recipients whose mail it has not taken, or nobody knows; by address.

    `message_id`: the Message-ID it wrote over ours, if it does that (SES does).
    """

    provider_id: str = ""
    message_id: str = ""
    others: Mapping[str, AtRecipient] = field(default_factory=dict)
    warning: str = ""  # what an administrator should mend though the mail has left


LEFT = AtRecipient(OutboxState.SENT)

_FINAL = (OutboxState.UNCERTAIN, OutboxState.FAILED, OutboxState.SENT)  # the first that any recipient has is the mail's


def derived_state(states: Iterable[OutboxState]) -> OutboxState:
    """Return the state of a mail: in flight while any recipient is, then UNCERTAIN > FAILED > SENT."""
    found = set(states)
    flying = [state for state in OutboxState if state.in_flight and state in found]
    if flying:
        # A recipient that is put off and one that is on the wire: the mail is on the wire.
        return max(flying, key=[OutboxState.DEFERRED, OutboxState.NEW, OutboxState.CLAIMED, OutboxState.DATA].index)
    return next(state for state in _FINAL if state in found)


def after_try(
    outbound: Outbound, tried: Sequence[str], others: Mapping[str, AtRecipient], *, everybody: Sequence[str]
) -> tuple[OutboxState, Mapping[str, AtRecipient]]:
    """Return what a try makes of a mail: its state, and those of its recipients, which are none where all are equal.

    `tried`: who was to get it this time; `others`: what became of it at those of them who have not got it.
    """
    before = outbound.recipients or dict.fromkeys(everybody, LEFT)  # who is not tried now had it before
    now = {**before, **{one: others.get(one, LEFT) for one in tried}}
    return _whole(now)


def _whole(recipients: Mapping[str, AtRecipient]) -> tuple[OutboxState, Mapping[str, AtRecipient]]:
    state = derived_state(one.state for one in recipients.values())
    same = len(set(recipients.values())) == 1
    return state, {} if same else recipients


def recipients_changed(
    outbound: Outbound, was: Iterable[OutboxState], becomes: AtRecipient, *, only: Iterable[str] | None = None
) -> tuple[OutboxState, Mapping[str, AtRecipient]]:
    """Return what it makes of a mail when its recipients in these states, or `only` some of them, get another.

    Of a mail whose recipients are not named, all of them get it.
    """
    if not outbound.recipients:
        return (becomes.state if outbound.state in set(was) else outbound.state), {}
    states, chosen = set(was), None if only is None else set(only)
    return _whole(
        {
            address: becomes if one.state in states and (chosen is None or address in chosen) else one
            for address, one in outbound.recipients.items()
        }
    )


def recipients_in_flight(recipients: Mapping[str, AtRecipient]) -> tuple[str, ...]:
    """Name the recipients that are still to be tried; none where no recipient is named."""
    return tuple(address for address, one in recipients.items() if one.state.in_flight)


def at_recipients(outbound: Outbound, written: Sequence[str]) -> Mapping[str, AtRecipient]:
    """Return what became of a mail at each recipient, for who looks at it; `written`: those that it is written to."""
    if outbound.recipients:
        claimed = outbound.state is OutboxState.CLAIMED
        return {
            address: AtRecipient(outbound.state, one.code, one.said) if claimed and one.state.in_flight else one
            for address, one in outbound.recipients.items()
        }
    own = AtRecipient(outbound.state, outbound.code, "" if outbound.state is OutboxState.SENT else outbound.reason)
    left = set(outbound.remaining)
    return {address: own if not left or address in left else LEFT for address in written}


def any_recipient_in(outbound: Outbound, *states: OutboxState) -> bool:
    """Tell whether the mail, or any recipient of it, is in one of these states."""
    return outbound.state in states or any(one.state in states for one in outbound.recipients.values())


class Became(StrEnum):
    """What a mail of ours has come to, for who waits for that: the case that it answers."""

    ON_ITS_WAY = "on its way"  # of at least one recipient it is not known yet
    LEFT = "left"  # the next server has it for all recipients, and no report says that it did not arrive
    RETURNED = "returned"  # refused, come back, or nobody knows, for at least one recipient: a person has to see to it


@dataclass(frozen=True, slots=True)
class Settlement:
    """What a mail has come to. Who has followed `revision` of it has heard this already."""

    outbound_id: str
    answers: str | None  # the interaction that it answers
    revision: int
    became: Became


def settlement(outbound: Outbound) -> Settlement:
    """Say what a mail has come to; `revision` rises with each change of it, by whomever, and never else."""
    if outbound.state.in_flight:
        became = Became.ON_ITS_WAY
    elif outbound.state is OutboxState.SENT and not outbound.delivery.failed:
        became = Became.LEFT
    else:
        became = Became.RETURNED
    return Settlement(outbound.id, outbound.answers, outbound.revision, became)
