"""An agent answers an interaction: one outbound mail in the outbox, however often the button was pressed."""

from __future__ import annotations

import contextlib
import hmac
import json
from dataclasses import dataclass, replace
from datetime import datetime

from postroom.errors import Conflict, Invalid, NotFound, Problem, Transient
from postroom.mail.outgoing import Composition, check, is_message_id, reply_subject, without_controls
from postroom.model import (
    AGENT_ID,
    MAILBOX_ADDRESS,
    Added,
    Decision,
    Interaction,
    InteractionRef,
    Named,
    Outbound,
    Outcome,
    Subtype,
    outbound_id,
    send_request,
)
from postroom.model import DecisionRule as Rule
from postroom.model.configuration import Alias, Configuration, Mailbox
from postroom.ports import Clock, Configurations, Interactions, Outbox, Queue
from postroom.rules import Addressed, own_addresses, recipients, thread_markers, way_out
from postroom.rules.masking import mask_outbound
from postroom.services.policy import outbound_masking

_MOST_TEXT = 1_000_000  # characters
_MARK = "mark"


@dataclass(frozen=True, slots=True)
class Reply:
    """What an agent wants to send; empty `to` and `subject` are taken from the interaction."""

    text: str
    idempotency_key: str
    agent: str
    agent_id: str = ""  # of the user, where it is known
    html: str | None = None
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Replied:
    """The outbound mail, and whether this call made it (else an earlier one with the same key had)."""

    outbound: Outbound
    created: bool


def reply(
    interaction_id: str,
    wanted: Reply,
    *,
    interactions: Interactions,
    outbox: Outbox,
    configurations: Configurations,
    outbound_queue: Queue,
    clock: Clock,
) -> Replied:
    """Write the reply to the outbox and queue it; raises NotFound, or Invalid with every problem."""
    interaction = interactions.get(interaction_id)
    if interaction is None:
        raise NotFound("there is no such interaction", on=interaction_id)
    outbound = compose_reply(interaction, wanted, configuration=configurations.current(), now=clock())
    if outbox.add(outbound) is not Added.CREATED:
        stored = outbox.get(outbound.id)
        if stored is not None and not _is_same(stored, outbound):
            raise Conflict(
                "another reply was sent with this idempotency key",
                on=interaction_id,
                remedy="Use a new key for a new reply.",
            )
        return Replied(stored or outbound, created=False)
    with contextlib.suppress(Transient):  # it lies in the outbox: the sweeper queues it again within minutes
        outbound_queue.send(send_request(outbound.id))
    return Replied(outbound, created=True)


def compose_reply(interaction: Interaction, wanted: Reply, *, configuration: Configuration, now: datetime) -> Outbound:
    """Decide everything about the reply; raises Invalid with every problem."""
    mailbox = configuration.mailbox_of(interaction.mailbox)
    alias = _alias(configuration, interaction, mailbox)
    decisions = [Decision(Rule.REPLY, Outcome.WRITTEN, f"{wanted.agent} answers {interaction.id}")]
    addressed = _addressed(interaction, wanted, configuration)
    sender = alias.address if alias else _address(configuration, interaction, mailbox)
    problems = [*_problems(wanted, sender, interaction), *addressed.problems]
    if problems:
        raise Invalid(problems)
    subject = wanted.subject or reply_subject(without_controls(interaction.subject))
    references = [*interaction.attributes.get("References", "").split(), interaction.message_id or ""]
    reply_to, body_marker, marks = thread_markers.plan(configuration, mailbox)
    server = way_out.server_name(configuration, alias)
    decisions += [_sender_decision(sender, alias, mailbox is not None), server, marks]
    if addressed.left_out:
        decisions.append(Decision(Rule.RECIPIENTS, Outcome.LEFT_OUT, "; ".join(addressed.left_out)))
    outbound = Outbound(
        id=outbound_id(interaction.id, f"reply\x00{wanted.idempotency_key}"),
        subtype=Subtype.OUTBOUND_REPLY,
        thread_id=interaction.thread_id,
        answers=InteractionRef(interaction.id),
        mailbox=interaction.mailbox,
        department=interaction.department,
        from_address=sender,
        to=tuple(map(recipients.written, addressed.to)),
        cc=tuple(map(recipients.written, addressed.cc)),
        bcc=tuple(map(recipients.written, addressed.bcc)),
        subject=subject,
        text=wanted.text,
        html=wanted.html,
        created=now,
        server=server.outcome,
        in_reply_to=interaction.message_id if is_message_id(interaction.message_id or "") else None,
        references=tuple(reference for reference in references if is_message_id(reference)),
        reply_to=reply_to,
        body_marker=body_marker,
        decisions=tuple(decisions),
        attributes={
            "agent": wanted.agent,
            **({AGENT_ID: wanted.agent_id} if wanted.agent_id else {}),
            _MARK: _mark(wanted),
        },
    )
    if problems := check(_as_sent(outbound)):
        raise Invalid(problems)
    return mask_outbound(outbound, outbound_masking(configuration, interaction.department))


