"""The outbox in the table: every step of a mail on its way out is one conditional write (docs/architecture.md, rule 9).

An outbound interaction carries its own history in its item, so that a state and the record of it cannot part.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from postroom.adapters.dynamo import items, keys
from postroom.adapters.dynamo import outbox_history as history
from postroom.adapters.dynamo.caps import counting, give_back, raise_shared
from postroom.adapters.dynamo.client import aws_errors, query_all, read_many
from postroom.adapters.dynamo.notices import note_unarrived, noted_unarrived
from postroom.errors import Conflict, Invalid, LeaseLost, Problem, Transient
from postroom.model import (
    Added,
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
FREE = "#state = :new OR (#state = :deferred AND #due <= :now)"
"""May be claimed: nobody has it, and it is time."""
ABANDONED = "#state = :claimed AND gsi2sk < :before"
"""Claimed by a sender that died before the content went on the wire: certainly not sent."""
MINE = "#claim = :claim AND #state IN (:claimed, :data)"
MINE_STILL = "#claim = :claim AND #state IN (:claimed, :data, :uncertain)"
"""The sweeper took its sender for dead, and nobody else has taken it since."""
ROOM = "(attribute_not_exists(#count) OR #count < :most)"
"""One more entry of its kind is kept in the history; later ones are counted."""
AS_IT_WAS_READ = "delivery = :was AND NOT contains(#seen, :report)"

_REPORT_TRIES = 5

_NAMES = {"#state": "state", "#due": "due", "#claim": "claim"}


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
        """NEW, due DEFERRED or abandoned CLAIMED → CLAIMED, with its Message-ID; None when it is not to be had.

        `message_id` empty: none could be made, and what it had stays.
        """
        named = ", message_id = :message_id, gsi1pk = :gsi1pk" if message_id else ""
        identity = {":message_id": message_id, ":gsi1pk": keys.message_id(message_id)} if message_id else {}
        try:
            with aws_errors("claiming the outbound mail", on=outbound_id):
                answer = self._client.update_item(
                    TableName=self._table,
                    Key=items.marshal(keys.interaction(outbound_id)),
                    UpdateExpression=(
                        f"SET #state = :claimed, #claim = :claim{named}, gsi2pk = :list, gsi2sk = :listed "
                        "ADD tries :one, unrecorded :one"
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
                            **identity,
                            ":list": keys.outbox_list(OutboxState.CLAIMED.value),
                            ":listed": keys.listed(now, outbound_id),
                            ":one": 1,
                        }
                    ),
                    ReturnValues="ALL_NEW",
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
        except self._client.exceptions.ConditionalCheckFailedException as error:
            # A lost answer that botocore repeated: the item shows our own claim, so the mail is ours.
            refused: Any = error.response
            there = refused.get("Item")
            return items.read_outbound(there) if there and there.get("claim") == {"S": claim} else None
        return items.read_outbound(answer["Attributes"])

    def mark_data(self, outbound_id: str, *, claim: str, now: datetime) -> None:
        """CLAIMED → DATA, right before the content goes on the wire."""
        self._move(outbound_id, claim=claim, state=OutboxState.DATA, now=now)

    def tell(self, outbound_id: str, *, claim: str, event: Event) -> None:
        """Add an entry to the history of a mail that is CLAIMED."""
        self._move(outbound_id, claim=claim, state=OutboxState.CLAIMED, now=event.at, event=event)

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
        tries: int | None = None,
    ) -> None:
        """CLAIMED or DATA → SENT, DEFERRED, FAILED or UNCERTAIN, with the entry in its history.

        `message_id` is one that the next server put in place of ours; `remaining` are the recipients still to be tried;
        `tries`: how often it counts as tried, where this time does not count.
        """
        if state is OutboxState.FAILED:  # first: a note too many says nothing, one too few hides a mail
            note_unarrived(self._client, self._table, outbound_id, at=event.at)
        self._move(
            outbound_id,
            claim=claim,
            state=state,
            now=due or event.at,
            event=event,
            condition=MINE if state is OutboxState.UNCERTAIN else MINE_STILL,
            values={
                "provider_id": provider_id or None,
                "reason": reason or None,
                "code": code,
                "since": keys.moment(since) if since else None,
                "due": keys.moment(due or event.at),
                "message_id": message_id or None,
                keys.MESSAGE_ID_PK: keys.message_id(message_id) if message_id else None,
                "remaining": list(remaining) or None,
                "unrecorded": 0,
                "tries": tries,
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
        condition: str = MINE,
        values: dict[str, Any] | None = None,
    ) -> None:
        given = {name: value for name, value in (values or {}).items() if value is not None}
        bound: dict[str, Any] = {
            ":state": state.value,
            ":list": keys.outbox_list(state.value),
            ":listed": keys.listed(now, outbound_id),
            ":claim": claim,
            ":claimed": OutboxState.CLAIMED.value,
            ":data": OutboxState.DATA.value,
            **({":uncertain": OutboxState.UNCERTAIN.value} if condition == MINE_STILL else {}),
            **{f":{name}": value for name, value in given.items()},
        }
        try:
            self._change(
                outbound_id,
                "recording the state of the outbound mail",
                sets=["#state = :state", "gsi2pk = :list", "gsi2sk = :listed", *(f"#{one} = :{one}" for one in given)],
                condition=condition,
                names={"#state": "state", "#claim": "claim", **{f"#{name}": name for name in given}},
                values=bound,
                event=event,
            )
        except self._client.exceptions.ConditionalCheckFailedException as error:
            raise LeaseLost("another sender has this mail, or it is finished", on=outbound_id) from error

    def settle(self, outbound_id: str, *, was: OutboxState, state: OutboxState, event: Event) -> None:
        """Move a mail by a person's word or a report's: UNCERTAIN or DATA → SENT, UNCERTAIN or FAILED → NEW.

        One that is NEW again is told of, and waited for, as if it had not been tried.
        """
        if state is OutboxState.FAILED:
            note_unarrived(self._client, self._table, outbound_id, at=event.at)
        again = state is OutboxState.NEW
        try:
            self._change(
                outbound_id,
                "settling the outbound mail",
                sets=["#state = :state", "gsi2pk = :list", "gsi2sk = :listed", "unrecorded = :none"]
                + (["tries = :none", "#code = :no"] if again else []),
                removes=["#since", "acknowledged"] if again else [],
                condition="#state = :was",
                names={"#state": "state", **({"#code": "code", "#since": "since"} if again else {})},
                values={
                    ":was": was.value,
                    ":state": state.value,
                    ":list": keys.outbox_list(state.value),
                    ":listed": keys.listed(event.at, outbound_id),
                    ":none": 0,
                    **({":no": ""} if again else {}),
                },
                event=event,
            )
        except self._client.exceptions.ConditionalCheckFailedException as error:
            raise Conflict(f"the mail is not {was.value} any more", on=outbound_id) from error

    def acknowledge(self, outbound_id: str, *, state: OutboxState, delivery: Delivery, event: Event) -> None:
        """Record that a person knows that a mail did not arrive; Conflict when state or delivery are others now."""
        try:
            self._change(
                outbound_id,
                "acknowledging that the mail did not arrive",
                sets=["acknowledged = :at"],
                condition="#state = :was AND delivery = :delivery",
                names={"#state": "state"},
                values={":at": keys.moment(event.at), ":was": state.value, ":delivery": delivery.value},
                event=event,
            )
        except self._client.exceptions.ConditionalCheckFailedException as error:
            raise Conflict("the mail was changed meanwhile", on=outbound_id, remedy="Look at it again.") from error

    def unarrived(self) -> Iterator[str]:
        """List the ids of mails of the last 30 days that failed or came back; each mail says what became of it."""
        yield from noted_unarrived(self._client, self._table)

    def _change(
        self,
        outbound_id: str,
        doing: str,
        *,
        sets: list[str],
        condition: str,
        names: dict[str, str],
        values: dict[str, Any],
        event: Event | None,
        removes: Sequence[str] = (),
    ) -> None:
        """Update the item with an entry of its history: kept if there is room for it, else as the last of its kind."""

        def update(told: str, adds: str, more: dict[str, str], given: dict[str, Any], room: str = "") -> None:
            clauses = [f"SET {', '.join([*sets, told] if told else sets)}"]
            clauses += [f"REMOVE {', '.join(removes)}"] if removes else []
            with aws_errors(doing, on=outbound_id):
                self._client.update_item(
                    TableName=self._table,
                    Key=items.marshal(keys.interaction(outbound_id)),
                    UpdateExpression=" ".join([*clauses, adds]).strip(),
                    ConditionExpression=f"{condition}{room}",
                    ExpressionAttributeNames={**names, **more},
                    ExpressionAttributeValues=items.marshal({**values, **given}),
                )

        if event is None:
            update("", "", {}, {})
            return
        count, one = {"#count": history.count_of(event.what)}, {":one": 1}
        kept = "events = list_append(if_not_exists(events, :no_events), :entries)"
        entry = history.entry(event)
        try:
            update(
                kept,
                "ADD #count :one",
                count,
                {":no_events": [], ":entries": [entry], ":most": history.most(event.what), **one},
                room=f" AND {ROOM}",
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            # No room, or the condition itself fails: then it fails once more.
            update(
                "#last = :entry",
                "ADD #count :one",
                {**count, "#last": history.last_of(event.what)},
                {":entry": entry, **one},
            )

    def report(self, outbound_id: str, *, report_id: str, delivery: Delivery | None, event: Event) -> bool:
        """Record what a report says became of a mail; False when this report was recorded before, or no such mail.

        `delivery` None: it says nothing of that. A later word is not taken back by an earlier one.
        """
        count, last = history.count_of(event.what), history.last_of(event.what)
        for _try in range(_REPORT_TRIES):
            item = self._item(outbound_id)
            if item is None:
                return False
            known = items.unmarshal(
                {name: item[name] for name in ("delivery", "reports", count, last, "newest_report") if name in item}
            )
            if report_id in known.get("reports", ()) or known.get("newest_report") == report_id:
                return False
            was = Delivery(known["delivery"])
            if was.furthest(delivery).failed and not was.failed:
                note_unarrived(self._client, self._table, outbound_id, at=event.at)
            if self._reported(
                outbound_id,
                report_id,
                was,
                was.furthest(delivery),
                event,
                kept=known.get(count, 0) < history.most(event.what),
            ):
                return True
        raise Transient("other reports about this mail are being recorded", on=outbound_id)

    def _reported(
        self, outbound_id: str, report_id: str, was: Delivery, now: Delivery, event: Event, *, kept: bool
    ) -> bool:
        """Write a report onto the mail as it was read; False when it was changed since."""
        entry = history.entry(event)
        names = {"#seen": "reports", "#count": history.count_of(event.what)}
        values: dict[str, Any] = {":was": was.value, ":now": now.value, ":report": report_id, ":one": 1}
        if kept:
            told = "events = list_append(if_not_exists(events, :no_events), :entries)"
            adds = "ADD #count :one, #seen :reports"
            values |= {
                ":no_events": [],
                ":entries": [entry],
                ":reports": frozenset({report_id}),
                ":most": history.most(event.what),
            }
        else:
            # Only the last is remembered by its id: one that comes again after others is counted again.
            told, adds = "#last = :entry, newest_report = :report", "ADD #count :one"
            names["#last"] = history.last_of(event.what)
            values[":entry"] = entry
        try:
            with aws_errors("recording the delivery report", on=outbound_id):
                self._client.update_item(
                    TableName=self._table,
                    Key=items.marshal(keys.interaction(outbound_id)),
                    UpdateExpression=f"SET delivery = :now, {told} {adds}",
                    ConditionExpression=f"{AS_IT_WAS_READ} AND {ROOM}" if kept else AS_IT_WAS_READ,
                    ExpressionAttributeNames=names,
                    ExpressionAttributeValues=items.marshal(values),
                )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True

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
