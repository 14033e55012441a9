"""What time does to cases: they wake at their date, idle claims go back, answers are looked after (A12, Q05)."""

from __future__ import annotations

from datetime import datetime

from postroom.errors import Conflict
from postroom.model.case import Case, CaseEventKind, CaseState, due
from postroom.ports import Cases, Outbox
from postroom.rules.cases import triggers as on
from postroom.services.desk.case_change import Members, change
from postroom.services.desk.outcomes import look_after

MOST_A_RUN = 1_000


def run_due(*, cases: Cases, outbox: Outbox, members: Members, now: datetime) -> int:
    """Do what is due; returns how many cases changed. The index is a hint: each case is read, and judged as it is."""
    changed = 0
    for number, case_id in enumerate(list(cases.due(before=now))):
        if number == MOST_A_RUN:
            break  # the rest is due at the next run too
        case = cases.get(case_id)
        if case is None or (moment := due(case)) is None or moment > now:
            continue
        try:
            changed += _done(case, cases=cases, outbox=outbox, members=members, now=now)
        except Conflict:
            continue  # somebody was faster
    return changed


def _done(case: Case, *, cases: Cases, outbox: Outbox, members: Members, now: datetime) -> bool:
    if case.state is CaseState.ANSWERING:
        after = look_after(case, outbox=outbox, cases=cases, members=members, now=now)
        return after is not None and after.version != case.version
    if case.state is CaseState.PENDING and case.wait is not None and case.wait.until is not None:
        woken = on.TimePassed(case.wait.until, members(case.agent or case.last_agent, case.queue))
        return change(case.id, woken, cases=cases, now=now).version != case.version
    idle = on.Released(case.agent, "postroom", CaseEventKind.IDLE, "nothing was done for long", case.acted)
    return change(case.id, idle, cases=cases, now=now).version != case.version
