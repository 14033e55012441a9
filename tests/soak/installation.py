"""The installation under soak: its mailboxes, the mail that is put into them, and what became of it."""

from __future__ import annotations

import imaplib
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from postroom.adapters.aws.s3 import S3Contents
from postroom.adapters.configuration.store import ConfigurationStore
from postroom.adapters.dynamo.interactions import DynamoInteractions
from postroom.adapters.dynamo.mailbox_states import DynamoMailboxStates
from postroom.adapters.dynamo.secrets import SecretWriter
from postroom.adapters.outbox.store import DynamoOutbox
from postroom.model.configuration.document import Configuration
from postroom.model.identity import interaction_id
from postroom.model.outbound import OutboxState
from postroom_cli.local.stack import Stack

from tests.support.dovecot import Dovecot


@dataclass(frozen=True, slots=True)
class SoakMailbox:
    """One mailbox of the soak."""

    login: str
    options: Mapping[str, Any]


MAILBOXES = (
    SoakMailbox("moved", {"type": "IMAP", "leave_msg_on_server": True, "processed_items_folder_name": "Processed"}),
    SoakMailbox("deleted", {"type": "IMAP", "leave_msg_on_server": False}),
    SoakMailbox("popped", {"type": "POP3", "leave_msg_on_server": False}),
    SoakMailbox("left", {"type": "POP3", "leave_msg_on_server": True}),
)


