"""Fetching while our own storage fails, another poller overtakes, or the configuration changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from postroom.errors import (
    AccessRefused,
    ConnectFailed,
    FolderMissing,
    LoginRefused,
    MailboxLocked,
    Permanent,
    PostroomError,
    ServerMisbehaved,
    TlsFailed,
    Transient,
)
from postroom.model.configuration.document import Configuration
from postroom.model.mailbox_state import HealthState, Lease, MailboxState, Position
from postroom.model.server_mail import Fetched, FetchFailed, Item, Listing
from postroom.services.polling.outcome import Result

from tests.unit.services.polling.fakes import NOON, ExtendableSession, Post, ServerSession, a_mailbox, connected

pytestmark = pytest.mark.usefixtures("hasty")


@pytest.mark.fault(34)
def test_nothing_is_told_to_the_server_while_the_raw_message_cannot_be_stored() -> None:
    post = connected()
    post.server.put(1)
    post.raw.down = True
    post.poll()
    assert 1 in post.server.mails
    assert post.state.health.step == "store"
    assert post.state.health.state is HealthState.RETRYING
    post.raw.down = False
    post.poll()
    assert post.raw.subjects == [1]
    assert post.server.mails == {}


@pytest.mark.fault(4)
@pytest.mark.parametrize("change", [{"enabled": False}, {"processed_items_folder_name": "done"}])
def test_a_mailbox_that_is_changed_meanwhile_stops_within_one_message(change: dict[str, Any]) -> None:
    post = Post(a_mailbox(), config_check=0.0)
    post.poll()
    post.wait(minutes=5)
    post.server.put(1, 2, 3)
    changed = post.configurations.configuration.mailboxes[0].model_copy(update=change)
    # The next reading begins the poll, then one before the set and one after each message.
    post.configurations.later[post.configurations.readings + 3] = Configuration(mailboxes=(changed,))
    summary = post.poll()
    assert summary.results == {Result.STOPPED: 1}
    assert post.raw.subjects == [1]
    assert sorted(post.server.mails) == [1, 2, 3]
    assert not post.queue.sent
    assert summary.imbalances == 0


@pytest.mark.fault(3)
@pytest.mark.fault(8)
def test_a_poller_that_lost_its_lease_writes_nothing_and_tells_the_server_nothing() -> None:
    post = connected()
    post.server.put(1)
    put = post.raw.put_if_absent

    def overtaken(*args: Any, **kwargs: Any) -> bool:
        state = post.state
        assert state.lease is not None
        post.states.take_lease(state, owner="other", now=state.lease.expires + timedelta(seconds=1), expires=NOON)
        return put(*args, **kwargs)

    post.raw.put_if_absent = overtaken  # type: ignore[method-assign]
    before = post.state.position
    summary = post.poll()
    assert summary.results == {Result.BUSY: 1}
    assert post.state.position == before
    assert 1 in post.server.mails


@pytest.mark.fault(2)
def test_of_two_pollers_that_read_the_same_state_one_fetches() -> None:
    post = connected()
    post.server.put(1)
    stale = dict(post.states.items)
    post.poll()
    post.server.put(1)
    post.states.stale = stale
    assert post.poll().results == {Result.BUSY: 1}
    assert post.raw.puts == 1


@pytest.mark.fault(6)
def test_a_lease_of_a_dead_poller_is_free_thirty_seconds_after_its_function_ended() -> None:
    post = connected()
    post.server.put(1)
    lease = post.states.take_lease(
        post.state, owner="dead", now=post.now, expires=post.now + timedelta(minutes=5, seconds=30)
    )
    assert lease is not None
    assert post.poll().results == {Result.BUSY: 1}
    post.wait(minutes=5, seconds=31)
    assert post.poll().results == {Result.FETCHED: 1}


def test_a_session_whose_deadline_can_be_moved_is_opened_once() -> None:
    post = connected()
    post.server.put(1)
    post.connector.session = ExtendableSession
    post.connector.opened.clear()
    post.poll()
    assert post.connector.opened == ["support"]
    assert post.raw.subjects == [1]
    assert post.server.open_sessions == 0


def test_every_error_of_a_connector_names_the_step_it_belongs_to() -> None:
    post = connected()

    def broken(_position: object) -> None:
        raise ServerMisbehaved("nonsense")

    session = post.connector.open(a_mailbox(), secret="secret", deadline=0)
    session.list = broken  # type: ignore[assignment]
    post.connector.open = lambda *args, **kwargs: session  # type: ignore[method-assign]
    post.server.put(1)
    post.poll()
    assert (post.state.health.step, post.state.health.code) == ("list", "server_misbehaved")


def test_all_errors_are_of_the_tree() -> None:
    assert issubclass(ServerMisbehaved, PostroomError)


@pytest.mark.feature("G07")
@pytest.mark.parametrize("how", ["refused", "broken off"])
def test_a_server_that_gives_out_nothing_for_a_while_costs_no_mail_a_try(how: str) -> None:
    post = connected(delete_bad_formatted_msg=True)
    post.server.put(1, 2, 3, 4, 5, 6)
    faults = post.server.unfetchable if how == "refused" else post.server.breaking
    faults.update(post.server.mails)
    for _ in range(5):
        post.poll()
        post.wait(minutes=11)
    health = post.state.health
    assert (health.state, health.step, health.code) == (HealthState.RETRYING, "fetch", "nothing_fetched")
    assert post.state.position is not None
    assert post.state.position.problems == {}
    assert post.state.balances[-1][1].even
    assert post.state.balances[-1][1].left == 6
    assert not post.queue.sent  # the next try waits for its time
    faults.clear()
    post.poll()
    assert post.raw.subjects == [1, 2, 3, 4, 5, 6]
    assert post.state.health.state is HealthState.ACTIVE


def test_messages_that_cannot_be_had_for_a_day_are_given_up_though_nothing_else_comes() -> None:
    post = connected()
    post.server.put(1, 2)
    post.server.unfetchable = {1, 2}
    for _ in range(24 * 6 + 10):
        post.poll()
        post.wait(minutes=11)
    assert post.server.moved.keys() == {1, 2}


def test_a_good_mail_among_bad_ones_shows_that_the_server_is_well() -> None:
    post = connected()
    post.server.put(1, 2, 3)
    post.server.unfetchable = {1, 2}
    for _ in range(3):
        post.poll()
    assert post.raw.subjects == [3]
    assert post.server.moved.keys() == {1, 2}


@pytest.mark.fault(21)
def test_an_oversize_mail_that_is_taken_away_before_its_headers_are_had_is_no_problem() -> None:
    post = connected(maximum_msg_size=1)
    post.server.put(1, size=1024 * 1024 + 1)
    post.server.put(2)

    class Taken(ServerSession):
        def headers(self, item: Item) -> bytes:
            self.server.mails.pop(int(item.id), None)
            raise Transient("The message is no longer on the server", code="gone", step="fetch")

    post.connector.session = Taken
    summary = post.poll()
    assert (summary.stored, summary.oversize, summary.problem, summary.imbalances) == (1, 0, 0, 0)
    assert post.poll().results == {Result.IDLE: 1}


@pytest.mark.fault(31)
@pytest.mark.parametrize(
    "error",
    [
        Transient("asks for a pause", code="server_busy", step="fetch", retry_after=60),
        MailboxLocked("is asked too much", code="throttled", step="fetch"),
        ConnectFailed("no route", step="connect"),
        AccessRefused("the permission was taken away", code="permission_missing", step="login"),
        Transient("the token ended", code="token_ended", step="fetch"),
    ],
    ids=["pause", "throttled", "network", "permission", "token"],
)
def test_trouble_of_the_server_is_not_blamed_on_the_oversize_mail_whose_headers_were_asked_for(
    error: PostroomError,
) -> None:
    post = connected(maximum_msg_size=1, delete_bad_formatted_msg=True)
    post.server.put(1, size=1024 * 1024 + 1)

    class Troubled(ServerSession):
        def headers(self, item: Item) -> bytes:
            raise error

    post.connector.session = Troubled
    for _ in range(4):
        post.poll()
        post.wait(minutes=11)
    assert post.state.position is not None
    assert post.state.position.problems == {}
    assert post.state.health.code == error.code
    assert 1 in post.server.mails


@pytest.mark.fault(15)
@pytest.mark.parametrize(
    ("error", "state"),
    [
        pytest.param(LoginRefused("no", code="login_refused"), HealthState.RETRYING, id="login"),
        pytest.param(AccessRefused("no", code="token_refused"), HealthState.RETRYING, id="token"),
        pytest.param(AccessRefused("no", code="permission_missing"), HealthState.NEEDS_ATTENTION, id="permission"),
    ],
)
def test_a_login_refused_to_a_session_that_works_is_judged_when_the_mailbox_is_opened_again(
    error: PostroomError, state: HealthState
) -> None:
    post = connected()
    post.server.put(1)

    class Ended(ServerSession):
        def fetch(self, items: Sequence[Item]) -> Iterator[Fetched | FetchFailed]:
            raise error

    post.connector.session = Ended
    post.poll()
    assert post.state.health.state is state
    assert post.state.position is not None
    assert post.state.position.problems == {}


@pytest.mark.fault(39)
def test_a_server_that_cannot_be_told_of_stored_mail_puts_off_no_new_mail() -> None:
    post = connected()
    post.server.act_error = Transient("The folder for processed mail is full", step="act", code="over_quota")
    for number in range(1, 7):
        post.server.put(number, date=post.now)
        post.poll()
        assert post.raw.subjects == list(range(1, number + 1))
        post.wait(minutes=1)
    health = post.state.health
    assert (health.state, health.code, health.next_try) == (HealthState.RETRYING, "over_quota", None)
    writes = len(post.states.writes)
    post.poll()
    assert len(post.states.writes) == writes  # the same refusal once more
    post.server.act_error = None
    post.poll()
    assert post.server.mails == {}
    assert post.state.health.state is HealthState.ACTIVE


@pytest.mark.fault(39)
@pytest.mark.parametrize(
    "error",
    [
        pytest.param(FolderMissing("Not made", step="act"), id="the folder for processed mail is missing"),
        pytest.param(Permanent("Not understood", step="act"), id="the server does not understand"),
    ],
)
def test_a_server_that_only_a_person_can_make_listen_puts_off_no_new_mail(error: PostroomError) -> None:
    post = connected()
    post.server.act_error = error
    for number in range(1, 5):
        post.server.put(number, date=post.now)
        post.poll()
        assert post.raw.subjects == list(range(1, number + 1))
        post.wait(minutes=1)
    assert (post.state.health.state, post.state.health.next_try) == (HealthState.NEEDS_ATTENTION, None)
    post.server.act_error = None
    post.poll()
    assert (post.server.mails, post.state.health.state) == ({}, HealthState.ACTIVE)


@pytest.mark.fault(39)
def test_what_hinders_more_than_telling_the_server_is_tried_again_as_ever() -> None:
    post = connected()
    post.server.act_error = TlsFailed("The certificate has expired", step="tls")
    post.server.put(1, date=post.now)
    post.poll()
    assert post.state.health.next_try == post.now + timedelta(hours=1)


@pytest.mark.fault(39)
def test_a_server_that_asks_to_wait_before_it_is_told_is_left_alone_until_then() -> None:
    post = connected()
    post.server.act_error = Transient("Too much", step="act", code="throttled", retry_after=150.0)
    post.server.put(1, date=post.now)
    post.poll()
    opened = len(post.connector.opened)
    post.wait(minutes=2)
    post.poll()
    assert len(post.connector.opened) == opened
    post.server.act_error = None
    post.wait(minutes=1)
    post.poll()
    assert (post.server.mails, post.state.health.state) == ({}, HealthState.ACTIVE)


@pytest.mark.fault(3)
def test_a_lease_lasts_as_long_as_the_function_also_where_listing_took_long() -> None:
    post = connected()
    expiries: list[datetime] = []
    take = post.states.take_lease

    class Slow(ServerSession):
        def list(self, position: Position | None) -> Listing:
            post.wait(seconds=100)
            post.seconds += 100
            return super().list(position)

    def noted(state: MailboxState, *, owner: str, now: datetime, expires: datetime) -> Lease | None:
        expiries.append(expires)
        return take(state, owner=owner, now=now, expires=expires)

    post.states.take_lease = noted  # type: ignore[method-assign]
    post.connector.session = Slow
    post.server.put(1)
    end = post.now + timedelta(seconds=300)
    assert post.poll(time_left=300.0).stored == 1
    assert all(expires >= end for expires in expiries)
    assert expiries
