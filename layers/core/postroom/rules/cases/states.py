"""The life of a case: for each of its states, and each thing that can happen, what becomes of it. Pure.

`change` is the one way; its table has a row for everything that can happen, and in it a column for every state, those
in which it is refused too. What was asked for and is so already changes nothing, so that a repeated request is none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from postroom.errors import Conflict
from postroom.model.case import (
    Case,
    CaseState,
)
from postroom.rules.cases import answers, desk_work, mails, merging
from postroom.rules.cases import triggers as on
from postroom.rules.cases.refusals import refusal

Handler = Callable[[Case, Any, datetime], Case]


def change(case: Case, trigger: on.Trigger, *, now: datetime) -> Case:
    """Return the case as it is after something happened; raises Conflict where it is refused.

    The same object: nothing changes.
    """
    return TABLE[type(trigger)][case.state](case, trigger, now)


def begins_anew(case: Case, *, reopen_within: timedelta, now: datetime) -> bool:
    """Tell whether a customer's mail in its thread begins a new case instead of reopening this one (A14)."""
    return case.state is CaseState.CLOSED and case.closed is not None and now - case.closed > reopen_within


def _refused(case: Case, trigger: Any, _now: datetime) -> Case:
    raise refusal(case, trigger)


def _nothing(case: Case, _trigger: Any, _now: datetime) -> Case:
    return case


def _elsewhere(case: Case, _trigger: Any, _now: datetime) -> Case:
    raise Conflict("its mails are in another case now", on=case.id, remedy=f"Go on with {case.merged_into}.")


def _row(
    queued: Handler, claimed: Handler, answering: Handler, pending: Handler, closed: Handler, merged: Handler
) -> Mapping[CaseState, Handler]:
    return dict(zip(CaseState, (queued, claimed, answering, pending, closed, merged), strict=True))


TABLE: Mapping[type[Any], Mapping[CaseState, Handler]] = {
    # In the order of CaseState: queued, claimed, answering, pending, closed, merged.
    on.MailJoined: _row(mails.joined, mails.joined, mails.joined, mails.woken, mails.reopened, _elsewhere),
    on.Continued: _row(_refused, _refused, _refused, _refused, mails.continued, _elsewhere),
    on.Outcome: _row(answers.late, answers.late, answers.outcome, answers.late, answers.late, _nothing),
    on.Bounced: _row(answers.bounced, answers.bounced, answers.bounced, answers.bounced, answers.bounced, _nothing),
    on.Answered: _row(answers.not_held, answers.answered, answers.second, answers.not_held, answers.not_held, _refused),
    on.Undone: _row(
        answers.undone_once, answers.undone_once, answers.undone, answers.undone_once, answers.undone_once, _refused
    ),
    on.Claimed: _row(desk_work.claimed, desk_work.held, desk_work.held, _refused, _refused, _refused),
    on.Released: _row(_refused, desk_work.released, _refused, desk_work.left, _refused, _refused),
    on.Transferred: _row(desk_work.moved, desk_work.moved, answers.forced, _refused, _refused, _refused),
    on.Taken: _row(_refused, desk_work.taken, answers.forced, _refused, _refused, _refused),
    on.Waiting: _row(desk_work.waits, desk_work.waits, _refused, desk_work.waits, _refused, _refused),
    on.TimePassed: _row(_nothing, _nothing, _nothing, desk_work.time_passed, _nothing, _nothing),
    on.Resumed: _row(_refused, desk_work.held, desk_work.held, desk_work.resumed, _refused, _refused),
    on.Closed: _row(desk_work.closed, desk_work.closed, _refused, desk_work.closed, desk_work.closed_already, _refused),
    on.Reopened: _row(_refused, desk_work.held, desk_work.held, _refused, desk_work.reopened, _refused),
    on.Changed: _row(
        desk_work.changed, desk_work.changed, desk_work.changed, desk_work.changed, desk_work.changed, _refused
    ),
    on.Noted: _row(desk_work.noted, desk_work.noted, desk_work.noted, desk_work.noted, desk_work.noted, _refused),
    on.Hinted: _row(desk_work.hinted, desk_work.hinted, desk_work.hinted, desk_work.hinted, desk_work.hinted, _nothing),
    on.Rerouted: _row(
        desk_work.rerouted,
        desk_work.rerouted,
        desk_work.rerouted,
        desk_work.rerouted,
        desk_work.rerouted,
        _nothing,
    ),
    on.Unmerged: _row(_nothing, _nothing, _nothing, _nothing, _nothing, merging.unmerged),
    on.MergedInto: _row(merging.merged, merging.merged, _refused, merging.merged, _refused, merging.merged_already),
    on.Absorbed: _row(merging.absorbed, merging.absorbed, merging.absorbed, merging.absorbed, _refused, _refused),
    on.MailsLeft: _row(
        merging.mails_left, merging.mails_left, merging.mails_left, merging.mails_left, merging.mails_left, _refused
    ),
}
