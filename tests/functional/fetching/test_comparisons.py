"""The comparison of a large folder goes on where it stopped, and never stands before new mail.

The family: housekeeping that does not fit into one invocation begins anew in each, and what follows it, the fetching
of new mail, is never reached. Graph lists by received time, EWS by the state of SyncFolderItems, IMAP by one search.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from typing import Any

import pytest
from postroom.adapters.ews import EwsConnector
from postroom.adapters.ews import session as ews_session
from postroom.adapters.graph import session as graph_session
from postroom.adapters.graph.session import GraphConnector
from postroom.adapters.imap.session import ImapSession
from postroom.errors import DeadlineExceeded
from postroom.ports import Connector
from postroom.services.mailboxes.first_connection_preview import preview
from postroom.services.polling.outcome import Result
from postroom_cli.mailservers.ews import EwsServer
from postroom_cli.mailservers.graph import GraphService
from postroom_cli.mailservers.imap import ImapServer

from tests.functional.fetching.test_records import PASSWORD, USER, post_for
from tests.support import certificates
from tests.support.mails import mail
from tests.unit.services.polling.fakes import Post, a_mailbox

pytestmark = pytest.mark.fault(119)

ADDRESS = "box@example.com"
LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
LONG_AGO = datetime(2026, 11, 1, tzinfo=UTC)


class Tokens:
    """Implements ports.Tokens."""

    def access_token(self, mailbox: Any, *, deadline: float, refused: str = "") -> str:
        return "token-1"


@dataclass
class Folder:
    """A folder in which mail stays, read, of which nothing is known yet, and a poller of it."""

    post: Post
    deliver: Callable[..., Any]
    asked: Callable[[], int]  # requests for parts of a list
    forget: Callable[[], None]  # let the comparison be due
    remove: Callable[[], Any]
    log: list[int] = field(default_factory=list)

    def poll(self, seconds: float = 300.0) -> Any:
        before = self.asked()
        summary = self.post.poll(time_left=seconds)
        self.log.append(self.asked() - before)
        return summary


@contextmanager
def graph_folder(**options: Any) -> Iterator[Folder]:
    service = GraphService()
    service.users.add(ADDRESS)
    with service.server(certificates.good()):
        settings = {"type": "GRAPH", "server": service.base, "ca_certificate": certificates.authority().pem}
        mailbox = a_mailbox("box", leave_msg_on_server=True, client_id="c", **settings, **options)
        connector: Connector = GraphConnector(LOOPBACK, sleep=lambda _seconds: None, clock=lambda: post.now)
        post = Post(mailbox, connector=connector, monotonic=time.monotonic)
        post.polling = replace(post.polling, tokens=Tokens())

        def deliver(content: bytes, *, received: datetime, read: bool = False) -> None:
            service.deliver(content, user=ADDRESS, received=received, is_read=read)

        def remove() -> None:
            service.messages.pop(list(service.messages)[1_450])  # where no comparison under way has come yet

        yield Folder(
            post,
            deliver,
            lambda: sum(one.endswith("/messages") for one in service.seen),
            lambda: post.wait(days=2),
            remove,
        )
    assert service.violations == []


@contextmanager
def ews_folder(**options: Any) -> Iterator[Folder]:
    with EwsServer({ADDRESS: PASSWORD}, offers=("Basic",)) as ews:
        box = ews.mailboxes[ADDRESS]
        settings = {"type": "EWS", "server": ews.url, "ca_certificate": ews.ca_pem}
        mailbox = a_mailbox("box", leave_msg_on_server=True, **settings, **options)
        connector: Connector = EwsConnector(LOOPBACK, clock=lambda: post.now)
        post = Post(mailbox, connector=connector, monotonic=time.monotonic)
        post.secrets.values["box-password"] = PASSWORD

        yield Folder(
            post,
            box.deliver,
            lambda: sum(one in ("SyncFolderItems", "FindItem") for one in ews.asked),
            lambda: post.wait(days=2),
            lambda: box.inbox.items.pop(10),  # the newest are told first
        )
    assert ews.violations == []


FOLDERS = {"graph": graph_folder, "ews": ews_folder}
every_folder = pytest.mark.parametrize("make", FOLDERS.values(), ids=FOLDERS.keys())


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A listing has time for one page only, as where each takes Exchange a second."""
    for module in (graph_session, ews_session):
        monkeypatch.setattr(module, "COMPARING_SECONDS", 0.0)


