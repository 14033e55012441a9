"""In which list a case is, and where in it (Q06): the most urgent first, what came back before all others."""

from __future__ import annotations

from datetime import datetime, timedelta

from postroom.model.case.lists import CaseList, ListKind
from postroom.model.case.work import Case, CaseState

ANSWER_LOOKED_AFTER = timedelta(seconds=60)
"""How long after an answer was written its case looks by itself what became of it."""


def list_of(case: Case) -> CaseList | None:
    """Return the one list that a case is in; None for one that was merged."""
    match case.state:
        case CaseState.QUEUED:
            return CaseList(ListKind.WAITING, case.queue)
        case CaseState.CLAIMED | CaseState.ANSWERING:
            return CaseList(ListKind.HELD, case.agent)
        case CaseState.PENDING:
            return CaseList(ListKind.PENDING, case.queue)
        case CaseState.CLOSED:
            closed = case.closed or case.created
            return CaseList(ListKind.CLOSED, case.queue, closed.replace(day=1, hour=0, minute=0, second=0))
    return None


def urgency(case: Case) -> datetime:
    """Return the time that orders a list of waiting cases: one point of priority is worth `weight` minutes."""
    return case.enqueued - timedelta(minutes=case.priority * case.weight)


def due(case: Case) -> datetime | None:
    """Return when time itself next does something to a case: it wakes, its claim is idle, its answer is looked after.

    Service levels add their own clocks here: only the earliest moment is marked.
    """
    if case.state is CaseState.PENDING:
        return case.wait.until if case.wait else None
    if case.state is CaseState.ANSWERING and case.acted is not None:
        return case.acted + ANSWER_LOOKED_AFTER
    if case.state is CaseState.CLAIMED and case.idle_after and case.acted is not None:
        return case.acted + case.idle_after
    return None
