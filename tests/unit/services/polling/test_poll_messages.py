"""What poll messages carry: when they were planned, which link of a chain they are, and who hangs in them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from postroom.model.mailbox_state import HealthState
from postroom.model.messages import MOST_LINKS, poll_request
from postroom.services.polling.look import GOING_ON, Summary, poll
from postroom.services.polling.outcome import Result

from tests.unit.services.polling.fakes import NOON, Post, a_mailbox, connected


def serve(post: Post, message: Any, *, time_left: float = 300.0) -> Summary:
    return poll(message, polling=post.polling, deadline=post.polling.monotonic() + time_left)


@pytest.mark.fault(88)
@pytest.mark.parametrize("mails", [1_801, pytest.param(20_000, marks=pytest.mark.slow)])
def test_a_backlog_takes_one_invocation_while_there_is_time_and_no_long_chain_without(mails: int) -> None:
    post = connected(maximum_msg_number=200)
    post.server.put(*range(1, mails + 1))
    assert serve(post, poll_request(["support"])).stored == mails
    assert post.queue.sent == []


@pytest.mark.fault(88)
def test_what_does_not_fit_goes_on_in_at_most_three_invocations_and_then_with_the_next_poll() -> None:
    post = connected(maximum_msg_number=10)
    post.server.put(*range(1, 101))
    message: Any = poll_request(["support"])
    invocations = 0
    while message is not None:
        serve(post, message, time_left=GOING_ON - 1)
        invocations += 1
        message = post.queue.sent.pop() if post.queue.sent else None
    assert invocations == MOST_LINKS == 3
    assert len(post.raw.subjects) == 30
    # The rest is not forgotten: the next regular poll takes it up.
    assert serve(post, poll_request(["support"])).stored == 70


@pytest.mark.fault(88)
def test_others_of_the_message_get_their_turn_before_a_backlog_goes_on() -> None:
    post = Post(a_mailbox("full", maximum_msg_number=5), a_mailbox("other"))
    post.poll()
    post.servers["full"].put(*range(1, 51))
    post.servers["other"].put(900)
    summary = serve(post, poll_request(["full", "other"]))
    assert (summary.mailboxes, summary.stored, summary.results) == (2, 51, {Result.FETCHED: 2})


@pytest.mark.parametrize(("late", "looks"), [(0, 3), (29, 3), (30, 2), (61, 1), (301, 0)])
def test_a_look_that_comes_when_the_next_one_is_due_is_dropped(late: int, looks: int) -> None:
    post = Post(*(a_mailbox(f"c{seconds}", cycle_time=seconds) for seconds in (30, 60, 300)))
    post.poll()
    planned = NOON
    post.now = planned + timedelta(seconds=late)
    assert serve(post, poll_request(["c30", "c60", "c300"], planned=planned)).mailboxes == looks
    # What was asked for by hand, or is known to hold more, is never too late.
    assert serve(post, poll_request(["c30", "c60", "c300"])).mailboxes == 3
    assert serve(post, poll_request(["c30", "c60", "c300"], planned=planned, backlog=True)).mailboxes == 3


@pytest.mark.parametrize("seconds", [1, 5, 20])
def test_a_short_cycle_does_not_starve_in_a_queue_that_is_always_some_seconds_late(seconds: int) -> None:
    post = Post(a_mailbox(cycle_time=seconds))
    post.poll()
    for second in range(0, 60, seconds):
        planned = NOON + timedelta(seconds=second)
        post.now = planned + timedelta(seconds=21)
        assert serve(post, poll_request(["support"], planned=planned)).mailboxes == 1


def test_a_mailbox_that_hung_is_looked_at_in_a_message_of_its_own() -> None:
    post = Post(*(a_mailbox(f"box{number}") for number in range(5)))
    post.poll()
    for name, code in (("box1", "deadline_exceeded"), ("box3", "connect_timed_out"), ("box4", "connect_refused")):
        state = post.states.items[name]
        health = replace(state.health, state=HealthState.RETRYING, code=code, step="connect", next_try=None)
        post.states.items[name] = replace(state, health=health)
    post.connector.opened.clear()
    names = [f"box{number}" for number in range(5)]
    summary = serve(post, poll_request(names))
    assert summary.mailboxes == 3
    assert sorted(set(post.connector.opened)) == ["box0", "box2", "box4"]
    (apart,) = post.queue.sent
    assert apart == {"v": 1, "mailboxes": ["box1", "box3"], "backlog": False, "apart": True}
    assert serve(post, apart).mailboxes == 2
    assert len(post.queue.sent) == 1
