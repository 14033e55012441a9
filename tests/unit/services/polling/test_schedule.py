"""The schedule: every mailbox exactly once a cycle, full messages, nothing remembered."""

from __future__ import annotations

import itertools
from collections import defaultdict
from datetime import UTC, datetime, timedelta

import pytest
from postroom.errors import Permanent
from postroom.model.configuration.document import Configuration
from postroom.model.messages import poll_request, read_poll_request
from postroom.services.polling.plan_polls import plan, schedule

from tests.unit.services.polling.fakes import Configurations, Messages, a_mailbox

START = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def looks(configuration: Configuration, *, minutes: int) -> dict[str, list[int]]:
    """Run the schedule for some minutes: name → the seconds at which it is looked at."""
    seen: dict[str, list[int]] = defaultdict(list)
    for minute in range(minutes):
        tick = START + timedelta(minutes=minute)
        for poll in plan(configuration, tick=tick, now=tick):
            for name in poll.mailboxes:
                seen[name].append(minute * 60 + poll.delay)
    return seen


def many(count: int, **options: object) -> Configuration:
    return Configuration(mailboxes=tuple(a_mailbox(f"box{number}", **options) for number in range(count)))


@pytest.mark.parametrize("seconds", [1, 7, 20, 30, 45, 60])
@pytest.mark.feature("G06")
def test_a_cycle_of_up_to_a_minute_is_kept_to_the_second(seconds: int) -> None:
    for times in looks(many(3, cycle_time=seconds), minutes=10).values():
        assert {later - earlier for earlier, later in itertools.pairwise(times)} == {seconds}
        assert times[0] < seconds


@pytest.mark.parametrize("cycle", ["00:02:00", "00:05:00", "01:00:00", "06:00:00"])
@pytest.mark.feature("G06")
def test_a_longer_cycle_is_kept_and_looked_at_once_more_a_minute_later(cycle: str) -> None:
    hours, minutes, _ = map(int, cycle.split(":"))
    period = hours * 3600 + minutes * 60
    for times in looks(many(250, cycle_time=cycle), minutes=2 * period // 60).values():
        due = [time for time in times if time - 60 not in times]
        assert len(times) in (3, 4)
        assert all(later - earlier == period for earlier, later in itertools.pairwise(due))


@pytest.mark.fault(1)
def test_what_a_lost_tick_should_have_looked_at_the_next_one_looks_at() -> None:
    configuration = Configuration(
        mailboxes=tuple(a_mailbox(f"c{seconds}", cycle_time=seconds) for seconds in (1, 30, 60, 90, 600, 36_000))
    )
    for minute in range(12):
        lost, following = START + timedelta(minutes=minute), START + timedelta(minutes=minute + 1)
        missed = {name for poll in plan(configuration, tick=lost, now=lost) for name in poll.mailboxes}
        taken = {name for poll in plan(configuration, tick=following, now=following) for name in poll.mailboxes}
        # What the lost tick only repeated was looked at in its own minute.
        before = START + timedelta(minutes=minute - 1)
        repeated = {name for poll in plan(configuration, tick=before, now=before) for name in poll.mailboxes}
        assert missed - repeated <= taken


@pytest.mark.feature("G28", "X15")
def test_ten_thousand_mailboxes_fill_their_messages_and_spread_over_the_minute() -> None:
    polls = plan(many(10_000), tick=START, now=START)
    assert len(polls) == 200
    assert {len(poll.mailboxes) for poll in polls} == {100}
    assert max(sum(1 for poll in polls if poll.delay == second) for second in range(60)) <= 4
    assert max(poll.delay for poll in polls) < 60


def test_mixed_cycles_share_messages() -> None:
    mailboxes = [a_mailbox(f"a{number}", cycle_time=30) for number in range(40)]
    mailboxes += [a_mailbox(f"b{number}", cycle_time=60) for number in range(40)]
    polls = plan(Configuration(mailboxes=tuple(mailboxes)), tick=START, now=START)
    assert [len(poll.mailboxes) for poll in polls] == [80, 40]


def test_no_message_names_a_mailbox_twice() -> None:
    for poll in plan(many(150, cycle_time=1), tick=START, now=START):
        assert len(set(poll.mailboxes)) == len(poll.mailboxes) <= 100


def test_the_same_minute_gives_the_same_messages() -> None:
    assert plan(many(321), tick=START, now=START) == plan(many(321), tick=START + timedelta(seconds=20), now=START)


@pytest.mark.feature("G09")
def test_only_enabled_mailboxes_are_polled_and_the_next_tick_sees_a_change() -> None:
    queue, ews = Messages(), Messages()
    disabled = Configuration(mailboxes=(a_mailbox(enabled=False),))
    configurations = Configurations(disabled, later={2: Configuration(mailboxes=(a_mailbox(),))})
    for minute, expected in ((0, 0), (1, 1)):
        tick = START + timedelta(minutes=minute)
        result = schedule(configurations=configurations, queue=queue, ews_queue=ews, tick=tick, now=tick)
        assert result.mailboxes == expected
    assert len(queue.sent) == 2
    assert not ews.sent


def test_ews_mailboxes_go_to_their_own_queue() -> None:
    queue, ews = Messages(), Messages()
    configuration = Configuration(
        mailboxes=(a_mailbox(cycle_time=60), a_mailbox("exchange", type="EWS", server="https://ex.example.com/EWS/x"))
    )
    schedule(configurations=Configurations(configuration), queue=queue, ews_queue=ews, tick=START, now=START)
    assert [message["mailboxes"] for message in queue.sent] == [["support"]]
    assert [message["mailboxes"] for message in ews.sent] == [["exchange"], ["exchange"]]


def test_a_tick_that_comes_late_sends_what_is_overdue_at_once() -> None:
    polls = plan(many(1), tick=START, now=START + timedelta(seconds=40))
    assert [poll.delay for poll in polls] == [0, 0]


def test_a_poll_request_is_read_back_as_it_was_written() -> None:
    assert read_poll_request(poll_request(["a", "b"], backlog=True)) == (("a", "b"), True)


@pytest.mark.parametrize("message", [{}, {"v": 2, "mailboxes": []}, {"v": 1}, {"v": 1, "mailboxes": [1]}])
def test_a_poll_request_of_another_version_is_refused(message: dict[str, object]) -> None:
    with pytest.raises(Permanent, match="version"):
        read_poll_request(message)
