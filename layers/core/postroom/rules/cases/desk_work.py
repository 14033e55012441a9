"""What people do with a case: claim, release, transfer, take, put aside, close, reopen, tag, and note."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from postroom.errors import Conflict, Invalid, Problem
from postroom.model.case import (
    Case,
    CaseState,
    Wait,
)
from postroom.model.case import (
    CaseEventKind as Kind,
)
from postroom.rules.cases import triggers as on
from postroom.rules.cases.limits import MOST_FIELDS, MOST_TAGS
from postroom.rules.cases.mails import WHO, back, opened
from postroom.rules.cases.refusals import not_yours, refusal, when


def claimed(case: Case, trigger: on.Claimed, now: datetime) -> Case:
    """Give a waiting case to who asks."""
    return _held_by(case, trigger.who, trigger, now).told(Kind.CLAIMED, at=now, who=trigger.who)


def held(case: Case, trigger: on.Claimed | on.Resumed | on.Reopened, _now: datetime) -> Case:
    """Take a repeated claim by the holder for what it is; tell another one who has it, since when (Q01)."""
    if case.agent == trigger.who:
        return case
    raise not_yours(case)


def released(case: Case, trigger: on.Released, now: datetime) -> Case:
    """Put a case back into its queue, at the place that it had (Q04)."""
    if case.agent != trigger.holder:
        raise not_yours(case)
    if trigger.why is Kind.IDLE and case.acted != trigger.seen:
        return case  # its holder has done something since
    freed = replace(case, state=CaseState.QUEUED, agent="", claimed=None, acted=None, idle_after=None)
    if trigger.why is Kind.LEFT:
        freed = replace(freed, last_agent="")
    return freed.told(trigger.why, at=now, who=trigger.who, detail=trigger.reason)


def left(case: Case, trigger: on.Released, now: datetime) -> Case:
    """Let a waiting case come back to its queue, not to the agent who left."""
    if trigger.why is not Kind.LEFT:
        raise refusal(case)
    if case.agent != trigger.holder:
        return case
    return replace(case, agent="", last_agent="").told(Kind.LEFT, at=now, who=trigger.who, detail=trigger.reason)


def moved(case: Case, trigger: on.Transferred, now: datetime) -> Case:
    """Give a case to another queue, or to an agent of one (Q13); it keeps the time since when it waits."""
    if case.agent and case.agent != trigger.who and not trigger.others:
        raise not_yours(case)
    if trigger.queue == case.queue and trigger.agent == case.agent:
        return case
    counts = replace(case.counts, transfers=case.counts.transfers + 1)
    there = replace(
        case, queue=trigger.queue, department=trigger.department, weight=trigger.weight, counts=counts, wait=None
    )
    to = f"from {case.queue} to {trigger.queue}" if trigger.queue != case.queue else f"within {case.queue}"
    if trigger.agent:
        there = replace(
            there,
            state=CaseState.CLAIMED,
            agent=trigger.agent,
            last_agent=trigger.agent,
            claimed=now,
            acted=now,
            idle_after=trigger.idle_after,
        )
        to += f", to {trigger.agent}"
    else:
        there = replace(
            there, state=CaseState.QUEUED, agent="", last_agent="", claimed=None, acted=None, idle_after=None
        )
    note = f": {trigger.note}" if trigger.note else ""
    return there.told(Kind.TRANSFERRED, at=now, who=trigger.who, detail=f"{to}{note}")


def taken(case: Case, trigger: on.Taken, now: datetime) -> Case:
    """Give a colleague's case to who asks, unless the colleague is writing (Q03)."""
    if case.agent == trigger.who:
        return case
    if trigger.writing and not trigger.force:
        raise Conflict(
            f"{case.agent} is writing an answer to it",
            on=case.id,
            remedy="Wait, ask, or take it by force, where you may.",
            code="case_being_written",
        )
    detail = f"from {case.agent}{', by force' if trigger.force else ''}"
    return _held_by(case, trigger.who, trigger, now).told(Kind.TAKEN, at=now, who=trigger.who, detail=detail)


def waits(case: Case, trigger: on.Waiting, now: datetime) -> Case:
    """Put a case aside until a date, until the customer writes, or until the first of both (A12)."""
    if case.agent and case.agent != trigger.who and not trigger.others:
        raise not_yours(case)
    if trigger.until is not None and trigger.until <= now:
        raise Invalid([Problem("until", f"{when(trigger.until)} is past.", "Name a time to come.")])
    if trigger.until is None and not trigger.wake_on_reply:
        raise Invalid([Problem("until", "is missing, and no reply is to end the waiting.", "Give one of the two.")])
    wait = Wait(trigger.until, trigger.wake_on_reply)
    if case.state is CaseState.PENDING and case.wait == wait:
        return case
    ends = [f"until {when(trigger.until)}"] if trigger.until else []
    ends += ["until the customer writes"] if trigger.wake_on_reply else []
    holder = case.agent or (trigger.who if case.state is CaseState.QUEUED else "")
    aside = replace(
        case, state=CaseState.PENDING, wait=wait, agent=holder, last_agent=holder or case.last_agent, attention=""
    )
    return replace(aside, unread=False, claimed=None, acted=None).told(
        Kind.PENDING, at=now, who=trigger.who, detail=" or ".join(ends)
    )


