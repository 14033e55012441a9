"""Make the cases of mail that was stored before there were cases: silently, and again where it stopped."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from postroom.model import Direction, Status
from postroom.model.case import Case, CaseChange, CaseState
from postroom.ports import Cases, Clock, OlderMail
from postroom.services.desk.incoming import stored_case


def adopt(queues: Iterable[str], *, cases: Cases, stored: OlderMail, clock: Clock) -> int:
    """Give every thread that a queue lists from before a case, and take its mails off that list; returns how many."""
    made = 0
    for queue in queues:
        for row in stored.without_case(queue):
            case = _case(str(row["thread"]), stored, clock)
            if case is not None:
                made += cases.write(CaseChange(None, case))  # there already: of another mail of the thread
            stored.unlist(str(row["id"]))  # last: a run that dies before it finds the mail again
    return made


def _case(thread_id: str, stored: OlderMail, clock: Clock) -> Case | None:
    root = stored.get(thread_id)
    rows = [row for row in stored.rows(stored.thread(thread_id)) if row.get("direction") == Direction.INBOUND.value]
    first = root or (stored.get(str(rows[0]["id"])) if rows else None)
    if first is None:
        return None
    case = stored_case(replace(first, id=thread_id), [str(row["id"]) for row in rows], now=clock())
    # Mails were answered one by one: the newest says whether the thread waits.
    if rows[-1].get("status") != Status.QUEUED:
        return replace(case, state=CaseState.CLOSED, closed=case.created, no_answer=True, unread=False)
    return replace(case, state=CaseState.QUEUED, closed=None, no_answer=False, unread=True)
