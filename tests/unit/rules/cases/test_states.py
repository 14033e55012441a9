"""The whole matrix: everything that can happen to a case, in every state.

The family: a state in which nobody had thought of something. A cell is what becomes of the case, `=` where nothing
changes, `-` where it is refused; a row that is missing here, or in the code, fails.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest
from postroom.errors import Conflict, Invalid
from postroom.model.case import (
    Case,
    CaseAnswer,
    CaseCounts,
    CaseEvent,
    CaseEventKind,
    CaseState,
    Wait,
    due,
    list_of,
    urgency,
)
from postroom.rules.cases import TABLE, begins_anew, change, triggers
from postroom.rules.cases import triggers as on

NOON = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)
TOMORROW = NOON + timedelta(days=1)

Q, C, A, P, X, M = CaseState


def a_case(state: CaseState = Q, **values: Any) -> Case:
    """Make a case in a state, with what belongs to it: Ann has had it, its answer was `out1`."""
    base = Case(
        id="t1",
        mailbox="support",
        queue="support",
        department="service",
        subject="Kettle",
        customer="kim@example.org",
        created=NOON,
        enqueued=NOON,
        mails=("t1",),
        counts=CaseCounts(mails=1, inbound=1),
        last_agent="ann",
        events=(CaseEvent(1, NOON, CaseEventKind.QUEUED.value, "postroom"),),
    )
    held = replace(base, agent="ann", claimed=NOON, acted=NOON)
    made = {
        Q: base,
        C: held,
        A: replace(held, answer=CaseAnswer("out1", 2, close_after=True, code="solved"), mails_version=2, unread=False),
        P: replace(base, agent="ann", wait=Wait(TOMORROW)),
        X: replace(base, closed=NOON, answer=CaseAnswer("out1", 2, outcome="sent"), mails_version=2, unread=False),
        M: replace(base, merged_into="t9"),
    }[state]
    return replace(made, state=state, **values)


OTHER = a_case(id="t2", mails=("t2",))

ROWS: list[tuple[str, on.Trigger, str]] = [
    # what happens                                                                        queued … merged
    ("a customer's mail", on.MailJoined("m2"), "Q C A C C -"),
    ("a customer's mail, its agent has left", on.MailJoined("m2", member=False), "Q C A Q Q -"),
    ("the same mail again", on.MailJoined("t1"), "= = = = = -"),
    ("an automatic mail", on.MailJoined("m2", automatic=True), "Q C A P X -"),
    ("a mail sent from elsewhere", on.MailJoined("m2", sent_elsewhere=True), "Q C A P X -"),
    ("the bounce of its last answer", on.MailJoined("m2", True, "out1", "no such user"), "Q C A P C -"),
    ("the bounce of another", on.MailJoined("m2", True, "out0", "no such user"), "Q C A P X -"),
    ("a case goes on with it", on.Continued("t3"), "- - - - X -"),
    ("its holder claims it", on.Claimed("ann"), "C = = - - -"),
    ("another claims it", on.Claimed("bob"), "C - - - - -"),
    ("its holder releases it", on.Released("ann", "ann"), "- Q - - - -"),
    ("another releases it", on.Released("bob", "bob"), "- - - - - -"),
    ("idle since it was seen", on.Released("ann", "postroom", CaseEventKind.IDLE, seen=NOON), "- Q - - - -"),
    ("its holder acted since", on.Released("ann", "postroom", CaseEventKind.IDLE, seen=LATER), "- = - - - -"),
    ("its holder leaves", on.Released("ann", "postroom", CaseEventKind.LEFT), "- Q - P - -"),
    ("its holder transfers it", on.Transferred("ann", "billing", "service"), "Q Q - - - -"),
    ("another transfers it", on.Transferred("bob", "billing", "service"), "Q - - - - -"),
    ("a supervisor transfers it", on.Transferred("sue", "billing", "service", others=True), "Q Q - - - -"),
    ("to a colleague", on.Transferred("ann", "support", "service", agent="bob"), "C C - - - -"),
    ("by force", on.Transferred("sue", "billing", "service", others=True, cancelled="out1"), "Q Q Q - - -"),
    ("a colleague takes it", on.Taken("bob"), "- C - - - -"),
    ("while it is written in", on.Taken("bob", writing=True), "- - - - - -"),
    ("by force, its answer cancelled", on.Taken("sue", True, True, "out1"), "- C C - - -"),
    ("its holder answers", on.Answered("ann", "out2", 1), "- A - - - -"),
    ("the same answer again", on.Answered("ann", "out1", 1), "- A = - = -"),
    ("another answers", on.Answered("bob", "out2", 1), "- - - - - -"),
    ("an answer to an earlier state", on.Answered("ann", "out2", 0), "- - - - - -"),
    ("on purpose", on.Answered("ann", "out2", 0, override=True), "- A - - - -"),
    ("undo", on.Undone("ann", "out1"), "- - C - - -"),
    ("undo of another answer", on.Undone("ann", "out2"), "- - - - - -"),
    ("the answer is sent", on.Outcome("out1", "sent"), "= = X = = ="),
    ("it failed", on.Outcome("out1", "failed", "refused"), "= = C = X ="),
    ("it is uncertain, its agent has left", on.Outcome("out1", "uncertain", "?", member=False), "= = Q = X ="),
    ("it was cancelled", on.Outcome("out1", "cancelled"), "= = C = X ="),
    ("another mail was sent", on.Outcome("out9", "sent"), "= = = = = ="),
    ("a report of its last answer", on.Bounced("out1", "r1", "no such user"), "Q C A P C ="),
    ("a report of an earlier one", on.Bounced("out0", "r1", "no such user"), "Q C A P X ="),
    ("its holder waits", on.Waiting("ann", TOMORROW + timedelta(hours=1)), "P P - P - -"),
    ("another waits", on.Waiting("bob", TOMORROW + timedelta(hours=1)), "P - - - - -"),
    ("its date comes", on.TimePassed(TOMORROW), "= = = = = ="),
    ("somebody resumes it", on.Resumed("bob"), "- - - C - -"),
    ("its holder closes it", on.Closed("ann", "solved"), "X X - X - -"),
    ("another closes it", on.Closed("bob", "solved"), "X - - - - -"),
    ("the same closing again", on.Closed("ann", ""), "X X - X = -"),
    ("somebody reopens it", on.Reopened("bob"), "- - - - C -"),
    ("a tag", on.Changed("ann", add_tags=frozenset({"vip"})), "Q C A P X -"),
    ("no change", on.Changed("ann"), "= = = = = -"),
    ("a note", on.Noted("ann", "n1"), "Q C A P X -"),
    ("a hint", on.Hinted("look"), "Q C A P X ="),
    ("rules lead it elsewhere", on.Rerouted("sue", "billing", "service"), "Q = = P = ="),
    ("it is about something else", on.Rerouted("sue", "support", "service", "Teapot"), "Q C A P X ="),
    ("a merge is undone", on.Unmerged("sue"), "= = = = = Q"),
    ("it is merged", on.MergedInto("sue", "t9"), "M M - M - ="),
    ("into another than before", on.MergedInto("sue", "t8"), "M M - M - -"),
    ("into itself", on.MergedInto("sue", "t1"), "- - - - - -"),
    ("another is merged into it", on.Absorbed("sue", OTHER), "Q C A P - -"),
    ("mails leave it", on.MailsLeft("sue", ("t1",), "t3"), "Q C A P X -"),
]

NAMES = dict(zip(CaseState, "QCAPXM", strict=True))


@pytest.mark.parametrize(("trigger", "row"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_the_whole_matrix_of_states_and_events(trigger: on.Trigger, row: str) -> None:
    for state, cell in zip(CaseState, row.split(), strict=True):
        before = a_case(state)
        if cell == "-":
            with pytest.raises((Conflict, Invalid)) as refused:
                change(before, trigger, now=LATER)
            assert refused.value.remedy
            continue
        after = change(before, trigger, now=LATER)
        assert cell == ("=" if after is before else NAMES[after.state]), f"in {state}"
        if after is before:
            continue
        assert after.version == before.version + 1
        assert after.events[-1].version == after.version
        assert after.events[-1].what in set(CaseEventKind)
        _is_sound(after)


def _is_sound(case: Case) -> None:
    """Hold what is true of every case, whatever happened to it."""
    assert (list_of(case) is None) == (case.state is M)
    assert bool(case.agent) or not case.state.held
    assert (case.wait is not None) == (case.state is P)
    assert (case.closed is not None) == (case.state is X)
    assert case.answer is not None or case.state is not A
    assert not (case.state is X and case.attention)


def test_every_event_has_a_row_here_and_every_row_has_every_state() -> None:
    kinds = set(get_args(triggers.Trigger))
    assert kinds == set(TABLE) == {type(trigger) for _name, trigger, _row in ROWS}
    assert all(set(row) == set(CaseState) for row in TABLE.values())


def test_a_date_that_came_wakes_a_case_once() -> None:
    woken = change(a_case(P), on.TimePassed(TOMORROW), now=TOMORROW)
    assert (woken.state, woken.agent, woken.wait) == (C, "ann", None)
    assert change(woken, on.TimePassed(TOMORROW), now=TOMORROW) is woken
    assert change(a_case(P), on.TimePassed(TOMORROW), now=LATER).state is P  # too early: nothing
    gone = change(a_case(P), on.TimePassed(TOMORROW, member=False), now=TOMORROW)
    assert (gone.state, gone.agent) == (Q, "")


def test_closing_during_a_wait_lets_no_date_revive_it() -> None:
    closed = change(a_case(P), on.Closed("ann"), now=LATER)
    assert (closed.wait, due(closed)) == (None, None)
    assert change(closed, on.TimePassed(TOMORROW), now=TOMORROW) is closed


def test_a_reply_does_not_end_a_wait_that_is_to_outlast_it() -> None:
    waiting = a_case(P, wait=Wait(TOMORROW, wake_on_reply=False))
    joined = change(waiting, on.MailJoined("m2"), now=LATER)
    assert (joined.state, joined.unread, joined.wait) == (P, True, waiting.wait)


def test_a_released_case_waits_at_its_old_place() -> None:
    claimed = change(a_case(), on.Claimed("ann"), now=LATER)
    released = change(claimed, on.Released("ann", "ann"), now=TOMORROW)
    assert urgency(released) == urgency(a_case()) == NOON


def test_one_point_of_priority_is_worth_the_minutes_of_the_queue() -> None:
    assert urgency(a_case(priority=5)) == NOON - timedelta(minutes=5)
    assert urgency(a_case(priority=5, weight=10)) == NOON - timedelta(minutes=50)


def test_a_mail_that_comes_while_the_answer_is_sent_keeps_the_case_open() -> None:
    joined = change(a_case(A), on.MailJoined("m2"), now=LATER)
    sent = change(joined, on.Outcome("out1", "sent"), now=LATER)
    assert (sent.state, sent.agent, sent.unread) == (C, "ann", True)
    assert sent.attention


def test_a_bounce_that_is_faster_than_the_sender_keeps_the_case_open() -> None:
    told = change(a_case(A), on.Bounced("out1", "r1", "no such user"), now=LATER)
    sent = change(told, on.Outcome("out1", "sent"), now=LATER)
    assert (sent.state, sent.attention) == (C, "no such user")


def test_what_became_of_an_answer_is_told_once() -> None:
    failed = change(a_case(A), on.Outcome("out1", "failed", "refused"), now=LATER)
    assert (failed.attention, failed.agent) == ("refused", "ann")
    assert change(failed, on.Outcome("out1", "failed", "refused"), now=LATER) is failed
    settled = change(failed, on.Outcome("out1", "sent"), now=LATER)  # sent again, or its report shows that it left
    assert settled.state is X  # as its agent had asked for
    assert change(settled, on.Outcome("out1", "sent"), now=LATER) is settled


def test_a_report_counts_once() -> None:
    told = change(a_case(C), on.Bounced("out0", "r1", "no such user"), now=LATER)
    assert change(told, on.Bounced("out0", "r1", "no such user"), now=LATER) is told


def test_an_answer_moves_the_version_that_answers_are_written_against_and_a_tag_does_not() -> None:
    tagged = change(a_case(C), on.Changed("bob", add_tags=frozenset({"vip"})), now=LATER)
    assert (tagged.version, tagged.mails_version) == (2, 1)
    assert change(tagged, on.Answered("ann", "out2", 1), now=LATER).mails_version == 2


def test_a_merge_keeps_who_waited_longest_and_who_had_it() -> None:
    source = a_case(C, id="t2", mails=("t2",), enqueued=NOON - timedelta(hours=3), tags=frozenset({"vip"}))
    target = change(a_case(), on.Absorbed("sue", source), now=LATER)
    assert (target.state, target.agent, target.enqueued) == (C, "ann", source.enqueued)
    assert (target.mails, target.tags, target.counts.inbound) == (("t2", "t1"), frozenset({"vip"}), 2)


def test_a_customer_who_writes_long_after_begins_a_new_case() -> None:
    month = timedelta(days=30)
    assert not begins_anew(a_case(X), reopen_within=month, now=NOON + month)
    assert begins_anew(a_case(X), reopen_within=month, now=NOON + month + timedelta(seconds=1))
    assert not begins_anew(a_case(C), reopen_within=month, now=NOON + 2 * month)


def test_five_events_stay_in_the_case() -> None:
    case = a_case(C)
    for number in range(9):
        case = change(case, on.Noted("ann", str(number)), now=LATER)
    assert [event.version for event in case.events] == [6, 7, 8, 9, 10]


def unread_only_by_customers() -> Mapping[str, on.Trigger]:
    return {"automatic": on.MailJoined("m2", automatic=True), "elsewhere": on.MailJoined("m2", sent_elsewhere=True)}


@pytest.mark.feature("L06")
@pytest.mark.parametrize("kind", unread_only_by_customers())
def test_what_no_customer_wrote_asks_for_no_work(kind: str) -> None:
    after = change(a_case(X), unread_only_by_customers()[kind], now=LATER)
    assert (after.state, after.unread) == (X, False)
