"""Mailboxes and sessions for these tests."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from ipaddress import ip_network
from typing import Any

from postroom.adapters.imap.session import ImapConnector, ImapSession
from postroom.adapters.pop3.session import Pop3Connector, Pop3Session
from postroom.model.configuration.mailbox import Mailbox, Type
from postroom.model.mailbox_state import Position
from postroom.model.server_mail import Fetched, FetchFailed, Item

from tests.functional.mail_protocols.hosts import PASSWORD, Host

LOOPBACK = (ip_network("127.0.0.0/8"),)


def mailbox(port: int, ca_pem: str = "", *, user: str = "user0", type_: Type = Type.IMAP, **options: Any) -> Mailbox:
    """A mailbox on this machine."""
    options.setdefault("leave_msg_on_server", True)
    return Mailbox(
        name="test",
        address="test@example.com",
        login=user,
        type=type_,
        server=options.pop("server", "127.0.0.1"),
        port=port,
        ca_certificate=ca_pem or None,
        **options,
    )


@contextmanager
def imap_session(
    box: Mailbox, *, secret: str = PASSWORD, seconds: float = 60.0, plaintext: bool = False, ask: Position | None = None
) -> Iterator[ImapSession]:
    """Open by IMAP; the deadline is so many seconds from now."""
    connector = ImapConnector(LOOPBACK, allow_plaintext_credentials=plaintext)
    session = connector.open(box, secret=secret, deadline=time.monotonic() + seconds, ask=ask)
    try:
        yield session
    finally:
        session.close()


@contextmanager
def on_host(host: Host, **options: Any) -> Iterator[ImapSession]:
    """Open a host's mailbox by IMAP."""
    with imap_session(mailbox(host.port, host.ca_pem, user=host.user, **options)) as session:
        yield session


@contextmanager
def pop3_session(
    box: Mailbox, *, secret: str = PASSWORD, seconds: float = 60.0, plaintext: bool = False
) -> Iterator[Pop3Session]:
    """Open by POP3; the deadline is so many seconds from now."""
    connector = Pop3Connector(LOOPBACK, allow_plaintext_credentials=plaintext)
    session = connector.open(box, secret=secret, deadline=time.monotonic() + seconds)
    try:
        yield session
    finally:
        session.close()


def collect(
    session: ImapSession | Pop3Session, items: Sequence[Item]
) -> tuple[dict[str, bytes], dict[str, FetchFailed]]:
    """Fetch; the contents by id, and the failures by id. Deletes the spooled files."""
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
