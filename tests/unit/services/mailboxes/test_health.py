"""Health: three failed connects, then a probe; what only a person can mend stops at once; success heals."""

from __future__ import annotations

from datetime import timedelta

import pytest
from postroom.errors import (
    AccessRefused,
    ConnectFailed,
    DeadlineExceeded,
    FolderMissing,
    LoginRefused,
    MailboxLocked,
    NotFound,
    Permanent,
    PostroomError,
    ServerMisbehaved,
    TlsFailed,
    Transient,
)
from postroom.model.mailbox_state import Health, HealthState
from postroom.services.mailboxes import health

from tests.unit.services.polling.fakes import NOON, Post, a_mailbox

MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize("error", [ConnectFailed, ServerMisbehaved, DeadlineExceeded])
@pytest.mark.feature("C05")
def test_three_failures_in_a_row_bring_the_ten_minute_probe(error: type[PostroomError]) -> None:
    now, state = NOON, Health(last_success=NOON - MINUTE)
    for failures in (1, 2, 3, 4):
        state = health.failed(state, error("no answer", step="connect"), now=now)
        assert (state.state, state.failures, state.step) == (HealthState.RETRYING, failures, "connect")
        assert (state.next_try == now + 10 * MINUTE) is (failures >= 3)
        assert state.since == NOON
        assert state.last_success == NOON - MINUTE
        now += MINUTE
    assert not health.may_be_tried(state, now=now, same_settings=True)
    assert health.may_be_tried(state, now=now + 9 * MINUTE, same_settings=True)
    assert health.may_be_tried(state, now=now, same_settings=False)


@pytest.mark.parametrize(
    ("error", "probe"),
    [
        pytest.param(LoginRefused("wrong"), None, id="wrong password: never by itself"),
        pytest.param(AccessRefused("no permission"), timedelta(hours=1), id="permission: hourly"),
        pytest.param(TlsFailed("expired"), timedelta(hours=1), id="certificate: hourly"),
        pytest.param(FolderMissing("none"), timedelta(hours=1), id="folder: hourly"),
        pytest.param(Permanent("address refused"), timedelta(hours=1), id="refused address: hourly"),
        pytest.param(NotFound("no secret"), timedelta(minutes=10), id="secret not entered: ten minutes"),
    ],
)
@pytest.mark.feature("C05")
def test_what_a_person_must_mend_stops_at_once(error: PostroomError, probe: timedelta | None) -> None:
    state = health.failed(Health(), error, now=NOON, step="login")
    assert state.state is HealthState.NEEDS_ATTENTION
    assert state.next_try == (NOON + probe if probe else None)
    assert not health.may_be_tried(state, now=NOON + MINUTE, same_settings=True)
    assert health.may_be_tried(state, now=NOON + MINUTE, same_settings=False)
    assert (state.reason, state.remedy, state.step) == (error.what, error.remedy, "login")


def test_a_locked_mailbox_waits_without_counting_as_a_failure() -> None:
    state = health.failed(Health(failures=2), MailboxLocked("in use"), now=NOON)
    assert (state.failures, state.next_try) == (2, NOON + 10 * MINUTE)


@pytest.mark.feature("C05")
@pytest.mark.parametrize("error", [MailboxLocked, ConnectFailed, Transient])
@pytest.mark.parametrize(
    ("seconds", "minutes"), [(90.0, 1.5), (7200.0, 120), (9e9, 24 * 60), (0.0, 0)], ids=["short", "long", "absurd", "0"]
)
def test_a_server_that_asks_to_wait_is_left_alone_until_then_and_that_is_no_failure(
    error: type[PostroomError], seconds: float, minutes: float
) -> None:
    asked = error("too much", retry_after=seconds)
    state = health.failed(Health(failures=2), asked, now=NOON)
    due = NOON + minutes * MINUTE
    assert (state.state, state.failures, state.next_try) == (HealthState.RETRYING, 2, due)
    assert state.reason == f"too much: the server asks to wait until {due:%Y-%m-%d %H:%M:%S} UTC"
    assert health.may_be_tried(state, now=due, same_settings=True)
    assert not health.may_be_tried(state, now=due - timedelta(seconds=1), same_settings=True)
    assert len(health.failed(Health(), error("x" * 1000, retry_after=1), now=NOON).reason) == 300


