"""Record how one attempt to send a mail ended, at each of its recipients.

What cannot have left is tried again later; what was refused is FAILED; what nobody can know is UNCERTAIN, shown, and
never blindly repeated.
"""

from __future__ import annotations

import contextlib
import logging
import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from postroom.errors import LeaseLost, PostroomError, SendUncertain, Transient
from postroom.mail.headers import parse_addresses
from postroom.mail.outgoing import deliverable
from postroom.model import (
    AtRecipient,
    Event,
    EventKind,
    Outbound,
    OutboxState,
    Sent,
    SuppressionReason,
    after_try,
    send_request,
)
from postroom.model.configuration import OutboundServer
from postroom.ports import Clock, Outbox, Queue, Suppressions
from postroom.rules import Recipients
from postroom.services.outbound.dead_addresses import SUPPRESSED, is_dead, suppress
from postroom.services.outbound.waiting import DEFECT, wait_after, waiting_for

logger = logging.getLogger(__name__)

OWN_DELAY = timedelta(minutes=5)
"""What is due sooner than the sweep would find it is queued again at once, with its delay."""

MOST_DEATHS = 8
"""Senders that may die of a mail, one after the other, before its content goes out."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one request to send; `state` None: somebody else has it, or it was finished before."""

    outbound_id: str
    state: OutboxState | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Addressed:
    """Who is to get a mail at this try: addresses of the envelope, and what recipients they stand for."""

    envelope: tuple[str, ...]
    recipients: tuple[str, ...]  # those whose state this try decides; of a diverted mail, whom it was written to
    everybody: tuple[str, ...]
    diverted: bool = False


def addressed(outbound: Outbound, to: Recipients) -> Addressed:
    """Say who is to get a mail now: those who have neither got it nor been refused."""
    everybody = _bare((*to.to, *to.cc, *to.bcc))
    if not to.diverted:
        left = outbound.remaining or everybody
        return Addressed(left, left, everybody)
    written = _bare((*outbound.to, *outbound.cc, *outbound.bcc))
    return Addressed(everybody, outbound.remaining or written, written, diverted=True)


def _bare(mailboxes: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(deliverable(parse_addresses(text)[0].address) for text in mailboxes))


