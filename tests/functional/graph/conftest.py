"""A Graph service, and sessions on it."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from postroom.adapters.graph.newest_page import Mark
from postroom.adapters.graph.session import GraphConnector, GraphSession
from postroom.model.configuration.mailbox import Mailbox
from postroom.model.mailbox_state import Position
from postroom.model.server_mail import Fetched, FetchFailed, Item
from postroom_cli.mailservers.graph import GraphService
from postroom_cli.mailservers.https import HttpsServer

from tests.support import certificates

LOOPBACK = (ip_network("127.0.0.0/8"),)


@dataclass
class Site:
    """A service, its connector, and the waits that it was told to make."""

    service: GraphService
    server: HttpsServer
    waits: list[float] = field(default_factory=list)
    now: datetime = datetime(2026, 11, 21, 13, tzinfo=UTC)

    def __post_init__(self) -> None:
        self.connector = GraphConnector(LOOPBACK, sleep=self.waits.append, clock=lambda: self.now)

    def known(self, *, compared: timedelta = timedelta(0)) -> Position:
        """Where a mailbox stands of which everything is stored; the whole folder was compared so long ago."""
        return Position(known=frozenset(self.service.messages), cursor=Mark(self.now - compared).text())

    def mailbox(self, **options: Any) -> Mailbox:
        """A mailbox of the tenant."""
        given = {
            "name": "box0",
            "address": "box0@example.com",
            "type": "GRAPH",
            "server": self.server.url,
            "client_id": "c",
            "leave_msg_on_server": True,
            "ca_certificate": certificates.authority().pem,
            **options,
        }
        return Mailbox.model_validate(given)

    @contextmanager
    def session(
        self, *, token: str = "token-1", seconds: float = 20, ask: Position | None = None, **options: Any
    ) -> Iterator[GraphSession]:
        """Open; the deadline is so many seconds from now."""
        mailbox = self.mailbox(**options)
        session = self.connector.open(mailbox, secret=token, deadline=time.monotonic() + seconds, ask=ask)
        try:
            yield session
        finally:
            session.close()


def collect(session: GraphSession, items: Sequence[Item]) -> tuple[dict[str, bytes], dict[str, FetchFailed]]:
    """Fetch; the contents by id in the order they came, and the failures. Deletes the spooled files."""
    contents: dict[str, bytes] = {}
    failures: dict[str, FetchFailed] = {}
    for result in session.fetch(items):
        if isinstance(result, Fetched):
            contents[result.item.id] = result.path.read_bytes()
            assert result.size == len(contents[result.item.id])
            result.path.unlink()
        else:
            failures[result.item.id] = result
    return contents, failures


@pytest.fixture
def site() -> Iterator[Site]:
    """A service with one empty mailbox; whatever the real one would not understand fails the test."""
    service = GraphService()
    with service.server(certificates.good()) as server:
        yield Site(service, server)
    assert service.violations == []
    assert service.most_at_once <= 4


@pytest.fixture(autouse=True)
def _nothing_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Spooled files go to a folder of this test, and none may be left there."""
    spool = tmp_path / "spool"
    spool.mkdir()
    make = tempfile.mkstemp
    monkeypatch.setattr(tempfile, "mkstemp", lambda prefix, suffix: make(prefix=prefix, suffix=suffix, dir=spool))
    yield
    assert list(spool.iterdir()) == []
