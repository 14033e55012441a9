"""A POP3 server, and a poller of one mailbox on it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any

from postroom.adapters.pop3.session import Pop3Connector
from postroom.model.mailbox_state import Health
from postroom.services.polling.look import Summary
from postroom_cli.mailservers.pop3 import Pop3Server

from tests.unit.services.polling.fakes import Post, a_mailbox

USER, PASSWORD = "box@example.com", "correct horse"


@dataclass
class Site:
    """A POP3 server, and a poller of its mailbox."""

    server: Pop3Server
    post: Post

    def connect(self, **options: Any) -> None:
        """Poll this mailbox from now on."""
        settings = {"server": "127.0.0.1", "port": self.server.port, "ca_certificate": self.server.ca_pem}
        connector = Pop3Connector(allowed_networks=(ip_network("127.0.0.0/8"),))
        mailbox = a_mailbox("box", type="POP3", **{**settings, **options})
        self.post = Post(mailbox, connector=connector, monotonic=time.monotonic)
        self.post.secrets.values["box-password"] = PASSWORD

    def poll(self) -> Summary:
        """Poll once; the server has seen its end, as it has a minute later."""
        summary = self.post.poll()
        self.server.settle()
        return summary

    def deliver(self, *contents: bytes) -> None:
        """Put mails into the mailbox."""
        for content in contents:
            self.server.append(USER, content)

    def delete(self, *numbers: int) -> None:
        """Delete messages by their number, as another program does."""
        folder = self.server.folder(USER)
        folder.remove([folder.messages[number - 1] for number in numbers])

    def left(self) -> int:
        """Count what lies there."""
        return len(self.server.folder(USER).uids)

    def contents(self) -> list[bytes]:
        """Return what is stored, sorted."""
        return sorted(stored.content for stored in self.post.raw.objects.values())

    def said(self, *commands: str) -> int:
        """Count commands that the server was given."""
        return sum(command.startswith(commands) for command in self.server.log)

    @property
    def health(self) -> Health:
        """How the mailbox is."""
        return self.post.state.health


@contextmanager
def pop3_site(**options: Any) -> Iterator[Site]:
    """A server with one empty mailbox."""
    with Pop3Server({USER: PASSWORD}, **options) as server:
        yield Site(server, Post())
