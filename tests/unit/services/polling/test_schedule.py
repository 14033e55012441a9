"""The schedule: every mailbox exactly once a cycle, full messages, nothing remembered."""

from __future__ import annotations

import itertools
import random
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from postroom.errors import Permanent
from postroom.model.configuration.document import Configuration
from postroom.model.messages import PollRequest, poll_request, read_poll_request
from postroom.services.polling.plan_polls import plan, schedule, scheduled_time

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
@pytest.mark.fault(89)
def test_a_longer_cycle_has_one_look_a_cycle(cycle: str) -> None:
    hours, minutes, _ = map(int, cycle.split(":"))
    period = hours * 3600 + minutes * 60
    for times in looks(many(250, cycle_time=cycle), minutes=2 * period // 60).values():
        assert len(times) == 2
        assert times[1] - times[0] == period


class Remembered:
    """The last tick, as the table keeps it."""

    def __init__(self) -> None:
        self.at: datetime | None = None

    def last(self) -> datetime | None:
        return self.at

    def save(self, tick: datetime) -> None:
        self.at = max(self.at or tick, tick)


def ticked(configuration: Configuration, ticks: list[tuple[int, int]]) -> dict[str, list[int]]:
    """Run ticks of (time that the schedule names, seconds that it fires later): name → the seconds of its looks."""
    seen: dict[str, list[int]] = defaultdict(list)
    remembered = Remembered()
    for scheduled, late in ticks:
        sent: list[tuple[Any, int]] = []

        class Queue:
            def send_many(self, messages: Any, sent: list[tuple[Any, int]] = sent) -> None:
                sent.extend(messages)

        now = START + timedelta(seconds=scheduled + late)
        schedule(
            configurations=Configurations(configuration),
            queue=Queue(),
            ews_queue=Queue(),
            now=now,
            scheduled=START + timedelta(seconds=scheduled),
            ticks=remembered,
        )
        for message, delay in sent:
            for name in message["mailboxes"]:
                seen[name].append(scheduled + late + delay)
    return {name: sorted(moments) for name, moments in seen.items()}


LATE: dict[str, Any] = {
    "on time": lambda _chance: 0,
    "always late": lambda _chance: 52,
    "at any second": lambda chance: chance.randint(0, 59),
}


@pytest.mark.fault(89)
@pytest.mark.parametrize("late", LATE.values(), ids=LATE.keys())
@pytest.mark.parametrize("often", [1, 2], ids=["once", "each tick twice"])
def test_gaps_are_the_cycle_at_whatever_second_the_tick_is_and_however_late_it_comes(late: Any, often: int) -> None:
    mailboxes = [a_mailbox(f"a{number}", cycle_time=30) for number in range(5)]
    mailboxes += [a_mailbox(f"b{number}", cycle_time=300) for number in range(5)]
    configuration = Configuration(mailboxes=tuple(mailboxes))
    chance = random.Random(20261130)
    for second in range(60):
        ticks = [(second + 60 * minute, late(chance)) for minute in range(12) for _ in range(often)]
        seen = ticked(configuration, sorted(ticks, key=lambda tick: tick[0]))
        for name, moments in seen.items():
            gaps = {later - earlier for earlier, later in itertools.pairwise(moments)}
            assert gaps == {30 if name.startswith("a") else 300}, (second, name)


@pytest.mark.fault(1)
@pytest.mark.fault(89)
@pytest.mark.parametrize("lost", [1, 3])
def test_what_lost_ticks_should_have_looked_at_the_next_one_looks_at_once(lost: int) -> None:
    mailboxes = [a_mailbox(f"c{seconds}", cycle_time=seconds) for seconds in (30, 60, 300, 600)]
    for second in (0, 15, 31, 37, 51, 59):
        ticks = [(second + 60 * minute, 10) for minute in range(25) if not 5 <= minute < 5 + lost]
        seen = ticked(Configuration(mailboxes=tuple(mailboxes)), ticks)
        for name, moments in seen.items():
            cycle = int(name[1:])
            gaps = [later - earlier for earlier, later in itertools.pairwise(moments)]
            assert max(gaps) <= cycle + 60 * lost + 10
            # No look more than once for all that was missed, and none is left out for a whole cycle.
            assert sum(gaps) / len(gaps) >= cycle * 0.7
            assert lost > 1 or max(gaps) <= max(40, cycle + 10)


@pytest.mark.fault(89)
@pytest.mark.parametrize("ahead", [timedelta(minutes=10), timedelta(days=9000)], ids=["minutes", "years"])
def test_a_tick_remembered_from_the_future_stops_no_polling(ahead: timedelta) -> None:
    remembered = Remembered()
    remembered.save(START + ahead)  # by a clock that was wrong, or an event that somebody wrote by hand
    for minute in range(5):
        now = START + timedelta(minutes=minute)
        planned = schedule(
            configurations=Configurations(many(3)),
            queue=Messages(),
            ews_queue=Messages(),
            now=now,
            scheduled=now,
            ticks=remembered,
        )
        assert planned.looks == 6


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
    assert plan(many(321), tick=START, now=START) == plan(many(321), tick=START, now=START)


@pytest.mark.feature("G09")
def test_only_enabled_mailboxes_are_polled_and_the_next_tick_sees_a_change() -> None:
    queue, ews = Messages(), Messages()
    disabled = Configuration(mailboxes=(a_mailbox(enabled=False),))
    configurations = Configurations(disabled, later={2: Configuration(mailboxes=(a_mailbox(),))})
    for minute, expected in ((0, 0), (1, 1)):
        now = START + timedelta(minutes=minute)
        result = schedule(configurations=configurations, queue=queue, ews_queue=ews, now=now)
        assert result.mailboxes == expected
    assert len(queue.sent) == 2
    assert not ews.sent


def test_who_asks_by_hand_has_every_mailbox_looked_at_now() -> None:
    queue, ews = Messages(), Messages()
    mailboxes = (a_mailbox("slow", cycle_time=300), a_mailbox("quick", cycle_time=20))
    configuration = Configurations(Configuration(mailboxes=mailboxes))
    schedule(configurations=configuration, queue=queue, ews_queue=ews, now=START + timedelta(seconds=7))
    looks = sorted((delay, *message["mailboxes"]) for message, delay in zip(queue.sent, queue.delays, strict=True))
    assert [name for delay, *names in looks if delay == 0 for name in names] == ["quick", "slow"]
    assert [delay for delay, *names in looks if "quick" in names] == [0, 20, 40]


def test_ews_mailboxes_go_to_their_own_queue() -> None:
    queue, ews = Messages(), Messages()
    configuration = Configuration(
        mailboxes=(a_mailbox(cycle_time=60), a_mailbox("exchange", type="EWS", server="https://ex.example.com/EWS/x"))
    )
    schedule(configurations=Configurations(configuration), queue=queue, ews_queue=ews, now=START)
    assert [message["mailboxes"] for message in queue.sent] == [["support"]]
    assert [message["mailboxes"] for message in ews.sent] == [["exchange"], ["exchange"]]


def test_a_tick_that_comes_late_sends_what_is_overdue_at_once() -> None:
    polls = plan(many(1), tick=START, now=START + timedelta(seconds=40))
    assert [poll.delay for poll in polls] == [0]
    assert [poll.planned for poll in polls] == [START + timedelta(seconds=40)]


@pytest.mark.parametrize("text", ["<aws.scheduler.scheduled-time>", "", None, 7], ids=repr)
def test_a_tick_without_a_time_is_one_that_somebody_asks_for_now(text: object) -> None:
    assert scheduled_time({"scheduled": text}) is None
    assert scheduled_time({"scheduled": "2026-11-21T12:00:37Z"}) == START + timedelta(seconds=37)


def test_a_poll_request_is_read_back_as_it_was_written() -> None:
    planned = START + timedelta(seconds=7)
    written = poll_request(["a", "b"], backlog=True, planned=planned, link=2, apart=True)
    assert read_poll_request(written) == PollRequest(("a", "b"), True, planned, 2, True)
    assert read_poll_request(poll_request(["a"])) == PollRequest(("a",))


@pytest.mark.parametrize("message", [{}, {"v": 2, "mailboxes": []}, {"v": 1}, {"v": 1, "mailboxes": [1]}])
def test_a_poll_request_of_another_version_is_refused(message: dict[str, object]) -> None:
    with pytest.raises(Permanent, match="version"):
        read_poll_request(message)