def filled(folder: Folder, number: int) -> None:
    """Fill a folder with old mail that is read, and let it be known."""
    for one in range(number):
        folder.deliver(b"x", received=LONG_AGO + timedelta(minutes=one), read=True)


@every_folder
@pytest.mark.usefixtures("hurried", "hasty")
def test_a_comparison_goes_on_where_it_stopped_with_new_mail_first(make: Any) -> None:
    with make(first_connection="from-now", maximum_msg_number=10) as folder:
        filled(folder, 1_500)
        for _cycle in range(3):
            folder.poll()
        assert folder.post.poll().results == {Result.IDLE: 1}
        folder.forget()
        first, second = mail(subject="1"), mail(subject="2")
        folder.deliver(first, received=folder.post.now, read=False)
        folder.poll(50)  # a short invocation: it ends within the comparison
        assert [raw.content for raw in folder.post.raw.objects.values()] == [first]
        assert folder.log[-1] <= 3
        folder.post.wait(minutes=1)
        folder.deliver(second, received=folder.post.now, read=False)
        folder.remove()
        folder.poll(50)
        assert sorted(raw.content for raw in folder.post.raw.objects.values()) == [first, second]
        moved = mail(subject="3")  # by hand, where this comparison has not come yet
        folder.deliver(moved, received=LONG_AGO + timedelta(minutes=1_400), read=False)
        for _cycle in range(8):
            folder.post.wait(minutes=1)
            folder.poll(50)
        assert len(folder.post.raw.objects) == 3
        position = folder.post.state.position
        assert position is not None
        assert position.seen == frozenset()
        assert len(position.known) + len(position.problems) == 1_502  # and what is gone is forgotten
        assert folder.post.poll().results == {Result.IDLE: 1}
        assert all(balance.even for _at, balance in folder.post.state.balances)


@every_folder
@pytest.mark.usefixtures("hasty")
def test_a_backlog_is_not_listed_as_a_whole_for_each_part_of_it(make: Any) -> None:
    with make(maximum_msg_number=100) as folder:
        for number in range(2_500):
            content = mail(subject=str(number), message_id=f"<{number}@example.org>")
            folder.deliver(content, received=LONG_AGO + timedelta(minutes=number))
        folder.poll(75)
        assert len(folder.post.raw.objects) >= 100
        assert folder.log[-1] <= 6 * (len(folder.post.raw.objects) // 100 + 1)
        while len(folder.post.raw.objects) < 2_500:
            before = len(folder.post.raw.objects)
            folder.poll(75)
            assert len(folder.post.raw.objects) > before
        assert sum(folder.log) <= 25 * 8
        folder.poll()
        assert folder.post.poll().results == {Result.IDLE: 1}


@every_folder
@pytest.mark.usefixtures("hurried", "hasty")
def test_a_preview_shows_all_parts_of_a_large_folder(make: Any) -> None:
    with make() as folder:
        filled(folder, 1_200)
        (mailbox,) = folder.post.configurations.configuration.mailboxes
        polling = folder.post.polling
        seen = preview(mailbox, connectors=polling.connectors, secrets=polling.secrets, tokens=polling.tokens)
        assert (seen.messages, seen.wanted) == (1_200, 1_200)


@pytest.mark.usefixtures("hasty")
def test_an_imap_comparison_that_takes_too_long_lets_new_mail_through(monkeypatch: pytest.MonkeyPatch) -> None:
    def endless(_session: ImapSession, _position: Any, _stored: Any) -> Any:
        raise DeadlineExceeded("no answer in time", step="list")

    with ImapServer({USER: PASSWORD}) as server:
        post = post_for(server.port, server.ca_pem, leave_msg_on_server=True)
        server.append(USER, "INBOX", mail(subject="1"))
        post.poll()
        post.wait(days=2)
        with monkeypatch.context() as patch:
            patch.setattr(ImapSession, "compare", endless)
            server.append(USER, "INBOX", mail(subject="2"))
            post.poll()
        assert len(post.raw.objects) == 2
        compared = post.state.position.compared if post.state.position else None
        post.wait(minutes=1)
        post.poll()
        assert post.state.position is not None
        assert compared != post.state.position.compared  # it was still due
