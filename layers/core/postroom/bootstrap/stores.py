"""The stores of one installation: what is kept in S3 and DynamoDB, and the queues, as ports.

Functions, the command line and the local runner have the same ones; only how clients are made differs.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import boto3

    from postroom.adapters.aws import S3Contents, SqsQueue
    from postroom.ports import (
        Arrivals,
        Audit,
        CaseNotes,
        Cases,
        ConfigurationHistory,
        DeadLetters,
        Duplicates,
        ErasableContents,
        InteractionChanges,
        Looks,
        MailboxStates,
        Notices,
        OlderMail,
        OutboxHistory,
        RawMessages,
        Redrive,
        RequestMemory,
        Roles,
        SecretDates,
        SecretEntry,
        Secrets,
        Suppressions,
        SweepMemory,
        Ticks,
        Users,
        WaitingChanges,
    )


class Clients(Protocol):
    """Makes clients of AWS. boto3 has no one type for all of them."""

    def __call__(self, service: str, *, connections: int = 10, read_timeout: float = 10.0) -> Any: ...


def client_of(
    session: boto3.Session, service: str, *, endpoint_url: str | None, connections: int = 10, read_timeout: float = 10.0
) -> Any:
    """Make a client of AWS from a session, with the settings that all our clients have."""
    from postroom.adapters.aws import config

    made = config(connections=connections, read_timeout=read_timeout)
    client: Any = session.client(service, endpoint_url=endpoint_url, config=made)  # type: ignore[call-overload]
    return ready(client, service)


def ready(client: Any, service: str) -> Any:
    """Return a client as our stores need it: DynamoDB's repeats what met another transaction on the same item."""
    if service != "dynamodb":
        return client
    from postroom.adapters.dynamo import repeat_conflicts

    return repeat_conflicts(client)