class Installation:
    """The stack as an administrator sees it, and the mail server as its senders do."""

    def __init__(self, stack: Stack, environment: Mapping[str, str], mail_server: Dovecot, sent: Path) -> None:
        self.stack = stack
        self.environment = environment
        self._mail_server = mail_server
        self._sent = sent
        aws, table = stack.aws, environment["TABLE_NAME"]
        self._contents = S3Contents(aws("s3"), environment["CONTENT_BUCKET"])
        self._configurations = ConfigurationStore(aws("dynamodb"), table, self._contents)
        self._interactions = DynamoInteractions(aws("dynamodb"), table, self._contents)
        self._outbox = DynamoOutbox(aws("dynamodb"), table)
        self._states_of_mailboxes = DynamoMailboxStates(aws("dynamodb"), table, self._contents)
        self._secrets = SecretWriter(
            table=table, dynamo=aws("dynamodb"), kms=aws("kms"), key_id=environment["CREDENTIALS_KEY_ID"]
        )
        self._delivered: dict[int, tuple[str, bytes]] = {}
        self._made: set[int] = set()
        self.moving = 0  # outbound mail on its way, when last looked

    def configure(self, smtp_port: int) -> None:
        """Put mailboxes, queues and the way out in force."""
        now = datetime.now(UTC)
        self._secrets.put("mail", "secret", now=now)
        mailboxes = [
            {
                "name": one.login,
                "address": f"{one.login}@example.com",
                "server": "localhost",
                "port": self._mail_server.imaps if one.options["type"] == "IMAP" else self._mail_server.pop3s,
                "security": "ssl-tls",
                "ca_certificate": self._mail_server.ca_pem,
                "login": one.login,
                "password": {"secret": "mail"},
                "cycle_time": "00:01:00",
                "endpoint": "service",
                "enabled": True,
                "first_connection": "all",
                **one.options,
            }
            for one in MAILBOXES
        ]
        configuration = Configuration.model_validate(
            {
                "settings": {"default_domain": "example.com", "auto_reply": {"per_hour": 100_000}},
                "departments": [{"name": "default", "default_queue": "service"}],
                "queues": [{"name": name} for name in ("service", "inbound", "exceptions")],
                "endpoints": [{"name": "service", "queue": "service", "acknowledgement": "received"}],
                "templates": [{"name": "received", "subject": "Received", "text": "Thank you."}],
                "mailboxes": mailboxes,
                "outbound_servers": [
                    {
                        "name": "smtp-client",
                        "type": "smtp",
                        "host": "localhost",
                        "port": smtp_port,
                        "security": "none",
                        "authentication": "anonymous",
                        "from_address": "service@example.com",
                    }
                ],
            }
        )
        version = self._configurations.version()
        self._configurations.put(configuration, expected_version=version, author="soak", note="", now=now)

    def looked_at(self) -> bool:
        """Tell whether every mailbox was looked at once: mail of before its first connection is not acknowledged."""
        states = self._states_of_mailboxes.load([one.login for one in MAILBOXES], consistent=True)
        return all(state.position is not None for state in states.values())

    # --- mail in ---

    def deliver(self, number: int, *, now: datetime) -> None:
        """Put a mail of a sender of its own into one of the mailboxes, as arrived at the installation's time."""
        mailbox = MAILBOXES[number % len(MAILBOXES)]
        raw = a_mail(number, mailbox.login, now=now)
        with imaplib.IMAP4("127.0.0.1", self._mail_server.imap) as session:
            session.login(mailbox.login, "secret")
            answer, _ = session.append("INBOX", "", imaplib.Time2Internaldate(now), raw)
            assert answer == "OK", answer
        self._delivered[number] = (mailbox.login, raw)

    # --- what became of it ---

    def _items(self) -> list[Mapping[str, Any]]:
        pages = self.stack.aws("dynamodb").get_paginator("scan").paginate(TableName=self.environment["TABLE_NAME"])
        return [item for page in pages for item in page["Items"]]

    def interactions_made(self) -> int:
        """Count the mails that are interactions already."""
        for number in self._delivered.keys() - self._made:
            if self._interactions.get(self._id(number)) is not None:
                self._made.add(number)
        return len(self._made)

    def _id(self, number: int) -> str:
        mailbox, raw = self._delivered[number]
        return interaction_id(mailbox, sha256(raw).hexdigest())

    def nothing_moves(self, made: int) -> bool:
        """Tell whether all mail is in and no outbound mail is on its way."""
        moving = (OutboxState.NEW, OutboxState.CLAIMED, OutboxState.DATA, OutboxState.DEFERRED)
        self.moving = sum(1 for state in moving for _row in self._interactions.list_outbox(state))
        return made == len(self._delivered) and not self.moving

    def problems(self, mails: int) -> list[str]:
        """List every mail that is missing, double or wrapped, and everybody who got two acknowledgements or none."""
        found = []
        if len(self._delivered) != mails:
            found.append(f"only {len(self._delivered)} of {mails} mails were delivered to the server")
        for number in self._delivered:
            interaction = self._interactions.get(self._id(number))
            if interaction is None:
                found.append(f"mail {number} ({self._delivered[number][0]}) is no interaction")
            elif interaction.wrap_reason:
                found.append(f"mail {number} was wrapped: {interaction.wrap_reason}")
        ids = Counter(_message_ids(self._items()))
        found += [f"Message-ID {one} is {count} interactions" for one, count in ids.items() if count > 1]
        got = self._recipients()
        found += [f"{who} got {count} acknowledgements" for who, count in got.items() if count > 1]
        states = self._states()
        for number in self._delivered:
            sender = _sender(number)
            if sender not in got and states.get(sender) is not OutboxState.UNCERTAIN:
                interaction = self._interactions.get(self._id(number))
                why = [one for one in interaction.decisions if "rep" in one.rule] if interaction else []
                found.append(f"{sender} got no acknowledgement ({states.get(sender)}): {why}")
        return found

    def summary(self) -> str:
        """Say in a line what there is."""
        states = Counter(state.value for state in self._states().values())
        return (
            f"{self.interactions_made()} interactions; sent {sum(self._recipients().values())}; outbox {dict(states)}"
        )

    def _states(self) -> dict[str, OutboxState]:
        rows = [row for state in OutboxState for row in self._interactions.list_outbox(state)]
        outbound = [self._outbox.get(row["id"]) for row in rows]
        return {one.to[0]: one.state for one in outbound if one is not None}

    def _recipients(self) -> Counter[str]:
        """Count by recipient what smtp-sink took."""
        texts = (path.read_text("utf-8", "replace") for path in self._sent.rglob("mail.*"))
        return Counter(found for text in texts for found in re.findall(r"^X-Rcpt-Args: <([^>]+)>", text, re.MULTILINE))


def _sender(number: int) -> str:
    return f"customer-{number}@customers.example"


def _message_ids(items: list[Mapping[str, Any]]) -> list[str]:
    return [
        item["message_id"]["S"]
        for item in items
        if item["pk"]["S"].startswith("I#")
        and item["sk"]["S"] == "0"
        and "@customers.example" in str(item.get("message_id"))
    ]


def a_mail(number: int, mailbox: str, *, now: datetime) -> bytes:
    """Return a mail that only this number's sender could have written."""
    lines = [
        f"Return-Path: <{_sender(number)}>",
        f"From: Customer {number} <{_sender(number)}>",
        f"To: {mailbox}@example.com",
        f"Subject: Question {number}",
        f"Message-ID: <{number}.{mailbox}@customers.example>",
        f"Date: {format_datetime(now)}",
        "Content-Type: text/plain; charset=utf-8",
        "",
        f"This is question {number}.",
        "x" * (number * 37 % 5000 % 900),
    ]
    return ("\r\n".join(lines) + "\r\n").encode()
