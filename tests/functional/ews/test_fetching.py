"""Fetching from Exchange through the real handler: what mailboxes ask for, and servers that misbehave."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from postroom import bootstrap
from postroom.model.mailbox_state import HealthState
from postroom_cli.mailservers.ews_store import Code, Cut, Fault, Planted, Status

from tests.functional.ews.opening import ADDRESS, PASSWORD
from tests.functional.ews.site import Site
from tests.support.mails import mail

pytestmark = pytest.mark.usefixtures("hasty")


@pytest.mark.feature("G20", "G21", "G24")
@pytest.mark.parametrize(
    ("options", "left", "done"),
    [
        pytest.param({}, 0, 0, id="deleted"),
        pytest.param({"leave_msg_on_server": True}, 2, 0, id="left and marked read"),
        pytest.param({"processed_items_folder_name": "Archive/Done"}, 0, 2, id="moved to a folder that is made"),
    ],
)
def test_mail_is_stored_exactly_once_and_then_the_server_is_told(
    site: Site, options: dict[str, Any], left: int, done: int
) -> None:
    site.configure(**options)
    first, second = mail(subject="One"), mail(subject="Two", body="\x00binary\n.\n")
    site.box.deliver(first)
    site.poll()
    site.box.deliver(second)
    for _ in range(3):
        site.poll()
    assert sorted(content for content, _facts in site.raw()) == sorted([first, second])
    assert len(site.box.inbox.items) == left
    assert all(item.read for item in site.box.inbox.items)
    if done:
        assert [item.content for item in site.box.folder("Archive/Done").items] == [first, second]
    state = site.state()
    assert state.health.state is HealthState.ACTIVE
    assert all(balance.even for _at, balance in state.balances)


@pytest.mark.feature("G24")
def test_an_idle_look_asks_one_question_where_the_folder_is_known_and_fetches_nothing(site: Site) -> None:
    site.configure(leave_msg_on_server=True)
    site.box.deliver(mail())
    site.poll()
    site.ews.asked.clear()
    site.poll()
    assert site.ews.asked == ["SyncFolderItems"]
    bootstrap.forget()
    site.ews.asked.clear()
    site.poll()
    assert site.ews.asked == ["GetFolder", "SyncFolderItems"]


@pytest.mark.feature("G08")
@pytest.mark.parametrize(
    ("options", "left"),
    [
        pytest.param({}, 1, id="left and marked read"),
        pytest.param({"delete_big_msg": True}, 0, id="deleted"),
    ],
)
def test_over_size_mail_is_an_interaction_of_its_headers_only(site: Site, options: dict[str, Any], left: int) -> None:
    site.configure(maximum_msg_size=1, **options)
    site.box.deliver(mail(subject="Huge", body="B" * 1_100_000))
    for _ in range(3):
        site.poll()
    ((content, _facts),) = site.raw()
    assert b"Subject: Huge" in content
    assert len(content) < 2_000
    assert len(site.box.inbox.items) == left
    assert all(item.read for item in site.box.inbox.items)
    assert site.ews.asked.count("GetItem") == 1


@pytest.mark.feature("G13")
def test_an_item_that_cannot_be_had_is_moved_aside_after_three_tries(site: Site) -> None:
    site.configure(failed_items_folder_name="Failed/Mail")
    site.box.deliver(mail(subject="Bad"), fault="ErrorItemCorrupt")
    site.box.deliver(mail(subject="Good"))
    for _ in range(4):
        site.poll()
    assert [b"Good" in content for content, _facts in site.raw()] == [True]
    assert [b"Bad" in item.content for item in site.box.folder("Failed/Mail").items] == [True]
    assert site.box.inbox.items == []


@pytest.mark.feature("G13")
def test_a_failed_items_folder_that_cannot_be_made_is_told_and_loses_nothing(site: Site) -> None:
    site.configure(leave_msg_on_server=True)
    bad = site.box.deliver(mail(subject="Bad"), fault="ErrorItemCorrupt")
    site.poll()
    site.ews.plant("CreateFolder", Code("ErrorAccessDenied"))
    site.poll()
    site.poll()
    health = site.state().health
    assert (health.state, health.code, health.step) == (HealthState.RETRYING, "folder_not_created", "act")
    assert "failedItems" in health.remedy
    assert site.box.inbox.items == [bad]


@pytest.mark.feature("G23")
def test_a_shared_mailbox_is_polled_with_the_account_of_a_service(site: Site) -> None:
    site.ews.users["robot@example.com"] = PASSWORD
    site.ews.may_open.add(("robot@example.com", ADDRESS))
    site.configure(service_account="robot@example.com")
    site.box.deliver(mail())
    site.poll()
    assert len(site.raw()) == 1
    assert site.box.inbox.items == []


@pytest.mark.feature("G14")
def test_a_nested_folder_is_polled(site: Site) -> None:
    support = site.box.add_folder("Support", site.box.inbox.id)
    site.box.add_folder("Nord", support.id)
    site.configure(folder_path="Support/Nord")
    site.box.deliver(mail(subject="Elsewhere"))
    site.box.deliver(mail(subject="Here"), folder="Support/Nord")
    site.poll()
    ((content, _facts),) = site.raw()
    assert b"Here" in content
    assert len(site.box.inbox.items) == 1


@pytest.mark.feature("X13")
def test_the_first_connection_leaves_old_mail_alone(site: Site) -> None:
    site.configure(first_connection="from-now")
    old = site.box.deliver(mail(subject="Old"), received=datetime.now(UTC) - timedelta(days=7))
    site.poll()
    site.box.deliver(mail(subject="New"))
    for _ in range(2):
        site.poll()
    assert [b"New" in content for content, _facts in site.raw()] == [True]
    assert site.box.inbox.items == [old]


@pytest.mark.fault(31)
@pytest.mark.parametrize(
    "operation",
    [*(pytest.param(name, marks=pytest.mark.slow) for name in ("GetFolder", "FindItem")), "GetItem", "DeleteItem"],
)
@pytest.mark.parametrize(
    ("planted", "code"),
    [
        pytest.param(Fault("ErrorServerBusy", back_off=60_000), "server_busy", id="busy, with a pause"),
        pytest.param(Code("ErrorServerBusy"), "server_busy", id="busy"),
        pytest.param(Status(503, {"Retry-After": "60"}), "server_busy", id="503"),
        pytest.param(Fault("ErrorMailboxStoreUnavailable"), "unavailable", id="store unavailable"),
        pytest.param(Cut(0.5), "connection_lost", id="connection lost"),
    ],
)
def test_a_busy_server_loses_and_doubles_nothing(site: Site, operation: str, planted: Planted, code: str) -> None:
    site.configure()
    site.poll()
    content = mail()
    site.box.deliver(content)
    site.ews.plant(operation, planted)
    if operation == "GetFolder":  # a process that knows the folder does not ask for it
        bootstrap.forget()
    site.poll()
    health = site.state().health
    if code == "connection_lost" and operation == "GetItem":  # a message that breaks connections is tried by itself
        assert health.state is HealthState.ACTIVE
    else:
        assert (health.state, health.code) == (HealthState.RETRYING, code)
    if health.next_try is not None:  # it would be ten minutes
        site.configure(description="Changed, so tried at once")
    for _ in range(2):
        site.poll()
    assert [stored for stored, _facts in site.raw()] == [content]
    assert site.box.inbox.items == []
    assert site.state().health.state is HealthState.ACTIVE


@pytest.mark.fault(31)
def test_an_item_that_vanishes_between_listing_and_fetching_is_no_fault(site: Site) -> None:
    site.configure()
    gone = site.box.deliver(mail(subject="Gone"), fault="ErrorItemNotFound")
    site.box.deliver(mail(subject="Here"))
    site.poll()
    site.box.inbox.items.remove(gone)
    site.poll()
    state = site.state()
    assert [b"Here" in content for content, _facts in site.raw()] == [True]
    assert state.health.state is HealthState.ACTIVE
    assert all(balance.even and not balance.problem for _at, balance in state.balances)


@pytest.mark.fault(31)
@pytest.mark.parametrize("options", [{}, {"leave_msg_on_server": True}], ids=["deleted", "left and marked read"])
def test_an_item_that_exchange_lists_but_once_does_not_find_is_fetched_later_and_not_deleted_unread(
    site: Site, options: dict[str, Any]
) -> None:
    site.configure(**options)
    item = site.box.deliver(mail(subject="Hidden"), fault="ErrorItemNotFound")  # also said while a right is missing
    site.poll()
    assert site.box.inbox.items == [item]
    assert not item.read
    item.fault = ""
    for _ in range(2):
        site.poll()
    assert [b"Hidden" in content for content, _facts in site.raw()] == [True]
    assert site.box.inbox.items == ([item] if options else [])


@pytest.mark.fault(31)
def test_an_item_that_exchange_lists_and_never_finds_is_given_up_after_three_tries_and_not_deleted(site: Site) -> None:
    site.configure(failed_items_folder_name="Failed")
    ghost = site.box.deliver(mail(subject="Ghost"), fault="ErrorItemNotFound")
    site.box.deliver(mail(subject="Here"))
    for _ in range(5):
        site.poll()
    assert [b"Here" in content for content, _facts in site.raw()] == [True]
    assert site.ews.asked.count("GetItem") == 3  # and not in every cycle from now on
    position = site.state().position
    assert position is not None
    assert [reason for reason in position.reasons.values() if "lists it" in reason]
    assert site.box.folder("Failed").items == [ghost]


def test_a_wrong_password_is_tried_once_and_never_again_until_it_is_changed(site: Site) -> None:
    site.ews.users[ADDRESS] = "changed"
    site.configure()
    for _ in range(3):
        site.poll()
    assert site.ews.authorizations.count("Basic") == 1
    health = site.state().health
    assert (health.state, health.code) == (HealthState.NEEDS_ATTENTION, "login_refused")
