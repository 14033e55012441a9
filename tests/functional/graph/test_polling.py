"""Exchange Online by Microsoft Graph, through the real handler."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from postroom.adapters.dynamo.mailbox_states import DynamoMailboxStates
from postroom.adapters.graph.newest_page import Mark
from postroom.model.mailbox_state import HealthState, MailboxState, Position
from postroom_cli.mailservers.graph_calls import error

from tests.functional.oauth.conftest import Site
from tests.functional.oauth.conftest import site as handler_site  # noqa: F401 - the fixture of whole stacks
from tests.support.aws_calls import aws_calls
from tests.support.mails import mail

pytestmark = [pytest.mark.feature("G24"), pytest.mark.usefixtures("hasty")]


@pytest.fixture(name="site")
def _site(handler_site: Site) -> Site:  # noqa: F811 - a fixture's name is its argument
    handler_site.graph.users.add("support@example.com")
    return handler_site


def graph(**options: Any) -> dict[str, Any]:
    return {"type": "GRAPH", **options}


@pytest.mark.parametrize(
    ("options", "left", "read", "moved"),
    [
        pytest.param({"leave_msg_on_server": True}, 3, 3, 0, id="left-and-marked"),
        pytest.param({}, 0, 0, 0, id="deleted"),
        pytest.param({"processed_items_folder_name": "done"}, 3, 0, 3, id="moved"),
    ],
)
def test_mail_is_stored_and_only_then_dealt_with(
    site: Site, options: dict[str, Any], left: int, read: int, moved: int
) -> None:
    contents = {mail(subject=str(number)) for number in range(3)}
    site.configure(graph(**options))
    site.graph.deliver(*contents)
    for _cycle in range(3):
        site.poll()
    assert set(site.raw()) == contents
    assert len(site.raw()) == 3
    messages = site.graph.messages.values()
    assert (len(messages), sum(one.is_read for one in messages), len(site.graph.within("done"))) == (left, read, moved)


def test_another_mailbox_than_the_address_is_opened_by_login(site: Site) -> None:
    site.configure(graph(login="support@example.com"))
    site.poll()
    assert site.well()


@pytest.mark.fault(15)
def test_a_token_that_ends_while_mail_is_fetched_does_not_stop_the_mailbox(site: Site) -> None:
    contents = {mail(subject=str(number)) for number in range(3)}
    site.configure(graph())
    site.graph.deliver(*contents)
    site.graph.fail("GET", r".*\$value", lambda: error(401, "InvalidAuthenticationToken"), times=3)
    site.poll()
    assert site.health().state is HealthState.RETRYING
    site.poll()
    assert set(site.raw()) == contents
    assert site.well()


@pytest.mark.fault(31)
def test_throttling_is_no_failure_of_the_mailbox(site: Site) -> None:
    site.configure(graph())
    site.graph.fail("GET", ".*", lambda: error(429, "ApplicationThrottled", retry_after="900"), times=50)
    before = datetime.now(UTC)
    site.poll()
    health = site.health()
    assert (health.state, health.code, health.failures) == (HealthState.RETRYING, "throttled", 0)
    assert health.next_try is not None
    assert timedelta(seconds=899) <= health.next_try - before <= timedelta(seconds=930)
    assert health.reason.endswith(f"the server asks to wait until {health.next_try:%Y-%m-%d %H:%M:%S} UTC")
    asked = len(site.graph.seen)
    site.poll()
    assert len(site.graph.seen) == asked


@pytest.mark.fault(31)
def test_a_message_that_cannot_be_converted_is_moved_aside_after_three_tries(site: Site) -> None:
    site.configure(graph(leave_msg_on_server=True))
    site.graph.deliver(b"Subject: broken\r\n\r\nx")
    (good,) = (mail(subject="good"),)
    site.graph.deliver(good)
    site.graph.fail("GET", r".*0001==/\$value", lambda: error(500, "ErrorMimeContentConversionFailed"), times=50)
    for _cycle in range(4):
        site.poll()
    assert site.raw() == [good]
    assert len(site.graph.within("failedItems")) == 1
    assert site.well()


@pytest.mark.feature("S03")
def test_over_size_mail_becomes_an_interaction_from_its_headers(site: Site) -> None:
    site.configure(graph(maximum_msg_size=1, leave_msg_on_server=True))
    head = b"From: a@example.com\r\nSubject: large\r\n\r\n"
    site.graph.deliver(head + b"x" * 3_000_000)
    site.poll()
    site.graph.seen.clear()
    site.poll()
    assert site.raw() == [head]
    assert not [one for one in site.graph.seen if one.endswith("$value")]


@pytest.fixture
def large(site: Site) -> Site:
    """A mailbox with 5,000 stored mails, which stay on the server; the folder was compared a while ago."""
    site.configure(graph(leave_msg_on_server=True))
    ids = site.graph.deliver(*[b"x"] * 5_000, is_read=True)
    now = datetime.now(UTC)
    states = DynamoMailboxStates(site.stack.client("dynamodb"), site.stack.table, site.stack.contents)
    position = Position(known=frozenset(ids), connected=now, cursor=Mark(now - timedelta(hours=2)).text())
    lease = states.take_lease(MailboxState(mailbox="box0"), owner="test", now=now, expires=now)
    assert lease is not None
    states.save(lease, MailboxState(mailbox="box0", position=position), release=True)
    return site


def lists(site: Site) -> int:
    """Count the pages that were read since this was last asked."""
    found = site.graph.seen.count("GET /mailFolders/inbox/messages")
    site.graph.seen.clear()
    return found


def test_a_new_mail_in_a_large_folder_costs_two_pages_and_an_old_one_moved_in_is_found(large: Site) -> None:
    first, second = mail(subject="new"), mail(subject="old")
    large.graph.deliver(first)
    large.poll()
    assert (large.raw(), lists(large)) == ([first], 2)
    large.graph.deliver(second, received=datetime(2019, 1, 1, tzinfo=UTC))
    large.poll()
    assert (sorted(large.raw()), lists(large)) == (sorted([first, second]), 1 + 1 + 21)
    large.poll()
    assert lists(large) == 1
    assert large.well()


def test_a_large_folder_is_compared_once_a_day_and_that_is_remembered(large: Site) -> None:
    state = large.state()
    assert state.position is not None
    states = DynamoMailboxStates(large.stack.client("dynamodb"), large.stack.table, large.stack.contents)
    now = datetime.now(UTC)
    lease = states.take_lease(state, owner="test", now=now, expires=now)
    assert lease is not None
    yesterday = replace(state.position, cursor=Mark(now - timedelta(hours=25)).text())
    states.save(lease, replace(state, position=yesterday), release=True)
    large.begin_anew()
    large.poll()
    assert lists(large) == 1 + 20
    with aws_calls() as calls:
        large.poll()
        large.poll()
    assert (lists(large), calls.writes) == (2, 2)  # each request's looks are noted, and nothing else
    assert calls.of("dynamodb", "PutItem") == 2


@pytest.mark.parametrize(
    ("change", "code"),
    [
        pytest.param(lambda site: site.graph.forbidden.add("box0@example.com"), "permission_missing", id="permission"),
        pytest.param(lambda site: site.graph.users.clear(), "mailbox_missing", id="no-mailbox"),
    ],
)
def test_what_a_person_must_mend_is_said(site: Site, change: Any, code: str) -> None:
    site.configure(graph())
    change(site)
    site.poll()
    health = site.health()
    assert (health.state, health.code) == (HealthState.NEEDS_ATTENTION, code)
    assert health.remedy
