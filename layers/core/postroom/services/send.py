"""Send one outbound mail: claim, compose, one attempt, record (design, rule 7).

What cannot have left is tried again later; what was refused is FAILED; what nobody can know is UNCERTAIN, shown, and
never blindly repeated.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
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
from postroom.mail import token
from postroom.mail.address import parse_addresses
from postroom.mail.compose import Composition, compose
from postroom.model.configuration import Configuration, OutboundServer, ServerType
from postroom.model.interaction import Event
from postroom.model.outbound import Outbound, OutboxState
from postroom.ports import Clock, Configurations, Envelope, Outbox, Sent, Transports
from postroom.services import thread_marks

CLAIM_LASTS = timedelta(minutes=15)
"""A sender older than this is dead: Lambda ends every invocation before it."""

GIVE_UP_AFTER = timedelta(days=5)
"""The same patience that Postfix has by default (`maximal_queue_lifetime`)."""

WAITS_FOR_SETTINGS = frozenset(
    {
        "secret_missing",
        "account_missing",
        "identity_not_verified",
        "login_refused",
        "consent_missing",
        "consent_revoked",
        "consent_expired",
        "client_secret_expired",
        "client_secret_wrong",
    }
)
"""Codes of what only an administrator can supply: such a mail is never given up, and tried again when it is there."""

MOST_TOLD = 50
"""Deferrals in a mail's history; five days have fewer. The history lies in the mail's item, which must not grow on."""

_FIRST_WAIT = timedelta(minutes=5)
_LONGEST_WAIT = timedelta(hours=4)


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
    clock: Clock,
) -> Result:
    """Send one mail of the outbox; raises Transient only when nothing could be recorded, so that it is tried again."""
    stored = outbox.get(outbound_id)
    if stored is None:
        raise NotFound("there is no such outbound mail", on=outbound_id)
    configuration = configurations.current()
    sender = parse_addresses(stored.from_address)[0].address
    key = thread_key()
    message_id = token.message_id_for(
        outbound_id,
        key=key,
        domain=sender.rpartition("@")[2] or configuration.settings.default_domain,
    )
    claim = secrets.token_hex(8)
    now = clock()
    outbound = outbox.claim(
        outbound_id, claim=claim, message_id=message_id, now=now, abandoned_before=now - CLAIM_LASTS
    )
    if outbound is None:
        return Result(outbound_id, None, "not to be sent: another sender has it, it is finished, or not due yet")
    attempt = _Attempt(outbound, claim, outbox, clock)
    try:
        server = server_of(configuration, outbound)
        content, envelope = prepare(outbound, server, message_id, key=key, sent_at=outbound.created)
        sent = transports.for_server(server).send(
            content,
            envelope,
            outbound_id=outbound_id,
            before_data=lambda: outbox.mark_data(outbound_id, claim=claim, now=clock()),
        )
    except LeaseLost:
        return Result(outbound_id, None, "another sender took it over")
    except SendUncertain as error:
        return attempt.uncertain(error)
    except (SendRefused, Invalid) as error:
        return attempt.failed(str(error))
    except (Transient, Permanent, NotFound) as error:
        # Certainly not sent: put off by the next server, or something of ours (a secret, the table) failed before it.
        return attempt.deferred(error)
    return attempt.sent(sent, server)


@dataclass(frozen=True, slots=True)
class _Attempt:
    """Records how the attempt ended."""

    outbound: Outbound
    claim: str
    outbox: Outbox
    clock: Clock

    def sent(self, sent: Sent, server: OutboundServer) -> Result:
        if sent.deferred:
            return self._partly(sent)
        detail = f"by {server.name}: {sent.provider_id}"
        if server.name != self.outbound.server:
            detail += f"; {self.outbound.server}, which it was written for, is not its way out any more"
        if sent.refused:
            detail += "; refused for " + ", ".join(f"{one} ({why})" for one, why in sent.refused.items())
        self._finish(
            OutboxState.SENT, "sent", detail, provider_id=sent.provider_id, message_id=sent.message_id, reason=detail
        )
        return Result(self.outbound.id, OutboxState.SENT, detail)

    def _partly(self, sent: Sent) -> Result:
        reason = "put off for " + ", ".join(f"{one} ({why})" for one, why in sent.deferred.items())
        now = self.clock()
        self._finish(
            OutboxState.DEFERRED,
            "partly_sent",
            reason,
            due=now + wait_after(self.outbound.tries),
            remaining=tuple(sent.deferred),
            reason=reason,
        )
        return Result(self.outbound.id, OutboxState.DEFERRED, reason)

    def failed(self, reason: str) -> Result:
        self._finish(OutboxState.FAILED, "failed", reason, reason=reason)
        return Result(self.outbound.id, OutboxState.FAILED, reason)

    def uncertain(self, error: SendUncertain) -> Result:
        self._finish(OutboxState.UNCERTAIN, "uncertain", str(error), reason=str(error))
        return Result(self.outbound.id, OutboxState.UNCERTAIN, str(error))

    def deferred(self, error: PostroomError) -> Result:
        now = self.clock()
        if now - self.outbound.created > GIVE_UP_AFTER and error.code not in WAITS_FOR_SETTINGS:
            return self.failed(f"given up after {GIVE_UP_AFTER.days} days; the last answer was: {error}")
        due = now + wait_after(self.outbound.tries)
        told = self.outbound.tries <= MOST_TOLD
        self._finish(OutboxState.DEFERRED, "deferred", str(error), due=due, reason=str(error), told=told)
        return Result(self.outbound.id, OutboxState.DEFERRED, str(error))

    def _finish(
        self,
        state: OutboxState,
        what: str,
        detail: str,
        *,
        reason: str,
        due: datetime | None = None,
        told: bool = True,
        provider_id: str = "",
        message_id: str = "",
        remaining: Sequence[str] = (),
    ) -> None:
        self.outbox.finish(
            self.outbound.id,
            claim=self.claim,
            state=state,
            event=Event(at=self.clock(), what=what, detail=detail[:1000]),
            told=told,
            provider_id=provider_id,
            reason=reason[:1000],
            due=due,
            message_id=message_id,
            remaining=remaining,
        )


def wait_after(tries: int) -> timedelta:
    """How long to wait after so many tries: 5 minutes, doubling, at most 4 hours."""
    return min(_LONGEST_WAIT, _FIRST_WAIT * (1 << max(0, min(tries - 1, 10))))


def server_of(configuration: Configuration, outbound: Outbound) -> OutboundServer:
    """Find the way out: the server that the mail names, while the alias that it leaves by is there (C04).

    A mail of a deleted alias, and one whose server is gone, leave by the default server; without any, by SES.
    """
    servers = {server.name: server for server in configuration.outbound_servers}
    named = servers.get(outbound.server) if _has_alias(configuration, outbound.from_address) else None
    found = named or servers.get(configuration.settings.default_outbound_server)
    return found or OutboundServer(name="ses", type=ServerType.SES)


def _has_alias(configuration: Configuration, from_address: str) -> bool:
    own = parse_addresses(from_address)[0].address.casefold()
    return any(
        own in (alias.bare_address.casefold(), *(one.casefold() for one in alias.redirection_addresses))
        for alias in configuration.aliases
    )


def prepare(
    outbound: Outbound, server: OutboundServer, message_id: str, *, key: bytes, sent_at: datetime
) -> tuple[bytes, Envelope]:
    """Compose the mail and its envelope; raises Invalid for what the server's limits do not allow (S08)."""
    references = list(outbound.references)
    if server.type is ServerType.SES:
        # SES writes its own Message-ID over ours; the references of a reply still carry the signed one.
        references.append(message_id)
    text, html = thread_marks.marked(outbound, key=key)
    content = compose(
        Composition(
            sender=outbound.from_address,
            to=outbound.to,
            cc=outbound.cc,
            reply_to=thread_marks.reply_address(outbound, key=key),
            subject=outbound.subject,
            text=text,
            html=html,
            date=sent_at,
            message_id=message_id,
            in_reply_to=outbound.in_reply_to,
            references=references,
            automatic=outbound.automatic,
        )
    )
    recipients = outbound.remaining or tuple(
        dict.fromkeys(parse_addresses(text)[0].address for text in (*outbound.to, *outbound.cc, *outbound.bcc))
    )
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
    sender = parse_addresses(outbound.from_address)[0].address
    return content, Envelope(sender=sender, recipients=recipients)
