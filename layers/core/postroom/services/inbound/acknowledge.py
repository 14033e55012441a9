"""Acknowledge a mail by template, unless a guard or a cap says no (docs/threat-model.md 7)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from postroom.mail.headers import parse_addresses
from postroom.mail.outgoing import best_language, is_message_id, templates, without_controls
from postroom.model import (
    Cap,
    Decision,
    Interaction,
    InteractionRef,
    Named,
    Outbound,
    Outcome,
    Subtype,
    Understanding,
    Withheld,
    outbound_id,
)
from postroom.model import DecisionRule as Rule
from postroom.model.configuration import Mailbox
from postroom.rules import thread_markers, way_out
from postroom.rules.automatic_replies import AutoReplyFacts, refusal
from postroom.rules.automatic_replies import caps as loop_caps
from postroom.rules.masking import mask_outbound
from postroom.services.policy import Policy

RULE = Rule.AUTO_REPLY


@dataclass(frozen=True, slots=True)
class Plan:
    """An acknowledgement with the caps it must pass, or none; and why."""

    decision: Decision
    outbound: Outbound | None = None
    caps: tuple[Cap, ...] = ()


def acknowledge(
    interaction: Interaction,
    mail: Understanding,
    *,
    template_name: str,
    policy: Policy,
    mailbox: Mailbox | None,
    old: bool,
    now: datetime,
) -> Plan:
    """Decide whether this mail is acknowledged, and with what."""
    configuration = policy.configuration
    template = next((one for one in configuration.templates if one.name == template_name), None)
    if template is None:
        return Plan(Decision(RULE, Outcome.SUPPRESSED, f"no-template: there is no template {template_name}"))
    if mailbox is None:
        return Plan(Decision(RULE, Outcome.SUPPRESSED, "no-mailbox: the mailbox is not configured any more"))
    if interaction.thread_id != interaction.id and interaction.subtype is Subtype.INBOUND_CUSTOMER_REPLY:
        return Plan(
            Decision(RULE, Outcome.SUPPRESSED, "reply: it continues a thread, which was acknowledged when it began")
        )
    # The verdict alone says whom an automatic reply may go to (docs/threat-model.md 14).
    target = mail.sender_verdict.answerable or ""
    refused = refusal(_facts(interaction, mail, policy=policy, target=target, old=old, now=now))
    if refused is not None:
        return Plan(refused)
    caps = _caps(interaction, policy, target, now)
    closed = next((cap.name for cap in caps if cap.limit == 0), None)
    if closed is not None:
        return Plan(Decision(RULE, Outcome.SUPPRESSED, f"cap {closed}: the configuration allows none"))
    alias = way_out.alias_of(configuration, mailbox.address)
    through = way_out.redirected_through(alias, (*interaction.to, *interaction.cc)) if alias else ""
    sender = through or mailbox.address
    values = _values(interaction, mailbox, mail, now, sender)
    settings = configuration.settings
    language = best_language(
        mail.body.text_reply or mail.body.text, among=settings.languages, otherwise=settings.languages[0]
    )
    words = template.in_language(language)
    server = way_out.server_name(configuration, alias)
    reply_to, body_marker, marks = thread_markers.plan(configuration, mailbox)
    outbound = Outbound(
        id=outbound_id(interaction.id, f"acknowledgement\x00{template.name}"),
        subtype=Subtype.OUTBOUND_ACKNOWLEDGEMENT,
        thread_id=interaction.thread_id,
        answers=InteractionRef(interaction.id),
        mailbox=interaction.mailbox,
        department=interaction.department,
        from_address=sender,
        to=(target,),
        subject=" ".join(without_controls(templates.fill(words.subject, values)).split()),
        text=templates.fill(words.text, values),
        html=templates.fill(words.html, values, escape=True) if words.html else None,
        created=now,
        server=server.outcome,
        in_reply_to=mail.message_id if is_message_id(mail.message_id or "") else None,
        references=tuple(one for one in (*mail.references[-10:], mail.message_id or "") if is_message_id(one)),
        reply_to=reply_to,
        body_marker=body_marker,
        decisions=(
            Decision(RULE, Outcome.WRITTEN, f"template {template.name} in {language}, for {interaction.id}"),
            Decision(Rule.FROM, Named(sender), _why_from(through)),
            server,
            marks,
        ),
    )
    outbound = mask_outbound(outbound, policy.outbound_masking)
    return Plan(
        Decision(RULE, Outcome.QUEUED, f"template {template.name}, as {outbound.id}"),
        outbound,
        caps,
    )


def without_acknowledgement(interaction: Interaction, withheld: Withheld) -> Interaction:
    """Return the interaction with the acknowledgement's decision replaced by what forbade it."""
    kept = tuple(one for one in interaction.decisions if one.rule != RULE)
    full = "; ".join(_FULL[cap.name].format(limit=cap.limit) for cap in withheld.reached)
    detail = f"cap: {full}" if full else "repeated: this mail was acknowledged before"
    return replace(interaction, decisions=(*kept, Decision(RULE, Outcome.SUPPRESSED, detail)))


