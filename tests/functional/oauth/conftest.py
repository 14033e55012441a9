"""A stack whose mailboxes log in by OAuth 2.0: a token service, and mail servers that take what it issues."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest
from postroom import bootstrap
from postroom.adapters.dynamo.mailbox_states import DynamoMailboxStates
from postroom.adapters.dynamo.secrets import StoredSecrets
from postroom.adapters.net.tls import client_context
from postroom.model.configuration.mailbox import SecretReference
from postroom.model.mailbox_state import Health, HealthState, MailboxState
from postroom_cli.mailservers.graph import GraphService
from postroom_cli.mailservers.imap import ImapServer
from postroom_cli.mailservers.pop3 import Pop3Server
from postroom_cli.mailservers.tokens import CLIENT, SECRET, TENANT, TokenService

from tests.support import certificates
from tests.support.aws_stack import AwsStack, sqs_event

USERS = {f"box{number}@example.com": "unused" for number in range(5)}


@dataclass
class Issued(Container[str]):
    """The access tokens that a mail server takes: what was issued, and not revoked since."""

    service: TokenService
    revoked: set[str] = field(default_factory=set)

    def __contains__(self, token: object) -> bool:
        return token in self.service.issued and token not in self.revoked


@dataclass
class Site:
    """Everything a test asks for."""

    stack: AwsStack
    service: TokenService
    authority: str
    imap: ImapServer
    pop3: Pop3Server
    graph: GraphService
    issued: Issued

    def enter(self, name: str, value: str) -> None:
        """Enter a secret as an administrator does."""
        self.stack.enter_secret(name, value)

    def secret(self, name: str) -> str:
        """Read a secret back, as a function that may decrypt."""
        return StoredSecrets(
            table=self.stack.table,
            dynamo=self.stack.client("dynamodb"),
            kms=self.stack.client("kms"),
            key_id=self.stack.environment["CREDENTIALS_KEY_ID"],
        ).reveal(SecretReference(secret=name))

    def configure(self, *mailboxes: dict[str, Any], **content: Any) -> None:
        """Put mailboxes in force; what they do not say is client credentials, on the server of their type."""
        servers: dict[str, dict[str, Any]] = {
            "IMAP": {"server": "127.0.0.1", "port": self.imap.port, "ca_certificate": self.imap.ca_pem},
            "POP3": {"server": "127.0.0.1", "port": self.pop3.port, "ca_certificate": self.pop3.ca_pem},
            "GRAPH": {"server": self.graph.base, "ca_certificate": certificates.authority().pem},
        }
        self.stack.configure(
            settings={"default_inbound_queue": "general", "default_domain": "example.com"},
            departments=[{"name": "default"}],
            queues=[{"name": "general"}, {"name": "exceptions"}],
            outbound_servers=[{"name": "smtp-client", "type": "ses"}],
            mailboxes=[
                {
                    "name": f"box{number}",
                    "address": f"box{number}@example.com",
                    "enabled": True,
                    "client_id": CLIENT,
                    "directory_id": TENANT,
                    "tenant_authority": self.authority,
                    "client_secret": {"secret": "app"},
                    "grant": "client_credentials",
                    **servers[given.get("type", "IMAP")],
                    **given,
                }
                for number, given in enumerate(mailboxes)
            ],
            **content,
        )

    def deliver(self, type_: str, content: bytes, user: str = "box0@example.com") -> None:
        """Put a mail into a mailbox."""
        if type_ == "IMAP":
            self.imap.append(user, "INBOX", content)
        elif type_ == "POP3":
            self.pop3.append(user, content)
        else:
            self.graph.deliver(content)

    def poll(self, *names: str) -> None:
        """Run the real handler on a poll request."""
        message = {"v": 1, "mailboxes": list(names or ["box0"]), "backlog": False}
        answer = self.stack.invoke("FetchMailboxes", sqs_event(message), seconds=120)
        assert answer == {"batchItemFailures": []}
        self.imap.settle()
        self.pop3.settle()

    def begin_anew(self) -> None:
        """Let the next poll run in a process that knows nothing yet."""
        bootstrap.forget()

    def state(self, name: str = "box0") -> MailboxState:
        """Read what is remembered of a mailbox."""
        states = DynamoMailboxStates(self.stack.client("dynamodb"), self.stack.table, self.stack.contents)
        return states.load([name], consistent=True)[name]

    def health(self, name: str = "box0") -> Health:
        """Read how a mailbox is."""
        return self.state(name).health

    def well(self, name: str = "box0") -> bool:
        """Tell whether a mailbox is well."""
        return self.health(name).state is HealthState.ACTIVE

    def raw(self) -> list[bytes]:
        """Read all stored raw messages."""
        client, bucket = boto3.Session().client("s3"), self.stack.environment["RAW_BUCKET"]
        rows = client.list_objects_v2(Bucket=bucket).get("Contents", [])
        return [client.get_object(Bucket=bucket, Key=row["Key"])["Body"].read() for row in rows]


@pytest.fixture
def site(stack: AwsStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A stack, and servers on free ports of loopback; their authority is one that this machine trusts."""
    trusted = tmp_path / "trusted.pem"
    trusted.write_text(certificates.authority().pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    client_context.cache_clear()
    service, graph = TokenService(), GraphService()
    issued = Issued(service)
    with (
        service.server(certificates.good()) as endpoint,
        graph.server(certificates.good()),
        ImapServer(USERS, tokens=["none"]) as imap,
        Pop3Server(USERS, tokens=["none"]) as pop3,
    ):
        accepting: Any = issued
        imap.tokens = pop3.tokens = accepting
        graph.tokens = issued
        made = Site(stack, service, endpoint.url, imap, pop3, graph, issued)
        made.enter("app", SECRET)
        yield made
    client_context.cache_clear()
    assert graph.violations == []
