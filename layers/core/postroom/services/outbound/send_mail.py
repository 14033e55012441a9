"""Send one outbound mail: claim, compose, one attempt, record (docs/architecture.md, rule 9).

What cannot have left is tried again later; what was refused is FAILED; what nobody can know is UNCERTAIN, shown, and
never blindly repeated.
"""

from __future__ import annotations

import contextlib
import logging
import math
import random
import secrets
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from postroom.errors import (
    Invalid,
    LeaseLost,
    NotFound,
    Permanent,
    PostroomError,
    SendRefused,
    SendUncertain,
    Transient,
)
from postroom.mail.headers import parse_addresses
from postroom.mail.outgoing import Composition, compose, deliverable, thread_token
from postroom.model import Envelope, Event, EventKind, Outbound, OutboxState, Sent, send_request
from postroom.model.configuration import Configuration, OutboundServer, ServerType
from postroom.ports import Clock, Configurations, Outbox, Queue, Transports
from postroom.rules import Recipients, recipients_of, server_of, thread_markers
from postroom.services.outbound.waiting import DEFECT, DEFECT_GIVE_UP_AFTER, wait_after, waiting_for

logger = logging.getLogger(__name__)

CLAIM_LASTS = timedelta(minutes=15)
"""A sender older than this is dead: Lambda ends every invocation before it."""

_OWN_DELAY = timedelta(minutes=5)
"""What is due sooner than the sweep would find it is queued again at once, with its delay."""

MOST_DEATHS = 8
"""Senders that may die of a mail, one after the other, before its content goes out."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one request to send; `state` None: somebody else has it, or it was finished before."""

    outbound_id: str
    state: OutboxState | None
    reason: str = ""


def send(
    outbound_id: str,
    *,
    outbox: Outbox,
    configurations: Configurations,
    transports: Transports,
    thread_key: Callable[[], bytes],
    queue: Queue,
    clock: Clock,
) -> Result:
    """Send one mail of the outbox; raises Transient only when nothing could be recorded, so that it is tried again."""
    stored = outbox.get(outbound_id)
    if stored is None:
        raise NotFound("there is no such outbound mail", on=outbound_id)
    claim = secrets.token_hex(8)
    trouble: Exception | None = None
    message_id = ""
    try:
        configuration = configurations.current()
        key = thread_key()
        message_id = _message_id(stored, configuration, key=key)
    except Exception as error:  # noqa: BLE001 - told on the mail, below: it must not wait without a word
        trouble = error
    now = clock()
    outbound = outbox.claim(
        outbound_id, claim=claim, message_id=message_id, now=now, abandoned_before=now - CLAIM_LASTS
    )
    if outbound is None:
        return Result(outbound_id, None, "not to be sent: another sender has it, it is finished, or not due yet")
    attempt = _Attempt(outbound, claim, outbox, queue, clock)
    on_the_wire = False

    def before_data() -> None:
        nonlocal on_the_wire
        outbox.mark_data(outbound_id, claim=claim, now=clock())
        on_the_wire = True

    try:
        if outbound.unrecorded > 1 and (gone := attempt.died_before()):
            return gone
        if trouble is not None:
            raise trouble
        server = server_of(configuration, outbound)
        to = recipients_of(configuration, outbound)
        content, envelope = prepare(outbound, server, to, message_id, key=key, sent_at=outbound.created)
        sent = transports.for_server(server).send(content, envelope, outbound_id=outbound_id, before_data=before_data)
    except LeaseLost:
        return Result(outbound_id, None, "another sender took it over")
    except SendUncertain as error:
        return attempt.uncertain(error)
    except (SendRefused, Invalid) as error:
        return attempt.failed(str(error), code=error.code)
    except (Transient, Permanent, NotFound) as error:
        # Certainly not sent: put off by the next server, or something of ours (a secret, the table) failed before it.
        return attempt.deferred(error)
    except Exception as error:
        logger.exception("sending_failed", extra={"outbound": outbound_id, "on_the_wire": on_the_wire})
        if on_the_wire:
            return attempt.uncertain(SendUncertain(f"An error of ours while the content went out: {_where(error)}"))
        return attempt.deferred(_defect(error))
    return attempt.sent(sent, server, to)


def _message_id(stored: Outbound, configuration: Configuration, *, key: bytes) -> str:
    senders = parse_addresses(stored.from_address)
    domain = deliverable(senders[0].address).rpartition("@")[2] if senders else ""
    return thread_token.message_id_for(stored.id, key=key, domain=domain or configuration.settings.default_domain)


def _defect(error: Exception) -> Transient:
    return Transient(
        f"An error of ours before anything was sent: {_where(error)}",
        code=DEFECT,
        remedy=f"It is tried again by itself for {_days(DEFECT_GIVE_UP_AFTER)}; "
        "the log of send_outbound has all of it (`sending_failed`).",
    )


def _where(error: Exception) -> str:
    """Name an error by its type and place: its words may repeat what is in the mail."""
    *_outer, frame = traceback.extract_tb(error.__traceback__)
    return f"{type(error).__name__} in {frame.filename.rpartition('/')[2]}:{frame.lineno}"


