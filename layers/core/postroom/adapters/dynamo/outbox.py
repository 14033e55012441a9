"""The outbox in the table: every step of a mail on its way out is one conditional write (design, rule 7).

An outbound interaction carries its own history in its item, so that a state and the record of it cannot part.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from postroom.adapters.dynamo import items, keys
from postroom.adapters.dynamo.client import aws_errors
from postroom.errors import Conflict, Invalid, LeaseLost, Problem
from postroom.model.interaction import Event, Status
from postroom.model.outbound import Delivery, Outbound, OutboxState

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

NOT_THERE = "attribute_not_exists(pk)"
FREE = "#state = :new OR (#state = :deferred AND #due <= :now)"
"""May be claimed: nobody has it, and it is time."""
ABANDONED = "#state = :claimed AND gsi2sk < :before"
"""Claimed by a sender that died before the content went on the wire: certainly not sent."""
MINE = "#claim = :claim AND #state IN (:claimed, :data)"
NEWS = "attribute_exists(pk) AND NOT contains(#seen, :report)"
"""A report counts once, however often it arrives."""

_NAMES = {"#state": "state", "#due": "due", "#claim": "claim"}


class DynamoOutbox:
    """Implements ports.Outbox, and what delivery reports write."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def add(self, outbound: Outbound, *, answers: str | None) -> bool:
        """Write an agent's mail and mark what it answers as done, in one transaction; False when it was there.

        Raises Invalid for one that leaves no room for its history.
        """
        item = items.outbound_item(outbound)
        if items.size(item) > items.OUTBOUND_LIMIT:
            raise Invalid([_too_large(outbound)])
        writes: list[Any] = [{"Put": {"TableName": self._table, "Item": item, "ConditionExpression": NOT_THERE}}]
        if answers is not None:
            event = Event(at=outbound.created, what="replied", detail=outbound.id, who=outbound.attributes["agent"])
            writes += [
                {
                    "Update": {
                        "TableName": self._table,
                        "Key": items.marshal(keys.interaction(answers)),
                        "UpdateExpression": "SET #status = :done",
                        "ConditionExpression": "attribute_exists(pk)",
                        "ExpressionAttributeNames": {"#status": "status"},
                        "ExpressionAttributeValues": items.marshal({":done": Status.DONE.value}),
                    }
                },
                {"Put": {"TableName": self._table, "Item": items.event_item(answers, event)}},
            ]
        try:
            with aws_errors("writing the reply"):
                self._client.transact_write_items(TransactItems=writes)
        except self._client.exceptions.TransactionCanceledException as error:
            first, *_ = error.response["CancellationReasons"]
            if first.get("Code") == "ConditionalCheckFailed":
                return False
            raise Conflict("the interaction that is answered is gone", on=answers or "") from error
        return True

    def get(self, outbound_id: str) -> Outbound | None:
        """Read one; None when there is none, or when the id is an inbound one's."""
        item = self._item(outbound_id)
        return items.read_outbound(item) if item else None

    def history(self, outbound_id: str) -> list[Event]:
        """Read what happened to an outbound mail, oldest first."""
        item = self._item(outbound_id)
        entries = items.unmarshal({"events": item.get("events", {"L": []})})["events"] if item else []
        return [Event(at=keys.parse_moment(at), what=what, detail=detail, who=who) for at, what, detail, who in entries]

    def _item(self, outbound_id: str) -> Any:
        with aws_errors("reading the outbound mail", on=outbound_id):
            answer = self._client.get_item(
                TableName=self._table, Key=items.marshal(keys.interaction(outbound_id)), ConsistentRead=True
            )
        item = answer.get("Item")
        return item if item and item["direction"]["S"] == "outbound" else None

    def claim(
        self, outbound_id: str, *, claim: str, message_id: str, now: datetime, abandoned_before: datetime
    ) -> Outbound | None:
        """NEW, due DEFERRED or abandoned CLAIMED → CLAIMED, with its Message-ID; None when it is not to be had."""
        try:
            with aws_errors("claiming the outbound mail", on=outbound_id):
                answer = self._client.update_item(
                    TableName=self._table,
                    Key=items.marshal(keys.interaction(outbound_id)),
                    UpdateExpression=(
                        "SET #state = :claimed, #claim = :claim, message_id = :message_id, gsi1pk = :gsi1pk, "
                        "gsi2pk = :list, gsi2sk = :listed ADD tries :one"
                    ),
                    ConditionExpression=f"({FREE}) OR ({ABANDONED})",
                    ExpressionAttributeNames=_NAMES,
                    ExpressionAttributeValues=items.marshal(
                        {
                            ":new": OutboxState.NEW.value,
                            ":deferred": OutboxState.DEFERRED.value,
                            ":claimed": OutboxState.CLAIMED.value,
                            ":claim": claim,
                            ":now": keys.moment(now),
                            ":before": keys.moment(abandoned_before),
                            ":message_id": message_id,
                            ":gsi1pk": keys.message_id(message_id),
                            ":list": keys.outbox_list(OutboxState.CLAIMED.value),
                            ":listed": keys.listed(now, outbound_id),
                            ":one": 1,
                        }
                    ),
                    ReturnValues="ALL_NEW",
                )
        except self._client.exceptions.ConditionalCheckFailedException:
            return None
        return items.read_outbound(answer["Attributes"])

    def mark_data(self, outbound_id: str, *, claim: str, now: datetime) -> None:
        """CLAIMED → DATA, right before the content goes on the wire."""
        self._move(outbound_id, claim=claim, state=OutboxState.DATA, now=now)

    def finish(
        self,
        outbound_id: str,
        *,
        claim: str,
        state: OutboxState,
        event: Event,
        told: bool = True,
        provider_id: str = "",
        reason: str = "",
        due: datetime | None = None,
        message_id: str = "",
        remaining: Sequence[str] = (),
    ) -> None:
        """CLAIMED or DATA → SENT, DEFERRED, FAILED or UNCERTAIN, with the entry in its history where it is `told`.

        `message_id` is one that the next server put in place of ours; `remaining` are the recipients still to be tried.
        """
        self._move(
            outbound_id,
            claim=claim,
            state=state,
            now=due or event.at,
            event=event if told else None,
            values={
                "provider_id": provider_id or None,
                "reason": reason or None,
                "due": keys.moment(due or event.at),
                "message_id": message_id or None,
                keys.MESSAGE_ID_PK: keys.message_id(message_id) if message_id else None,
                "remaining": list(remaining) or None,
            },
        )

    def _move(
        self,
        outbound_id: str,
        *,
        claim: str,
        state: OutboxState,
        now: datetime,
        event: Event | None = None,
        values: dict[str, Any] | None = None,
    ) -> None:
        given = {name: value for name, value in (values or {}).items() if value is not None}
        sets = ["#state = :state", "gsi2pk = :list", "gsi2sk = :listed", *(f"#{name} = :{name}" for name in given)]
        bound: dict[str, Any] = {
            ":state": state.value,
            ":list": keys.outbox_list(state.value),
            ":listed": keys.listed(now, outbound_id),
            ":claim": claim,
            ":claimed": OutboxState.CLAIMED.value,
            ":data": OutboxState.DATA.value,
            **{f":{name}": value for name, value in given.items()},
        }
        if event is not None:
            sets.append("events = list_append(if_not_exists(events, :none), :event)")
            bound |= {":none": [], ":event": [_entry(event)]}
        try:
            with aws_errors("recording the state of the outbound mail", on=outbound_id):
                self._client.update_item(
                    TableName=self._table,
                    Key=items.marshal(keys.interaction(outbound_id)),
                    UpdateExpression="SET " + ", ".join(sets),
                    ConditionExpression=MINE,
                    ExpressionAttributeNames={
                        "#state": "state",
                        "#claim": "claim",
                        **{f"#{name}": name for name in given},
                    },
                    ExpressionAttributeValues=items.marshal(bound),
                )
        except self._client.exceptions.ConditionalCheckFailedException as error:
            raise LeaseLost("another sender has this mail, or it is finished", on=outbound_id) from error

    def settle(self, outbound_id: str, *, was: OutboxState, state: OutboxState, event: Event) -> None:
        """Move a mail by a person's word or a report's: UNCERTAIN or DATA → SENT, UNCERTAIN or FAILED → NEW."""
        try:
            with aws_errors("settling the outbound mail", on=outbound_id):
                self._client.update_item(
                    TableName=self._table,
                    Key=items.marshal(keys.interaction(outbound_id)),
                    UpdateExpression=(
                        "SET #state = :state, gsi2pk = :list, gsi2sk = :listed, "
                        "events = list_append(if_not_exists(events, :none), :event)"
                    ),
                    ConditionExpression="#state = :was",
                    ExpressionAttributeNames={"#state": "state"},
                    ExpressionAttributeValues=items.marshal(
                        {
                            ":was": was.value,
                            ":state": state.value,
                            ":list": keys.outbox_list(state.value),
                            ":listed": keys.listed(event.at, outbound_id),
                            ":none": [],
                            ":event": [_entry(event)],
                        }
                    ),
                )
        except self._client.exceptions.ConditionalCheckFailedException as error:
            raise Conflict(f"the mail is not {was.value} any more", on=outbound_id) from error

    def report(self, outbound_id: str, *, report_id: str, delivery: Delivery, event: Event) -> bool:
        """Record what a report says became of a mail; False when this report was recorded before, or no such mail."""
        try:
            with aws_errors("recording the delivery report", on=outbound_id):
                self._client.update_item(
                    TableName=self._table,
                    Key=items.marshal(keys.interaction(outbound_id)),
                    UpdateExpression=(
                        "SET delivery = :delivery, events = list_append(if_not_exists(events, :none), :event) "
                        "ADD #seen :reports"
                    ),
                    ConditionExpression=NEWS,
                    ExpressionAttributeNames={"#seen": "reports"},
                    ExpressionAttributeValues=items.marshal(
                        {
                            ":delivery": delivery.value,
                            ":none": [],
                            ":event": [_entry(event)],
                            ":report": report_id,
                            ":reports": frozenset({report_id}),
                        }
                    ),
                )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def waiting(self, state: OutboxState, *, before: datetime) -> Iterator[str]:
        """List the ids that have been in this state since before that moment (DEFERRED: that are due by then)."""
        start: dict[str, Any] = {}
        while True:
            with aws_errors("listing the outbox", on=state.value):
                answer = self._client.query(
                    TableName=self._table,
                    IndexName=keys.BY_LIST,
                    KeyConditionExpression=f"{keys.LIST_PK} = :list AND {keys.LIST_SK} < :before",
                    ExpressionAttributeValues=items.marshal(
                        {":list": keys.outbox_list(state.value), ":before": keys.moment(before)}
                    ),
                    **start,
                )
            for item in answer["Items"]:
                yield item["pk"]["S"].removeprefix("I#")
            if "LastEvaluatedKey" not in answer:
                return
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}


def _too_large(outbound: Outbound) -> Problem:
    recipients = ", ".join((*outbound.to, *outbound.cc, *outbound.bcc))
    parts = {"text": outbound.text, "html": outbound.html or "", "to": recipients}
    largest = max(parts, key=lambda part: len(items.pack(parts[part])))
    return Problem(
        largest,
        f"is too large to be kept: {items.OUTBOUND_LIMIT // 1000} kB are left when it is compressed.",
        "Shorten it; let pictures be linked, not written into the HTML.",
    )


def _entry(event: Event) -> list[str]:
    return [keys.moment(event.at), event.what, event.detail, event.who]
