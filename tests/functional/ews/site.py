"""A stack with one EWS mailbox that the real handler polls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import boto3
from postroom.adapters.dynamo.mailbox_states import DynamoMailboxStates
from postroom.model.mailbox_state import MailboxState
from postroom_cli.mailservers.ews import EwsServer
from postroom_cli.mailservers.ews_store import Mailbox

from tests.functional.ews.opening import ADDRESS
from tests.support.aws_stack import AwsStack, sqs_event


@dataclass
class Site:
    """A stack with one EWS mailbox, and the server that it lies on."""

    stack: AwsStack
    ews: EwsServer
    box: Mailbox

    def enter(self, name: str, value: str) -> None:
        """Enter a secret as an administrator does."""
        self.stack.enter_secret(name, value)

    def configure(self, **options: Any) -> None:
        """Put the mailbox in force."""
        mailbox = {
            "name": "box0",
            "address": ADDRESS,
            "type": "EWS",
            "enabled": True,
            "server": self.ews.url,
            "ca_certificate": self.ews.ca_pem,
            "password": {"secret": "shared"},
            **options,
        }
        self.stack.configure(
            settings={"default_inbound_queue": "general", "default_domain": "example.com"},
            departments=[{"name": "default"}],
            queues=[{"name": "general"}, {"name": "exceptions"}],
            outbound_servers=[{"name": "smtp-client", "type": "ses"}],
            mailboxes=[mailbox],
        )

    def poll(self) -> None:
        """Run the real handler on a poll request."""
        message = {"v": 1, "mailboxes": ["box0"], "backlog": False}
        answer = self.stack.invoke("FetchEws", sqs_event(message), seconds=120.0)
        assert answer == {"batchItemFailures": []}

    def state(self) -> MailboxState:
        """Read what is remembered of the mailbox."""
        client = boto3.Session().client("dynamodb")
        return DynamoMailboxStates(client, self.stack.table, self.stack.contents).load(["box0"], consistent=True)[
            "box0"
        ]

    def raw(self) -> list[tuple[bytes, dict[str, str]]]:
        """Read all stored raw messages, with what is known of them."""
        client = boto3.Session().client("s3")
        bucket = self.stack.environment["RAW_BUCKET"]
        rows = client.list_objects_v2(Bucket=bucket).get("Contents", [])
        answers = [client.get_object(Bucket=bucket, Key=row["Key"]) for row in rows]
        return [(answer["Body"].read(), answer["Metadata"]) for answer in answers]
