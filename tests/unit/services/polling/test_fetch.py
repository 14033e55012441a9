"""Fetching: stored, remembered, and only then told to the server; whatever goes wrong costs no mail."""

from __future__ import annotations

from typing import Any

import pytest
from postroom.errors import ServerMisbehaved
from postroom.services.polling import look
from postroom.services.polling.outcome import Result

from tests.unit.services.polling.fakes import connected

pytestmark = pytest.mark.usefixtures("hasty")


def test_a_new_mail_is_stored_before_it_is_deleted_from_the_server() -> None:
    post = connected()
    post.server.put(1)
    summary = post.poll()
    assert post.raw.subjects == [1]
    assert post.server.mails == {}
    assert post.states.writes == ["lease", "release"]
    assert summary.results == {Result.FETCHED: 1}
    assert summary.stored == 1


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        pytest.param({}, ["delete 1", "delete 2"], id="deleted"),
        pytest.param({"leave_msg_on_server": True}, ["mark-read 1", "mark-read 2"], id="left and marked read"),
        pytest.param({"processed_items_folder_name": "done"}, ["move 1", "move 2"], id="moved"),
        pytest.param(
            {"processed_items_folder_name": "done", "leave_msg_on_server": True}, ["move 1", "move 2"], id="both"
        ),
    ],
)
def test_the_server_is_told_what_the_mailbox_says(options: dict[str, Any], expected: list[str]) -> None:
    post = connected(**options)
    post.server.put(1, 2)
    post.poll()
    assert [command for command in post.server.commands if not command.startswith(("list", "fetch"))] == expected


def test_a_mail_left_on_the_server_is_fetched_once_only() -> None:
    post = connected(leave_msg_on_server=True)
    post.server.put(1)
    post.poll()
    writes = list(post.states.writes)
    assert post.poll().results == {Result.IDLE: 1}
    assert post.states.writes == writes
    assert post.raw.puts == 1


@pytest.mark.fault(42)
def test_a_mail_that_another_client_has_read_is_still_fetched() -> None:
    post = connected(leave_msg_on_server=True)
    post.server.put(1)
    post.server.seen.add(1)
    post.poll()
    assert post.raw.subjects == [1]


def test_what_was_stored_but_not_told_is_told_later_without_a_write() -> None:
    post = connected()
    post.server.put(1)
    post.server.act_error = ServerMisbehaved("NO over quota")
    summary = post.poll()
    assert summary.failures == {"support": "server_misbehaved"}
    assert (post.state.health.state.value, post.state.health.step) == ("retrying", "act")
    assert post.raw.subjects == [1]
    post.server.act_error = None
    assert post.poll().results == {Result.ACTED: 1}
    assert post.server.mails == {}
    assert post.state.health.state.value == "active"
    assert post.raw.puts == 1


def test_at_most_maximum_msg_number_a_cycle_oldest_first_and_the_rest_follows_at_once() -> None:
    post = connected(maximum_msg_number=2)
    post.server.put(1, 2, 3, 4, 5)
    # Without time for a second round, the rest follows in a message of its own.
    post.poll(time_left=look.GOING_ON - 1)
    assert post.raw.subjects == [1, 2]
    assert post.queue.sent == [{"v": 1, "mailboxes": ["support"], "backlog": True, "link": 2}]
    assert post.poll(backlog=True).stored == 3
    assert post.raw.subjects == [1, 2, 3, 4, 5]
    assert len(post.queue.sent) == 1


def test_no_new_set_is_begun_without_time_and_the_rest_follows_at_once() -> None:
    post = connected(maximum_msg_number=1000)
    post.server.put(*range(1, 151))
    fetch = post.polling.raw.put_if_absent

    def slow(*args: Any, **kwargs: Any) -> bool:
        post.seconds += 3
        return fetch(*args, **kwargs)

    post.raw.put_if_absent = slow  # type: ignore[method-assign]
    post.poll(time_left=200)
    assert post.raw.subjects == list(range(1, 101))
    assert post.queue.sent == [{"v": 1, "mailboxes": ["support"], "backlog": True, "link": 2}]
    assert post.state.balances[-1][1].left == 50
    assert post.state.balances[-1][1].even


def test_one_that_cannot_be_fetched_is_tried_three_times_and_never_blocks_the_others() -> None:
    post = connected()
    post.server.put(*range(1, 101))
    post.server.unfetchable.add(1)
    summary = post.poll()
    assert post.raw.subjects == list(range(2, 101))
    assert summary.problem == 1
    for _ in range(2):
        post.server.put(max(post.server.mails) + 200)
        post.poll()
    assert post.state.position is not None
    assert post.state.position.problems == {"1": 3}
    assert post.server.moved.keys() == {1}
    assert post.server.commands.count("fetch 1") == 3
    post.poll()
    assert post.server.commands.count("fetch 1") == 3


