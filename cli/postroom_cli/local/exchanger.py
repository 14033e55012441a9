"""Where a person sends mail to the local mailboxes, and where mail to everybody else is kept."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

from postroom_cli.local.mailboxes import MailServers
from postroom_cli.mailservers.smtp import ReceivedMail, SmtpSink


class MailExchanger(SmtpSink):
    """Takes mail by SMTP on the loopback: for the mailboxes into them, other mail into files of a directory."""

    def __init__(self, servers: MailServers, *, outgoing: Path, **options: Any) -> None:
        super().__init__(**options)
        self._names = {mailbox.address: name for name, mailbox in servers.mailboxes.items()}
        self._servers = servers
        self._outgoing = outgoing
        # Files of an earlier run stay as they are.
        kept = [int(file.stem) for file in outgoing.glob("*.eml") if file.stem.isdecimal()]
        self._numbers = itertools.count(max(kept, default=0) + 1)

    def store(self, mail: ReceivedMail) -> None:
        """Deliver a mail, as a receiving server does: the envelope's sender goes into Return-Path (RFC 5321 §4.4)."""
        delivered = f"Return-Path: <{mail.sender}>\r\n".encode() + mail.content
        names = {name for one in mail.recipients if (name := self._mailbox_of(one))}
        for name in sorted(names):
            self._servers.deliver(name, delivered)
        if any(self._mailbox_of(one) is None for one in mail.recipients):
            self._outgoing.mkdir(parents=True, exist_ok=True)
            (self._outgoing / f"{next(self._numbers):04}.eml").write_bytes(mail.content)

    def _mailbox_of(self, address: str) -> str | None:
        """Find the mailbox of an address; what follows a plus in it is a detail (RFC 5233)."""
        local, _at, domain = address.rpartition("@")
        return self._names.get(f"{local.partition('+')[0]}@{domain}".lower())
