"""Answers: one at a time, written against what was known, and followed until they have left or come back (A02, A27)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from postroom.errors import Conflict
from postroom.model.case import (
    MAILS_KEPT,
    Case,
    CaseAnswer,
    CaseState,
)
from postroom.model.case import (
    CaseEventKind as Kind,
)
from postroom.rules.cases import desk_work
from postroom.rules.cases.mails import WHO, back, is_last, opened, reported
from postroom.rules.cases.refusals import not_yours, refusal
from postroom.rules.cases.triggers import Answered, Bounced, Outcome, Taken, Transferred, Undone

SENT, CANCELLED = "sent", "cancelled"


def answered(case: Case, trigger: Answered, now: datetime) -> Case:
    """Let the holder answer what he has read; raises Conflict when more has come since."""
    if _repeated(case, trigger):
        return case
    if case.agent != trigger.who:
        raise not_yours(case)
    if case.mails_version != trigger.against and not trigger.override:
        raise stale(case)
    mails_version = case.mails_version + 1
    override = "; written against an earlier state, on purpose" if case.mails_version != trigger.against else ""
    return replace(
        case,
        state=CaseState.ANSWERING,
        answer=CaseAnswer(trigger.outbound, mails_version, trigger.close_after, trigger.code),
        mails_version=mails_version,
        mails=(*case.mails, trigger.outbound)[-MAILS_KEPT:],
        counts=replace(case.counts, mails=case.counts.mails + 1, replies=case.counts.replies + 1),
        unread=False,
        attention="",
        acted=now,
    ).told(Kind.ANSWERED, at=now, who=trigger.who, detail=f"{trigger.outbound}{override}")


def not_held(case: Case, trigger: Answered, _now: datetime) -> Case:
    """Take a repeated request for what it is; else refuse."""
    if _repeated(case, trigger):
        return case
    raise refusal(case)


def second(case: Case, trigger: Answered, _now: datetime) -> Case:
    """Refuse a second answer while the first is on its way (fault 66)."""
    return not_held(case, trigger, _now)


def undone(case: Case, trigger: Undone, now: datetime) -> Case:
    """Take the answer back that is on its way; the write holds only as long as no sender has it."""
    if not is_last(case, trigger.outbound):
        raise Conflict("another answer is on its way", on=case.id, remedy="Look at the case again.")
    return _taken_back(case, now).told(Kind.UNDONE, at=now, who=trigger.who, detail=trigger.outbound)


def undone_once(case: Case, trigger: Undone, _now: datetime) -> Case:
    """Take a repeated undo for what it is; else there is nothing to undo."""
    if case.events and any(one.what == Kind.UNDONE and one.detail == trigger.outbound for one in case.events):
        return case
    raise Conflict("no answer to it is on its way", on=case.id, remedy="What was sent cannot be taken back.")


def forced(case: Case, trigger: Transferred | Taken, now: datetime) -> Case:
    """Move a case away from who answers it; its answer is cancelled in the same write."""
    if not trigger.cancelled or not is_last(case, trigger.cancelled):
        raise refusal(case)
    told = _taken_back(case, now)
    return (
        desk_work.moved(told, trigger, now) if isinstance(trigger, Transferred) else desk_work.taken(told, trigger, now)
    )


def outcome(case: Case, trigger: Outcome, now: datetime) -> Case:
    """Close the case when its answer was sent, or give it back with the reason (§0.3)."""
    if not is_last(case, trigger.outbound) or case.answer is None:
        return case
    if trigger.state == CANCELLED:
        return _taken_back(case, now).told(Kind.UNDONE, at=now, who=WHO, detail=trigger.outbound)
    done = replace(case, answer=replace(case.answer, outcome=trigger.state))
    if trigger.state != SENT:
        returned = replace(back(done, member=trigger.member, now=now), attention=trigger.reason[:300])
        return returned.told(Kind.NOT_SENT, at=now, who=WHO, detail=trigger.reason)
    if case.bounced(trigger.outbound):
        # The report was faster than the sender.
        return back(done, member=trigger.member, now=now).told(Kind.SENT, at=now, who=WHO, detail=trigger.outbound)
    if case.answer.close_after and case.mails_version == case.answer.mails_version:
        return _closed(done, now).told(Kind.SENT, at=now, who=WHO, detail=f"{trigger.outbound}; closed")
    newer = case.answer.close_after
    returned = back(done, member=trigger.member, now=now)
    detail = f"{trigger.outbound}{'; not closed, since a new mail came while it was sent' if newer else ''}"
    return replace(returned, attention="A new mail came while the answer was sent." if newer else "").told(
        Kind.SENT, at=now, who=WHO, detail=detail
    )


def late(case: Case, trigger: Outcome, now: datetime) -> Case:
    """Note what became of an answer that had come back: it was sent again, or its report shows that it left."""
    if not is_last(case, trigger.outbound) or case.answer is None or case.answer.outcome == trigger.state:
        return case
    known = replace(case, answer=replace(case.answer, outcome=trigger.state))
    if trigger.state != SENT:
        shown = replace(known, attention=trigger.reason[:300]) if case.state.open else known
        return shown.told(Kind.NOT_SENT, at=now, who=WHO, detail=trigger.reason)
    told = f"{trigger.outbound} has left after all"
    untouched = case.state is CaseState.CLAIMED and bool(case.attention) and not case.bounced(trigger.outbound)
    if untouched and case.answer.close_after and case.mails_version == case.answer.mails_version:
        return _closed(known, now).told(Kind.SETTLED, at=now, who=WHO, detail=f"{told}; closed")
    return replace(known, attention="" if untouched else case.attention).told(
        Kind.SETTLED, at=now, who=WHO, detail=told
    )


def bounced(case: Case, trigger: Bounced, now: datetime) -> Case:
    """Put a case on top whose answer did not arrive; a closed or waiting one comes back for its last answer."""
    if f"{trigger.outbound}:{trigger.report}" in case.reports:
        return case
    told = reported(case, trigger.outbound, trigger.report, trigger.reason, now)
    if not is_last(case, trigger.outbound):
        return told
    if case.state is CaseState.CLOSED:
        return opened(told, member=trigger.member, now=now)
    if case.state is CaseState.PENDING:
        return back(told, member=trigger.member, now=now)
    return told


def stale(case: Case) -> Conflict:
    """Say that more has come since an answer was written."""
    return Conflict(
        "new mail has come since the answer was written, or another answer was sent",
        on=case.id,
        remedy=f"Read it, then answer against mails_version {case.mails_version}.",
        code="case_moved_on",
    )


def _repeated(case: Case, trigger: Answered) -> bool:
    return trigger.outbound in case.mails or is_last(case, trigger.outbound)


def _taken_back(case: Case, now: datetime) -> Case:
    """Return the case as its holder had it before he answered."""
    gone = case.answer.outbound if case.answer else ""
    return replace(
        case,
        state=CaseState.CLAIMED,
        answer=None,
        mails=tuple(one for one in case.mails if one != gone),
        counts=replace(case.counts, mails=case.counts.mails - 1, replies=case.counts.replies - 1),
        acted=now,
    )


def _closed(case: Case, now: datetime) -> Case:
    return replace(
        case,
        state=CaseState.CLOSED,
        closed=now,
        close_code=case.answer.code if case.answer else "",
        no_answer=False,
        agent="",
        last_agent=case.agent or case.last_agent,
        claimed=None,
        acted=None,
        attention="",
        wait=None,
        unread=False,
    )