@dataclass(slots=True)
class Attempt:
    """One sender's attempt; `addressed` is known once the mail is composed."""

    outbound: Outbound
    claim: str
    outbox: Outbox
    queue: Queue
    suppressions: Suppressions
    clock: Clock
    addressed: Addressed | None = None
    known: Mapping[str, AtRecipient] = field(default_factory=dict)  # what is certain while content goes out

    @property
    def suppressed(self) -> Mapping[str, AtRecipient]:
        """Return what becomes of it at addresses that nothing is sent to."""
        return {to: one for to, one in self.known.items() if one.code == SUPPRESSED}

    def on_the_wire(self, known: Mapping[str, AtRecipient]) -> Mapping[str, AtRecipient] | None:
        """Return the states by recipient while content is on the wire, where they differ; `known` of some already."""
        whom = self.addressed
        if whom is None or whom.diverted or not (known or self.known or self.outbound.recipients):
            return None
        self.known = {**self.suppressed, **{one: known[one] for one in whom.recipients if one in known}}
        on_wire = {one: self.known.get(one, AtRecipient(OutboxState.DATA)) for one in whom.recipients}
        return after_try(self.outbound, whom.recipients, on_wire, everybody=whom.everybody)[1] or None

    def died_before(self) -> Result | None:
        """Tell that earlier senders died of this mail; its result where it is given up for that."""
        deaths = self.outbound.unrecorded - 1
        times = "a sender" if deaths == 1 else f"{deaths} senders, one after the other,"
        reason = f"{times} died before anything was sent; the log of send_outbound tells of what"
        if deaths >= MOST_DEATHS:
            return self.failed(f"{reason}. When that is mended: {_resend(self.outbound)}", code=DEFECT)
        event = Event(at=self.clock(), what=EventKind.SENDER_DIED, detail=reason)
        self.outbox.tell(self.outbound.id, claim=self.claim, event=event)
        return None

    def sent(self, sent: Sent, server: OutboundServer, to: Recipients) -> Result:
        """Record what the next server said, of each recipient."""
        others = self._others({**self.suppressed, **sent.others})
        detail = f"by {server.name}: {sent.provider_id}"
        if self.outbound.remaining:
            detail = f"to those who were left, {', '.join(self.outbound.remaining)}, {detail}"
        if server.name != self.outbound.server:
            detail += f"; {self.outbound.server}, which it was written for, is not its way out any more"
        if to.why and (to.diverted or not self.outbound.remaining):
            detail += f"; {to.why}"
        if sent.warning:
            detail += f"; {sent.warning}"
        if not others:
            return self._finish(
                OutboxState.SENT, EventKind.SENT, detail, provider_id=sent.provider_id, message_id=sent.message_id
            )
        return self._by_recipient(others, detail, sent)

    def _by_recipient(self, others: Mapping[str, AtRecipient], detail: str, sent: Sent) -> Result:
        now = self.clock()
        later = {address: one for address, one in others.items() if one.state is OutboxState.DEFERRED}
        code = next((one.code for one in later.values() if one.code), "")
        since = self._since(code, now)
        patience = waiting_for(code).patience
        if later and patience is not None and now - since > patience:
            given_up = f"given up after {_days(patience)} and {self.outbound.tries} tries; the last answer was: "
            gone = {to: AtRecipient(OutboxState.FAILED, one.code, given_up + one.said) for to, one in later.items()}
            others, later = {**others, **gone}, {}
        some = self.addressed is not None and len(others) < len(self.addressed.recipients)
        uncertain = any(one.state is OutboxState.UNCERTAIN for one in others.values())
        reason = in_words(others)
        if some:
            what, told = EventKind.PARTLY_SENT, f"{reason}; {detail}"
        else:
            what = EventKind.UNCERTAIN if uncertain else EventKind.DEFERRED if later else EventKind.FAILED
            told = reason
        if not later:
            code = next((one.code for one in others.values() if one.code), "")
        return self._finish(
            OutboxState.FAILED,
            what,
            told,
            others=others,
            due=now + wait_after(self.outbound.tries, code=code) if later else None,
            code=code,
            since=since,
            provider_id=sent.provider_id if some else "",
            message_id=sent.message_id if some else "",
        )

    def failed(self, reason: str, *, code: str) -> Result:
        """Record that no recipient of this try gets it."""
        said = reason
        if self.outbound.remaining:
            reason = f"for {', '.join(self.outbound.remaining)} alone: {reason}"
        return self._finish(OutboxState.FAILED, EventKind.FAILED, reason, code=code, said=said)

    def uncertain(self, error: SendUncertain) -> Result:
        """Record that nobody knows whether it left."""
        return self._finish(OutboxState.UNCERTAIN, EventKind.UNCERTAIN, str(error), code=error.code)

    def deferred(self, error: PostroomError) -> Result:
        """Record that it has certainly not left, and is tried again; or that it is given up."""
        now = self.clock()
        sort = waiting_for(error.code)
        since = self._since(error.code, now)
        if sort.patience is not None and now - since > sort.patience:
            given_up = f"given up after {_days(sort.patience)} and {self.outbound.tries} tries; the last answer was:"
            return self.failed(f"{given_up} {error} To try once more: {_resend(self.outbound)}", code=error.code)
        wait = wait_after(self.outbound.tries, code=error.code, waited=now - since, chance=random.random())
        result = self._finish(
            OutboxState.DEFERRED,
            EventKind.DEFERRED if sort.counts else EventKind(sort.name),
            str(error),
            due=now + wait,
            code=error.code,
            since=since,
            tries=None if sort.counts else self.outbound.tries - 1,
        )
        if wait < OWN_DELAY:
            # Sooner than the sweep looks for what is due, which finds it all the same if this is lost.
            with contextlib.suppress(Transient):
                self.queue.send(send_request(self.outbound.id), delay=math.ceil(wait.total_seconds()) + 1)
        return result

    def _since(self, code: str, now: datetime) -> datetime:
        """Say since when it fails for a reason of this sort."""
        same = self.outbound.since is not None and waiting_for(self.outbound.code) == waiting_for(code)
        return self.outbound.since if same and self.outbound.since else now

    def _others(self, others: Mapping[str, AtRecipient]) -> Mapping[str, AtRecipient]:
        """Say of recipients what the server said of addresses."""
        whom = self.addressed
        if whom is None or not whom.diverted or not others:
            return others
        return dict.fromkeys(whom.recipients, next(iter(others.values())))

    def _finish(
        self,
        state: OutboxState,
        what: EventKind,
        detail: str,
        *,
        others: Mapping[str, AtRecipient] | None = None,
        due: datetime | None = None,
        code: str = "",
        since: datetime | None = None,
        provider_id: str = "",
        message_id: str = "",
        tries: int | None = None,
        said: str = "",
    ) -> Result:
        """Record; `state`: of every recipient of this try, unless `others` says what became of it at which."""
        recipients: Mapping[str, AtRecipient] = {}
        remaining: Sequence[str] = ()
        alike: dict[str, AtRecipient] = {}
        if self.addressed is not None or self.outbound.recipients:
            whom = self.addressed.recipients if self.addressed else self.outbound.remaining
            if state is not OutboxState.SENT:
                alike = dict.fromkeys(whom, AtRecipient(state, code, said or detail))
            if state is OutboxState.UNCERTAIN:
                alike |= self.known  # what was certain before the content went out is certain still
            state, recipients = after_try(
                self.outbound,
                whom,
                alike if others is None else others,
                everybody=self.addressed.everybody if self.addressed else (),
            )
        else:
            remaining = self.outbound.remaining  # of an earlier version: only they are known by name
        lacking = {address: one for address, one in recipients.items() if one.state is not OutboxState.SENT}
        reason = in_words(lacking) if lacking and (state is OutboxState.FAILED or others is not None) else detail
        try:
            self.outbox.finish(
                self.outbound.id,
                claim=self.claim,
                state=state,
                event=Event(at=self.clock(), what=what, detail=detail[:1000]),
                provider_id=provider_id,
                reason=reason[:1000],
                code=code,
                since=since,
                due=due,
                message_id=message_id,
                remaining=remaining,
                recipients=recipients,
                tries=tries,
            )
        except LeaseLost:
            # Recorded, and the answer was lost; or a person was faster, who takes it for sent.
            return Result(self.outbound.id, None, f"{state.value}, which is recorded or not news any more")
        self._suppress(alike if others is None else others)
        # A recipient that was refused is told to who wrote; what is held or unknown, to who runs this.
        held = state is OutboxState.UNCERTAIN or (state is not OutboxState.SENT and waiting_for(code).held)
        facts = {"outbound": self.outbound.id, "state": state.value, "code": code, "mails_held": int(held)}
        logger.info("outbound_recorded", extra=facts)
        return Result(self.outbound.id, state, reason)

    def _suppress(self, others: Mapping[str, AtRecipient]) -> None:
        """Send nothing more to who, by the next server's word, does not exist."""
        if self.addressed is None or self.addressed.diverted:
            return
        for address, one in others.items():
            if is_dead(address, one):
                suppress(
                    [address],
                    SuppressionReason.BOUNCED,
                    outbound=self.outbound,
                    detail=one.said,
                    suppressions=self.suppressions,
                    now=self.clock(),
                )


_IN_WORDS: tuple[tuple[OutboxState, str], ...] = (
    (OutboxState.DEFERRED, "put off for"),
    (OutboxState.UNCERTAIN, "nobody knows whether it reached"),
    (OutboxState.FAILED, "refused for"),
)


def in_words(others: Mapping[str, AtRecipient]) -> str:
    """Say of recipients that have not got a mail why, by what became of it."""
    told = []
    for state, words in _IN_WORDS:
        here = [f"{to} ({one.said})" if one.said else to for to, one in others.items() if one.state is state]
        if here:
            told.append(f"{words} {', '.join(here)}")
    return "; ".join(told)


def _resend(outbound: Outbound) -> str:
    return f"`postroom outbox resend {outbound.id}`."


def _days(period: timedelta) -> str:
    return "a day" if period.days == 1 else f"{period.days} days"
