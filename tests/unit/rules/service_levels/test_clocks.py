"""The clocks of a case: each row of L02-L05 as a story of what happened when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from postroom.model.configuration import Calendar, ServiceLevel
from postroom.model.work import CaseClocks, ClockEvent, ClockKind, ClockMark
from postroom.rules.service_levels import Targets, clocks

FIRST, NEXT, RESOLUTION = ClockKind.FIRST_RESPONSE, ClockKind.NEXT_RESPONSE, ClockKind.RESOLUTION
MONDAY = datetime(2026, 11, 30, 8, 0, tzinfo=UTC)


def _at(hours: float) -> datetime:
    """Return a moment so many hours after Monday at eight."""
    return MONDAY + timedelta(hours=hours)


def _targets(**periods: str) -> Targets:
    days = ("monday", "tuesday", "wednesday", "thursday", "friday")
    calendar = Calendar.model_validate({"name": "office", "hours": {day: ["08:00-18:00"] for day in days}})
    return Targets(ServiceLevel.model_validate({"name": "usual", "calendar": "office", **periods}), calendar)


USUAL = _targets(first_response="02:00:00", next_response="01:00:00", resolution="10:00:00")
NEW = clocks.mail_received(CaseClocks(), MONDAY, USUAL)


def _marks(events: tuple[ClockEvent, ...]) -> set[tuple[ClockKind, ClockMark]]:
    return {(event.kind, event.mark) for event in events}


@pytest.mark.feature("L02")
def test_a_first_mail_begins_two_clocks_and_an_answer_that_was_sent_stops_the_first() -> None:
    assert {kind: clock.due for kind, clock in NEW.of.items()} == {FIRST: _at(2), RESOLUTION: _at(10)}
    answered, events = clocks.answer_sent(NEW, _at(1))
    assert _marks(events) == {(FIRST, ClockMark.MET)}
    assert answered.of[FIRST].stopped == _at(1)
    assert answered.of[RESOLUTION].runs


@pytest.mark.feature("L02")
def test_a_second_mail_before_the_answer_moves_no_clock() -> None:
    assert clocks.mail_received(NEW, _at(1), USUAL) == NEW


@pytest.mark.feature("L02")
def test_a_mail_after_the_answer_begins_the_next_response() -> None:
    answered, _ = clocks.answer_sent(NEW, _at(1))
    asked = clocks.mail_received(answered, _at(3), USUAL)
    assert asked.of[NEXT].due == _at(4)
    again, events = clocks.answer_sent(asked, _at(3.5))
    assert _marks(events) == {(NEXT, ClockMark.MET)}
    assert clocks.mail_received(again, _at(5), USUAL).of[NEXT].due == _at(6)


@pytest.mark.feature("L03")
def test_only_the_resolution_stands_still_while_a_case_waits_and_business_hours_alone_count() -> None:
    waiting = clocks.paused(NEW, _at(1))
    assert waiting.of[RESOLUTION].due is None
    assert waiting.of[FIRST].due == _at(2)
    # From Monday at nine to Tuesday at nine: ten business hours.
    goes_on = clocks.resumed(waiting, _at(25), USUAL)
    assert goes_on.of[RESOLUTION].paused == 600
    assert goes_on.of[RESOLUTION].due == _at(34)


@pytest.mark.feature("L03")
def test_a_customers_mail_ends_a_pause() -> None:
    waiting = clocks.paused(NEW, _at(1))
    assert clocks.mail_received(waiting, _at(2), USUAL).of[RESOLUTION].due == _at(25)


@pytest.mark.feature("L03", "L04")
def test_another_level_keeps_the_start_and_the_time_that_stood_still() -> None:
    waited = clocks.resumed(clocks.paused(NEW, _at(1)), _at(3), USUAL)
    slower = clocks.aim(waited, _targets(resolution="20:00:00"))
    assert slower.of[RESOLUTION].started == MONDAY
    assert slower.of[RESOLUTION].due == _at(24 + 24 + 2)
    assert slower.of[FIRST].due is None
    back = clocks.aim(slower, USUAL)
    assert back.of[FIRST].due == _at(2)


@pytest.mark.feature("L04")
def test_without_a_level_nothing_is_due_and_nothing_is_forgotten() -> None:
    none = clocks.aim(NEW, None)
    assert clocks.next_moment(none) is None
    assert clocks.aim(none, USUAL) == NEW


@pytest.mark.feature("L05")
def test_each_clock_warns_and_is_breached_once() -> None:
    said: list[ClockEvent] = []
    running = NEW
    for minute in range(24 * 60):
        running, events = clocks.fire(running, MONDAY + timedelta(minutes=minute))
        said += events
    assert [(event.kind, event.mark) for event in said] == [
        (FIRST, ClockMark.WARNING),
        (FIRST, ClockMark.BREACHED),
        (RESOLUTION, ClockMark.WARNING),
        (RESOLUTION, ClockMark.BREACHED),
    ]
    assert clocks.next_moment(running) is None


@pytest.mark.feature("L05")
def test_after_an_outage_all_that_is_due_is_said_late_and_once() -> None:
    late, events = clocks.fire(NEW, _at(100))
    assert _marks(events) == {
        (FIRST, ClockMark.WARNING),
        (FIRST, ClockMark.BREACHED),
        (RESOLUTION, ClockMark.WARNING),
        (RESOLUTION, ClockMark.BREACHED),
    }
    assert clocks.fire(late, _at(101)) == (late, ())


@pytest.mark.feature("L05")
def test_an_answer_after_the_target_is_a_breach_also_where_nobody_looked_meanwhile() -> None:
    answered, events = clocks.answer_sent(NEW, _at(3))
    assert _marks(events) == {(FIRST, ClockMark.BREACHED)}
    assert clocks.fire(answered, _at(4)) == (answered, ())


def test_the_next_moment_is_the_earliest_that_was_not_told_yet() -> None:
    assert clocks.next_moment(NEW) == _at(1.6)
    warned, _ = clocks.fire(NEW, _at(1.6))
    assert clocks.next_moment(warned) == _at(2)


def test_a_closed_case_has_no_clocks_and_a_mail_that_reopens_it_begins_anew() -> None:
    answered, _ = clocks.answer_sent(NEW, _at(1))
    ended, events = clocks.closed(answered, _at(2))
    assert _marks(events) == {(RESOLUTION, ClockMark.MET)}
    assert clocks.next_moment(ended) is None
    reopened = clocks.mail_received(ended, _at(5), USUAL)
    assert {kind: clock.due for kind, clock in reopened.of.items() if clock.runs} == {NEXT: _at(6), RESOLUTION: _at(29)}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "no target"),
        ({"first_response": "00:00:30"}, "under a minute"),
        ({"first_response": "an hour"}, "hh:mm:ss"),
        ({"first_response": "01:00:00", "warn_at": 0}, "greater than or equal"),
    ],
    ids=["no target", "too short", "no period", "warns at nothing"],
)
def test_a_level_that_cannot_be_meant_is_refused(given: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        ServiceLevel.model_validate({"name": "usual", "calendar": "office", **given})
