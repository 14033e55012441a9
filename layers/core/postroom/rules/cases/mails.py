"""What a mail does to the case of its thread: customers' mail asks for work, what machines write never does (L06)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from postroom.model.case import (
    MAILS_KEPT,
    REPORTS_KEPT,
    Case,
    CaseState,
)
from postroom.model.case import (
    CaseEventKind as Kind,
)
from postroom.rules.cases import effects
from postroom.rules.cases.triggers import Continued, MailJoined

WHO = "postroom"


def joined(case: Case, trigger: MailJoined, now: datetime) -> Case:
    """Count a mail in a case that somebody works on, or that waits for it."""
    if trigger.mail in case.mails:
        return case
    counted = _counted(case, trigger)
    if trigger.sent_elsewhere:
        return counted.told(Kind.JOINED, at=now, who=WHO, detail=f"{trigger.mail}, sent elsewhere by one of ours")
    if trigger.automatic:
        return _automatic(counted, trigger, now)
    unread = effects.affected(replace(counted, unread=True), trigger.effects)
    return unread.told(Kind.JOINED, at=now, who=WHO, detail=_detail(trigger.mail, trigger))


def woken(case: Case, trigger: MailJoined, now: datetime) -> Case:
    """Count a mail in a case that waits; a customer's ends the waiting where it was asked to (A12, A13)."""
    if trigger.mail in case.mails:
        return case
    bounced = bool(trigger.bounce) and is_last(case, trigger.about)
    wakes = not trigger.automatic and not trigger.sent_elsewhere and (case.wait is None or case.wait.wake_on_reply)
    if not wakes and not bounced:
        return joined(case, trigger, now)
    counted = _counted(case, trigger)
    if bounced:
        return back(_automatic(counted, trigger, now), member=trigger.member, now=now)
    ended = effects.affected(back(replace(counted, unread=True), member=trigger.member, now=now), trigger.effects)
    return ended.told(Kind.WOKEN, at=now, who=WHO, detail=_detail(f"the customer wrote: {trigger.mail}", trigger))


def reopened(case: Case, trigger: MailJoined, now: datetime) -> Case:
    """Reopen a closed case for a customer's mail, or for the report that its last answer did not arrive (A14, A27)."""
    if trigger.mail in case.mails:
        return case
    bounced = bool(trigger.bounce) and is_last(case, trigger.about)
    if (trigger.automatic or trigger.sent_elsewhere) and not bounced:
        return joined(case, trigger, now)
    counted = _counted(case, trigger)
    if bounced:
        return opened(_automatic(counted, trigger, now), member=trigger.member, now=now)
    again = effects.affected(opened(replace(counted, unread=True), member=trigger.member, now=now), trigger.effects)
    return again.told(Kind.REOPENED, at=now, who=WHO, detail=_detail(f"the customer wrote: {trigger.mail}", trigger))


def continued(case: Case, trigger: Continued, now: datetime) -> Case:
    """Name the case that goes on with this one, so that later mail finds it."""
    if case.continued_by == trigger.by:
        return case
    return replace(case, continued_by=trigger.by).told(Kind.CONTINUED, at=now, who=WHO, detail=trigger.by)


def back(case: Case, *, member: bool, now: datetime) -> Case:
    """End the waiting of a case: its agent has it again if he may, else its queue."""
    holder = case.agent or case.last_agent
    if holder and member:
        since = case.claimed if case.agent and case.claimed else now
        return replace(case, state=CaseState.CLAIMED, wait=None, agent=holder, claimed=since, acted=now)
    return replace(case, state=CaseState.QUEUED, wait=None, agent="", claimed=None, acted=None)


def opened(case: Case, *, member: bool, now: datetime) -> Case:
    """Open a closed case for who had it last, or, from now on, in its queue."""
    counts = replace(case.counts, reopened=case.counts.reopened + 1)
    fresh = replace(case, counts=counts, closed=None, close_code="", no_answer=False, enqueued=now)
    return back(fresh, member=member, now=now)


def is_last(case: Case, outbound: str) -> bool:
    """Tell whether a mail of ours is the last answer of a case."""
    return case.answer is not None and case.answer.outbound == outbound


def reported(case: Case, outbound: str, report: str, reason: str, now: datetime) -> Case:
    """Note that a mail of ours did not arrive; it is told at the top of the list."""
    reports = (*case.reports, f"{outbound}:{report}")[-REPORTS_KEPT:]
    attention = reason if case.state.open or is_last(case, outbound) else case.attention
    return replace(case, reports=reports, attention=attention[:300]).told(Kind.BOUNCED, at=now, who=WHO, detail=reason)


def _automatic(case: Case, trigger: MailJoined, now: datetime) -> Case:
    if trigger.bounce:
        return reported(case, trigger.about, trigger.mail, trigger.bounce, now)
    return case.told(Kind.AUTOMATIC, at=now, who=WHO, detail=trigger.mail)


def _detail(what: str, trigger: MailJoined) -> str:
    return "; ".join(filter(None, (what, effects.told(trigger.effects))))


def _counted(case: Case, trigger: MailJoined) -> Case:
    counts = replace(case.counts, mails=case.counts.mails + 1)
    kept = (*case.mails, trigger.mail)[-MAILS_KEPT:]
    if trigger.automatic:
        return replace(case, mails=kept, counts=counts)
    if trigger.sent_elsewhere:
        return replace(
            case,
            mails=kept,
            counts=replace(counts, replies=counts.replies + 1),
            mails_version=case.mails_version + 1,
            unread=False,
        )
    return replace(
        case, mails=kept, counts=replace(counts, inbound=counts.inbound + 1), mails_version=case.mails_version + 1
    )