_FULL: dict[str, str] = {
    loop_caps.SENDER: "per_sender_a_day is {limit}, and the sender had so many from this mailbox in 24 hours",
    loop_caps.DOMAIN: "per_domain_a_day is {limit}, and the domain had so many from this mailbox in 24 hours",
    loop_caps.THREAD: "per_thread is {limit}, and the thread had so many",
    loop_caps.INSTALLATION: "per_hour is {limit}, and the installation has sent so many this hour",
}


def _facts(
    interaction: Interaction, mail: Understanding, *, policy: Policy, target: str, old: bool, now: datetime
) -> AutoReplyFacts:
    # POP3 tells no dates. A false date can withhold a reply, never cause one that would not be given without any date.
    received = interaction.server_date or interaction.date
    return AutoReplyFacts(
        subtype=interaction.subtype,
        from_address=target,
        automatic=mail.automatic,
        return_path=mail.return_path,
        own_addresses=policy.own_addresses,
        has_own_tag=mail.own_tag,
        list_headers=mail.list_headers,
        delivery_exception=mail.delivery_exception,
        dmarc_failed=mail.sender_verdict.dmarc_failed,
        age=now - received if received else None,
        age_limit=policy.configuration.settings.auto_reply.maximum_age,
        before_first_connection=old,
        wrapped=mail.wrap_reason is not None,
    )


def _why_from(through: str) -> str:
    came = "the redirection address" if through else "the address of the mailbox"
    return f"{came} that the mail came in by"


def _values(
    interaction: Interaction, mailbox: Mailbox, mail: Understanding, now: datetime, sender: str
) -> dict[str, str]:
    # RFC 3834 §4 and docs/threat-model.md 7: nothing that an unverified sender wrote is sent on in our name.
    verified = mail.sender_verdict.verified
    parsed, leaves = parse_addresses(mailbox.address), parse_addresses(sender)
    writer = interaction.sender
    return {
        "interaction.id": interaction.id,
        "mailbox.address": parsed[0].address if parsed else mailbox.address,
        "mailbox.name": mailbox.name,
        "department.name": interaction.department,
        "received.date": f"{(interaction.server_date or now):%Y-%m-%d}",
        "subject": interaction.subject if verified else "",
        "customer.name": writer.name if verified and writer else "",
        "customer.address": mail.sender_verdict.answerable or "",
        "alias.name": leaves[0].name if leaves else "",
        "alias.address": leaves[0].address if leaves else sender,
        "queue.name": interaction.queue,
    }


def _caps(interaction: Interaction, policy: Policy, target: str, now: datetime) -> tuple[Cap, ...]:
    settings = policy.configuration.settings.auto_reply
    limits = {
        loop_caps.SENDER: settings.per_sender_a_day,
        loop_caps.DOMAIN: settings.per_domain_a_day,
        loop_caps.THREAD: settings.per_thread,
        loop_caps.INSTALLATION: settings.per_hour,
    }
    return tuple(
        loop_caps.caps_on(
            sender=target, mailbox=interaction.mailbox, thread_id=interaction.thread_id, limits=limits, now=now
        )
    )
