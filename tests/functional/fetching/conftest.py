"""A stack, a configuration of IMAP mailboxes, and an IMAP server that they lie on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from postroom.adapters.dynamo.mailbox_states import DynamoMailboxStates
from postroom.adapters.dynamo.secrets import SecretWriter
from postroom.model.mailbox_state import MailboxState
from postroom.model.raw_message import RawMessage
from postroom_cli.mailservers.imap import ImapServer

from tests.support.aws_calls import AwsCalls, aws_calls
from tests.support.aws_clients import listen
from tests.support.aws_stack import AwsStack, sqs_event

PASSWORD = "correct horse"


class Died(BaseException):
    """The process ends here."""


class AwsFaults:
    """Lets calls to AWS go wrong, by botocore's events. `before` and `after`: operation → what is raised, once."""

    def __init__(self) -> None:
        self.before: dict[str, BaseException] = {}
        self.after: dict[str, BaseException] = {}
        self.seen: list[tuple[str, dict[str, Any]]] = []

    def on_before(self, model: Any, params: dict[str, Any], **_rest: Any) -> None:
        self.seen.append((model.name, dict(params["headers"])))
        if model.name in self.before:
            raise self.before.pop(model.name)

    def on_after(self, model: Any, **_rest: Any) -> None:
        if model.name in self.after:
            raise self.after.pop(model.name)


@dataclass
class Site:
    """Everything a fetching test asks for."""

    stack: AwsStack
    server: ImapServer
    calls: AwsCalls
    aws: AwsFaults

    def deliver(self, *contents: bytes, folder: str = "INBOX", **options: Any) -> None:
        """Put mails into the folder of box0."""
        for content in contents:
            self.server.append("box0@example.com", folder, content, **options)

    def left(self, folder: str = "INBOX") -> int:
        """Count what lies in a folder of box0."""
        return len(self.server.folder("box0@example.com", folder).uids)

    def configure(self, count: int = 1, **options: Any) -> list[str]:
        """Put so many mailboxes in force, box0, box1, …; return their names."""
        names = [f"box{number}" for number in range(count)]
        self.stack.configure(
            settings={"default_inbound_queue": "general", "default_domain": "example.com"},
            departments=[{"name": "default"}],
            queues=[{"name": "general"}, {"name": "exceptions"}],
            outbound_servers=[{"name": "smtp-client", "type": "ses"}],
            mailboxes=[
                {
                    "name": name,
                    "address": f"{name}@example.com",
                    "enabled": True,
                    "server": self.server.host,
                    "port": self.server.port,
                    "ca_certificate": self.server.ca_pem,
                    "password": {"secret": "shared"},
                    **options,
                }
                for name in names
            ],
        )
        return names

    def enter_secret(self, value: str, name: str = "shared") -> None:
        """Enter a password as an administrator does."""
        session = boto3.Session()
        SecretWriter(
            table=self.stack.table,
            dynamo=session.client("dynamodb"),
            kms=session.client("kms"),
            key_id=self.stack.environment["CREDENTIALS_KEY_ID"],
        ).put(name, value, now=datetime.now(UTC))

    def poll(self, *names: str, backlog: bool = False, seconds: float = 120.0) -> Any:
        """Run the real handler on a poll request; the server has seen its end, as it has a minute later."""
        message = {"v": 1, "mailboxes": list(names or ["box0"]), "backlog": backlog}
        answer = self.stack.invoke("FetchMailboxes", sqs_event(message), seconds=seconds)
        self.server.settle()
        return answer

    def state(self, name: str = "box0") -> MailboxState:
        """Read what is remembered of a mailbox."""
        client = boto3.Session().client("dynamodb")
        return DynamoMailboxStates(client, self.stack.table, self.stack.contents).load([name], consistent=True)[name]

    def raw(self) -> list[RawMessage]:
        """Read all stored raw messages."""
        client = boto3.Session().client("s3")
        bucket = self.stack.environment["RAW_BUCKET"]
        found = []
        for row in client.list_objects_v2(Bucket=bucket).get("Contents", []):
            answer = client.get_object(Bucket=bucket, Key=row["Key"])
            found.append(RawMessage(row["Key"], answer["Body"].read(), answer["Metadata"]))
        return found


@pytest.fixture
def site(stack: AwsStack) -> Iterator[Site]:
    """A stack with its secret entered, and an IMAP server on a free port of loopback."""
    users = {f"box{number}@example.com": PASSWORD for number in range(100)}
    with aws_calls() as calls, ImapServer(users) as server:
        faults = AwsFaults()
        listen("before-call", faults.on_before)
        listen("after-call", faults.on_after)
        made = Site(stack, server, calls, faults)
        made.enter_secret(PASSWORD)
        yield made


@pytest.fixture
def connected(site: Site) -> Callable[..., Site]:
    """Configure one mailbox, and look at it once: what comes afterwards is new."""

    def connect(**options: Any) -> Site:
        site.configure(**options)
        site.poll()
        site.calls.reset()
        site.aws.seen.clear()
        return site

    return connect
