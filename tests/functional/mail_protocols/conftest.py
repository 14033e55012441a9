"""Servers that the tests of this folder share; each test gets a mailbox of its own on them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from postroom_cli.mailservers import ImapServer

from tests.functional.mail_protocols.hosts import USERS, Embedded, Host, Real
from tests.support.dovecot import Dovecot, dovecot


@pytest.fixture(scope="package")
def real() -> Iterator[Dovecot]:
    """A Dovecot; skips where it is not installed."""
    with dovecot(USERS) as server:
        yield server


@pytest.fixture
def embedded() -> Iterator[Embedded]:
    """An embedded IMAP server of one's own, with one mailbox."""
    with ImapServer(USERS) as server:
        yield Embedded(server)


@pytest.fixture(params=["embedded", "dovecot"])
def host(request: pytest.FixtureRequest) -> Host:
    """A fresh mailbox, on either server."""
    if request.param == "embedded":
        found: Embedded = request.getfixturevalue("embedded")
        return found
    return Real(request.getfixturevalue("real"))


@pytest.fixture(autouse=True)
def _nothing_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Spooled files go to a folder of this test, and none may be left there."""
    spool = tmp_path / "spool"
    spool.mkdir()
    make = tempfile.mkstemp
    monkeypatch.setattr(tempfile, "mkstemp", lambda prefix, suffix: make(prefix=prefix, suffix=suffix, dir=spool))
    yield
    assert list(spool.iterdir()) == []