@dataclass(frozen=True, slots=True)
class _Attempt:
    """Records how the attempt ended."""

    outbound: Outbound
    claim: str
    outbox: Outbox
    queue: Queue
    clock: Clock

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
        if sent.deferred:
            return self._partly(sent)
        detail = f"by {server.name}: {sent.provider_id}"
        if self.outbound.remaining:
            detail = f"to those who were left, {', '.join(self.outbound.remaining)}, {detail}"
        if server.name != self.outbound.server:
            detail += f"; {self.outbound.server}, which it was written for, is not its way out any more"
        if sent.refused:
            detail += f"; refused for {_answers(sent.refused)}"
        if to.why and (to.diverted or not self.outbound.remaining):
            detail += f"; {to.why}"
        return self._finish(
            OutboxState.SENT, EventKind.SENT, detail, provider_id=sent.provider_id, message_id=sent.message_id
        )

    def _partly(self, sent: Sent) -> Result:
        reason = f"put off for {_answers(sent.deferred)}"
        if sent.refused:
            reason += f"; refused for {_answers(sent.refused)}"
        now = self.clock()
        return self._finish(
            OutboxState.DEFERRED,
            EventKind.PARTLY_SENT,
            reason,
            due=now + wait_after(self.outbound.tries, code=sent.deferred_code),
            code=sent.deferred_code,
            since=now,
            remaining=tuple(sent.deferred),
        )

    def failed(self, reason: str, *, code: str) -> Result:
        if self.outbound.remaining:
            reason = f"for {', '.join(self.outbound.remaining)} only, the others have it: {reason}"
        return self._finish(OutboxState.FAILED, EventKind.FAILED, reason, code=code)

    def uncertain(self, error: SendUncertain) -> Result:
        return self._finish(OutboxState.UNCERTAIN, EventKind.UNCERTAIN, str(error), code=error.code)

    def deferred(self, error: PostroomError) -> Result:
        now = self.clock()
        sort = waiting_for(error.code)
        same = self.outbound.since is not None and waiting_for(self.outbound.code) == sort
        since = self.outbound.since if same and self.outbound.since else now
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
        if wait < _OWN_DELAY:
            # Sooner than the sweep looks for what is due, which finds it all the same if this is lost.
            with contextlib.suppress(Transient):
                self.queue.send(send_request(self.outbound.id), delay=math.ceil(wait.total_seconds()) + 1)
        return result

    def _finish(
        self,
        state: OutboxState,
        what: EventKind,
        detail: str,
        *,
        due: datetime | None = None,
        code: str = "",
        since: datetime | None = None,
        provider_id: str = "",
        message_id: str = "",
        remaining: Sequence[str] = (),
        tries: int | None = None,
    ) -> Result:
        try:
            self.outbox.finish(
                self.outbound.id,
                claim=self.claim,
                state=state,
                event=Event(at=self.clock(), what=what, detail=detail[:1000]),
                provider_id=provider_id,
                reason=detail[:1000],
                code=code,
                since=since,
                due=due,
                message_id=message_id,
                remaining=remaining,
                tries=tries,
            )
        except LeaseLost:
            # Recorded, and the answer was lost; or a person was faster, who takes it for sent.
            return Result(self.outbound.id, None, f"{state.value}, which is recorded or not news any more")
        # A recipient that was refused is told to who wrote; what is held or unknown, to who runs this.
        held = state is OutboxState.UNCERTAIN or (state is not OutboxState.SENT and waiting_for(code).held)
        facts = {"outbound": self.outbound.id, "state": state.value, "code": code, "mails_held": int(held)}
        logger.info("outbound_recorded", extra=facts)
        return Result(self.outbound.id, state, detail)


def _answers(by_recipient: Mapping[str, str]) -> str:
    return ", ".join(f"{one} ({why})" for one, why in by_recipient.items())


def _resend(outbound: Outbound) -> str:
    return f"`postroom outbox resend {outbound.id}`."


def _days(period: timedelta) -> str:
    return "a day" if period.days == 1 else f"{period.days} days"


def prepare(
    outbound: Outbound, server: OutboundServer, to: Recipients, message_id: str, *, key: bytes, sent_at: datetime
) -> tuple[bytes, Envelope]:
    """Compose the mail and its envelope; raises Invalid for what the server's limits do not allow (S08).

    `to`: who gets it now.
    """
    references = list(outbound.references)
    if server.type is ServerType.SES:
        # SES writes its own Message-ID over ours; the references of a reply still carry the signed one.
        references.append(message_id)
    text, html = thread_markers.marked(outbound, key=key)
    content = compose(
        Composition(
            sender=outbound.from_address,
            to=to.to,
            cc=to.cc,
            reply_to=thread_markers.reply_address(outbound, key=key),
            subject=outbound.subject,
            text=text,
            html=html,
            date=sent_at,
            message_id=message_id,
            in_reply_to=outbound.in_reply_to,
            references=references,
            automatic=outbound.automatic,
            written_to=(*outbound.to, *outbound.cc, *outbound.bcc) if to.diverted else (),
        )
    )
    everybody = tuple(
        dict.fromkeys(deliverable(parse_addresses(text)[0].address) for text in (*to.to, *to.cc, *to.bcc))
    )
    recipients = everybody if to.diverted else outbound.remaining or everybody
    if len(recipients) > server.maximum_recipients:
        raise SendRefused(
            f"the mail has {len(recipients)} recipients, `maximum_recipients` of {server.name} is "
            f"{server.maximum_recipients}",
            remedy="Send it to fewer, or raise the limit.",
        )
    if len(content) > server.maximum_size * 1_000_000:
        raise SendRefused(
            f"the mail has {len(content):,} bytes, `maximum_size` of {server.name} is {server.maximum_size} MB",
            remedy="Make it smaller, or raise the limit.",
        )
    sender = deliverable(parse_addresses(outbound.from_address)[0].address)
    return content, Envelope(sender=sender, recipients=recipients)
