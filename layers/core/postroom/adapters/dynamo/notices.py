"""Notices to administrators: what belongs to no mail of ours."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from postroom.adapters.dynamo import items, keys
from postroom.adapters.dynamo.client import aws_errors, query_all
from postroom.model import Event

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KEPT = timedelta(days=90)
LATER = "attribute_not_exists(pk) OR #at < :at"


class DynamoNotices:
    """Implements services.track.Notices, and lists what it wrote."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def add(self, *, at: datetime, what: str, detail: str) -> None:
        """Write one notice; it goes after 90 days."""
        with aws_errors("writing a notice"):
            self._client.put_item(
                TableName=self._table,
                Item=items.marshal(
                    {
                        **keys.notice(at, what),
                        "at": keys.moment(at),
                        "what": what,
                        "detail": detail,
                        "who": "postroom",
                        keys.EXPIRES: int((at + KEPT).timestamp()),
                    }
                ),
            )

    def of_day(self, day: datetime) -> Iterator[Event]:
        """List the notices of a day, oldest first."""
        found = query_all(
            self._client,
            self._table,
            doing="listing notices",
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues=items.marshal({":pk": keys.notice(day, "")[keys.PK]}),
        )
        yield from map(items.read_event, found)


UNARRIVED_KEPT = timedelta(days=30)


def note_unarrived(client: DynamoDBClient, table: str, outbound_id: str, *, at: datetime) -> None:
    """Note that a mail did not arrive, or is about to be recorded so; its own item says which. Goes after 30 days.

    The lists of the outbox know states only: one that bounced stands there among all that were sent.
    """
    with aws_errors("noting that a mail did not arrive", on=outbound_id):
        client.update_item(
            TableName=table,
            Key=items.marshal(keys.unarrived(outbound_id)),
            UpdateExpression="SET #at = :at, #expires = :expires",
            ExpressionAttributeNames={"#at": "at", "#expires": keys.EXPIRES},
            ExpressionAttributeValues=items.marshal(
                {":at": keys.moment(at), ":expires": int((at + UNARRIVED_KEPT).timestamp())}
            ),
        )


def noted_unarrived(client: DynamoDBClient, table: str) -> Iterator[str]:
    """List the ids of which that was noted."""
    found = query_all(
        client,
        table,
        doing="listing mail that did not arrive",
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues=items.marshal({":pk": keys.unarrived("")[keys.PK]}),
    )
    for item in found:
        yield item[keys.SK]["S"]


class DynamoTicks:
    """Implements services.polling.schedule.Ticks."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def last(self) -> datetime | None:
        """Return the last tick that polls were planned for; None before the first."""
        with aws_errors("reading the last tick"):
            answer = self._client.get_item(TableName=self._table, Key=items.marshal(keys.tick_mark()))
        return keys.parse_moment(answer["Item"]["at"]["S"]) if "Item" in answer else None

    def save(self, tick: datetime) -> None:
        """Remember a tick, unless a later one is remembered."""
        try:
            with aws_errors("remembering the tick"):
                self._client.put_item(
                    TableName=self._table,
                    Item=items.marshal({**keys.tick_mark(), "at": keys.moment(tick)}),
                    ConditionExpression=LATER,
                    ExpressionAttributeNames={"#at": "at"},
                    ExpressionAttributeValues=items.marshal({":at": keys.moment(tick)}),
                )
        except self._client.exceptions.ConditionalCheckFailedException:
            return
