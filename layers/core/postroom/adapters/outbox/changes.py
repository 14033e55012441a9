"""One change of an outbound mail's item with the entry of its history: one conditional write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from postroom.adapters.aws import aws_errors
from postroom.adapters.dynamo import items, keys
from postroom.adapters.outbox import history
from postroom.model import AtRecipient, Event, recipients_in_flight

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

ROOM = "(attribute_not_exists(#count) OR #count < :most)"
"""One more entry of its kind is kept in the history; later ones are counted."""
REVISED = "revision = if_not_exists(revision, :no_revision) + :one_more"
"""What became of the mail is recorded once more: who follows it knows by this what is news."""


def change(
    client: DynamoDBClient,
    table: str,
    outbound_id: str,
    doing: str,
    *,
    sets: Sequence[str],
    condition: str,
    names: Mapping[str, str],
    values: Mapping[str, Any],
    event: Event | None,
    removes: Sequence[str] = (),
) -> None:
    """Update the item with an entry of its history: kept if there is room for it, else as the last of its kind.

    Raises ConditionalCheckFailedException of the client.
    """

    def update(told: str, adds: str, more: Mapping[str, str], given: Mapping[str, Any], room: str = "") -> None:
        clauses = [f"SET {', '.join([*sets, told] if told else sets)}"]
        clauses += [f"REMOVE {', '.join(removes)}"] if removes else []
        with aws_errors(doing, on=outbound_id):
            client.update_item(
                TableName=table,
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
    except client.exceptions.ConditionalCheckFailedException:
        # No room, or the condition itself fails: then it fails once more.
        update(
            "#last = :entry",
            "ADD #count :one",
            {**count, "#last": history.last_of(event.what)},
            {":entry": entry, **one},
        )


def by_recipient(
    recipients: Mapping[str, AtRecipient], remaining: Sequence[str] = ()
) -> tuple[Mapping[str, Any], list[str]]:
    """Return the attributes that say what became of a mail at each recipient: those to set, and those to remove.

    `remaining` says again who is still to be tried: a sender of an earlier version reads nothing else.
    """
    left = recipients_in_flight(recipients) if recipients else tuple(remaining)
    given = {
        "recipients": items.pack_recipients(recipients) if recipients else None,
        "remaining": list(left) or None,
    }
    return (
        {name: value for name, value in given.items() if value is not None},
        [name for name, value in given.items() if value is None],
    )