def _as_sent(outbound: Outbound) -> Composition:
    """Return what will be composed of a reply, as far as it can be refused: rather now than when nobody looks."""
    return Composition(
        sender=outbound.from_address,
        to=outbound.to,
        cc=(*outbound.cc, *outbound.bcc),
        reply_to=outbound.reply_to,
        subject=outbound.subject,
        text="",
        date=outbound.created,
        message_id="<made@when.sent>",
        in_reply_to=outbound.in_reply_to,
        references=outbound.references,
    )


def _mark(wanted: Reply) -> str:
    """Mark a reply by what was given: what is stored of it depends on the configuration too (masking, aliases).

    So short that what was masked cannot be guessed from it; by mistake the same once in 65,536.
    """
    given = (wanted.text, wanted.html, wanted.subject, wanted.to, wanted.cc, wanted.bcc)
    key = wanted.idempotency_key.encode("utf-8", "replace")
    return hmac.digest(key, json.dumps(given).encode("ascii"), "sha256").hex()[:4]


def _is_same(stored: Outbound, outbound: Outbound) -> bool:
    if _MARK in stored.attributes:
        return stored.attributes[_MARK] == outbound.attributes[_MARK]
    return (stored.text, stored.to) == (outbound.text, outbound.to)  # written before there were marks


def _sender_decision(sender: str, alias: Alias | None, of_mailbox: bool) -> Decision:
    gone = "the mailbox is not configured any more"
    if of_mailbox:
        has = f"the alias {alias.name} has " if alias else ""
        return Decision(Rule.FROM, Named(sender), f"{has}the address of the mailbox that the mail came in by")
    if alias is None:
        return Decision(Rule.FROM, Named(sender), f"{gone}, and no alias stands for it: the address that it had")
    return Decision(
        Rule.FROM, Named(sender), f"{gone}: the alias {alias.name} has its address, or is the default alias"
    )


def _alias(configuration: Configuration, interaction: Interaction, mailbox: Mailbox | None) -> Alias | None:
    """Return the alias that replies leave by: that of the mailbox's address; without mailbox, the default (C01, C20).

    A mailbox that is not configured any more is known by the address that the mail came in by.
    """
    address = mailbox.address if mailbox else interaction.attributes.get(MAILBOX_ADDRESS, "")
    found = way_out.alias_of(configuration, address)
    if found is not None or mailbox is not None:
        return found
    return way_out.default_alias(configuration, interaction.department)


def _address(configuration: Configuration, interaction: Interaction, mailbox: Mailbox | None) -> str:
    """Return the address of replies without an alias: a deleted one's own, else the default server's (C04)."""
    if mailbox is not None:
        return mailbox.address
    server = configuration.outbound_server(None)
    return interaction.attributes.get(MAILBOX_ADDRESS, "") or (server.from_address if server else None) or ""


def _addressed(interaction: Interaction, wanted: Reply, configuration: Configuration) -> Addressed:
    """Find the recipients: those that were typed, else who is asked for an answer."""
    mailboxes = frozenset(recipients.same_mailbox(one.bare_address) for one in configuration.mailboxes)
    typed = recipients.to_whom_typed(wanted.to, wanted.cc, wanted.bcc, mailboxes=mailboxes)
    if wanted.to:
        return typed
    own = own_addresses(configuration) | {one.lower() for one in configuration.settings.own_lists}
    answered = recipients.to_answer(interaction, own)
    return replace(
        recipients.once(answered.to, typed.cc, typed.bcc),
        problems=(*answered.problems, *typed.problems),
        left_out=(*answered.left_out, *typed.left_out),
    )


def _problems(wanted: Reply, sender: str, interaction: Interaction) -> list[Problem]:
    problems = []
    if not wanted.text.strip():
        problems.append(Problem("text", "is empty.", "Write what to answer."))
    if len(wanted.text) > _MOST_TEXT:
        problems.append(Problem("text", f"has {len(wanted.text):,} characters.", f"Use at most {_MOST_TEXT:,}."))
    if len(wanted.html or "") > _MOST_TEXT:
        problems.append(Problem("html", f"has {len(wanted.html or ''):,} characters.", f"Use at most {_MOST_TEXT:,}."))
    if not wanted.idempotency_key or len(wanted.idempotency_key) > 200:
        problems.append(Problem("idempotency_key", "is empty or too long.", "Give 1 to 200 characters, new a reply."))
    if not sender:
        problems.append(
            Problem(
                "from", f"mailbox {interaction.mailbox} is not configured any more.", "Give its department an alias."
            )
        )
    return problems
