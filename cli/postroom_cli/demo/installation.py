"""What the demonstration configures, and how it reads the result: the product's own services and adapters."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from postroom.adapters.dynamo.configurations import ConfigurationStore
from postroom.adapters.dynamo.interactions import DynamoInteractions
from postroom.adapters.dynamo.outbox import DynamoOutbox
from postroom.adapters.s3 import S3Contents, S3RawMessages
from postroom.adapters.secrets import SecretWriter
from postroom.adapters.sqs import SqsQueue
from postroom.model.configuration import Configuration
from postroom.model.identity import interaction_id
from postroom.model.interaction import Interaction
from postroom.model.outbound import Outbound, OutboxState
from postroom.services import configure
from postroom.services.reply import Replied, Reply, reply

from postroom_cli.demo.mails import AUTHSERV_ID, CLAIMS, SUPPORT
from postroom_cli.local.stack import Aws
from postroom_cli.mailservers import ImapServer, SmtpSink

PASSWORDS = {f"{SUPPORT}@example.com": "demo-support", f"{CLAIMS}@example.com": "demo-claims"}
"""Users of the embedded IMAP server; it listens on the loopback, with these passwords, while the demo runs."""

SMTP_USER, SMTP_PASSWORD = "postroom", "demo-smtp"

_ACKNOWLEDGEMENT = (
    "Thank you for your mail. We have received it and will answer within one working day.\n\n"
    "Your reference: {{interaction.id}}\n"
)


def configuration(imap: ImapServer, smtp: SmtpSink) -> Configuration:
    """Return the demonstration's configuration: two mailboxes, one answered by SMTP, the other by SES."""

    def mailbox(name: str) -> dict[str, Any]:
        return {
            "name": name,
            "address": f"{name}@example.com",
            "enabled": True,
            "server": imap.host,
            "port": imap.port,
            "ca_certificate": imap.ca_pem,
            "password": {"secret": f"mailbox-{name}"},
            "cycle_time": "00:00:02",
            "processed_items_folder_name": "Processed",
            "endpoint": name,
        }

    return Configuration.model_validate(
        {
            "settings": {
                "default_domain": "example.com",
                "default_department": "service",
                "trusted_authserv_ids": [AUTHSERV_ID],
            },
            "departments": [{"name": "service", "default_queue": SUPPORT}],
            "queues": [{"name": name} for name in (SUPPORT, CLAIMS, "inbound", "exceptions")],
            "endpoints": [{"name": name, "queue": name, "acknowledgement": "received"} for name in (SUPPORT, CLAIMS)],
            "templates": [{"name": "received", "subject": "We have received your mail", "text": _ACKNOWLEDGEMENT}],
            "mailboxes": [mailbox(SUPPORT), mailbox(CLAIMS)],
            "aliases": [
                {"name": SUPPORT, "address": "Example Support <support@example.com>", "outbound_server": "smtp-client"},
                {"name": CLAIMS, "address": "Example Claims <claims@example.com>", "outbound_server": "ses"},
            ],
            "outbound_servers": [
                {
                    "name": "smtp-client",
                    "type": "smtp",
                    "host": smtp.host,
                    "port": smtp.port,
                    "security": "start-tls-required",
                    "ca_certificate": smtp.ca_pem,
                    "user": SMTP_USER,
                    "password": {"secret": "smtp-client"},
                },
                {"name": "ses", "type": "ses"},
            ],
        }
    )


class Installation:
    """The running stack as an operator's tools see it: adapters on the names that its environment says."""

    def __init__(self, aws: Aws, environment: Mapping[str, str]) -> None:
        table = environment["TABLE_NAME"]
        contents = S3Contents(aws("s3"), environment["CONTENT_BUCKET"])
        self.configurations = ConfigurationStore(aws("dynamodb"), table, contents)
        self.interactions = DynamoInteractions(aws("dynamodb"), table, contents)
        self.outbox = DynamoOutbox(aws("dynamodb"), table)
        self.raw = S3RawMessages(aws("s3"), environment["RAW_BUCKET"])
        self.outbound_queue = SqsQueue(aws("sqs"), environment["OUTBOUND_QUEUE_URL"])
        self.secrets = SecretWriter(
            table=table, dynamo=aws("dynamodb"), kms=aws("kms"), key_id=environment["CREDENTIALS_KEY_ID"]
        )

    def set_up(self, wanted: Configuration) -> None:
        """Enter the secrets and apply the configuration, as `postroom secret set` and `config apply` do."""
        now = utc_now()
        for user, password in PASSWORDS.items():
            self.secrets.put(f"mailbox-{user.partition('@')[0]}", password, now=now)
        self.secrets.put("smtp-client", SMTP_PASSWORD, now=now)
        version = self.configurations.version()
        configure.apply(self.configurations, wanted, expected_version=version, author="demo", now=now)

    def reply(self, interaction: Interaction, text: str, *, key: str) -> Replied:
        """Answer an interaction as an agent, as `postroom reply` does."""
        return reply(
            interaction.id,
            Reply(text=text, idempotency_key=key, agent="demo"),
            interactions=self.interactions,
            outbox=self.outbox,
            configurations=self.configurations,
            outbound_queue=self.outbound_queue,
            clock=utc_now,
        )

    def sent_and_unsent(self) -> list[Outbound]:
        """Return every outbound mail, whatever its state, in the order of writing."""
        rows = [row for state in OutboxState for row in self.interactions.list_outbox(state)]
        found = [self.outbox.get(row["id"]) for row in rows]
        return sorted((one for one in found if one is not None), key=lambda one: (one.created, one.id))


def expected_id(mailbox: str, raw: bytes) -> str:
    """Return the id that the interaction of these bytes has, or will have."""
    return interaction_id(mailbox, hashlib.sha256(raw).hexdigest())


def utc_now() -> datetime:
    """Return now."""
    return datetime.now(UTC)
