"""The addresses that nothing more is sent to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from postroom.adapters.aws import aws_errors
from postroom.adapters.dynamo import items, keys, query_all, read_many
from postroom.mail.headers import address_key
from postroom.model import Suppression, SuppressionReason

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

NOT_FOR_EVER = "attribute_not_exists(pk) OR (attribute_exists(#expires) AND #expires < :expires)"
"""What lasts longer is not shortened: a complaint, or a person's word, outlives a bounce."""


class DynamoSuppressions:
    """Implements ports.Suppressions."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def among(self, addresses: Sequence[str], *, now: datetime) -> Mapping[str, Suppression]:
        """Return those of these addresses that are suppressed now, under the names that they were asked by."""
        asked = {one: address_key(one) for one in addresses}
        wanted = [keys.suppressed(key) for key in dict.fromkeys(asked.values()) if key]
        found = read_many(self._client, self._table, wanted, doing="reading suppressed addresses") if wanted else ()
        known = {one.address: one for one in map(_read, found) if one.expires is None or one.expires > now}
        return {one: known[key] for one, key in asked.items() if key in known}

    def add(self, suppression: Suppression) -> bool:
        """Suppress an address; False when it is already, for at least as long."""
        key = address_key(suppression.address)
        values: dict[str, Any] = {
            **keys.suppressed(key),
            "reason": suppression.reason.value,
            "at": keys.moment(suppression.at),
            "source": suppression.source,
            "detail": items.shorten(suppression.detail, 600),
        }
        given: dict[str, Any] = {}
        if suppression.expires is not None:
            # After its end it may stay for a day or two, as time-to-live is: who reads it looks at the time.
            values[keys.EXPIRES] = int(suppression.expires.timestamp())
            given = {
                "ConditionExpression": NOT_FOR_EVER,
                "ExpressionAttributeNames": {"#expires": keys.EXPIRES},
                "ExpressionAttributeValues": items.marshal({":expires": values[keys.EXPIRES]}),
            }
        try:
            with aws_errors("suppressing an address"):
                self._client.put_item(TableName=self._table, Item=items.marshal(values), **given)
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def remove(self, address: str) -> bool:
        """Let mail go to an address again; False when it was not suppressed."""
        with aws_errors("removing a suppressed address"):
            answer = self._client.delete_item(
                TableName=self._table, Key=items.marshal(keys.suppressed(address_key(address))), ReturnValues="ALL_OLD"
            )
        return bool(answer.get("Attributes"))

    def all(self, *, now: datetime) -> Iterator[Suppression]:
        """List the addresses that are suppressed now, in the order of the alphabet."""
        found = query_all(
            self._client,
            self._table,
            doing="listing suppressed addresses",
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues=items.marshal({":pk": keys.suppressed("")[keys.PK]}),
        )
        for one in map(_read, found):
            if one.expires is None or one.expires > now:
                yield one


def _read(item: Mapping[str, Any]) -> Suppression:
    values = items.unmarshal(item)
    expires = values.get(keys.EXPIRES)
    at = keys.parse_moment(values["at"])
    return Suppression(
        address=values[keys.SK],
        reason=SuppressionReason(values["reason"]),
        at=at,
        source=values["source"],
        detail=values.get("detail", ""),
        expires=datetime.fromtimestamp(expires, at.tzinfo) if expires is not None else None,
    )
