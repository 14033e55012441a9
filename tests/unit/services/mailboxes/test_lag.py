"""What is known of mail that waits on its server, and what is counted of mail that came: where it is written anyway."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from postroom.model.traffic import Traffic, count
from postroom.services.mailboxes.mailbox_view import View, view
from postroom.services.polling import look
from postroom.services.polling.outcome import Result

from tests.unit.services.polling.fakes import NOON, Post, a_mailbox, connected

ONE_CYCLE = look.GOING_ON - 1
"""Seconds left to an invocation in which a backlog does not go on."""


def seen(post: Post) -> View:
    """See the mailbox as the list of mailboxes shows it."""
    mailbox = post.configurations.configuration.mailboxes[0]
    return view(mailbox, post.state, now=post.now, valid_until={})


@pytest.mark.feature("X14", "C05")
def test_lag_is_the_age_of_the_oldest_mail_that_was_left_and_nothing_when_none_waits() -> None:
    post = connected(maximum_msg_number=2)
    for number in range(1, 6):
        post.server.put(number, date=NOON + timedelta(seconds=number))
    post.poll(time_left=ONE_CYCLE)
    assert post.state.waiting == NOON + timedelta(seconds=3)
    assert (seen(post).waiting_since, seen(post).lag) == (post.state.waiting, 297.0)
    post.poll(backlog=True, time_left=ONE_CYCLE)
    assert seen(post).lag == 295.0
    post.poll(backlog=True, time_left=ONE_CYCLE)
    assert (seen(post).waiting_since, seen(post).lag, seen(post).lag_exact) == (None, 0.0, True)
    writes = len(post.states.writes)
    assert post.poll().results == {Result.IDLE: 1}
    assert len(post.states.writes) == writes


@pytest.mark.usefixtures("hasty")
def test_a_mail_that_cannot_be_fetched_waits_until_it_is_given_up() -> None:
    post = connected()
    post.server.put(1, date=NOON)
    post.server.unfetchable.add(1)
    for _ in range(2):
        post.poll()
        assert post.state.waiting == NOON
        post.wait(minutes=1)
    post.poll()
    assert post.state.waiting is None
    assert post.server.moved.keys() == {1}


def test_what_waited_and_was_taken_away_is_noted_once() -> None:
    post = connected(maximum_msg_number=1)
    post.server.put(1, 2)
    post.poll(time_left=ONE_CYCLE)
    assert post.state.waiting is not None
    post.server.mails.clear()
    post.poll()
    assert seen(post).lag == 0.0
    writes = len(post.states.writes)
    post.poll()
    assert len(post.states.writes) == writes


def test_without_dates_lag_counts_from_the_poll_that_met_the_mail_first_and_says_so() -> None:
    post = Post(a_mailbox(type="POP3", maximum_msg_number=1))
    post.poll()
    post.wait(minutes=5)
    post.server.put(1, 2, 3)
    post.server.dates.clear()
    first = post.now
    for _ in range(2):
        post.poll(time_left=ONE_CYCLE)
        post.wait(minutes=1)
        assert post.state.waiting == first
        assert not seen(post).lag_exact
    post.poll()
    assert (seen(post).lag, seen(post).lag_exact) == (0.0, True)


def test_what_cannot_be_looked_at_may_have_waited_since_it_fell_ill() -> None:
    post = connected()
    post.server.password = "another"
    post.poll()
    ill = post.now
    post.wait(hours=2)
    assert (seen(post).waiting_since, seen(post).lag, seen(post).lag_exact) == (ill, 7200.0, False)


def test_what_was_fetched_is_counted_by_calendar_month() -> None:
    post = connected()
    for number in (1, 2, 3):
        post.server.put(number, size=1000)
        post.poll()
    (month,) = post.state.traffic
    assert (month.since, month.fetches, month.mails, month.size) == (post.now, 3, 3, 3000)


def test_counts_of_the_last_month_stay_and_older_ones_go() -> None:
    november = count((), now=datetime(2026, 11, 21, 9, tzinfo=UTC), mails=2, size=20)
    december = count(november, now=datetime(2026, 12, 31, 9, tzinfo=UTC), mails=1, size=10)
    assert december == (
        Traffic(datetime(2026, 11, 21, 9, tzinfo=UTC), 1, 2, 20),
        Traffic(datetime(2026, 12, 1, tzinfo=UTC), 1, 1, 10),
    )
    january = count(december, now=datetime(2027, 1, 1, tzinfo=UTC), mails=1, size=10)
    assert [month.since.month for month in january] == [12, 1]
    assert count(january, now=datetime(2027, 5, 1, tzinfo=UTC), mails=1, size=1)[0].since.month == 5
    assert count(january, now=datetime(2027, 1, 1, tzinfo=UTC), mails=0, size=0) is january
