"""What a first connection takes, which mail is old, and what a renumbered folder comes to (X13)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from postroom.services.polling.outcome import Result

from tests.unit.services.polling.fakes import NOON, Post, a_mailbox, connected

LONG_AGO = NOON - timedelta(days=3)


@pytest.mark.parametrize(
    ("options", "stored"),
    [
        pytest.param({"first_connection": "all"}, [1, 2, 3], id="all"),
        pytest.param({"first_connection": "from-now"}, [], id="from now"),
        pytest.param({"first_connection": "since", "first_connection_since": "2026-11-20"}, [2, 3], id="since"),
    ],
)
@pytest.mark.feature("X13")
def test_the_first_connection_takes_what_was_chosen_and_later_mail_always(
    options: dict[str, Any], stored: list[int]
) -> None:
    post = Post(a_mailbox(**options))
    post.server.put(1, date=LONG_AGO)
    post.server.put(2, 3, date=NOON - timedelta(hours=1))
    post.poll()
    assert post.raw.subjects == stored
    assert sorted(post.server.mails) == [number for number in (1, 2, 3) if number not in stored]
    post.wait(hours=1)
    post.server.put(4, date=post.now)
    post.poll()
    assert post.raw.subjects == [*stored, 4]


@pytest.mark.feature("X13")
def test_mail_from_before_the_first_connection_is_marked_old_in_every_part_of_the_backlog() -> None:
    post = Post(a_mailbox(maximum_msg_number=2))
    post.server.put(1, 2, 3, date=LONG_AGO)
    del post.server.dates[3]  # POP3 does not say when mail came
    post.poll()
    post.wait(minutes=1)
    post.server.put(4, date=post.now)
    post.poll(backlog=True)
    post.wait(minutes=1)
    post.server.put(5)
    del post.server.dates[5]
    post.poll()
    old = {stored.metadata["uid"]: stored.metadata.get("old") for stored in post.raw.objects.values()}
    assert old == {"1": "true", "2": "true", "3": "true", "4": None, "5": None}


def test_an_empty_mailbox_remembers_its_first_look_so_that_the_first_mail_is_not_old() -> None:
    post = Post(a_mailbox())
    post.poll()
    assert post.state.position is not None
    assert post.state.position.connected == NOON
    post.wait(hours=1)
    post.server.put(1, date=post.now)
    post.poll()
    assert "old" not in next(iter(post.raw.objects.values())).metadata


@pytest.mark.fault(20)
def test_a_changed_uidvalidity_lists_everything_anew_and_says_so() -> None:
    post = connected(leave_msg_on_server=True)
    post.server.put(1, 2)
    post.poll()
    post.server.validity = "2"
    post.server.seen.clear()
    summary = post.poll()
    assert summary.resynced == 1
    assert len({stored.content for stored in post.raw.objects.values()}) == 2  # the same content: the same interactions
    assert post.state.position is not None
    assert post.state.position.epoch == "2"
    assert post.poll().results == {Result.IDLE: 1}
