"""Servers that take only so many connections from one address: all mailboxes are looked at, and none is paused."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_network
from typing import Any

import pytest
from postroom.adapters.imap.session import ImapConnector
from postroom.adapters.net.host_limits import FIRST, HostLimits
from postroom.adapters.pop3.session import Pop3Connector
from postroom.model.mailbox_state import HealthState
from postroom_cli.mailservers.imap import ImapServer
from postroom_cli.mailservers.pop3 import Pop3Server

from tests.support.mails import mail
from tests.unit.services.polling.fakes import Post, a_mailbox

PASSWORD = "correct horse"
LOOPBACK = (ip_network("127.0.0.0/8"),)
COUNT = 8


@contextmanager
def poller(protocol: str) -> Iterator[tuple[Any, Post]]:
    """A server with eight mailboxes, and a poller of all of them."""
    users = {f"box{number}@example.com": PASSWORD for number in range(COUNT)}
    server: Any = ImapServer(users) if protocol == "IMAP" else Pop3Server(users)
    connector: Any = ImapConnector(LOOPBACK) if protocol == "IMAP" else Pop3Connector(LOOPBACK)
    with server:
        mailboxes = [
            a_mailbox(name.partition("@")[0], type=protocol, server="127.0.0.1", port=server.port,
                      ca_certificate=server.ca_pem, leave_msg_on_server=True)
            for name in users
        ]  # fmt: skip
        post = Post(*mailboxes, connector=connector, monotonic=time.monotonic)
        post.secrets.values.update({f"{mailbox.name}-password": PASSWORD for mailbox in mailboxes})
        yield server, post


@pytest.mark.fault(127)
@pytest.mark.parametrize(("protocol", "most"), [("POP3", 4), ("IMAP", 2), ("POP3", 1)])
def test_all_mailboxes_of_a_server_with_a_limit_are_looked_at_and_none_is_paused(protocol: str, most: int) -> None:
    with poller(protocol) as (server, post):
        server.most_connections = most
        for number in range(COUNT):
            server.store.append(f"box{number}@example.com", "INBOX", mail(subject=str(number)))
        assert post.poll().stored == COUNT
        for _ in range(3):
            assert post.poll().failures == {}
        assert {state.health.state for state in post.states.items.values()} == {HealthState.ACTIVE}
        assert all(state.health.failures == 0 for state in post.states.items.values())


@pytest.mark.fault(127)
def test_a_server_that_lets_nobody_in_is_not_taken_for_one_with_a_limit() -> None:
    with poller("POP3") as (server, post):
        server.faults.greeting = b""
        server.most_connections = -1
        post.poll()
        codes = {state.health.code for state in post.states.items.values()}
        assert codes == {"connection_lost"}
        assert server.turned_away <= 3 * COUNT


def test_a_server_that_holds_gets_more_connections_with_each_that_works() -> None:
    now = [0.0]
    limit = HostLimits(monotonic=lambda: now[0]).of("server")
    places = [limit.take(until=9.0) for _ in range(FIRST)]
    assert all(places)
    for place in places:
        assert place is not None
        place.works()
    assert all(limit.take(until=9.0) for _ in range(FIRST))


def test_a_limit_is_kept_for_ten_minutes_and_then_tried_anew() -> None:
    now = [0.0]
    limit = HostLimits(monotonic=lambda: now[0]).of("server")
    for _ in range(2):
        place = limit.take(until=9.0)
        assert place is not None
        place.works()
    limit.learn()
    assert limit.known == 2
    assert limit.take(until=0.0) is None
    now[0] = 601.0
    assert limit.take(until=601.0) is None
    assert limit.known is None
