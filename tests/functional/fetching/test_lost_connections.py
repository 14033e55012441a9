"""Connections that break: the real services and connector against a server that drops them, storage in memory."""

from __future__ import annotations

import time
from ipaddress import ip_network

import pytest
from postroom.adapters.imap.session import ImapConnector
from postroom.model.mailbox_state import HealthState
from postroom.services.polling import fetch
from postroom_cli.mailservers.imap import Fault, FetchFault, ImapServer

from tests.support.mails import mail
from tests.unit.services.polling.fakes import Post, a_mailbox

pytestmark = pytest.mark.usefixtures("hasty")

USER, PASSWORD = "box@example.com", "correct horse"
MAILS = [mail(subject=str(number)) for number in range(1, 6)]


def post_for(server: ImapServer) -> Post:
    """Make a poller of the one mailbox of a server, connected once."""
    settings = {"server": "127.0.0.1", "port": server.port, "ca_certificate": server.ca_pem}
    connector = ImapConnector(allowed_networks=(ip_network("127.0.0.0/8"),))
    post = Post(a_mailbox("box", **settings), connector=connector, monotonic=time.monotonic)
    post.secrets.values["box-password"] = PASSWORD
    post.poll()
    return post


def contents(post: Post) -> list[bytes]:
    return sorted(stored.content for stored in post.raw.objects.values())


@pytest.mark.fault(29)
@pytest.mark.parametrize("fault", [Fault.DROP, Fault.DROP_AFTER])
@pytest.mark.parametrize("command", ["LOGIN", "EXAMINE", "UID SEARCH", "UID FETCH", "SELECT", "UID STORE", "EXPUNGE"])
def test_a_connection_lost_at_any_command_costs_nothing(command: str, fault: Fault) -> None:
    with ImapServer({USER: PASSWORD}) as server:
        post = post_for(server)
        for content in MAILS:
            server.append(USER, "INBOX", content)
        server.faults.commands[command] = [fault]
        for _ in range(4):
            post.poll()
        assert contents(post) == sorted(MAILS)
        assert server.folder(USER, "INBOX").uids == []
        assert post.state.health.state is HealthState.ACTIVE
        assert post.raw.puts == len(MAILS)


@pytest.mark.fault(25)
@pytest.mark.fault(26)
@pytest.mark.parametrize("fault", list(FetchFault))
def test_a_message_that_comes_wrong_is_never_stored_wrong_and_the_others_are_stored(
    fault: FetchFault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch, "BASE_BUDGET", 1.0)
    with ImapServer({USER: PASSWORD}) as server:
        post = post_for(server)
        for content in MAILS:
            server.append(USER, "INBOX", content)
        server.faults.fetch[3] = fault
        post.poll()
        assert set(MAILS) - {MAILS[2]} <= set(contents(post)) <= set(MAILS)
        server.faults.fetch.clear()
        post.poll()
        post.poll()
        assert contents(post) == sorted(MAILS)
        assert server.folder(USER, "INBOX").uids == []
        assert post.state.balances[-1][1].even


@pytest.mark.feature("G22")
@pytest.mark.fault(30)
def test_a_message_that_hangs_is_given_more_time_alone_and_then_set_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "BASE_BUDGET", 0.3)
    with ImapServer({USER: PASSWORD}) as server:
        post = post_for(server)
        for content in MAILS:
            server.append(USER, "INBOX", content)
        server.faults.fetch[2] = FetchFault.HANG_MID_LITERAL
        times = []
        for _ in range(3):
            started = time.monotonic()
            post.poll()
            times.append(time.monotonic() - started)
            assert set(contents(post)) == set(MAILS) - {MAILS[1]}
        assert all(taken >= 0.3 * 2**tries for tries, taken in enumerate(times))
        assert server.folder(USER, "failedItems").uids == [1]
        assert server.folder(USER, "INBOX").uids == []