def test_one_that_breaks_the_connection_costs_only_itself() -> None:
    post = connected()
    post.server.put(1, 2, 3)
    post.server.breaking.add(2)
    summary = post.poll()
    assert post.raw.subjects == [1, 3]
    assert (summary.stored, summary.problem, summary.imbalances) == (2, 1, 0)
    assert sorted(post.server.mails) == [2]
    post.server.breaking.clear()
    post.poll()
    assert post.raw.subjects == [1, 2, 3]
    assert post.state.position is not None
    assert post.state.position.cursor == "3"
    assert post.state.position.problems == {}
    assert post.server.open_sessions == 0


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        pytest.param({}, "move-failed", id="moved to the failed folder"),
        pytest.param({"delete_bad_formatted_msg": True}, "delete", id="deleted"),
        pytest.param({"move_failed_ews_item": False}, None, id="left"),
        pytest.param({"failed_items_folder_name": ""}, None, id="no folder"),
    ],
)
@pytest.mark.feature("G07", "G13")
def test_what_cannot_be_fetched_ends_as_the_mailbox_says(options: dict[str, Any], expected: str | None) -> None:
    post = connected(**options)
    post.server.put(1)
    post.server.unfetchable.add(1)
    for _ in range(4):
        post.poll()
    acts = [command for command in post.server.commands if not command.startswith(("list", "fetch"))]
    assert acts == ([f"{expected} 1"] if expected else [])
    assert post.server.commands.count("fetch 1") == 3


def test_an_id_without_an_answer_is_an_imbalance_and_is_asked_for_again() -> None:
    post = connected()
    post.server.put(1, 2)
    post.server.silent.add(1)
    summary = post.poll()
    assert summary.imbalances == 1
    assert not post.state.balances[-1][1].even
    post.server.silent.clear()
    assert post.poll().imbalances == 0
    assert post.raw.subjects == [1, 2]


@pytest.mark.fault(21)
def test_a_mail_that_vanishes_while_it_is_fetched_is_no_problem() -> None:
    post = connected()
    post.server.put(1, 2)
    post.server.vanishing.add(1)
    summary = post.poll()
    assert (summary.stored, summary.problem, summary.imbalances) == (1, 0, 0)


@pytest.mark.parametrize(
    ("options", "stored", "acts"),
    [
        pytest.param({}, True, ["mark-read 1"], id="headers, left and marked read"),
        pytest.param({"delete_big_msg": True}, True, ["delete 1"], id="headers, deleted"),
        pytest.param({"enable_big_msg_stripping": False}, False, ["mark-read 1"], id="nothing, marked read"),
    ],
)
@pytest.mark.feature("G08")
def test_an_oversize_mail_is_never_downloaded(options: dict[str, Any], stored: bool, acts: list[str]) -> None:
    post = connected(maximum_msg_size=1, **options)
    post.server.put(1, size=1024 * 1024 + 1)
    summary = post.poll()
    assert summary.oversize == 1
    assert "fetch 1" not in post.server.commands
    assert [command for command in post.server.commands if command.endswith(" 1") and "headers" not in command] == acts
    objects = list(post.raw.objects.values())
    assert bool(objects) is stored
    if stored:
        assert objects[0].content.endswith(b"\r\n\r\n")
        assert len(objects[0].content) < 200
        assert objects[0].metadata["oversize"] == "true"
        assert objects[0].metadata["size"] == str(1024 * 1024 + 1)
    commands = len(post.server.commands)
    assert post.poll().results == {Result.IDLE: 1}
    assert len(post.server.commands) == commands
    assert (1 in post.server.mails) is ("delete_big_msg" not in options)


@pytest.mark.parametrize("size", [None, -1])
@pytest.mark.parametrize("allowed", [False, True])
@pytest.mark.feature("G02")
def test_a_mail_without_a_proper_size_is_fetched_only_where_allowed(size: int | None, allowed: bool) -> None:
    post = connected(allow_bad_msg_size=allowed)
    post.server.put(1, 2)
    post.server.sizes[1] = size
    summary = post.poll()
    assert post.raw.subjects == ([1, 2] if allowed else [2])
    assert (1 in post.server.mails) is not allowed
    assert summary.problem == (0 if allowed else 1)
    assert summary.imbalances == 0
    post.poll()
    post.poll()
    assert post.poll().results == {Result.IDLE: 1}
