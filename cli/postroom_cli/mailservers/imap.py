"""An IMAP4rev1 server in this process.

RFC 3501 with UIDPLUS (4315), MOVE (6851), LITERAL+ (7888), SASL-IR (4959), NAMESPACE (2342) and UNSELECT (3691).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from postroom_cli.mailservers.certificates import Certificate
from postroom_cli.mailservers.imap_faults import Fault, Faults, FetchFault
from postroom_cli.mailservers.imap_session import Command, Session
from postroom_cli.mailservers.listener import Connection, Listener
from postroom_cli.mailservers.store import Folder, Message, Store

CAPABILITIES = ("IMAP4rev1", "LITERAL+", "SASL-IR", "NAMESPACE", "UIDPLUS", "MOVE", "UNSELECT")


class ImapServer(Listener):
    """Serves a store by IMAP while it is entered.

    `with ImapServer(users={"anna@example.com": "secret"}) as server:` then `server.port` and `server.ca_pem` are what
    a client needs. `log` holds the commands, `faults` what goes wrong.
    """

    def __init__(
        self,
        users: Mapping[str, str] | None = None,
        *,
        store: Store | None = None,
        tls: str = "implicit",
        certificate: Certificate | None = None,
        port: int = 0,
        separator: str = "/",
        prefix: str = "",
        capabilities: Iterable[str] = CAPABILITIES,
        tokens: Iterable[str] = (),
        greeting: str = "Postroom IMAP simulator ready",
    ) -> None:
        super().__init__(self._talk_to, tls=tls, certificate=certificate, port=port)
        self.store = store or Store(users or {})
        self.separator = separator
        self.prefix = prefix  # of the personal namespace, such as "INBOX."
        self.capabilities = tuple(capabilities)
        self.tokens = frozenset(tokens)  # access tokens that XOAUTH2 takes
        self.greeting = greeting
        self.faults = Faults()
        self.log: list[Command] = []

    def append(
        self,
        user: str,
        folder: str,
        raw: bytes,
        *,
        internaldate: datetime | None = None,
        flags: Iterable[str] = (),
    ) -> Message:
        """Put a message into a folder (made if missing), with CRLF line ends."""
        return self.store.append(user, folder, raw, internaldate=internaldate, flags=flags)

    def folder(self, user: str, name: str) -> Folder:
        """Return a folder; KeyError when there is none."""
        found = self.store.folder(user, name)
        if found is None:
            raise KeyError(name)
        return found

    def _talk_to(self, connection: Connection) -> None:
        Session(self, connection, number=self.connections).run()


__all__ = ["CAPABILITIES", "Command", "Fault", "Faults", "FetchFault", "ImapServer"]
