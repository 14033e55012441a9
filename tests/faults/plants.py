"""Wrong orders of steps, planted one at a time: a sweep that does not catch each of them proves nothing.

A planted installation is compared with its own run without faults, so that what is caught is the order, and nothing
else that the plant changes.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from unittest.mock import patch

from postroom.adapters.dynamo.caps import counting
from postroom.adapters.dynamo.client import aws_errors
from postroom.adapters.outbox.store import NOT_THERE, DynamoOutbox
from postroom.errors import SendUncertain
from postroom.model.automatic_reply import Cap, Withheld
from postroom.model.identity import raw_key
from postroom.model.interaction import Added, PreparedInteraction
from postroom.model.outbound import Outbound
from postroom.model.server_mail import Fetched
from postroom.rules.polling.server_actions import after_storage
from postroom.services.inbound import ingest
from postroom.services.mailboxes.open import open_mailbox
from postroom.services.outbound import record_attempt
from postroom.services.polling import fetch
from postroom.services.polling import uploads as storing


@dataclass(frozen=True, slots=True)
class Plant:
    """A wrong order; `targets` are the places where its faults show, so that not every point need be tried."""

    name: str
    planted: Callable[[], AbstractContextManager[Any]]
    targets: tuple[str, ...]
    scenario: str = "smtp"


@contextmanager
def _acknowledge_before_store() -> Iterator[None]:
    """The server is told before the bytes are in S3."""
    take = fetch._Run._take

    def wrong(run: fetch._Run, result: Any, asked: Any, uploads: Any) -> None:
        if isinstance(result, Fetched) and (action := after_storage(run.mailbox)):
            session = open_mailbox(
                run.mailbox,
                connectors=run.polling.connectors,
                secrets=run.polling.secrets,
                deadline=run._session.until,
            )
            session.list(run._ledger.position)  # nothing is done with what a session has not listed (ADR 0018)
            session.act([result.item.id], action)
            session.close()
        take(run, result, asked, uploads)

    with patch.object(fetch._Run, "_take", wrong):
        yield


@contextmanager
def _random_object_key() -> Iterator[None]:
    """Every try to store a raw message makes a key of its own."""

    def wrong(mailbox: str, now: Any, server_id: str, sha256: str) -> str:
        return raw_key(mailbox, now, server_id + secrets.token_hex(4), sha256)

    with patch.object(storing, "raw_key", wrong):
        yield


@contextmanager
def _no_transaction() -> Iterator[None]:
    """What belongs together is written one after the other."""

    def wrong(self: DynamoOutbox, write: Any, cause: PreparedInteraction, caps: Sequence[Cap], now: datetime) -> Added:
        if not _put(self, cause.item):
            return Added.EXISTED
        for cap in caps:
            with aws_errors("counting an automatic reply"):
                self._client.update_item(**counting(self._table, cap, now))
        _put(self, write["Put"]["Item"])
        return Added.CREATED

    with patch.object(DynamoOutbox, "_add_caused", wrong):
        yield


def _put(outbox: DynamoOutbox, item: Any) -> bool:
    try:
        with aws_errors("writing one of several items"):
            outbox._client.put_item(TableName=outbox._table, Item=item, ConditionExpression=NOT_THERE)
    except outbox._client.exceptions.ConditionalCheckFailedException:
        return False
    return True


@contextmanager
def _automatic_reply_outside_the_transaction() -> Iterator[None]:
    """The interaction first, its acknowledgement afterwards, each whole in itself."""
    add = DynamoOutbox.add

    def wrong(
        self: DynamoOutbox,
        outbound: Outbound,
        *,
        cause: PreparedInteraction | None = None,
        caps: Sequence[Cap] = (),
    ) -> Added | Withheld:
        del caps
        if cause is not None and not _put(self, cause.item):
            return Added.EXISTED
        return add(self, outbound)

    with patch.object(DynamoOutbox, "add", wrong):
        yield


@contextmanager
def _blind_resend() -> Iterator[None]:
    """What may have left is tried again."""

    def wrong(attempt: record_attempt.Attempt, error: SendUncertain) -> record_attempt.Result:
        return attempt.deferred(error)

    with patch.object(record_attempt.Attempt, "uncertain", wrong):
        yield


@contextmanager
def _cursor_before_store() -> Iterator[None]:
    """The position says 'stored' before anything is, with the records that a cursor alone does not stand for."""
    fetch_sets = fetch._Run._fetch_sets

    def wrong(run: fetch._Run, lease: Any, plan: Any, pool: Any) -> list[str]:
        for item in plan.take:
            run._ledger.enter_stored(item, headers_only=False)
        run._remember(lease, release=False)
        run._ledger.stored.clear()
        return fetch_sets(run, lease, plan, pool)

    with patch.object(fetch._Run, "_fetch_sets", wrong):
        yield


@contextmanager
def _seen_before_put() -> Iterator[None]:
    """A raw message counts as processed from the moment that processing begins."""
    call = ingest.Ingest.__call__

    def wrong(self: ingest.Ingest, key: str) -> Any:
        store: Any = self.interactions
        try:
            store._client.put_item(
                TableName=store._table,
                Item={"pk": {"S": f"SEEN#{key}"}, "sk": {"S": "0"}},
                ConditionExpression="attribute_not_exists(pk)",
            )
        except store._client.exceptions.ConditionalCheckFailedException:
            return None
        return call(self, key)

    with patch.object(ingest.Ingest, "__call__", wrong):
        yield


PLANTS = (
    Plant("acknowledge before store", _acknowledge_before_store, ("aws s3.PutObject",)),
    Plant("random object key", _random_object_key, ("aws s3.PutObject", "aws dynamodb.UpdateItem")),
    Plant("no transaction", _no_transaction, ("aws dynamodb.PutItem", "aws dynamodb.UpdateItem")),
    Plant("blind resend, SMTP", _blind_resend, ("smtp END OF DATA", "smtp CONTENT")),
    Plant("blind resend, SES", _blind_resend, ("aws sesv2.SendEmail",), "ses"),
    Plant("cursor before store", _cursor_before_store, ("aws s3.PutObject", "aws dynamodb.UpdateItem")),
    Plant("seen-item before put", _seen_before_put, ("aws dynamodb.TransactWriteItems", "aws dynamodb.PutItem")),
    Plant(
        "automatic reply outside the transaction",
        _automatic_reply_outside_the_transaction,
        ("aws dynamodb.PutItem", "aws dynamodb.TransactWriteItems"),
    ),
)
