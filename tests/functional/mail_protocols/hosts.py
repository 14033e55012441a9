"""The same few questions to either IMAP server: the embedded one and a real Dovecot."""

from __future__ import annotations

import imaplib
import itertools
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Protocol

from postroom_cli.mailservers import ImapServer

from tests.support.dovecot import Dovecot

PASSWORD = "geheim"
USERS = {f"user{number}": PASSWORD for number in range(400)}
_numbers = itertools.count()


class Host(Protocol):
    """One fresh mailbox on some IMAP server."""

    name: str
    port: int
    ca_pem: str
    user: str

    def append(
        self, raw: bytes, *, folder: str = "INBOX", flags: Sequence[str] = (), date: datetime | None = None
    ) -> None: ...

    def append_all(self, mails: Sequence[bytes]) -> None: ...

    def contents(self, folder: str = "INBOX") -> list[bytes]: ...

    def flags(self, folder: str = "INBOX") -> dict[int, set[str]]: ...

    def mark(self, uid: int, flag: str) -> None: ...

    def remove(self, uid: int) -> None: ...

    def renumber(self) -> None: ...


class Embedded:
    """A mailbox on the embedded server."""

    name = "embedded"

    def __init__(self, server: ImapServer) -> None:
        self.server = server
        self.port = server.port
        self.ca_pem = server.ca_pem
        self.user = f"user{next(_numbers)}"

    def append(
        self, raw: bytes, *, folder: str = "INBOX", flags: Sequence[str] = (), date: datetime | None = None
    ) -> None:
        self.server.append(self.user, folder, raw, flags=flags, internaldate=date)

    def append_all(self, mails: Sequence[bytes]) -> None:
        for raw in mails:
            self.append(raw)

    def contents(self, folder: str = "INBOX") -> list[bytes]:
        found = self.server.store.folder(self.user, folder)
        return [message.raw for message in found.messages] if found else []

    def flags(self, folder: str = "INBOX") -> dict[int, set[str]]:
        return {message.uid: set(message.flags) for message in self.server.folder(self.user, folder).messages}

    def mark(self, uid: int, flag: str) -> None:
        self.server.folder(self.user, "INBOX").with_uid(uid).flags.add(flag)

    def remove(self, uid: int) -> None:
        inbox = self.server.folder(self.user, "INBOX")
        inbox.remove([inbox.with_uid(uid)])

    def renumber(self) -> None:
        self.server.folder(self.user, "INBOX").uidvalidity += 1


class Real:
    """A mailbox on Dovecot."""

    name = "dovecot"

    def __init__(self, server: Dovecot) -> None:
        self.server = server
        self.port = server.imaps
        self.ca_pem = server.ca_pem
        self.user = f"user{next(_numbers)}"

    @contextmanager
    def _client(self, folder: str | None = None) -> Iterator[imaplib.IMAP4]:
        client = imaplib.IMAP4("127.0.0.1", self.server.imap, timeout=30)
        client.login(self.user, PASSWORD)
        if folder is not None:
            client.select(f'"{folder}"')
        yield client
        client.logout()

    def append(
        self, raw: bytes, *, folder: str = "INBOX", flags: Sequence[str] = (), date: datetime | None = None
    ) -> None:
        with self._client() as client:
            client.create(f'"{folder}"')
            moment = imaplib.Time2Internaldate(date or datetime.now(UTC))
            kind, _ = client.append(f'"{folder}"', " ".join(flags), moment, raw)
            assert kind == "OK"

    def append_all(self, mails: Sequence[bytes]) -> None:
        self.server.append_all(self.user, mails, password=PASSWORD)

    def contents(self, folder: str = "INBOX") -> list[bytes]:
        with self._client(folder) as client:
            if client.state != "SELECTED":
                return []
            _, rows = client.uid("FETCH", "1:*", "(BODY.PEEK[])")
            return [row[1] for row in rows if isinstance(row, tuple)]

    def flags(self, folder: str = "INBOX") -> dict[int, set[str]]:
        with self._client(folder) as client:
            _, rows = client.uid("FETCH", "1:*", "(FLAGS)")
            found = {}
            for row in rows:
                if isinstance(row, bytes) and (match := re.search(rb"UID (\d+) FLAGS \(([^)]*)\)", row)):
                    found[int(match[1])] = set(match[2].decode().split()) - {"\\Recent"}
            return found

    def mark(self, uid: int, flag: str) -> None:
        with self._client("INBOX") as client:
            client.uid("STORE", str(uid), "+FLAGS", f"({flag})")

    def remove(self, uid: int) -> None:
        with self._client("INBOX") as client:
            client.uid("STORE", str(uid), "+FLAGS", "(\\Deleted)")
            client.uid("EXPUNGE", str(uid))

    def renumber(self) -> None:
        self.server.doveadm("mailbox", "update", "-u", self.user, "--uid-validity", "1234567", "INBOX")
