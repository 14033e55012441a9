"""An Exchange simulator for each test, whose clients must keep to the schema and leave nothing behind."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from postroom_cli.mailservers.ews import EwsServer
from postroom_cli.mailservers.ews_store import Mailbox

from tests.functional.ews.opening import ADDRESS, PASSWORD
from tests.functional.ews.site import Site
from tests.support.aws_stack import AwsStack


@pytest.fixture
def ews() -> Iterator[EwsServer]:
    """A server with the mailbox box0@example.com."""
    with EwsServer({ADDRESS: PASSWORD}, offers=("Basic",)) as server:
        server.mailboxes[ADDRESS]
        yield server
    assert server.violations == []
    assert server.crashes == []


@pytest.fixture
def box(ews: EwsServer) -> Mailbox:
    """That mailbox."""
    return ews.mailboxes[ADDRESS]


@pytest.fixture
def site(stack: AwsStack, ews: EwsServer, box: Mailbox) -> Site:
    """A stack with its secret entered, and the simulator."""
    made = Site(stack, ews, box)
    made.enter("shared", PASSWORD)
    return made


@pytest.fixture(autouse=True)
def _nothing_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Spooled files go to a folder of this test, and none may be left there."""
    spool = tmp_path / "spool"
    spool.mkdir()
    make = tempfile.mkstemp
    monkeypatch.setattr(tempfile, "mkstemp", lambda prefix, suffix: make(prefix=prefix, suffix=suffix, dir=spool))
    yield
    assert list(spool.iterdir()) == []
