"""The outbox in the table: every step of a mail on its way out is one conditional write (docs/architecture.md, rule 9).

An outbound interaction carries its own history in its item, so that a state and the record of it cannot part.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from postroom.adapters.aws import aws_errors
from postroom.adapters.dynamo import (
    counting,
    give_back,
    items,
    keys,
    noted_unarrived,
    query_all,
    raise_shared,
    read_many,
)
from postroom.adapters.outbox import history, reports, steps
from postroom.errors import Conflict, Invalid, Problem, Transient
from postroom.model import (
    Added,
    AtRecipient,
    Cap,
    Delivery,
    Event,
    EventKind,
    InteractionRef,
    Outbound,
    OutboxState,
    PreparedInteraction,
    Status,
    Withheld,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

NOT_THERE = "attribute_not_exists(pk)"


class DynamoOutbox:
    """Implements ports.Outbox, and what delivery reports write."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def add(
        self, outbound: Outbound, *, cause: PreparedInteraction | None = None, caps: Sequence[Cap] = ()
    ) -> Added | Withheld:
        """Write a mail to send in one transaction with what belongs to it; raises Invalid for what is too large.

        With a `cause`: that interaction. With `caps`: their counters. Else: what a person's mail answers is done.
        """
        item = items.outbound_item(outbound)
        write: Any = {"Put": {"TableName": self._table, "Item": item, "ConditionExpression": NOT_THERE}}
        if cause is not None or caps:
            return self._add_caused(write, cause, caps, outbound.created)
        if items.size(item) > items.OUTBOUND_LIMIT:
            raise Invalid([_too_large(outbound)])
        done = self._answered(outbound.answers, outbound) if outbound.answers and not outbound.automatic else []
        try:
            with aws_errors("writing the mail to send"):
                self._client.transact_write_items(TransactItems=[write, *done])
        except self._client.exceptions.TransactionCanceledException as error:
            there, *_ = _failed_conditions(error)
            if there:
                return Added.EXISTED
            raise Conflict("the interaction that is answered is gone", on=outbound.answers or "") from error
        return Added.CREATED

    def _add_caused(
        self, write: Any, cause: PreparedInteraction | None, caps: Sequence[Cap], now: datetime
    ) -> Added | Withheld:
        shared = [cap for cap in caps if cap.shared]
        own = [cap for cap in caps if not cap.shared]
        raised: list[Cap] = []
        for cap in shared:
            if not raise_shared(self._client, self._table, cap, now):
                self._give_back(raised)
                return Withheld((cap,))
            raised.append(cap)
        caused: list[Any] = (
            [{"Put": {"TableName": self._table, "Item": cause.item, "ConditionExpression": NOT_THERE}}] if cause else []
        )
        counts: list[Any] = [{"Update": counting(self._table, cap, now)} for cap in own]
        try:
            with aws_errors("writing the interaction with what it causes", on=cause.id if cause else ""):
                self._client.transact_write_items(TransactItems=[*caused, write, *counts])
        except self._client.exceptions.TransactionCanceledException as error:
            # Only failed conditions come here: of the interaction, of what it causes, of the caps, in this order.
            failed = _failed_conditions(error)
            there, written, full = any(failed[: len(caused)]), failed[len(caused)], failed[len(caused) + 1 :]
            self._give_back(raised)
            if there or (written and cause is None):
                return Added.EXISTED
            reached = tuple(cap for cap, is_full in zip(own, full, strict=True) if is_full)
            return Withheld(() if written else reached)
        return Added.CREATED

    def _give_back(self, raised: Sequence[Cap]) -> None:
        for cap in raised:
            with contextlib.suppress(Transient):  # one too many is counted: the cap is reached one reply sooner
                give_back(self._client, self._table, cap)

    def _answered(self, answers: InteractionRef, outbound: Outbound) -> list[Any]:
        agent = outbound.attributes["agent"]
        event = Event(at=outbound.created, what=EventKind.REPLIED, detail=outbound.id, who=agent)
        return [
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

    def get(self, outbound_id: str) -> Outbound | None:
        """Read one; None when there is none, or when the id is an inbound one's."""
        item = self._item(outbound_id)
        return items.read_outbound(item) if item else None

    def read(self, ids: Sequence[str]) -> Mapping[str, Outbound]:
        """Read those that exist of many, a hundred to a request."""
        wanted = [keys.interaction(one) for one in ids]
        found = read_many(self._client, self._table, wanted, doing="reading outbound mails") if wanted else ()
        return {one.id: one for one in map(items.read_outbound, found)}

    def history(self, outbound_id: str) -> list[Event]:
        """Read what happened to an outbound mail, oldest first."""
        item = self._item(outbound_id)
        return history.read_history(item) if item else []

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
        return steps.claim(
            self._client,
            self._table,
            outbound_id,
            claim=claim,
            message_id=message_id,
            now=now,
            abandoned_before=abandoned_before,
        )

    def mark_data(
        self,
        outbound_id: str,
        *,
        claim: str,
        now: datetime,
        recipients: Mapping[str, AtRecipient] | None = None,
    ) -> None:
        """CLAIMED → DATA, right before the content goes on the wire."""
        steps.move(
            self._client,
            self._table,
            outbound_id,
            claim=claim,
            state=OutboxState.DATA,
            now=now,
            recipients=recipients,
        )

    def tell(self, outbound_id: str, *, claim: str, event: Event) -> None:
        """Add an entry to the history of a mail that is CLAIMED."""
        steps.move(
            self._client, self._table, outbound_id, claim=claim, state=OutboxState.CLAIMED, now=event.at, event=event
        )

    def finish(
        self,
        outbound_id: str,
        *,
        claim: str,
        state: OutboxState,
        event: Event,
        provider_id: str = "",
        reason: str = "",
        code: str = "",
        since: datetime | None = None,
        due: datetime | None = None,
        message_id: str = "",
        remaining: Sequence[str] = (),
        recipients: Mapping[str, AtRecipient] | None = None,
        tries: int | None = None,
    ) -> None:
        """CLAIMED or DATA → SENT, DEFERRED, FAILED or UNCERTAIN, with the entry in its history."""
        steps.finish(
            self._client,
            self._table,
            outbound_id,
            claim=claim,
            state=state,
            event=event,
            provider_id=provider_id,
            reason=reason,
            code=code,
            since=since,
            due=due,
            message_id=message_id,
            remaining=remaining,
            recipients=recipients or {},
            tries=tries,
        )

    def settle(
        self,
        outbound_id: str,
        *,
        was: OutboxState,
        state: OutboxState,
        event: Event,
        recipients: Mapping[str, AtRecipient] | None = None,
        remaining: Sequence[str] = (),
        revision: int | None = None,
    ) -> None:
        """Move a mail by a person's word or a report's; raises Conflict."""
        reports.settle(
            self._client,
            self._table,
            outbound_id,
            was=was,
            state=state,
            event=event,
            recipients=recipients,
            remaining=remaining,
            revision=revision,
        )

    def acknowledge(self, outbound_id: str, *, state: OutboxState, delivery: Delivery, event: Event) -> None:
        """Record that a person knows that a mail did not arrive; Conflict when state or delivery are others now."""
        reports.acknowledge(self._client, self._table, outbound_id, state=state, delivery=delivery, event=event)

    def report(
        self,
        outbound_id: str,
        *,
        report_id: str,
        delivery: Delivery | None,
        event: Event,
        deliveries: Mapping[str, Delivery] | None = None,
    ) -> bool:
        """Record what a report says became of a mail; False when this report was recorded before, or no such mail."""
        return reports.report(
            self._client,
            self._table,
            outbound_id,
            read=self._item,
            report_id=report_id,
            delivery=delivery,
            event=event,
            deliveries=deliveries or {},
        )

    def unarrived(self) -> Iterator[str]:
        """List the ids of mails of the last 30 days that failed or came back; each mail says what became of it."""
        yield from noted_unarrived(self._client, self._table)

    def waiting(self, state: OutboxState, *, before: datetime) -> Iterator[str]:
        """List the ids that have been in this state since before that moment (DEFERRED: that are due by then)."""
        found = query_all(
            self._client,
            self._table,
            doing="listing the outbox",
            on=state.value,
            IndexName=keys.BY_LIST,
            KeyConditionExpression=f"{keys.LIST_PK} = :list AND {keys.LIST_SK} < :before",
            ExpressionAttributeValues=items.marshal(
                {":list": keys.outbox_list(state.value), ":before": keys.moment(before)}
            ),
        )
        for item in found:
            yield item["pk"]["S"].removeprefix("I#")


def _too_large(outbound: Outbound) -> Problem:
    recipients = ", ".join((*outbound.to, *outbound.cc, *outbound.bcc))
    parts = {"text": outbound.text, "html": outbound.html or "", "to": recipients}
    largest = max(parts, key=lambda part: len(items.pack(parts[part])))
    return Problem(
        largest,
        f"is too large to be kept: {items.OUTBOUND_LIMIT // 1000} kB are left when it is compressed.",
        "Shorten it; let pictures be linked, not written into the HTML.",
    )


def _failed_conditions(error: Any) -> list[bool]:
    """Say of each write of a cancelled transaction whether its condition failed."""
    return [reason.get("Code") == "ConditionalCheckFailed" for reason in error.response["CancellationReasons"]]
