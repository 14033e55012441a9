"""How long a mail is tried that cannot be had: nothing seen within minutes is final (design, principle 3)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from postroom.model.mailbox_state import LeftAlone, Trying
from postroom.rules.polling.tries import FIRST_PAUSE, GIVE_UP_AFTER, LONGEST_PAUSE, failed, is_due

from tests.unit.services.polling.fakes import NOON, Post, connected

CYCLE = timedelta(seconds=30)


def tries_until(post: Post, end: timedelta) -> tuple[int, timedelta | None]:
    """Poll every cycle; how often mail 1 was asked for, and when it was given up."""
    began, given_up = post.now, None
    while post.now - began < end:
        post.poll()
        position = post.state.position
        assert position is not None
        if given_up is None and position.leaves_alone("1"):
            given_up = post.now - began
        post.now += CYCLE
    return post.server.commands.count("fetch 1"), given_up


@pytest.mark.fault(121)
@pytest.mark.feature("G07")
def test_a_mail_that_cannot_be_had_is_given_up_after_an_hour_and_ten_tries_or_so() -> None:
    post = connected()
    post.server.put(1, 2)
    post.server.unfetchable = {1}
    tries, given_up = tries_until(post, timedelta(hours=2))
    assert given_up is not None
    assert GIVE_UP_AFTER <= given_up <= GIVE_UP_AFTER + LONGEST_PAUSE + CYCLE
    assert 5 <= tries <= 14
    assert post.raw.subjects == [2]


@pytest.mark.fault(121)
@pytest.mark.parametrize("minutes", [2, 10, 50])
@pytest.mark.parametrize("trouble", ["unfetchable", "silent", "sizes"])
def test_trouble_of_minutes_costs_no_mail(minutes: int, trouble: str) -> None:
    post = connected()
    post.server.put(1, 2, 3)
    if trouble == "sizes":
        post.server.sizes = {1: None, 2: None}
    else:
        setattr(post.server, trouble, {1, 2})
    _tries, given_up = tries_until(post, timedelta(minutes=minutes))
    assert given_up is None
    post.server.sizes, post.server.unfetchable, post.server.silent = {}, set(), set()
    post.now += LONGEST_PAUSE
    post.poll()
    assert post.raw.subjects == [1, 2, 3]
    position = post.state.position
    assert position is not None
    assert (position.problems, position.trying, position.reasons) == ({}, {}, {})


@pytest.mark.fault(94)
@pytest.mark.feature("G02")
def test_a_size_that_stays_missing_is_said_after_an_hour_and_why_meanwhile() -> None:
    post = connected()
    post.server.put(1)
    post.server.sizes = {1: None}
    post.poll()
    position = post.state.position
    assert position is not None
    assert position.problems == {"1": 1}
    assert "how large" in position.reasons["1"]
    assert post.state.balances[-1][1].even
    for _ in range(20):
        post.wait(minutes=6)
        post.poll()
    position = post.state.position
    assert position is not None
    assert position.problems == {"1": LeftAlone.BAD_SIZE}
    assert post.raw.subjects == []


@pytest.mark.parametrize(
    ("tries", "trying", "expected"),
    [
        (0, None, 1),
        (1, None, 2),
        (2, None, 2),
        (2, Trying(NOON - GIVE_UP_AFTER, NOON - CYCLE), LeftAlone.GIVEN_UP),
        (1, Trying(NOON - 2 * GIVE_UP_AFTER, NOON - CYCLE), 2),
        (2, Trying(NOON + GIVE_UP_AFTER, NOON + GIVE_UP_AFTER), 2),
    ],
    ids=["first", "second", "third, of an earlier version", "after an hour", "two in an hour", "a clock ahead"],
)
def test_it_takes_three_tries_and_an_hour(tries: int, trying: Trying | None, expected: int) -> None:
    assert failed(tries, trying, now=NOON)[0] == expected


@pytest.mark.fault(112)
@pytest.mark.parametrize(
    ("since", "last", "due"),
    [
        ({"minutes": 1}, {"minutes": 1}, True),
        ({"seconds": 10}, {"seconds": 10}, False),
        ({"minutes": 30}, {"minutes": 10}, False),
        ({"minutes": 30}, {"minutes": 15}, True),
        ({"minutes": 0}, {"hours": -5}, True),
    ],
    ids=["after the first pause", "at once", "within the longest pause", "after it", "a clock that went wrong"],
)
def test_the_pauses_grow_and_end(since: dict[str, Any], last: dict[str, Any], due: bool) -> None:
    trying = Trying(NOON - timedelta(**since), NOON - timedelta(**last))
    assert is_due(trying, now=NOON) is due
    assert is_due(None, now=NOON)
    assert FIRST_PAUSE < CYCLE
