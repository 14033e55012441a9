"""What people and reports say of a mail that was sent, or may have been."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from postroom.adapters.aws import aws_errors
from postroom.adapters.dynamo import items, keys, note_unarrived
from postroom.adapters.outbox import history
from postroom.adapters.outbox.changes import REVISED, ROOM, by_recipient, change
from postroom.errors import Conflict, Transient
from postroom.model import AtRecipient, Delivery, Event, OutboxState

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

AS_IT_WAS_READ = "delivery = :was AND NOT contains(#seen, :report)"
SAME_REVISION = "(revision = :revision OR (attribute_not_exists(revision) AND :revision = :no_revision))"

_REPORT_TRIES = 5


def settle(
    client: DynamoDBClient,
    table: str,
    outbound_id: str,
    *,
    was: OutboxState,
    state: OutboxState,
    event: Event,
    recipients: Mapping[str, AtRecipient] | None,
    remaining: Sequence[str],
    revision: int | None,
) -> None:
    """Move a mail by a person's word or a report's; see ports.Outbox.

    One that is NEW again is told of, and waited for, as if it had not been tried.
    """
    if state is OutboxState.FAILED:
        note_unarrived(client, table, outbound_id, at=event.at)
    again = state is OutboxState.NEW
    told, gone = by_recipient(recipients, remaining) if recipients is not None else ({}, [])
    sets = ["#state = :state", "gsi2pk = :list", "gsi2sk = :listed", "unrecorded = :none", REVISED]
    sets += ["tries = :none", "#code = :no"] if again else []
    sets += ["#due = :due"] if state is OutboxState.DEFERRED else []
    try:
        change(
            client,
            table,
            outbound_id,
            "settling the outbound mail",
            sets=[*sets, *(f"#{one} = :{one}" for one in told)],
            removes=[*(["#since", "acknowledged"] if again else []), *(f"#{one}" for one in gone)],
            condition="#state = :was" + (f" AND {SAME_REVISION}" if revision is not None else ""),
            names={
                "#state": "state",
                **({"#code": "code", "#since": "since"} if again else {}),
                **({"#due": "due"} if state is OutboxState.DEFERRED else {}),
                **{f"#{one}": one for one in (*told, *gone)},
            },
            values={
                ":was": was.value,
                ":state": state.value,
                ":list": keys.outbox_list(state.value),
                ":listed": keys.listed(event.at, outbound_id),
                ":none": 0,
                ":no_revision": 0,
                ":one_more": 1,
                **({":revision": revision} if revision is not None else {}),
                **({":no": ""} if again else {}),
                **({":due": keys.moment(event.at)} if state is OutboxState.DEFERRED else {}),
                **{f":{one}": value for one, value in told.items()},
            },
            event=event,
        )
    except client.exceptions.ConditionalCheckFailedException as error:
        raise Conflict(f"the mail is not {was.value} any more, or was changed meanwhile", on=outbound_id) from error


def acknowledge(
    client: DynamoDBClient, table: str, outbound_id: str, *, state: OutboxState, delivery: Delivery, event: Event
) -> None:
    """Record that a person knows that a mail did not arrive; Conflict when state or delivery are others now."""
    try:
        change(
            client,
            table,
            outbound_id,
            "acknowledging that the mail did not arrive",
            sets=["acknowledged = :at"],
            condition="#state = :was AND delivery = :delivery",
            names={"#state": "state"},
            values={":at": keys.moment(event.at), ":was": state.value, ":delivery": delivery.value},
            event=event,
        )
    except client.exceptions.ConditionalCheckFailedException as error:
        raise Conflict("the mail was changed meanwhile", on=outbound_id, remedy="Look at it again.") from error


def report(
    client: DynamoDBClient,
    table: str,
    outbound_id: str,
    *,
    read: Callable[[str], Any],
    report_id: str,
    deliveries: Mapping[str, Delivery],
    delivery: Delivery | None,
    event: Event,
) -> bool:
    """Record what a report says became of a mail; see ports.Outbox. `read`: reads the item; None: no such mail."""
    count, last = history.count_of(event.what), history.last_of(event.what)
    for _try in range(_REPORT_TRIES):
        item = read(outbound_id)
        if item is None:
            return False
        wanted = ("delivery", "reports", count, last, "newest_report", "deliveries")
        known = items.unmarshal({name: item[name] for name in wanted if name in item})
        if report_id in known.get("reports", ()) or known.get("newest_report") == report_id:
            return False
        was = Delivery(known["delivery"])
        now = was.furthest(delivery)
        if now.failed and not was.failed:
            note_unarrived(client, table, outbound_id, at=event.at)
        before = items.read_deliveries(known.get("deliveries"))
        after = {**before, **{one: before.get(one, Delivery.UNKNOWN).furthest(new) for one, new in deliveries.items()}}
        if _reported(
            client,
            table,
            outbound_id,
            report_id,
            was,
            now,
            event,
            kept=known.get(count, 0) < history.most(event.what),
            deliveries=items.pack_deliveries(after) if after != before else None,
            before=known.get("deliveries"),
        ):
            return True
    raise Transient("other reports about this mail are being recorded", on=outbound_id)


def _reported(
    client: DynamoDBClient,
    table: str,
    outbound_id: str,
    report_id: str,
    was: Delivery,
    now: Delivery,
    event: Event,
    *,
    kept: bool,
    deliveries: bytes | None,
    before: bytes | None,
) -> bool:
    """Write a report onto the mail as it was read; False when it was changed since."""
    entry = history.entry(event)
    names = {"#seen": "reports", "#count": history.count_of(event.what)}
    values: dict[str, Any] = {":was": was.value, ":now": now.value, ":report": report_id, ":one": 1}
    sets, conditions = ["delivery = :now"], [AS_IT_WAS_READ]
    if now is not was:
        sets.append(REVISED)
        values |= {":no_revision": 0, ":one_more": 1}
    if deliveries is not None:
        sets.append("deliveries = :deliveries")
        values[":deliveries"] = deliveries
        conditions.append("attribute_not_exists(deliveries)" if before is None else "deliveries = :before")
        values |= {} if before is None else {":before": bytes(before)}
    if kept:
        sets.append("events = list_append(if_not_exists(events, :no_events), :entries)")
        adds = "ADD #count :one, #seen :reports"
        conditions.append(ROOM)
        values |= {
            ":no_events": [],
            ":entries": [entry],
            ":reports": frozenset({report_id}),
            ":most": history.most(event.what),
        }
    else:
        # Only the last is remembered by its id: one that comes again after others is counted again.
        sets.append("#last = :entry, newest_report = :report")
        adds = "ADD #count :one"
        names["#last"] = history.last_of(event.what)
        values[":entry"] = entry
    try:
        with aws_errors("recording the delivery report", on=outbound_id):
            client.update_item(
                TableName=table,
                Key=items.marshal(keys.interaction(outbound_id)),
                UpdateExpression=f"SET {', '.join(sets)} {adds}",
                ConditionExpression=" AND ".join(conditions),
                ExpressionAttributeNames=names,
                ExpressionAttributeValues=items.marshal(values),
            )
    except client.exceptions.ConditionalCheckFailedException:
        return False
    return True
