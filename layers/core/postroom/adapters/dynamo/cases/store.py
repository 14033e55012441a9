"""The store of cases: every change is one conditional write; lists are read by cursor from an index, which is a hint.

What leaves the five events of a case is put under its own key before the write that drops it: should that write fail,
the entry is true all the same, and is put again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from postroom.adapters.dynamo import aws_errors, items, keys, query_all, read_many
from postroom.adapters.dynamo.cases import beside, case_items
from postroom.errors import Invalid, Problem
from postroom.model import Outbound, OutboxState
from postroom.model.case import (
    Case,
    CaseChange,
    CaseEvent,
    CaseList,
    CasePage,
    ListKind,
    Note,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

NOT_THERE = "attribute_not_exists(pk)"
AS_IT_WAS_READ = "version = :version"
NOT_TAKEN = "#state = :new"
"""No sender has had the mail yet."""

MOST_COUNTED = 1_000


class DynamoCases:
    """Implements ports.Cases."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def get(self, case_id: str) -> Case | None:
        """Read a case as it is now; None when there is none."""
        with aws_errors("reading the case", on=case_id):
            answer = self._client.get_item(
                TableName=self._table, Key=items.marshal(keys.case(case_id)), ConsistentRead=True
            )
        return case_items.read_case(answer["Item"]) if "Item" in answer else None

    def read(self, ids: Sequence[str]) -> Mapping[str, Case]:
        """Read those that exist of many, a hundred to a request."""
        wanted = [keys.case(one) for one in ids]
        found = read_many(self._client, self._table, wanted, doing="reading cases") if wanted else ()
        return {one.id: one for one in map(case_items.read_case, found)}

    def write(
        self,
        *changes: CaseChange,
        outbound: Outbound | None = None,
        cancelled: str = "",
        note: Note | None = None,
    ) -> bool:
        """Write changes at once, with a mail to send, the cancelling of one, or a note; False: something had moved."""
        for change in changes:
            self._keep_events(change)
        writes: list[Any] = [self._put(change) for change in changes]
        if outbound is not None:
            item = items.outbound_item(outbound)
            if items.size(item) > items.OUTBOUND_LIMIT:
                raise Invalid([Problem("text", "is too large to be kept with the rest of the mail.", "Shorten it.")])
            writes.append({"Put": {"TableName": self._table, "Item": item, "ConditionExpression": NOT_THERE}})
        if cancelled:
            writes.append({"Update": self._cancelling(cancelled, changes[0].after.events[-1].at)})
        if note is not None:
            writes.append({"Put": {"TableName": self._table, "Item": beside.note_item(note)}})
        if len(writes) == 1:
            return self._alone(writes[0]["Put"], changes[0].after.id)
        try:
            with aws_errors("changing the case", on=changes[0].after.id):
                self._client.transact_write_items(TransactItems=writes)
        except self._client.exceptions.TransactionCanceledException:
            return False  # only failed conditions come here
        return True

    def _alone(self, put: Any, case_id: str) -> bool:
        try:
            with aws_errors("changing the case", on=case_id):
                self._client.put_item(**put)
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def _put(self, change: CaseChange) -> dict[str, Any]:
        put: dict[str, Any] = {
            "TableName": self._table,
            "Item": case_items.case_item(change.after),
            "ConditionExpression": NOT_THERE,
        }
        if change.before is not None:
            put["ConditionExpression"] = AS_IT_WAS_READ
            put["ExpressionAttributeValues"] = items.marshal({":version": change.before.version})
        return {"Put": put}

    def _keep_events(self, change: CaseChange) -> None:
        if change.before is None:
            return
        kept = {event.version for event in change.after.events}
        for event in change.before.events:
            if event.version in kept:
                continue
            entry = {**keys.case_history(change.before.id, event.version), "event": case_items.event_values(event)}
            with aws_errors("writing the history of the case", on=change.before.id):
                self._client.put_item(TableName=self._table, Item=items.marshal(entry))

    def _cancelling(self, outbound_id: str, at: datetime) -> dict[str, Any]:
        return {
            "TableName": self._table,
            "Key": items.marshal(keys.interaction(outbound_id)),
            "UpdateExpression": "SET #state = :cancelled, gsi2pk = :list, gsi2sk = :listed",
            "ConditionExpression": NOT_TAKEN,
            "ExpressionAttributeNames": {"#state": "state"},
            "ExpressionAttributeValues": items.marshal(
                {
                    ":new": OutboxState.NEW.value,
                    ":cancelled": OutboxState.CANCELLED.value,
                    ":list": keys.outbox_list(OutboxState.CANCELLED.value),
                    ":listed": keys.listed(at, outbound_id),
                }
            ),
        }

    def history(self, case_id: str) -> list[CaseEvent]:
        """Read the whole history of a case, oldest first."""
        case = self.get(case_id)
        kept = list(case.events) if case else []
        found = query_all(
            self._client,
            self._table,
            doing="reading the history of the case",
            on=case_id,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues=items.marshal({":pk": keys.case_history(case_id, 0)[keys.PK]}),
        )
        earlier = [case_items.read_event(items.unmarshal({"event": item["event"]})["event"]) for item in found]
        first = kept[0].version if kept else 0
        return [*(one for one in earlier if one.version < first or not kept), *kept]

    def page(self, wanted: CaseList, *, after: str = "", most: int, newest_first: bool = False) -> CasePage:
        """Read a part of a list; `after` is the sort key at which the part before ended."""
        condition = f"{keys.LIST_PK} = :list"
        values: dict[str, Any] = {":list": keys.case_list(wanted)}
        if after:
            condition += f" AND {keys.LIST_SK} {'<' if newest_first else '>'} :after"
            values[":after"] = after
        elif wanted.kind is ListKind.WAITING:
            # Mail from before there were cases is listed behind them (see keys).
            condition += f" AND {keys.LIST_SK} < :end"
            values[":end"] = keys.BEFORE_INTERACTIONS
        with aws_errors("listing cases", on=wanted.name):
            answer = self._client.query(
                TableName=self._table,
                IndexName=keys.BY_LIST,
                KeyConditionExpression=condition,
                ExpressionAttributeValues=items.marshal(values),
                ScanIndexForward=not newest_first,
                Limit=most,
            )
        found = [item for item in answer["Items"] if item[keys.PK]["S"].startswith("C#")]
        cut = len(found) < len(answer["Items"])  # the mail from before there were cases begins here
        more = "LastEvaluatedKey" in answer and not cut and bool(found)
        return CasePage(
            tuple(case_items.read_row(item) for item in found), found[-1][keys.LIST_SK]["S"] if more else ""
        )

    def count(self, wanted: CaseList) -> int:
        """Count the cases of a list, up to MOST_COUNTED."""
        values: dict[str, Any] = {":list": keys.case_list(wanted)}
        condition = f"{keys.LIST_PK} = :list"
        if wanted.kind is ListKind.WAITING:
            condition += f" AND {keys.LIST_SK} < :end"
            values[":end"] = keys.BEFORE_INTERACTIONS
        with aws_errors("counting cases", on=wanted.name):
            answer = self._client.query(
                TableName=self._table,
                IndexName=keys.BY_LIST,
                KeyConditionExpression=condition,
                ExpressionAttributeValues=items.marshal(values),
                Select="COUNT",
                Limit=MOST_COUNTED,
            )
        return answer["Count"]

    def of_customer(self, address: str, *, most: int, before: str = "") -> tuple[list[str], str]:
        """List the ids of a customer's cases, newest first, and where the next part begins."""
        condition = f"{keys.CUSTOMER_PK} = :customer" + (f" AND {keys.CUSTOMER_SK} < :before" if before else "")
        values = {":customer": keys.customer_list(address), **({":before": before} if before else {})}
        with aws_errors("listing the cases of a customer"):
            answer = self._client.query(
                TableName=self._table,
                IndexName=keys.BY_CUSTOMER,
                KeyConditionExpression=condition,
                ExpressionAttributeValues=items.marshal(values),
                ScanIndexForward=False,
                Limit=most,
            )
        ids = [item[keys.PK]["S"].removeprefix("C#") for item in answer["Items"]]
        after = answer["Items"][-1][keys.CUSTOMER_SK]["S"] if ids and "LastEvaluatedKey" in answer else ""
        return ids, after

    def of_number(self, word: str) -> list[str]:
        """List the ids of the cases that have these first ten letters of a number."""
        with aws_errors("looking a case up by its number"):
            answer = self._client.query(
                TableName=self._table,
                IndexName=keys.BY_MESSAGE_ID,
                KeyConditionExpression=f"{keys.MESSAGE_ID_PK} = :number",
                ExpressionAttributeValues=items.marshal({":number": keys.number(word)}),
                Limit=25,
            )
        return [item[keys.PK]["S"].removeprefix("C#") for item in answer["Items"]]

    def due(self, *, before: datetime) -> Iterator[str]:
        """List the ids of cases that time does something to until then, shard by shard."""
        for shard in range(keys.DUE_SHARDS):
            found = query_all(
                self._client,
                self._table,
                doing="listing what is due",
                IndexName=keys.BY_DUE,
                KeyConditionExpression=f"{keys.DUE_PK} = :shard AND {keys.DUE_SK} < :before",
                ExpressionAttributeValues=items.marshal({":shard": f"D#{shard}", ":before": keys.moment(before)}),
            )
            for item in found:
                yield item[keys.PK]["S"].removeprefix("C#")
