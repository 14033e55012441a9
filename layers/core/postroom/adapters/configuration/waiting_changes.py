"""Changes of the configuration that wait to be published together, and whose turn it is to publish.

Whoever has the turn applies every change that waits, in the order of their coming, and puts them in force as one
version; the same write tells each waiting change so. The turn ends by itself when its holder is gone: it only saves
work, since putting in force is conditional on the version.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from postroom.adapters.aws import aws_errors
from postroom.adapters.dynamo import items, keys, query_all
from postroom.errors import NotFound, TooLarge
from postroom.model.configuration import SETTINGS, Change, Configuration, Edit, WaitingChange

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

LIMIT = 300_000  # bytes, compressed; DynamoDB takes 400 KB
KEPT = timedelta(hours=1)
"""How long a change that nobody asks for any more, and what became of it, stay in the table."""

OVER = "0"  # before every moment
TURN_IS_FREE = "attribute_not_exists(pk) OR ends < :now OR holder = :owner"
STILL_WAITS = "attribute_exists(pk) AND attribute_not_exists(outcome)"


class DynamoWaitingChanges:
    """Implements ports.WaitingChanges."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def take_turn(self, owner: str, *, now: datetime, until: datetime) -> bool:
        """Take the turn to publish, or keep it; False while somebody else has it."""
        try:
            with aws_errors("taking the turn to publish"):
                self._client.put_item(
                    TableName=self._table,
                    Item=items.marshal({**keys.configuration_turn(), "holder": owner, "ends": keys.moment(until)}),
                    ConditionExpression=TURN_IS_FREE,
                    ExpressionAttributeValues=items.marshal({":now": keys.moment(now), ":owner": owner}),
                )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def end_turn(self, owner: str) -> None:
        """Give the turn back; nothing happens to one that somebody else has by now."""
        try:
            with aws_errors("giving back the turn to publish"):
                self._client.update_item(
                    TableName=self._table,
                    Key=items.marshal(keys.configuration_turn()),
                    UpdateExpression="SET ends = :over",
                    ConditionExpression="holder = :owner",
                    ExpressionAttributeValues=items.marshal({":owner": owner, ":over": OVER}),
                )
        except self._client.exceptions.ConditionalCheckFailedException:
            return

    def add(self, change_id: str, change: Change, *, now: datetime) -> None:
        """Let a change wait; raises TooLarge for one of too many objects."""
        document = zlib.compress(json.dumps(_plain(change), ensure_ascii=False).encode())
        if len(document) > LIMIT:
            raise TooLarge("The change is too large to wait for others", remedy="Apply it when nobody else changes.")
        values = {"change": document, "expires": int((now + KEPT).timestamp())}
        with aws_errors("letting a change wait"):
            self._client.put_item(
                TableName=self._table, Item=items.marshal({**keys.configuration_waiting(change_id), **values})
            )

    def waiting(self) -> list[WaitingChange]:
        """List the changes that wait, in the order of their coming."""
        found = query_all(
            self._client,
            self._table,
            doing="reading which changes wait",
            KeyConditionExpression="pk = :pk",
            FilterExpression="attribute_not_exists(outcome)",
            ExpressionAttributeValues=items.marshal({":pk": keys.CONFIG_WAITING}),
            ConsistentRead=True,
        )
        return [
            WaitingChange(values["sk"], _change(json.loads(zlib.decompress(values["change"]))))
            for values in map(items.unmarshal, found)
        ]

    def refuse(self, change_id: str, outcome: Mapping[str, Any]) -> None:
        """Tell a waiting change why it is not applied; nothing happens to one that waits no more."""
        try:
            with aws_errors("telling a change why it was refused"):
                self._client.update_item(
                    TableName=self._table,
                    Key=items.marshal(keys.configuration_waiting(change_id)),
                    UpdateExpression="SET outcome = :outcome",
                    ConditionExpression=STILL_WAITS,
                    ExpressionAttributeValues=items.marshal({":outcome": json.dumps(outcome, ensure_ascii=False)}),
                )
        except self._client.exceptions.ConditionalCheckFailedException:
            return

    def outcome(self, change_id: str) -> Mapping[str, Any] | None:
        """Return what became of a change, None while it waits; raises NotFound for one that is not there."""
        with aws_errors("asking what became of a change"):
            answer = self._client.get_item(
                TableName=self._table, Key=items.marshal(keys.configuration_waiting(change_id)), ConsistentRead=True
            )
        if "Item" not in answer:
            raise NotFound("The change does not wait any more", on=change_id)
        outcome = items.unmarshal(answer["Item"]).get("outcome")
        found: Mapping[str, Any] | None = json.loads(outcome) if outcome else None
        return found

    def forget(self, change_id: str) -> bool:
        """Take a change back that still waits; False when something became of it meanwhile."""
        try:
            with aws_errors("taking back a change"):
                self._client.update_item(
                    TableName=self._table,
                    Key=items.marshal(keys.configuration_waiting(change_id)),
                    UpdateExpression="SET outcome = :outcome",
                    ConditionExpression=STILL_WAITS,
                    ExpressionAttributeValues=items.marshal({":outcome": json.dumps({"taken_back": True})}),
                )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True


def outcome_writes(table: str, settled: Sequence[str], *, version: int, now: datetime) -> list[dict[str, Any]]:
    """Return the writes, for the transaction of a version, that tell waiting changes that they are in it."""
    values = {":outcome": json.dumps({"version": version}), ":expires": int((now + KEPT).timestamp())}
    return [
        {
            "Update": {
                "TableName": table,
                "Key": items.marshal(keys.configuration_waiting(change_id)),
                "UpdateExpression": "SET outcome = :outcome, expires = :expires",
                "ConditionExpression": STILL_WAITS,
                "ExpressionAttributeValues": items.marshal(values),
            }
        }
        for change_id in settled
    ]


def _plain(change: Change) -> dict[str, Any]:
    return {
        "who": change.who,
        "why": change.why,
        "edits": [
            [edit.section, edit.name, edit.expected, edit.after and _dumped(edit.after)] for edit in change.edits
        ],
        "rests_on": [[section, name, version] for (section, name), version in change.rests_on.items()],
        "order": change.order,
    }


def _dumped(found: BaseModel) -> dict[str, Any]:
    return found.model_dump(mode="json", exclude_defaults=True)


def _change(plain: Mapping[str, Any]) -> Change:
    return Change(
        edits=tuple(
            Edit(section, name, expected, None if after is None else _object(section, after))
            for section, name, expected, after in plain["edits"]
        ),
        who=plain["who"],
        why=plain["why"],
        rests_on={(section, name): version for section, name, version in plain["rests_on"]},
        order={section: tuple(names) for section, names in plain["order"].items()},
    )


def _object(section: str, plain: Mapping[str, Any]) -> BaseModel:
    if section == SETTINGS:
        return Configuration.model_validate({"settings": plain}).settings
    found: BaseModel = getattr(Configuration.model_validate({section: [plain]}), section)[0]
    return found
