"""One mailbox of each type on servers in this process, for the demonstration and for whoever tries things out."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from types import TracebackType
from typing import Any, Self

from postroom.model.configuration import Type

from postroom_cli.mailservers.certificates import local_authority
from postroom_cli.mailservers.ews import EwsServer
from postroom_cli.mailservers.graph import GraphService
from postroom_cli.mailservers.imap import ImapServer
from postroom_cli.mailservers.pop3 import Pop3Server
from postroom_cli.mailservers.tokens import CLIENT, SECRET, TENANT, TokenService

DOMAIN = "example.com"
APPLICATION_SECRET = "graph-application"  # noqa: S105 - the name under which it is entered
PROCESSED = "Processed"


class Afterwards(StrEnum):
    """What Postroom is to do on the server with mail that is stored."""

    MOVE = "moved to Processed"
    DELETE = "deleted"
    MARK_READ = "left, marked read"


_OPTIONS: dict[Afterwards, dict[str, Any]] = {
    Afterwards.MOVE: {"processed_items_folder_name": PROCESSED},
    Afterwards.DELETE: {},
    Afterwards.MARK_READ: {"leave_msg_on_server": True},
}


@dataclass(frozen=True, slots=True)
class LocalMailbox:
    """A mailbox to be served here."""

    name: str
    type: Type
    afterwards: Afterwards

    @property
    def address(self) -> str:
        """Return its address, which is the user's name too."""
        return f"{self.name}@{DOMAIN}"

    @property
    def password(self) -> str:
        """Return the password of its user; the servers listen on the loopback only."""
        return f"local-{self.name}"


@dataclass(frozen=True, slots=True)
class OnServer:
    """What lies in a mailbox: in the folder that is fetched from, read of that, and moved aside."""

    there: int
    read: int
    moved: int

    def is_done(self, afterwards: Afterwards) -> bool:
        """Tell whether the server was told of all mail."""
        return self.read == self.there if afterwards is Afterwards.MARK_READ else not self.there


class MailServers:
    """Serves these mailboxes while it is entered."""

    def __init__(self, mailboxes: Sequence[LocalMailbox]) -> None:
        self.mailboxes = {one.name: one for one in mailboxes}
        users = {
            type_: {one.address: one.password for one in mailboxes if one.type is type_}
            for type_ in (Type.IMAP, Type.POP3, Type.GRAPH, Type.EWS)
        }
        self.imap = ImapServer(users[Type.IMAP])
        self.pop3 = Pop3Server(users[Type.POP3])
        self.issuer = TokenService()
        self.graph = GraphService(users=set(users[Type.GRAPH]), tokens=self.issuer.issued)
        self.ews = EwsServer(users[Type.EWS])
        self.authority = ""  # whom tokens are asked of
        self.ca_pem = local_authority().pem
        self._closing = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as opening:
            opening.enter_context(self.imap)
            opening.enter_context(self.pop3)
            opening.enter_context(self.ews)
            opening.enter_context(self.graph.server())
            self.authority = opening.enter_context(self.issuer.server()).url
            self._closing = opening.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.__exit__(kind, error, trace)

    def secrets(self) -> dict[str, str]:
        """Return what is to be entered as secrets, by name."""
        passwords = {
            f"mailbox-{one.name}": one.password for one in self.mailboxes.values() if one.type is not Type.GRAPH
        }
        return {**passwords, APPLICATION_SECRET: SECRET}

    def settings(self, name: str) -> dict[str, Any]:
        """Return what a configuration says of a mailbox; certificates are checked against our own authority."""
        mailbox = self.mailboxes[name]
        password = {"password": {"secret": f"mailbox-{name}"}}
        login: dict[Type, dict[str, Any]] = {
            Type.IMAP: {"server": self.imap.host, "port": self.imap.port, **password},
            Type.POP3: {"server": self.pop3.host, "port": self.pop3.port, **password},
            Type.EWS: {"server": self.ews.url, **password},
            Type.GRAPH: {
                "server": self.graph.base,
                "client_id": CLIENT,
                "directory_id": TENANT,
                "tenant_authority": self.authority,
                "client_secret": {"secret": APPLICATION_SECRET},
                "grant": "client_credentials",
            },
        }
        return {
            "name": name,
            "address": mailbox.address,
            "type": mailbox.type.value,
            "enabled": True,
            **login[mailbox.type],
            "ca_certificate": self.ca_pem,
            **_OPTIONS[mailbox.afterwards],
        }

    def deliver(self, name: str, raw: bytes) -> bytes:
        """Put a mail into a mailbox; return it as its server has it: IMAP and POP3 impose CRLF."""
        mailbox = self.mailboxes[name]
        now = datetime.now(UTC)
        match mailbox.type:
            case Type.IMAP:
                return self.imap.append(mailbox.address, "INBOX", raw).raw
            case Type.POP3:
                return self.pop3.append(mailbox.address, raw).raw
            case Type.GRAPH:
                self.graph.deliver(raw, user=mailbox.address, received=now)
            case Type.EWS:
                with self.ews.lock:
                    self.ews.mailboxes[mailbox.address].deliver(raw, received=now)
        return raw

    def on_server(self, name: str) -> OnServer:
        """Look into a mailbox."""
        mailbox = self.mailboxes[name]
        match mailbox.type:
            case Type.IMAP | Type.POP3:
                store = (self.imap if mailbox.type is Type.IMAP else self.pop3).store
                inbox, moved = store.folder(mailbox.address, "INBOX"), store.folder(mailbox.address, PROCESSED)
                there = list(inbox.messages) if inbox else []
                read = sum("\\Seen" in message.flags for message in there)
                return OnServer(len(there), read, len(moved.messages) if moved else 0)
            case Type.GRAPH:
                aside = self.graph.within(PROCESSED)
                rest = [one for one in list(self.graph.messages.values()) if one.user == mailbox.address]
                left = [one for one in rest if one not in aside]
                return OnServer(len(left), sum(one.is_read for one in left), len(rest) - len(left))
            case Type.EWS:
                with self.ews.lock:
                    box = self.ews.mailboxes[mailbox.address]
                    items = box.inbox.items
                    elsewhere = sum(len(folder.items) for folder in box.folders.values()) - len(items)
                    return OnServer(len(items), sum(item.read for item in items), elsewhere)

    def login(self, name: str) -> str:
        """Say how its mail was opened, as the server saw it."""
        match self.mailboxes[name].type:
            case Type.GRAPH:
                return "OAuth 2.0" if self.issuer.issued else "none"
            case Type.EWS:
                return ", ".join(sorted({scheme for scheme in self.ews.authorizations if scheme})) or "none"
            case _:
                return "password"

    def complaints(self) -> list[str]:
        """Return what the servers did not understand; a real one would have refused it."""
        return [*self.graph.violations, *self.ews.violations, *self.ews.crashes]
