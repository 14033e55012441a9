"""Change a case: read it, ask the rules, write it if it is still as it was read; else once more."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from postroom.errors import NotFound, Transient
from postroom.model.case import Case, CaseChange, Note
from postroom.ports import Cases
from postroom.rules import cases as rules

MOST_TRIES = 20
"""Reads of one case that others keep changing; each of theirs is a write that went through."""

Members = Callable[[str, str], bool]
"""Tells whether an agent may have cases of a queue."""


def change(
    case_id: str, trigger: rules.triggers.Trigger, *, cases: Cases, now: datetime, note: Note | None = None
) -> Case:
    """Let something happen to a case and return what it is then; raises NotFound, and Conflict where it is refused."""
    for _try in range(MOST_TRIES):
        before = read(case_id, cases)
        after = rules.change(before, trigger, now=now)
        if after is before or cases.write(CaseChange(before, after), note=note):
            return after
    raise busy(case_id)


def read(case_id: str, cases: Cases) -> Case:
    """Read a case; raises NotFound."""
    case = cases.get(case_id)
    if case is None:
        raise NotFound("there is no such case", on=case_id)
    return case


def follow(case_id: str, cases: Cases) -> Case | None:
    """Read the case that mail of a thread belongs to now: it may be merged into another, or go on in another."""
    seen: set[str] = set()
    while case_id not in seen:
        seen.add(case_id)
        case = cases.get(case_id)
        if case is None or not (onward := case.merged_into or case.continued_by):
            return case
        case_id = onward
    return None


def busy(case_id: str) -> Transient:
    """Say that others change a case faster than we can."""
    return Transient("others are changing the case", on=case_id, code="case_busy")
