"""Looking: free of writes, side by side, and no mailbox waits for another."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import Any

import pytest
from postroom.errors import ConnectFailed, MailboxLocked, Transient
from postroom.model.configuration.mailbox import Mailbox
from postroom.model.mailbox_state import HealthState, Position
from postroom.services.polling import fetch, look
from postroom.services.polling.look import poll
from postroom.services.polling.outcome import Result

from tests.unit.services.polling.fakes import NOON, Post, Server, ServerSession, a_mailbox


def a_hundred(count: int = 100) -> Post:
    return Post(*(a_mailbox(f"box{number}") for number in range(count)))


def test_a_hundred_idle_mailboxes_cost_two_reads_and_no_write() -> None:
    post = a_hundred()
    post.poll()
    post.states.writes.clear()
    post.states.loads = post.configurations.readings = post.secrets.reads = 0
    summary = post.poll()
    assert summary.results == {Result.IDLE: 100}
    assert (post.states.loads, post.configurations.readings, post.secrets.reads) == (1, 1, 0)
    assert post.states.writes == []
    assert post.raw.puts == 0


def test_one_line_is_logged_for_a_message_and_none_for_an_idle_mailbox(caplog: pytest.LogCaptureFixture) -> None:
    post = a_hundred(10)
    post.poll()
    caplog.clear()
    caplog.set_level("INFO", logger="postroom")
    post.poll()
    assert [record.getMessage() for record in caplog.records] == ["polled"]
    assert caplog.records[0].__dict__["idle"] == 10


def test_mailboxes_of_a_message_are_looked_at_at_the_same_time() -> None:
    together = threading.Barrier(20, timeout=10)

    class Waiting(ServerSession):
        def look(self, position: Position | None) -> bool:
            together.wait()
            return False

    post = a_hundred(20)
    post.poll()
    post.connector.session = Waiting
    assert post.poll().results == {Result.IDLE: 20}


class Hanging:
    """A connector that never comes back for one mailbox."""

    def __init__(self, post: Post, name: str) -> None:
        self.post, self.name, self.release = post, name, threading.Event()

    def open(self, mailbox: Mailbox, *, secret: str, deadline: float, ask: Position | None = None) -> ServerSession:
        if mailbox.name == self.name:
            self.release.wait(30)
            raise ConnectFailed("at last", step="connect")
        return self.post.connector.open(mailbox, secret=secret, deadline=deadline)


@pytest.mark.feature("X15")
@pytest.mark.fault(13)
def test_one_that_hangs_for_ever_delays_none_and_is_left_behind_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    # Margins that a test need not wait for; the order of deadlines stays as it is.
    for module, name in ((look, "SAVING"), (look, "LAST_MOMENT"), (fetch, "SAVING"), (fetch, "LEAST")):
        monkeypatch.setattr(module, name, 0.3)
    post = a_hundred(10)
    hanging = Hanging(post, "box3")
    for number in range(10):
        post.servers[f"box{number}"].put(1)
    polling = replace(
        post.polling, connectors=dict.fromkeys(post.polling.connectors, hanging), monotonic=time.monotonic
    )
    message = {"v": 1, "mailboxes": list(post.servers), "backlog": False}
    try:
        started = time.monotonic()
        summary = poll(message, polling=polling, deadline=started + 2)
        assert time.monotonic() - started < 2
    finally:
        hanging.release.set()
    assert summary.stored == 9
    assert summary.failures == {"box3": "deadline_exceeded"}


def test_disabled_and_unknown_mailboxes_of_a_message_in_flight_are_skipped() -> None:
    post = Post(a_mailbox("on"), a_mailbox("off", enabled=False))
    summary = post.poll("on", "off", "gone")
    assert summary.mailboxes == 1
    assert post.connector.opened[0] == "on"


@pytest.mark.parametrize(
    ("error", "state"),
    [
        pytest.param(ConnectFailed("x", step="dns"), "retrying", id="dns"),
        pytest.param(MailboxLocked("x", step="login"), "retrying", id="locked"),
    ],
)
def test_a_mailbox_that_fails_costs_the_others_nothing(error: Exception, state: str) -> None:
    post = a_hundred(3)
    post.poll()
    for server in post.servers.values():
        server.put(1)
    post.connector.errors["box1"] = error
    summary = post.poll()
    assert summary.stored == 2
    assert post.states.items["box1"].health.state == state
    assert post.states.items["box1"].health.step == error.step  # type: ignore[attr-defined]


@pytest.mark.fault(5)
def test_no_mail_is_fetched_while_the_lease_cannot_be_taken() -> None:
    post = Post(a_mailbox())
    post.poll()
    post.server.put(1)
    take = post.states.take_lease

    def throttled(*args: Any, **kwargs: Any) -> Any:
        raise Transient("throttled", code="aws_busy")

    post.states.take_lease = throttled  # type: ignore[method-assign]
    writes = len(post.states.writes)
    assert post.poll().failures == {"support": "aws_busy"}
    assert post.raw.puts == 0
    assert len(post.states.writes) == writes
    post.states.take_lease = take  # type: ignore[method-assign]
    assert post.poll().stored == 1


def test_an_error_nobody_expects_comes_out_after_the_other_mailboxes_are_through() -> None:
    post = a_hundred(3)
    post.poll()
    for server in post.servers.values():
        server.put(1)
    post.connector.errors["box1"] = ZeroDivisionError("a bug")
    with pytest.raises(ZeroDivisionError):
        post.poll()
    assert len(post.raw.objects) == 2


def test_lag_is_the_age_of_the_oldest_new_mail() -> None:
    post = a_hundred(2)
    post.poll()
    post.wait(minutes=20)
    server: Server = post.servers["box1"]
    server.put(1, date=post.now)
    post.wait(minutes=3)
    assert post.poll().lag == 180.0


def test_a_fault_of_our_own_is_seen_at_its_mailbox_once_and_hides_nothing_of_what_follows() -> None:
    post = Post(a_mailbox())
    post.poll()
    post.states.writes.clear()
    post.connector.errors["support"] = ZeroDivisionError("a bug with a secret in its text")
    for _cycle in range(5):
        with pytest.raises(ZeroDivisionError):
            post.poll()
    seen = post.state.health
    assert (seen.state, seen.code, seen.since) == (HealthState.RETRYING, "unexpected", NOON)
    assert "ZeroDivisionError" in seen.reason
    assert "secret" not in seen.reason
    assert post.states.writes == ["health"]
    post.connector.errors.clear()
    post.poll()
    assert post.state.health.state is HealthState.ACTIVE
