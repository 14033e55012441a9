"""Why something cannot be done with a case, in words, and what to do instead."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from postroom.errors import Conflict
from postroom.model.case import (
    Case,
    CaseState,
)


def refusal(case: Case, _trigger: Any = None) -> Conflict:
    """Say why the state of a case does not allow it."""
    match case.state:
        case CaseState.QUEUED:
            what, remedy = f"it waits in the queue {case.queue}, and nobody has it", "Claim it first."
        case CaseState.CLAIMED:
            what, remedy = holder(case), "Ask who has it, or take it over."
        case CaseState.ANSWERING:
            what = f"an answer of {case.agent} to it is on its way"
            remedy = "Wait until it is sent, or undo it while it can be undone."
        case CaseState.PENDING:
            until = f" until {when(case.wait.until)}" if case.wait and case.wait.until else " for the customer"
            what, remedy = f"it waits{until}", "Resume it first."
        case CaseState.CLOSED:
            what, remedy = "it is closed", "Reopen it first."
        case _:
            what, remedy = "its mails are in another case now", f"Go on with {case.merged_into}."
    return Conflict(what, on=case.id, remedy=remedy, code=f"case_{case.state.value}")


def holder(case: Case) -> str:
    """Say who has a case, and since when."""
    since = f" since {when(case.claimed)}" if case.claimed else ""
    return f"{case.agent} has had it{since}"


def not_yours(case: Case) -> Conflict:
    """Say that another one has it."""
    return Conflict(holder(case), on=case.id, remedy="Ask who has it, or take it over.", code="case_claimed")


def when(at: datetime) -> str:
    """Write a time for people."""
    return f"{at:%Y-%m-%d %H:%M} UTC"
