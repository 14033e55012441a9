"""Plan everything that one incoming mail becomes: pure, so that what is written can be read before anything is.

`ingest` looks up and reads what the plan needs, `store` writes it. A replay makes the same plan again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from postroom.model import (
    Attachment,
    Body,
    Cap,
    Event,
    Interaction,
    Outbound,
    ReadFile,
    Subtype,
    Understanding,
    interaction_id,
)
from postroom.rules import route
from postroom.rules.attachments import Action
from postroom.rules.workflows import WorkflowPlan
from postroom.services.inbound.acknowledge import acknowledge
from postroom.services.inbound.duplicates import seen_again
from postroom.services.inbound.facts import Copy, Facts, acknowledgement_of, copies, stripped, with_replacement_text
from postroom.services.inbound.find_thread import Threaded
from postroom.services.inbound.report_outcome import ReportedOutcome, reported_outcome
from postroom.services.inbound.workflows import applied, run_workflows
from postroom.services.policy import Policy

INLINE_TOTAL = 24_000
"""Bytes; attachments below `settings.attachment_inline_limit` lie in the item itself, as long as they fit (S05)."""
PREVIEW = 200  # characters


@dataclass(frozen=True, slots=True)
class ContentFile:
    """One file that is laid into the content bucket before the interaction that names it is written."""

    key: str
    data: Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class PlannedInteraction:
    """One interaction with all that is written before it or together with it."""

    interaction: Interaction
    body: Body
    files: tuple[ContentFile, ...] = ()
    acknowledgement: Outbound | None = None
    caps: tuple[Cap, ...] = ()  # what must hold when the acknowledgement is written
    workflows: WorkflowPlan = field(default_factory=WorkflowPlan)  # what they want done with its case


@dataclass(frozen=True, slots=True)
class InboundPlan:
    """What one raw message becomes, in the order in which it is written."""

    copies: tuple[PlannedInteraction, ...]  # of other recipients (G05); mostly none
    own: PlannedInteraction  # its id is the raw message's own: while it is missing, the sweeper repeats the whole plan
    repeated: Event  # told of `own`, should it be there already of another raw message
    reported: ReportedOutcome | None  # what a report says of a mail of ours
    waits_for: str | None  # Message-ID of the mail that is answered and is not here yet
    old: bool  # it lay there before the mailbox was connected (X13)
    reopen_within: timedelta  # how long a customer's mail reopens a case that was closed
    now: datetime


def plan_inbound(mail: Understanding, thread: Threaded, policy: Policy, facts: Facts) -> InboundPlan:
    """Decide all that becomes of a mail that was understood and whose thread was looked up."""
    if facts.oversize:
        mail = stripped(mail, policy, facts)
    own, *others = [_planned(mail, thread, policy, facts, one) for one in copies(mail, facts.mailbox, policy)]
    return InboundPlan(
        copies=tuple(reversed(others)),
        own=own,
        repeated=seen_again(facts),
        reported=reported_outcome(own.interaction, mail.report, now=facts.now),
        waits_for=thread.waits_for,
        old=facts.old,
        reopen_within=policy.configuration.settings.cases.reopen_within,
        now=facts.now,
    )


def _planned(mail: Understanding, thread: Threaded, policy: Policy, facts: Facts, copy: Copy) -> PlannedInteraction:
    own_id = interaction_id(facts.mailbox_name, mail.sha256, copy.identity)
    attachments, files = _attachments(own_id, mail, policy, facts)
    interaction = _interaction(own_id, mail, thread, attachments, policy, facts, copy)
    body = with_replacement_text(mail.body, policy)
    workflows = run_workflows(interaction, mail, policy, facts)
    interaction = applied(interaction, workflows, policy)
    template = (
        acknowledgement_of(facts.mailbox, policy) if workflows.acknowledgement is None else workflows.acknowledgement
    )
    if not template or not copy.is_first:
        return PlannedInteraction(interaction, body, files, workflows=workflows)
    plan = acknowledge(
        interaction,
        mail,
        template_name=template,
        policy=policy,
        mailbox=facts.mailbox,
        old=facts.old,
        now=facts.now,
    )
    interaction = replace(interaction, decisions=(*interaction.decisions, plan.decision))
    return PlannedInteraction(interaction, body, files, plan.outbound, plan.caps, workflows)


def _interaction(
    own_id: str,
    mail: Understanding,
    thread: Threaded,
    attachments: tuple[Attachment, ...],
    policy: Policy,
    facts: Facts,
    copy: Copy,
) -> Interaction:
    subtype = mail.subtype or (Subtype.INBOUND_CUSTOMER_REPLY if thread.join else Subtype.INBOUND_NEW)
    routed = route(policy.configuration, facts.mailbox, subtype)
    return Interaction(
        id=own_id,
        mailbox=facts.mailbox_name,
        queue=routed.queue,
        department=routed.department,
        thread_id=thread.join or own_id,
        parent_id=thread.parent,
        subtype=subtype,
        status=routed.status,
        subject=mail.subject,
        sender=mail.sender,
        created=facts.now,
        size=mail.size,
        sha256=mail.sha256,
        raw_key=facts.stored.key,
        message_id=mail.message_id,
        to=mail.to,
        cc=mail.cc,
        reply_to=mail.reply_to,
        date=mail.date,
        server_date=facts.server_date,
        wrap_reason=mail.wrap_reason,
        attachments=attachments,
        decisions=(*mail.decisions, thread.decision, *copy.decisions, *routed.decisions),
        attributes={**mail.attributes, **copy.attributes},
        preview=preview(mail.body),
        stable_digest=mail.stable_digest() if copy.is_first else "",
        series=facts.series,
    )


def preview(body: Body) -> str:
    """Return the beginning of what a person wrote, on one line."""
    return " ".join((body.text_reply or body.text)[: 4 * PREVIEW].split())[:PREVIEW]


def _attachments(
    own_id: str, mail: Understanding, policy: Policy, facts: Facts
) -> tuple[tuple[Attachment, ...], tuple[ContentFile, ...]]:
    """Say where each file lies: small ones in the item, others once by content; a wrapped original is the raw one.

    What is blocked lies apart, for this interaction alone: deleting it takes it from no other mail.
    """
    recorded: list[Attachment] = []
    stored: list[ContentFile] = []
    inline_left = INLINE_TOTAL
    limit = policy.configuration.settings.attachment_inline_limit
    for file in mail.files:
        attachment = file.attachment
        if mail.wrap_reason:
            recorded.append(replace(attachment, key=facts.stored.key))
        elif attachment.blocked and policy.attachments.action is Action.DELETE:
            recorded.append(attachment)
        elif attachment.blocked:
            _file_under(f"quarantine/{facts.day:%Y/%m/%d}/{own_id}/{attachment.sha256}", file, recorded, stored)
        elif attachment.size < limit and attachment.size <= inline_left:
            inline_left -= attachment.size
            recorded.append(replace(attachment, inline_data=file.data()))
        else:
            _file_under(f"attachments/{facts.day:%Y/%m/%d}/{attachment.sha256}", file, recorded, stored)
    return tuple(recorded), tuple(stored)


def _file_under(key: str, file: ReadFile, recorded: list[Attachment], stored: list[ContentFile]) -> None:
    recorded.append(replace(file.attachment, key=key))
    stored.append(ContentFile(key, file.data))
