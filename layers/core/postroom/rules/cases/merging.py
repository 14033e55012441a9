"""Threads that become one, or two: their cases do the same (A15, A16)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from postroom.errors import Conflict, Invalid, Problem
from postroom.model.case import (
    MAILS_KEPT,
    Case,
    CaseCounts,
    CaseEvent,
    CaseState,
)
from postroom.model.case import (
    CaseEventKind as Kind,
)
from postroom.rules.cases.triggers import Absorbed, MailsLeft, MergedInto, Unmerged


def merged(case: Case, trigger: MergedInto, now: datetime) -> Case:
    """Let a case be a part of another: what comes to it goes there."""
    if trigger.target == case.id:
        raise Invalid([Problem("into", "is the case itself.", "Name another case.")])
    return replace(
        case, state=CaseState.MERGED, merged_into=trigger.target, agent="", claimed=None, wait=None, unread=False
    ).told(Kind.MERGED, at=now, who=trigger.who, detail=trigger.target)


def unmerged(case: Case, trigger: Unmerged, now: datetime) -> Case:
    """Give a case its mails back; it waits again, for anybody."""
    return replace(case, state=CaseState.QUEUED, merged_into="").told(
        Kind.SPLIT_OFF, at=now, who=trigger.who, detail=case.merged_into
    )


def merged_already(case: Case, trigger: MergedInto, _now: datetime) -> Case:
    """Take a repeated request for what it is."""
    if case.merged_into == trigger.target:
        return case
    raise Conflict("it was merged into another case", on=case.id, remedy=f"Go on with {case.merged_into}.")


def absorbed(case: Case, trigger: Absorbed, now: datetime) -> Case:
    """Take the mails of another case in; who waited longest waits longest still."""
    source = trigger.source
    both, more = case.counts, source.counts
    after = replace(
        case,
        counts=CaseCounts(
            both.mails + more.mails,
            both.inbound + more.inbound,
            both.replies + more.replies,
            both.reopened + more.reopened,
            both.transfers + more.transfers,
        ),
        mails=(*source.mails, *(one for one in case.mails if one not in source.mails))[-MAILS_KEPT:],
        mails_version=case.mails_version + 1,
        tags=case.tags | source.tags,
        fields={**source.fields, **case.fields},
        category=case.category or source.category,
        priority=max(case.priority, source.priority),
        enqueued=min(case.enqueued, source.enqueued),
        unread=case.unread or source.unread,
        attention=case.attention or source.attention,
    )
    if case.state is CaseState.QUEUED and source.state is CaseState.CLAIMED:
        after = replace(
            after,
            state=CaseState.CLAIMED,
            agent=source.agent,
            last_agent=source.agent,
            claimed=source.claimed,
            acted=now,
            idle_after=source.idle_after,
        )
    return after.told(Kind.ABSORBED, at=now, who=trigger.who, detail=source.id)


def mails_left(case: Case, trigger: MailsLeft, now: datetime) -> Case:
    """Let mails go to a case of their own."""
    going = set(trigger.mails)
    counts = replace(
        case.counts,
        mails=max(0, case.counts.mails - len(going)),
        inbound=max(0, case.counts.inbound - len(going)),
    )
    return replace(case, mails=tuple(one for one in case.mails if one not in going), counts=counts).told(
        Kind.SPLIT, at=now, who=trigger.who, detail=f"{len(going)} to {trigger.into}"
    )


def split_off(
    source: Case, case_id: str, mails: Collection[str], *, subject: str, customer: str, who: str, now: datetime
) -> Case:
    """Make the case of mails that left another; it waits in the same queue, from now on."""
    return Case(
        id=case_id,
        mailbox=source.mailbox,
        queue=source.queue,
        department=source.department,
        subject=subject,
        customer=customer,
        created=now,
        enqueued=now,
        weight=source.weight,
        counts=CaseCounts(mails=len(mails), inbound=len(mails)),
        mails=tuple(mails)[-MAILS_KEPT:],
        events=(CaseEvent(1, now, Kind.SPLIT_OFF.value, who, source.id),),
    )