class Stores:
    """Each is made, and its adapter imported, when it is first asked for."""

    def __init__(self, setting: Callable[[str], str], client: Clients, *, connections: int = 10) -> None:
        """`setting` returns the value of a setting of environment.py; `connections`: threads that share a client."""
        self._setting = setting
        self._client = client
        self._connections = connections

    @cached_property
    def _dynamo(self) -> Any:
        return self._client("dynamodb", connections=self._connections)

    @property
    def _table(self) -> str:
        return self._setting("table")

    @cached_property
    def _contents(self) -> S3Contents:
        from postroom.adapters.aws import S3Contents

        return S3Contents(self._client("s3"), self._setting("content_bucket"))

    @property
    def contents(self) -> ErasableContents:
        """Return the content bucket."""
        return self._contents

    @cached_property
    def raw(self) -> RawMessages:
        """Return the raw bucket; whole mails take longer than any other answer."""
        from postroom.adapters.aws import S3RawMessages

        client = self._client("s3", connections=self._connections, read_timeout=60.0)
        return S3RawMessages(client, self._setting("raw_bucket"))

    def thread_keys(self) -> tuple[bytes, ...]:
        """Read the keys that prove thread tokens, newest first."""
        from postroom.adapters.aws import ThreadKeys

        return ThreadKeys(self._client("secretsmanager"), self._setting("thread_key_secret")).all()

    @cached_property
    def configurations(self) -> ConfigurationHistory:
        """Return the configurations."""
        from postroom.adapters.configuration import ConfigurationStore

        return ConfigurationStore(self._dynamo, self._table, self._contents)

    @cached_property
    def waiting_changes(self) -> WaitingChanges:
        """Return the changes of the configuration that wait to be published."""
        from postroom.adapters.configuration import DynamoWaitingChanges

        return DynamoWaitingChanges(self._dynamo, self._table)

    @cached_property
    def interactions(self) -> OlderMail:
        """Return the interactions."""
        from postroom.adapters.dynamo import DynamoInteractions

        return DynamoInteractions(self._dynamo, self._table, self._contents)

    @cached_property
    def cases(self) -> Cases:
        """Return the cases."""
        from postroom.adapters.dynamo.cases import DynamoCases

        return DynamoCases(self._dynamo, self._table)

    @property
    def may_hold(self) -> Callable[[str, str], bool]:
        """Return what tells whether an agent may have cases of a queue: whoever is named, while nobody knows users."""
        return lambda agent, _queue: bool(agent)

    @cached_property
    def case_notes(self) -> CaseNotes:
        """Return what lies beside cases."""
        from postroom.adapters.dynamo.cases import DynamoCaseNotes

        return DynamoCaseNotes(self._dynamo, self._table, self._contents)

    @cached_property
    def duplicates(self) -> Duplicates:
        """Return the raw messages that are the same mail as an interaction."""
        from postroom.adapters.dynamo import DynamoDuplicates

        return DynamoDuplicates(self._dynamo, self._table)

    @cached_property
    def changes(self) -> InteractionChanges:
        """Return what changes interactions on a person's word."""
        from postroom.adapters.dynamo import DynamoInteractionChanges

        return DynamoInteractionChanges(self._dynamo, self._table, self._contents)

    @cached_property
    def outbox(self) -> OutboxHistory:
        """Return the outbound mails."""
        from postroom.adapters.outbox import DynamoOutbox

        return DynamoOutbox(self._dynamo, self._table)

    @cached_property
    def suppressions(self) -> Suppressions:
        """Return the addresses that nothing more is sent to."""
        from postroom.adapters.outbox import DynamoSuppressions

        return DynamoSuppressions(self._dynamo, self._table)

    @cached_property
    def states(self) -> MailboxStates:
        """Return the mailboxes' states."""
        from postroom.adapters.dynamo import DynamoMailboxStates

        return DynamoMailboxStates(self._dynamo, self._table, self._contents)

    @cached_property
    def notices(self) -> Notices:
        """Return what was noted for administrators and belongs to no mail."""
        from postroom.adapters.dynamo import DynamoNotices

        return DynamoNotices(self._dynamo, self._table)

    @cached_property
    def sweep_memory(self) -> SweepMemory:
        """Return how far the sweeper has come."""
        from postroom.adapters.dynamo import DynamoSweepMemory

        return DynamoSweepMemory(self._dynamo, self._table)

    @cached_property
    def ticks(self) -> Ticks:
        """Return which minutes the schedule has planned."""
        from postroom.adapters.dynamo import DynamoTicks

        return DynamoTicks(self._dynamo, self._table)

    @cached_property
    def looks(self) -> Looks:
        """Return when mailboxes were polled."""
        from postroom.adapters.dynamo import DynamoLooks

        return DynamoLooks(self._dynamo, self._table)

    @cached_property
    def arrivals(self) -> Arrivals:
        """Return the newest mails of queues."""
        from postroom.adapters.dynamo import DynamoArrivals

        return DynamoArrivals(self._dynamo, self._table)

    @cached_property
    def secrets(self) -> SecretEntry:
        """Return where secrets are entered; nothing here can read them back."""
        from postroom.adapters.dynamo import SecretWriter

        return SecretWriter(
            table=self._table,
            dynamo=self._dynamo,
            kms=self._client("kms", connections=self._connections),
            key_id=self._setting("credentials_key"),
        )

    @cached_property
    def stored_secrets(self) -> Secrets:
        """Return stored secrets, for those who may decrypt."""
        from postroom.adapters.dynamo import StoredSecrets

        return StoredSecrets(
            table=self._table,
            dynamo=self._dynamo,
            kms=self._client("kms", connections=self._connections),
            key_id=self._setting("credentials_key"),
            secrets_manager=self._client("secretsmanager", connections=self._connections),
        )

    @cached_property
    def secret_dates(self) -> SecretDates:
        """Return which secrets are there, and until when; not what they are."""
        from postroom.adapters.dynamo import StoredSecretDates

        return StoredSecretDates(table=self._table, dynamo=self._dynamo)

    @cached_property
    def users(self) -> Users:
        """Return the users and invitations."""
        from postroom.adapters.dynamo.access import DynamoUsers

        return DynamoUsers(self._dynamo, self._table)

    @cached_property
    def roles(self) -> Roles:
        """Return the roles that the installation has defined."""
        from postroom.adapters.dynamo.access import DynamoRoles

        return DynamoRoles(self._dynamo, self._table)

    @cached_property
    def audit(self) -> Audit:
        """Return the audit log."""
        from postroom.adapters.dynamo.access import DynamoAudit

        return DynamoAudit(self._dynamo, self._table)

    @cached_property
    def request_memory(self) -> RequestMemory:
        """Return what the API remembers between requests."""
        from postroom.adapters.dynamo.access import DynamoRequestMemory

        return DynamoRequestMemory(self._dynamo, self._table)

    def queue(self, setting: str) -> SqsQueue:
        """Return a queue by the name of its setting: ports.Queue and ports.BatchQueue."""
        from postroom.adapters.aws import SqsQueue

        return SqsQueue(self._client("sqs"), self._setting(setting))

    def dead_letters(self, setting: str) -> DeadLetters:
        """Return a dead-letter queue by the name of its setting."""
        from postroom.adapters.aws import SqsDeadLetters

        return SqsDeadLetters(self._client("sqs"), self._setting(setting))

    def queue_urls(self) -> list[str]:
        """List the URLs of all queues that this AWS has."""
        from postroom.adapters.aws import queue_urls

        return queue_urls(self._client("sqs"))

    def redrive(self, name: str, url: str) -> Redrive | None:
        """Return the dead letters of the queue of this URL, called `name`; None for a queue without any."""
        from postroom.adapters.aws import find_dead_letters

        return find_dead_letters(self._client("sqs"), name, url)
