"""Wires services to adapters, one function below for each Lambda function; the only module that knows both.

Nothing happens at import time. What a function needs is made at its first event and kept while it is warm; imports of
what only some functions need stand inside the functions, since import time is what a cold start waits for.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3

from postroom.adapters import utc_now
from postroom.adapters.aws import S3Contents, aws_errors, config
from postroom.adapters.dynamo import ConfigurationStore, repeat_conflicts
from postroom.environment import Environment, read_environment

if TYPE_CHECKING:
    from postroom.services.api import Queries
    from postroom.services.polling import Summary
    from postroom.sqs_records import PutOff

_LOOKERS = 110  # connections: one a mailbox of a poll request, and some


@cache
def _client(service: str, *, connections: int = 10, attempts: int = 3, read_timeout: float = 10.0) -> Any:
    settings = config(connections=connections, attempts=attempts, read_timeout=read_timeout)
    client: Any = boto3.client(service, config=settings)  # type: ignore[call-overload]  # one cache for all kinds
    return repeat_conflicts(client) if service == "dynamodb" else client


def forget() -> None:
    """Drop everything made so far (tests and the local runner, when the environment changes)."""
    for made in (_client, schedule_polls, _fetch, process_inbound, send_outbound, track_delivery, sweep, api):
        made.cache_clear()


def _contents(settings: Environment) -> S3Contents:
    return S3Contents(_client("s3"), settings["content_bucket"])


def _configurations(settings: Environment) -> ConfigurationStore:
    return ConfigurationStore(_client("dynamodb"), settings["table"], _contents(settings))


def put_off() -> PutOff:
    """Let a message that failed come back to its queue; its client is made when the first one fails."""

    def late(*, queue: str, receipt: str, seconds: int) -> None:
        from postroom.adapters.aws import SqsVisibility

        with aws_errors("letting a message come back"):
            client = _client("sqs")
        SqsVisibility(client)(queue=queue, receipt=receipt, seconds=seconds)

    return late


@cache
def schedule_polls() -> Callable[[Mapping[str, Any]], int]:
    """Queue the polls of the minute that a tick names; answers the number of mailboxes."""
    from postroom.adapters.aws import SqsQueue
    from postroom.adapters.dynamo import DynamoTicks
    from postroom.services.polling import schedule, scheduled_time

    settings = read_environment(os.environ, "table", "content_bucket", "poll_queue", "ews_poll_queue")
    configurations = _configurations(settings)
    queue = SqsQueue(_client("sqs"), settings["poll_queue"])
    ews_queue = SqsQueue(_client("sqs"), settings["ews_poll_queue"])
    ticks = DynamoTicks(_client("dynamodb"), settings["table"])

    def run(event: Mapping[str, Any]) -> int:
        scheduled = schedule(
            configurations=configurations,
            queue=queue,
            ews_queue=ews_queue,
            now=utc_now(),
            scheduled=scheduled_time(event),
            ticks=ticks,
        )
        return scheduled.mailboxes

    return run


def fetch_mailboxes() -> Callable[[Mapping[str, Any], int], Summary]:
    """Serve one poll request of IMAP, POP3 or Graph mailboxes, within the given milliseconds."""
    return _fetch("poll_queue")


def fetch_ews() -> Callable[[Mapping[str, Any], int], Summary]:
    """Serve one poll request of EWS mailboxes, within the given milliseconds."""
    return _fetch("ews_poll_queue")


@cache
def _fetch(queue: str) -> Callable[[Mapping[str, Any], int], Summary]:
    import time

    from postroom.adapters.aws import S3RawMessages, SqsQueue
    from postroom.adapters.dynamo import DynamoMailboxStates, StoredSecrets
    from postroom.services.polling import Polling, poll

    settings = read_environment(
        os.environ,
        "table",
        "raw_bucket",
        "content_bucket",
        queue,
        "credentials_key",
        "allow_plaintext_credentials",
        "private_mail_networks",
    )
    dynamo = _client("dynamodb", connections=_LOOKERS)
    secrets = StoredSecrets(
        table=settings["table"],
        dynamo=dynamo,
        kms=_client("kms", connections=_LOOKERS),
        key_id=settings["credentials_key"],
        secrets_manager=_client("secretsmanager", connections=_LOOKERS),
    )
    polling = Polling(
        configurations=_configurations(settings),
        states=DynamoMailboxStates(dynamo, settings["table"], _contents(settings)),
        secrets=secrets,
        connectors=connectors(settings),
        raw=S3RawMessages(_client("s3", connections=_LOOKERS, read_timeout=60.0), settings["raw_bucket"]),
        queue=SqsQueue(_client("sqs"), settings[queue]),
        clock=utc_now,
        tokens=tokens(settings, secrets=secrets, dynamo=dynamo, kms=_client("kms", connections=_LOOKERS)),
    )

    def run(request: Mapping[str, Any], milliseconds: int) -> Summary:
        return poll(request, polling=polling, deadline=time.monotonic() + milliseconds / 1000)

    return run


def connectors(settings: Environment) -> Mapping[Any, Any]:
    """Make the connectors of a fetching function; their libraries are imported when a mailbox needs them."""
    from postroom.adapters import LateConnector, LateLooks
    from postroom.adapters.imap import ImapConnector
    from postroom.model.configuration import Type

    networks = settings.private_mail_networks
    plaintext = settings.allow_plaintext_credentials

    def pop3() -> Any:
        from postroom.adapters.pop3 import Pop3Connector

        return Pop3Connector(allowed_networks=networks, allow_plaintext_credentials=plaintext)

    def graph() -> Any:
        from postroom.adapters.graph import GraphConnector

        return GraphConnector(allowed_networks=networks)

    def ews() -> Any:
        from postroom.adapters.ews import EwsConnector

        return EwsConnector(allowed_networks=networks)

    return {
        Type.IMAP: ImapConnector(allowed_networks=networks, allow_plaintext_credentials=plaintext),
        Type.POP3: LateConnector(pop3),
        Type.GRAPH: LateLooks(graph),
        Type.EWS: LateConnector(ews),
    }


def tokens(settings: Environment, *, secrets: Any, dynamo: Any, kms: Any) -> Any:
    """Make what gets access tokens, from the settings table, credentials_key and private_mail_networks."""
    from postroom.adapters import LateTokens

    def make() -> Any:
        from postroom.adapters.dynamo import SecretWriter
        from postroom.adapters.oauth import OAuthTokens

        store = SecretWriter(table=settings["table"], dynamo=dynamo, kms=kms, key_id=settings["credentials_key"])
        return OAuthTokens(secrets=secrets, store=store, clock=utc_now, allowed_networks=settings.private_mail_networks)

    return LateTokens(make)


@cache
def process_inbound() -> Callable[[Mapping[str, Any]], int]:
    """Process the raw messages of one S3 event; answers how many there were."""
    from postroom.adapters.aws import S3RawMessages, ThreadKeys
    from postroom.model import stored_keys

    settings = read_environment(
        os.environ, "table", "raw_bucket", "content_bucket", "outbound_queue", "thread_key_secret"
    )
    keys = ThreadKeys(_client("secretsmanager"), settings["thread_key_secret"])
    ingest = _ingest(settings, S3RawMessages(_client("s3"), settings["raw_bucket"]), keys.all)

    def run(event: Mapping[str, Any]) -> int:
        stored = stored_keys(event)
        for key in stored:
            ingest(key)
        return len(stored)

    return run


def _ingest(settings: Environment, raw: Any, thread_keys: Callable[[], tuple[bytes, ...]]) -> Any:
    from postroom.adapters.aws import SqsQueue
    from postroom.adapters.dynamo import DynamoInteractions, DynamoOutbox
    from postroom.services.inbound import Ingest, Store
    from postroom.services.policy import Policies

    contents = _contents(settings)
    interactions = DynamoInteractions(_client("dynamodb"), settings["table"], contents)
    store = Store(
        contents=contents,
        interactions=interactions,
        outbox=DynamoOutbox(_client("dynamodb"), settings["table"]),
        outbound_queue=SqsQueue(_client("sqs"), settings["outbound_queue"]),
    )
    policies = Policies(_configurations(settings), thread_keys)
    return Ingest(raw=raw, interactions=interactions, policies=policies, store=store, clock=utc_now)


@cache
def send_outbound() -> Callable[[Mapping[str, Any]], Any]:
    """Send the outbound mail that a queue message names."""
    from postroom.adapters.aws import SqsQueue, ThreadKeys
    from postroom.adapters.dynamo import DynamoOutbox, StoredSecrets
    from postroom.adapters.transports import ConfiguredTransports, SesTransport
    from postroom.model import read_send_request
    from postroom.services.outbound import send

    settings = read_environment(
        os.environ,
        "table",
        "content_bucket",
        "outbound_queue",
        "credentials_key",
        "thread_key_secret",
        "configuration_set",
        "allow_plaintext_credentials",
        "private_mail_networks",
    )
    outbox = DynamoOutbox(_client("dynamodb"), settings["table"])
    configurations = _configurations(settings)
    keys = ThreadKeys(_client("secretsmanager"), settings["thread_key_secret"])
    queue = SqsQueue(_client("sqs"), settings["outbound_queue"])
    secrets = StoredSecrets(
        table=settings["table"],
        dynamo=_client("dynamodb"),
        kms=_client("kms"),
        key_id=settings["credentials_key"],
        secrets_manager=_client("secretsmanager"),
    )
    transports = ConfiguredTransports(
        secrets=secrets,
        configurations=configurations,
        tokens=tokens(settings, secrets=secrets, dynamo=_client("dynamodb"), kms=_client("kms")),
        # ONE attempt: by itself the client would repeat a request whose outcome is unknown, and send twice.
        ses=lambda: SesTransport(
            _client("sesv2", attempts=1, read_timeout=30.0), configuration_set=settings["configuration_set"]
        ),
        allowed_networks=settings.private_mail_networks,
        allow_plaintext_credentials=settings.allow_plaintext_credentials,
    )

    def run(message: Mapping[str, Any]) -> Any:
        return send(
            read_send_request(message),
            outbox=outbox,
            configurations=configurations,
            transports=transports,
            thread_key=keys.newest,
            queue=queue,
            clock=utc_now,
        )

    return run


@cache
def track_delivery() -> Callable[[Mapping[str, Any]], Any]:
    """Record one SES event."""
    from postroom.adapters.dynamo import DynamoNotices, DynamoOutbox
    from postroom.services.outbound import track

    settings = read_environment(os.environ, "table")
    outbox = DynamoOutbox(_client("dynamodb"), settings["table"])
    notices = DynamoNotices(_client("dynamodb"), settings["table"])

    def run(event: Mapping[str, Any]) -> Any:
        return track(event, outbox=outbox, notices=notices, clock=utc_now)

    return run


@cache
def sweep() -> Callable[[], dict[str, int]]:
    """Sweep once; answers the counts."""
    from dataclasses import asdict

    from postroom.adapters.aws import S3RawMessages, SqsDeadLetters, SqsQueue
    from postroom.adapters.dynamo import DynamoMailboxStates, DynamoMark
    from postroom.services.sweep import Sweep

    settings = read_environment(
        os.environ,
        "table",
        "raw_bucket",
        "content_bucket",
        "inbound_queue",
        "inbound_dead_letters",
        "outbound_queue",
    )
    raw = S3RawMessages(_client("s3"), settings["raw_bucket"])
    # A wrapping interaction needs no key: nothing in it is believed.
    ingest = _ingest(settings, raw, lambda: ())
    run = Sweep(
        raw=raw,
        raw_bucket=settings["raw_bucket"],
        interactions=ingest.interactions,
        outbox=ingest.store.outbox,
        states=DynamoMailboxStates(_client("dynamodb"), settings["table"], _contents(settings)),
        configurations=_configurations(settings),
        inbound_queue=SqsQueue(_client("sqs"), settings["inbound_queue"]),
        outbound_queue=SqsQueue(_client("sqs"), settings["outbound_queue"]),
        dead_letters=SqsDeadLetters(_client("sqs"), settings["inbound_dead_letters"]),
        ingest=ingest,
        mark=DynamoMark(_client("dynamodb"), settings["table"]),
        clock=utc_now,
    )
    return lambda: asdict(run())


@cache
def api() -> Queries:
    """Answer the HTTP API; reads, and writes replies."""
    from postroom.adapters.aws import SqsQueue
    from postroom.adapters.dynamo import DynamoArrivals, DynamoInteractions, DynamoMailboxStates, DynamoOutbox
    from postroom.services.api import queries

    settings = read_environment(os.environ, "table", "content_bucket", "outbound_queue")
    contents = _contents(settings)
    return queries(
        interactions=DynamoInteractions(_client("dynamodb"), settings["table"], contents),
        outbox=DynamoOutbox(_client("dynamodb"), settings["table"]),
        configurations=_configurations(settings),
        states=DynamoMailboxStates(_client("dynamodb"), settings["table"], contents),
        outbound_queue=SqsQueue(_client("sqs"), settings["outbound_queue"]),
        clock=utc_now,
        arrivals=DynamoArrivals(_client("dynamodb"), settings["table"]),
    )