def time_passed(case: Case, trigger: on.TimePassed, now: datetime) -> Case:
    """Bring a case back whose date has come; once, since the date is gone with it."""
    if case.wait is None or case.wait.until != trigger.until or now < trigger.until:
        return case
    return back(case, member=trigger.member, now=now).told(
        Kind.WOKEN, at=now, who=WHO, detail=f"its time came: {when(trigger.until)}"
    )


def resumed(case: Case, trigger: on.Resumed, now: datetime) -> Case:
    """Go on with a case before its date."""
    return _held_by(case, trigger.who, trigger, now).told(Kind.RESUMED, at=now, who=trigger.who)


def closed(case: Case, trigger: on.Closed, now: datetime) -> Case:
    """Close a case without an answer (A18, A19)."""
    if case.agent and case.agent != trigger.who and not trigger.others:
        raise not_yours(case)
    detail = " ".join(part for part in (trigger.code, "(no answer needed)" if trigger.no_answer else "") if part)
    return replace(
        case,
        state=CaseState.CLOSED,
        closed=now,
        close_code=trigger.code,
        no_answer=trigger.no_answer,
        agent="",
        last_agent=case.agent or trigger.who,
        claimed=None,
        acted=None,
        wait=None,
        unread=False,
        attention="",
    ).told(Kind.CLOSED, at=now, who=trigger.who, detail=detail)


def closed_already(case: Case, trigger: on.Closed, _now: datetime) -> Case:
    """Take a repeated request for what it is; another code would be another closing."""
    if case.close_code == trigger.code and case.last_agent == trigger.who:
        return case
    raise refusal(case)


def reopened(case: Case, trigger: on.Reopened, now: datetime) -> Case:
    """Open a closed case for who asks."""
    fresh = replace(opened(case, member=False, now=now), unread=False)
    return _held_by(fresh, trigger.who, trigger, now).told(Kind.REOPENED, at=now, who=trigger.who)


def changed(case: Case, trigger: on.Changed, now: datetime) -> Case:
    """Add and remove tags, set category, fields and priority; what is not named stays (A17)."""
    tags = (case.tags | trigger.add_tags) - trigger.remove_tags
    fields = {name: value for name, value in {**case.fields, **trigger.fields}.items() if value}
    category = case.category if trigger.category is None else trigger.category
    priority = case.priority if trigger.priority is None else trigger.priority
    problems = []
    if len(tags) > MOST_TAGS:
        problems.append(Problem("tags", f"would be {len(tags)}.", f"A case has at most {MOST_TAGS}: remove some."))
    if len(fields) > MOST_FIELDS:
        problems.append(Problem("fields", f"would be {len(fields)}.", f"A case has at most {MOST_FIELDS}."))
    if problems:
        raise Invalid(problems)
    told = [f"+{tag}" for tag in sorted(tags - case.tags)] + [f"-{tag}" for tag in sorted(case.tags - tags)]
    told += [f"{name}: {case.fields.get(name, '')} → {fields.get(name, '')}" for name in sorted(_moved(case, fields))]
    told += [f"category: {case.category} → {category}"] if category != case.category else []
    told += [f"priority: {case.priority} → {priority}"] if priority != case.priority else []
    if not told:
        return case
    after = replace(case, tags=tags, fields=fields, category=category, priority=priority)
    return _acted(after, trigger.who, now).told(Kind.CHANGED, at=now, who=trigger.who, detail=", ".join(told))


def noted(case: Case, trigger: on.Noted, now: datetime) -> Case:
    """Record that a note was written; the note itself lies beside the case."""
    return _acted(case, trigger.who, now).told(Kind.NOTED, at=now, who=trigger.who, detail=trigger.detail)


def hinted(case: Case, trigger: on.Hinted, now: datetime) -> Case:
    """Tell people something that nobody decides for them, once."""
    if any(one.what == Kind.HINT and one.detail == trigger.detail for one in case.events):
        return case
    return case.told(Kind.HINT, at=now, who=WHO, detail=trigger.detail)


def rerouted(case: Case, trigger: on.Rerouted, now: datetime) -> Case:
    """Lead a case that nobody has to where the rules in force lead its mail; what it is about is told of any."""
    moves = case.queue != trigger.queue and case.state in (CaseState.QUEUED, CaseState.PENDING)
    after = replace(
        case,
        queue=trigger.queue if moves else case.queue,
        department=trigger.department if moves else case.department,
        subject=trigger.subject or case.subject,
        customer=trigger.customer or case.customer,
    )
    if after == case:
        return case
    detail = f"from {case.queue} to {trigger.queue}" if moves else "its first mail was read again"
    return after.told(Kind.MOVED, at=now, who=trigger.who, detail=detail)


def _held_by(case: Case, who: str, trigger: on.Claimed | on.Taken | on.Resumed | on.Reopened, now: datetime) -> Case:
    return replace(
        case,
        state=CaseState.CLAIMED,
        wait=None,
        agent=who,
        last_agent=who,
        claimed=now,
        acted=now,
        idle_after=trigger.idle_after,
    )


def _acted(case: Case, who: str, now: datetime) -> Case:
    return replace(case, acted=now) if case.agent == who and case.state is CaseState.CLAIMED else case


def _moved(case: Case, fields: object) -> set[str]:
    after = dict(fields) if isinstance(fields, dict) else {}
    return {name for name in {*case.fields, *after} if case.fields.get(name) != after.get(name)}
