"""Changes to interactions that are there: rewritten by a replay, moved between threads, their attachments settled."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from postroom.adapters.dynamo import items, keys
from postroom.adapters.dynamo.client import aws_errors
from postroom.errors import Conflict, NotFound, TooLarge
from postroom.model import Body, Direction, Event, Interaction
from postroom.ports import Contents

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

AS_IT_WAS_READ = "detail = :detail AND #status = :status AND #thread = :thread"
"""Nobody has changed the interaction since it was read, answered it, or put it into another thread."""
IN_THREAD = "#thread = :was"


class DynamoInteractionChanges:
    """Implements services.changes.Changes; every change leaves an entry in the history, in the same transaction."""

    def __init__(self, client: DynamoDBClient, table: str, contents: Contents) -> None:
        self._client = client
        self._table = table
        self._contents = contents

    def check(self, after: Interaction, *, body: Body) -> None:
        """Raise TooLarge for what no item holds, as when the mail came in."""
        packed = items.body_values(body)
        kept = packed if len(packed) <= items.BODY_LIMIT else None
        if items.size(items.interaction_item(after, kept, None)) > items.INTERACTION_LIMIT:
            raise TooLarge(items.TOO_LARGE)

    def rewrite(self, before: Interaction, after: Interaction, *, body: Body | None, event: Event) -> None:
        """Replace what is recorded of a mail; Conflict when somebody else changed it since `before` was read."""
        old = self._item(before.id)
        if items.read_interaction(old) != before:
            raise Conflict("the interaction was changed meanwhile", on=before.id)
        packed, body_key = old.get("body", {}).get("B"), old.get("body_key", {}).get("S")
        if body is not None:
            packed, body_key = items.body_values(body), None
            if len(packed) > items.BODY_LIMIT:
                body_key = f"bodies/{before.id}"
                self._contents.put(body_key, packed, content_type="application/zlib")
                packed = None
        self._write(
            before.id,
            {
                "Put": {
                    "TableName": self._table,
                    "Item": items.interaction_item(after, packed, body_key),
                    "ConditionExpression": AS_IT_WAS_READ,
                    "ExpressionAttributeNames": {"#status": "status", "#thread": "thread"},
                    "ExpressionAttributeValues": {f":{name}": old[name] for name in ("detail", "status", "thread")},
                }
            },
            event,
        )

    def move(self, interaction_id: str, *, was: str, thread_id: str, event: Event) -> None:
        """Move a member, in or out, from the thread `was` to another; Conflict when it is in neither."""
        item = self._item(interaction_id)
        if item["thread"]["S"] == thread_id:
            return  # an earlier try did it
        root = thread_id == interaction_id
        inbound = item["direction"]["S"] == "inbound"
        values: dict[str, Any] = {":thread": thread_id, ":was": was}
        expression = "SET #thread = :thread"
        if root and inbound:
            expression += f" REMOVE {keys.THREAD_PK}, {keys.THREAD_SK}"
        else:
            expression += f", {keys.THREAD_PK} = :thread, {keys.THREAD_SK} = :listed"
            values[":listed"] = f"{item['created']['S']}#{interaction_id}"
        self._write(
            interaction_id,
            {
                "Update": {
                    "TableName": self._table,
                    "Key": items.marshal(keys.interaction(interaction_id)),
                    "UpdateExpression": expression,
                    "ConditionExpression": IN_THREAD,
                    "ExpressionAttributeNames": {"#thread": "thread"},
                    "ExpressionAttributeValues": items.marshal(values),
                }
            },
            event,
        )

    def thread_of(self, interaction_id: str) -> tuple[str, str | None, datetime]:
        """Return the thread, the parent and the time of creation of an interaction, in or out."""
        item = self._item(interaction_id)
        values = items.unmarshal({name: item[name] for name in ("thread", "parent", "created") if name in item})
        return values["thread"], values.get("parent"), keys.parse_moment(values["created"])

    def _item(self, interaction_id: str) -> Any:
        with aws_errors("reading the interaction", on=interaction_id):
            answer = self._client.get_item(
                TableName=self._table, Key=items.marshal(keys.interaction(interaction_id)), ConsistentRead=True
            )
        if "Item" not in answer or answer["Item"]["direction"]["S"] == Direction.DUPLICATE.value:
            raise NotFound("there is no such interaction", on=interaction_id)
        return answer["Item"]

    def _write(self, interaction_id: str, change: Any, event: Event) -> None:
        record: Any = {"Put": {"TableName": self._table, "Item": items.event_item(interaction_id, event)}}
        try:
            with aws_errors("changing the interaction", on=interaction_id):
                self._client.transact_write_items(TransactItems=[change, record])
        except self._client.exceptions.TransactionCanceledException as error:
            raise Conflict("the interaction was changed meanwhile", on=interaction_id) from error
