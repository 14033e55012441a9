"""Raw messages that are the same mail as an interaction in other bytes (model/raw_message.py).

An item stands under the id that the bytes would have as an interaction: what asks whether a raw message is dealt with
finds it there. Another stands beside the interaction under the claim, so that no two duplicates have the same one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from postroom.adapters.dynamo import items, keys
from postroom.adapters.dynamo.client import aws_errors, query_all
from postroom.errors import Conflict
from postroom.model import Absorbed, Direction, Duplicate, Event, SameMail

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

NOT_THERE = "attribute_not_exists(pk)"
FREE_OR_OWN = "attribute_not_exists(pk) OR #id = :id"
A_DUPLICATE = "attribute_not_exists(pk) OR #direction = :duplicate"


class DynamoDuplicates:
    """Implements ports.Duplicates."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def absorb(self, duplicate: Duplicate, *, event: Event) -> Absorbed:
        """Write both items and the entry of the history in one transaction."""
        own = {**keys.interaction(duplicate.id), "direction": Direction.DUPLICATE.value, **_values(duplicate)}
        claim = {**keys.duplicate(duplicate.of, duplicate.claim), **_values(duplicate)}
        try:
            with aws_errors("noting that a mail came again", on=duplicate.id):
                self._client.transact_write_items(
                    TransactItems=[
                        {
                            "Put": {
                                "TableName": self._table,
                                "Item": items.marshal(own),
                                "ConditionExpression": NOT_THERE,
                            }
                        },
                        {
                            "Put": {
                                "TableName": self._table,
                                "Item": items.marshal(claim),
                                "ConditionExpression": FREE_OR_OWN,
                                "ExpressionAttributeNames": {"#id": "id"},
                                "ExpressionAttributeValues": items.marshal({":id": duplicate.id}),
                            }
                        },
                        {"Put": {"TableName": self._table, "Item": items.event_item(duplicate.of, event)}},
                    ]
                )
        except self._client.exceptions.TransactionCanceledException:
            return Absorbed.ALREADY if self.find(duplicate.id) is not None else Absorbed.REFUSED
        return Absorbed.DONE

    def find(self, duplicate_id: str) -> Duplicate | None:
        """Read one by the id that its bytes would have; None when there is none, or an interaction."""
        with aws_errors("reading a mail that came again", on=duplicate_id):
            answer = self._client.get_item(
                TableName=self._table, Key=items.marshal(keys.interaction(duplicate_id)), ConsistentRead=True
            )
        item = answer.get("Item")
        return _read(item) if item and item["direction"]["S"] == Direction.DUPLICATE.value else None

    def of(self, interaction_id: str) -> Sequence[Duplicate]:
        """List all of an interaction, also those that were taken apart."""
        found = query_all(
            self._client,
            self._table,
            doing="reading how often a mail came",
            on=interaction_id,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :prefix)",
            ExpressionAttributeValues=items.marshal(
                {":pk": keys.interaction(interaction_id)[keys.PK], ":prefix": keys.DUPLICATE_PREFIX}
            ),
            ConsistentRead=True,
        )
        return [_read(item) for item in found]

    def take_apart(self, duplicate: Duplicate, *, event: Event) -> None:
        """Remove its item, so that its raw message counts as not dealt with, and note on the claim why."""
        apart = {**keys.duplicate(duplicate.of, duplicate.claim), **_values(duplicate), "apart": True}
        try:
            with aws_errors("taking a mail that came again apart", on=duplicate.id):
                self._client.transact_write_items(
                    TransactItems=[
                        {
                            "Delete": {
                                "TableName": self._table,
                                "Key": items.marshal(keys.interaction(duplicate.id)),
                                "ConditionExpression": A_DUPLICATE,
                                "ExpressionAttributeNames": {"#direction": "direction"},
                                "ExpressionAttributeValues": items.marshal({":duplicate": Direction.DUPLICATE.value}),
                            }
                        },
                        {"Put": {"TableName": self._table, "Item": items.marshal(apart)}},
                        {"Put": {"TableName": self._table, "Item": items.event_item(duplicate.of, event)}},
                    ]
                )
        except self._client.exceptions.TransactionCanceledException as error:
            raise Conflict("the mail was made an interaction meanwhile", on=duplicate.id) from error


def _values(duplicate: Duplicate) -> dict[str, Any]:
    return {
        "id": duplicate.id,
        "of": duplicate.of,
        "mailbox": duplicate.mailbox,
        "raw": duplicate.raw_key,
        "evidence": duplicate.evidence.value,
        "claim": duplicate.claim,
        "at": keys.moment(duplicate.at),
        "apart": duplicate.apart or None,
    }


def _read(item: Mapping[str, Any]) -> Duplicate:
    values = items.unmarshal(item)
    return Duplicate(
        id=values["id"],
        of=values["of"],
        mailbox=values["mailbox"],
        raw_key=values["raw"],
        evidence=SameMail(values["evidence"]),
        claim=values["claim"],
        at=keys.parse_moment(values["at"]),
        apart=values.get("apart", False),
    )
