"""Interactions in the table: added at once and once only, read, listed, and their history."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from postroom.adapters.dynamo import items, keys
from postroom.adapters.dynamo.client import aws_errors, query_all, read_many
from postroom.errors import TooLarge
from postroom.model import (
    Added,
    Body,
    Direction,
    Event,
    Interaction,
    InteractionRef,
    OutboxState,
    PreparedInteraction,
    Subtype,
    ThreadHit,
    Waiting,
)
from postroom.model.case import CaseList, ListKind
from postroom.ports import Contents

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

NOT_THERE = "attribute_not_exists(pk)"
"""The condition that makes an id exist once: a second write of the same mail changes nothing."""

A_ROOT = "#thread = :own"
IN_THREAD = "#thread = :was"
WAITS = timedelta(days=30)

_SHOWN = ("direction", "created", "from", "subject", "subtype", "status", "mailbox", "thread")


class DynamoInteractions:
    """Implements ports.Interactions and what the API and the CLI read."""

    def __init__(self, client: DynamoDBClient, table: str, contents: Contents) -> None:
        self._client = client
        self._table = table
        self._contents = contents

    def add(self, interaction: Interaction, body: Body) -> Added:
        """Write the interaction alone with one conditional put; raises TooLarge for what no item holds."""
        prepared = self.prepare(interaction, body)
        try:
            with aws_errors("writing the interaction"):
                self._client.put_item(TableName=self._table, Item=prepared.item, ConditionExpression=NOT_THERE)
        except self._client.exceptions.ConditionalCheckFailedException:
            return Added.EXISTED
        return Added.CREATED

    def prepare(self, interaction: Interaction, body: Body) -> PreparedInteraction:
        """Make the item, and lay a long body beside it; raises TooLarge for what no item holds."""
        packed = items.body_values(body)
        body_key = None
        if len(packed) > items.BODY_LIMIT:
            # An orphan, should the item never be written: harmless, and the same key at the next try.
            body_key = f"bodies/{interaction.id}"
            self._contents.put(body_key, packed, content_type="application/zlib")
        item = items.interaction_item(interaction, None if body_key else packed, body_key)
        if items.size(item) > items.INTERACTION_LIMIT:
            raise TooLarge(items.TOO_LARGE)
        return PreparedInteraction(InteractionRef(interaction.id), item)

    def get(self, interaction_id: str) -> Interaction | None:
        """Read an inbound interaction; None when there is none, or when the id is an outbound one's."""
        item = self.item(interaction_id)
        return items.read_interaction(item) if item and item["direction"]["S"] == "inbound" else None

    def item(self, interaction_id: str) -> Mapping[str, Any] | None:
        """Read the item behind an id, in or out."""
        with aws_errors("reading the interaction", on=interaction_id):
            answer = self._client.get_item(
                TableName=self._table, Key=items.marshal(keys.interaction(interaction_id)), ConsistentRead=True
            )
        return answer.get("Item")

    def body(self, interaction_id: str) -> Body | None:
        """Read the masked text and HTML of an inbound interaction."""
        item = self.item(interaction_id)
        if item is None or item["direction"]["S"] != "inbound":
            return None
        values = items.unmarshal({name: item[name] for name in ("body", "body_key") if name in item})
        return items.read_body(values["body"] if "body" in values else self._contents.get(values["body_key"]))

    def by_message_ids(self, message_ids: Sequence[str]) -> Sequence[ThreadHit]:
        """Find the stored mails with these Message-IDs, in the order asked for."""
        hits: list[ThreadHit] = []
        for message_id in message_ids:
            with aws_errors("looking a Message-ID up"):
                answer = self._client.query(
                    TableName=self._table,
                    IndexName=keys.BY_MESSAGE_ID,
                    KeyConditionExpression=f"{keys.MESSAGE_ID_PK} = :id",
                    ExpressionAttributeValues=items.marshal({":id": keys.message_id(message_id)}),
                    Limit=25,
                )
            for found in map(items.unmarshal, answer["Items"]):
                hits.append(
                    ThreadHit(
                        interaction_id=found[keys.PK].removeprefix("I#"),
                        thread_id=found["thread"],
                        message_id=message_id,
                        mailbox=found["mailbox"],
                        participants=found.get("people", frozenset()),
                        outbound=found.get("direction") == Direction.OUTBOUND.value,
                    )
                )
        return hits

    def wait_for(self, message_id: str, *, interaction_id: str, sender: str, now: datetime) -> None:
        """Note that an interaction answers a mail that is not here yet; forgotten after 30 days."""
        with aws_errors("noting which mail a reply waits for", on=interaction_id):
            self._client.put_item(
                TableName=self._table,
                Item=items.marshal(
                    {
                        **keys.waiting(message_id, interaction_id),
                        "sender": sender,
                        keys.EXPIRES: int((now + WAITS).timestamp()),
                    }
                ),
            )

    def waiting_for(self, message_id: str) -> Sequence[Waiting]:
        """Find the interactions that wait for this mail."""
        with aws_errors("looking up who waits for a mail"):
            answer = self._client.query(
                TableName=self._table,
                KeyConditionExpression="pk = :pk AND begins_with(sk, :prefix)",
                ExpressionAttributeValues=items.marshal({":pk": keys.message_id(message_id), ":prefix": "W#"}),
                Limit=20,
            )
        found = map(items.unmarshal, answer["Items"])
        return [Waiting(values[keys.SK].removeprefix("W#"), values["sender"]) for values in found]

    def join_thread(self, interaction_id: str, *, thread_id: str, parent_id: str) -> bool:
        """Move an interaction that is a thread of its own into another; False when it is in one already."""
        item = self.item(interaction_id)
        if item is None or item["direction"]["S"] == Direction.DUPLICATE.value or thread_id == interaction_id:
            return False
        try:
            with aws_errors("joining a thread", on=interaction_id):
                self._client.update_item(
                    TableName=self._table,
                    Key=items.marshal(keys.interaction(interaction_id)),
                    UpdateExpression=(
                        "SET #thread = :thread, #parent = :parent, #subtype = :reply, "
                        "gsi3pk = :thread, gsi3sk = :listed"
                    ),
                    ConditionExpression=A_ROOT,
                    ExpressionAttributeNames={"#thread": "thread", "#parent": "parent", "#subtype": "subtype"},
                    ExpressionAttributeValues=items.marshal(
                        {
                            ":thread": thread_id,
                            ":parent": parent_id,
                            ":own": interaction_id,
                            ":reply": Subtype.INBOUND_CUSTOMER_REPLY.value,
                            ":listed": f"{item['created']['S']}#{interaction_id}",
                        }
                    ),
                )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def follow(self, member_id: str, *, was: str, thread_id: str) -> bool:
        """Move a mail, in or out, that is in the thread `was` to where that was moved; False when it is elsewhere."""
        item = self.item(member_id)
        if item is None or thread_id == member_id:
            return False
        try:
            with aws_errors("following a thread that was moved", on=member_id):
                self._client.update_item(
                    TableName=self._table,
                    Key=items.marshal(keys.interaction(member_id)),
                    UpdateExpression="SET #thread = :thread, gsi3pk = :thread, gsi3sk = :listed",
                    ConditionExpression=IN_THREAD,
                    ExpressionAttributeNames={"#thread": "thread"},
                    ExpressionAttributeValues=items.marshal(
                        {":thread": thread_id, ":was": was, ":listed": f"{item['created']['S']}#{member_id}"}
                    ),
                )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def find(self, interaction_id: str) -> ThreadHit | None:
        """Find a stored mail, in or out, by its id."""
        item = self.item(interaction_id)
        if item is None or item["direction"]["S"] == Direction.DUPLICATE.value:
            return None
        values = items.unmarshal({name: value for name, value in item.items() if name not in ("detail", "body")})
        return ThreadHit(
            interaction_id=interaction_id,
            thread_id=values["thread"],
            message_id=values.get("message_id", ""),
            mailbox=values["mailbox"],
            participants=values.get("people", frozenset()),
            outbound=values["direction"] == Direction.OUTBOUND.value,
        )

    def present(self, ids: Sequence[str]) -> frozenset[str]:
        """Tell which ids exist, a hundred to a request."""
        wanted = [keys.interaction(one) for one in ids]
        found = read_many(self._client, self._table, wanted, doing="reading which interactions exist", consistent=True)
        return frozenset(item[keys.PK]["S"].removeprefix("I#") for item in found)

    def list_queue(self, queue: str, *, newest_first: bool = True) -> Iterator[dict[str, Any]]:
        """List the mails of the cases that wait in a queue, or for a date or the customer, case by case, as rows.

        A row has id, mailbox, thread, subject, from, created, status, subtype. Behind them comes mail that was stored
        before there were cases and has none yet.
        """
        lists = (keys.case_list(CaseList(kind, queue)) for kind in (ListKind.WAITING, ListKind.PENDING))
        for name in lists:
            for row in self._list(keys.BY_LIST, keys.LIST_PK, name, newest_first=newest_first):
                if "card" in row:
                    yield from self._of_case(row["id"].removeprefix("C#"), row["card"]["mails"], newest_first)
                else:
                    yield row

    def without_case(self, queue: str) -> Iterator[dict[str, Any]]:
        """List the mails of a queue that were stored before there were cases, newest first."""
        for row in self._list(keys.BY_LIST, keys.LIST_PK, keys.queue_list(queue), newest_first=True):
            if "card" in row:
                return  # cases come before them
            yield row

    def unlist(self, interaction_id: str) -> None:
        """Take a mail off the list of its queue: its case is listed."""
        with aws_errors("taking a mail off its queue's list", on=interaction_id):
            self._client.update_item(
                TableName=self._table,
                Key=items.marshal(keys.interaction(interaction_id)),
                UpdateExpression=f"REMOVE {keys.LIST_PK}, {keys.LIST_SK}",
                ConditionExpression="attribute_exists(pk)",
            )

    def _of_case(self, case_id: str, count: int, newest_first: bool) -> Iterator[dict[str, Any]]:
        ids = [case_id] if count == 1 else self.thread(case_id)
        rows = [row for row in self.rows(ids) if row.get("direction") == Direction.INBOUND.value]
        yield from reversed(rows) if newest_first else rows

    def list_outbox(self, state: OutboxState, *, newest_first: bool = True) -> Iterator[dict[str, Any]]:
        """List the outbound interactions in a state as rows."""
        yield from self._list(keys.BY_LIST, keys.LIST_PK, keys.outbox_list(state.value), newest_first=newest_first)

    def thread(self, thread_id: str) -> list[str]:
        """List the ids of a thread's members, oldest first, the root included."""
        rows = self._list(keys.BY_THREAD, keys.THREAD_PK, thread_id, newest_first=False)
        return [thread_id, *(row["id"] for row in rows)]

    def rows(self, ids: Sequence[str]) -> list[dict[str, Any]]:
        """Read what lies open of mails, in or out, in the order asked for, a hundred to a request.

        A mail that is gone has its id only.
        """
        wanted = [keys.interaction(one) for one in ids]
        found = {
            item[keys.PK]["S"].removeprefix("I#"): items.unmarshal(
                {name: item[name] for name in _SHOWN if name in item}
            )
            for item in read_many(self._client, self._table, wanted, doing="reading the mails of a thread")
        }
        return [{"id": one, **found.get(one, {})} for one in ids]

    def _list(self, index: str, attribute: str, value: str, *, newest_first: bool) -> Iterator[dict[str, Any]]:
        found = query_all(
            self._client,
            self._table,
            doing="listing interactions",
            on=value,
            IndexName=index,
            KeyConditionExpression=f"{attribute} = :value",
            ExpressionAttributeValues=items.marshal({":value": value}),
            ScanIndexForward=not newest_first,
        )
        for row in map(items.unmarshal, found):
            yield {
                "id": row.pop(keys.PK).removeprefix("I#"),
                **{name: part for name, part in row.items() if not name.startswith("gsi") and name != keys.SK},
            }

    def history(self, interaction_id: str) -> list[Event]:
        """Read what happened to an interaction after its creation, oldest first."""
        found = query_all(
            self._client,
            self._table,
            doing="reading the history",
            on=interaction_id,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :prefix)",
            ExpressionAttributeValues=items.marshal(
                {":pk": keys.interaction(interaction_id)[keys.PK], ":prefix": keys.HISTORY_PREFIX}
            ),
            ConsistentRead=True,
        )
        return [items.read_event(item) for item in found]

    def add_event(self, interaction_id: str, event: Event) -> None:
        """Add one entry to a history; the same entry twice is one entry."""
        with aws_errors("writing the history", on=interaction_id):
            self._client.put_item(TableName=self._table, Item=items.event_item(interaction_id, event))
