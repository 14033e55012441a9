"""Make a wrapped mail whole again: thread, files, acknowledgement, as if it had been read when it came in (fault 87).

Everything that the plan of a new mail names is written, in the order in which a new mail is stored; each write finds
what an earlier try left. The acknowledgement goes before the interaction: its id is fixed, so that a replay that died
between the two writes it once, and no reader is told of one that is not there.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from datetime import datetime

from postroom.errors import Transient
from postroom.model import Added, Decision, Interaction, Outcome, Status, Understanding, send_request
from postroom.model import DecisionRule as Rule
from postroom.ports import InteractionLists
from postroom.services.inbound import (
    Facts,
    InboundPlan,
    PlannedInteraction,
    Store,
    find_thread,
    heal_threads,
    plan_inbound,
    without_acknowledgement,
)
from postroom.services.policy import Policy


@dataclass(frozen=True, slots=True)
class Whole:
    """What a wrapped mail becomes: the plan of the raw message, and of it the interaction that is rewritten."""

    plan: InboundPlan
    own: PlannedInteraction
    waits_for: str | None


def whole_again(
    before: Interaction,
    mail: Understanding,
    *,
    policy: Policy,
    facts: Facts,
    interactions: InteractionLists,
) -> Whole | None:
    """Plan a wrapped interaction anew; None when the mail does not become an interaction of this id any more."""
    # What people or other mails did to it since stands: its thread, once it has one with others.
    alone = before.thread_id == before.id and interactions.thread(before.id) == [before.id]
    found = find_thread.find_thread(mail, interactions=interactions, policy=policy, mailbox=before.mailbox)
    kept = next((one for one in before.decisions if one.rule.startswith("thread.")), found.decision)
    stays = find_thread.Threaded(before.thread_id if before.thread_id != before.id else None, before.parent_id, kept)
    thread = found if alone else stays
    plan = plan_inbound(mail, thread, policy, facts)
    own = next((one for one in (plan.own, *plan.copies) if one.interaction.id == before.id), None)
    if own is None:
        return None
    too_late = _too_late(before, policy, facts.now)
    if too_late and own.acknowledgement is not None:
        others = tuple(one for one in own.interaction.decisions if one.rule != Rule.AUTO_REPLY)
        decisions = (*others, Decision(Rule.AUTO_REPLY, Outcome.SUPPRESSED, too_late))
        own = replace(own, interaction=replace(own.interaction, decisions=decisions), acknowledgement=None, caps=())
    return Whole(plan, replace(own, interaction=_kept(before, own.interaction)), thread.waits_for)


def _too_late(before: Interaction, policy: Policy, now: datetime) -> str:
    """Say why nobody waits for an acknowledgement any more; empty where somebody may."""
    if before.status is not Status.QUEUED:
        return f"late: the mail is {before.status.value} already"
    limit = policy.configuration.settings.auto_reply.maximum_age
    if now - before.created > limit:
        return f"age: it lay wrapped since {before.created:%Y-%m-%d %H:%M} UTC, the limit is {limit}"
    return ""


def _kept(before: Interaction, after: Interaction) -> Interaction:
    """Return the interaction at its place in time and with its status."""
    return replace(
        after,
        created=before.created,
        status=before.status,
        queue=after.queue if before.status is Status.QUEUED else before.queue,
        raw_key=before.raw_key,
        decisions=(*after.decisions, Decision(Rule.REPLAY, Outcome.REPLAYED, "made whole again")),
    )


def write_acknowledgement(own: PlannedInteraction, store: Store) -> tuple[Interaction, str | None]:
    """Write what the plan sends, under its caps; returns the interaction that says so, and the id of what is to send.

    Files come first, as when a mail is stored: an interaction names nothing that is not there.
    """
    for file in own.files:
        store.contents.put(file.key, file.data(), content_type="application/octet-stream")
    if own.acknowledgement is None:
        return own.interaction, None
    added = store.outbox.add(own.acknowledgement, caps=own.caps)
    if isinstance(added, Added):  # EXISTED: of a replay that died before it could say so
        return own.interaction, own.acknowledgement.id
    return without_acknowledgement(own.interaction, added), None


def write_rest(whole: Whole, after: Interaction, outbound_id: str | None, store: Store) -> None:
    """Write what follows the interaction: copies that it lacks, what it reports, who waited for it, what is to send."""
    # A header that could not be read names no recipients: their copies were never made.
    for copy in whole.plan.copies if whole.plan.own.interaction.id == after.id else ():
        for file in copy.files:
            store.contents.put(file.key, file.data(), content_type="application/octet-stream")
        placed = store.cases.place(
            copy.interaction, report=None, reopen_within=whole.plan.reopen_within, now=whole.plan.now
        )
        store.interactions.add(placed, copy.body)
    if after.thread_id != after.id:
        store.cases.join_late(after.id, after.thread_id, now=whole.plan.now)
    reported = whole.plan.reported
    if reported is not None:
        store.outbox.report(reported.outbound_id, report_id=after.id, delivery=reported.delivery, event=reported.event)
    heal_threads(after, whole.waits_for, interactions=store.interactions, cases=store.cases, now=whole.plan.now)
    if outbound_id is not None:
        # It lies in the outbox already: should this message be lost, the sweeper queues it again.
        with contextlib.suppress(Transient):
            store.outbound_queue.send(send_request(outbound_id))
