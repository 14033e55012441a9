"""Send one outbound mail: claim, compose, one attempt, record (docs/architecture.md, rule 9).

What cannot have left is tried again later; what was refused is FAILED; what nobody can know is UNCERTAIN, shown, and
never blindly repeated.
"""

from __future__ import annotations

import logging
import secrets
import traceback
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType

from postroom.errors import (
    Invalid,
    LeaseLost,
    NotFound,
    Permanent,
    SendRefused,
    SendUncertain,
    Transient,
)
from postroom.mail.headers import parse_addresses
from postroom.mail.outgoing import deliverable, thread_token
from postroom.model import AtRecipient, Outbound, Sent
from postroom.model.configuration import Configuration
from postroom.ports import Clock, Configurations, Contents, Outbox, Queue, Suppressions, Transports
from postroom.rules import recipients_of, server_of
from postroom.services.outbound.compose import prepare
from postroom.services.outbound.dead_addresses import withheld
from postroom.services.outbound.record_attempt import Attempt, Result, addressed
from postroom.services.outbound.waiting import DEFECT, DEFECT_GIVE_UP_AFTER

logger = logging.getLogger(__name__)

CLAIM_LASTS = timedelta(minutes=15)
"""A sender older than this is dead: Lambda ends every invocation before it."""

NOTHING_KNOWN: Mapping[str, AtRecipient] = MappingProxyType({})


def send(
    outbound_id: str,
    *,
    outbox: Outbox,
    configurations: Configurations,
    transports: Transports,
    thread_key: Callable[[], bytes],
    queue: Queue,
    suppressions: Suppressions,
    clock: Clock,
    contents: Contents | None = None,
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
    attempt = Attempt(outbound, claim, outbox, queue, suppressions, clock)
    on_the_wire = False

    def before_data(known: Mapping[str, AtRecipient] = NOTHING_KNOWN) -> None:
        nonlocal on_the_wire
        outbox.mark_data(outbound_id, claim=claim, now=clock(), recipients=attempt.on_the_wire(known))
        on_the_wire = True

    try:
        if outbound.unrecorded > 1 and (gone := attempt.died_before()):
            return gone
        if trouble is not None:
            raise trouble
        server = server_of(configuration, outbound)
        to = recipients_of(configuration, outbound, now=now)
        whom = attempt.addressed = addressed(outbound, to)
        content, envelope = prepare(
            outbound, server, to, message_id, key=key, sent_at=now, recipients=whom.envelope, contents=contents
        )
        attempt.known = withheld(suppressions.among(envelope.recipients, now=now))
        if attempt.known:
            envelope = replace(envelope, recipients=tuple(to for to in envelope.recipients if to not in attempt.known))
        if not envelope.recipients:
            return attempt.sent(Sent(others=attempt.known), server, to)
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
        remedy=f"It is tried again by itself for {DEFECT_GIVE_UP_AFTER.days * 24} hours; "
        "the log of send_outbound has all of it (`sending_failed`).",
    )


def _where(error: Exception) -> str:
    """Name an error by its type and place: its words may repeat what is in the mail."""
    *_outer, frame = traceback.extract_tb(error.__traceback__)
    return f"{type(error).__name__} in {frame.filename.rpartition('/')[2]}:{frame.lineno}"