@pytest.mark.fault(7)
def test_a_next_try_that_a_wrong_clock_put_far_off_does_not_keep_a_mailbox_from_being_tried() -> None:
    state = health.failed(Health(), MailboxLocked("in use"), now=NOON + timedelta(days=400))
    assert health.may_be_tried(state, now=NOON, same_settings=True)


def test_what_only_a_person_can_mend_does_not_pass_by_waiting() -> None:
    state = health.failed(Health(), LoginRefused("wrong", retry_after=1), now=NOON)
    assert (state.state, state.next_try) == (HealthState.NEEDS_ATTENTION, None)


def test_success_of_a_healthy_mailbox_changes_nothing_at_all() -> None:
    well = Health(last_success=NOON)
    assert health.succeeded(well, now=NOON + MINUTE) is well


def test_success_heals() -> None:
    ill = health.failed(Health(), ConnectFailed("no answer"), now=NOON)
    assert health.succeeded(ill, now=NOON + MINUTE) == Health(last_success=NOON + MINUTE)


def test_a_mailbox_that_is_switched_off_is_shown_inactive() -> None:
    ill = health.failed(Health(), LoginRefused("wrong"), now=NOON)
    assert health.shown(ill, a_mailbox(enabled=False)).state is HealthState.INACTIVE
    assert health.shown(ill, a_mailbox()) is ill


def test_a_mailbox_in_back_off_is_not_connected_to() -> None:
    post = Post(a_mailbox())
    post.poll()
    post.connector.errors["support"] = ConnectFailed("no answer", step="connect")
    for _ in range(5):
        post.poll()
    assert len(post.connector.opened) == 2 + 3  # the first look opened twice: it fetched
    assert post.states.writes[2:] == ["health"] * 3
    post.connector.errors.clear()
    post.wait(minutes=10)
    post.server.put(1)
    assert post.poll().stored == 1
    assert post.state.health.state is HealthState.ACTIVE


@pytest.mark.feature("C05")
def test_a_wrong_password_is_tried_once_until_the_settings_change() -> None:
    post = Post(a_mailbox())
    post.server.password = "rotated away"
    for _ in range(5):
        post.poll()
        post.wait(hours=1)
    assert post.connector.opened == ["support"]
    assert post.secrets.reads == 2  # once, and once more in case it was rotated
    assert post.state.health.state is HealthState.NEEDS_ATTENTION
    post.secrets.values["new"] = "rotated away"
    changed = a_mailbox(password={"secret": "new"})
    post.configurations.configuration = post.configurations.configuration.model_copy(update={"mailboxes": (changed,)})
    post.server.put(1)
    assert post.poll().stored == 1


@pytest.mark.fault(18)
def test_a_rotated_password_is_read_anew_once() -> None:
    post = Post(a_mailbox())
    post.poll()
    post.secrets.values["support-password"] = post.server.password = "new"
    post.server.put(1)
    assert post.poll().stored == 1
    assert post.state.health.state is HealthState.ACTIVE


def test_a_secret_that_nobody_entered_is_named_as_the_reason() -> None:
    post = Post(a_mailbox())
    post.secrets.values["support-password"] = ""
    post.poll()
    assert (post.state.health.step, post.state.health.code) == ("login", "secret_missing")


@pytest.mark.feature("C05")
def test_a_mailbox_that_an_administrator_enables_again_is_tried_at_once_and_catches_up() -> None:
    post = Post(a_mailbox())
    post.poll()
    post.server.password = "changed"
    post.poll()
    post.server.put(1, 2)
    assert post.poll().stored == 0
    post.secrets.values["support-password"] = "changed"
    health.forgive(a_mailbox(), states=post.states)
    assert post.poll().stored == 2
