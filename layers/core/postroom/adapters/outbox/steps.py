"""The steps of one sender with one mail: claimed, on the wire, finished. Each is one conditional write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from postroom.adapters.aws import aws_errors
from postroom.adapters.dynamo import items, keys, note_unarrived
from postroom.adapters.outbox.changes import REVISED, by_recipient, change
from postroom.errors import LeaseLost
from postroom.model import AtRecipient, Event, Outbound, OutboxState

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

FREE = "#state = :new OR (#state = :deferred AND #due <= :now)"
"""May be claimed: nobody has it, and it is time."""
ABANDONED = "#state = :claimed AND gsi2sk < :before"
"""Claimed by a sender that died before the content went on the wire: certainly not sent."""
MINE = "#claim = :claim AND #state IN (:claimed, :data)"
MINE_STILL = "#claim = :claim AND #state IN (:claimed, :data, :uncertain)"
"""The sweeper took its sender for dead, and nobody else has taken it since."""

_NAMES = {"#state": "state", "#due": "due", "#claim": "claim"}


def claim(
    client: DynamoDBClient,
    table: str,
    outbound_id: str,
    *,
    claim: str,
    message_id: str,
    now: datetime,
    abandoned_before: datetime,
) -> Outbound | None:
    """NEW, due DEFERRED or abandoned CLAIMED → CLAIMED, with its Message-ID; None when it is not to be had.

    `message_id` empty: none could be made, and what it had stays.
    """
    named = ", message_id = :message_id, gsi1pk = :gsi1pk" if message_id else ""
    identity = {":message_id": message_id, ":gsi1pk": keys.message_id(message_id)} if message_id else {}
    try:
        with aws_errors("claiming the outbound mail", on=outbound_id):
            answer = client.update_item(
                TableName=table,
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
    except client.exceptions.ConditionalCheckFailedException as error:
        # A lost answer that botocore repeated: the item shows our own claim, so the mail is ours.
        refused: Any = error.response
        there = refused.get("Item")
        return items.read_outbound(there) if there and there.get("claim") == {"S": claim} else None
    return items.read_outbound(answer["Attributes"])


def move(
    client: DynamoDBClient,
    table: str,
    outbound_id: str,
    *,
    claim: str,
    state: OutboxState,
    now: datetime,
    event: Event | None = None,
    recipients: Mapping[str, AtRecipient] | None = None,
) -> None:
    """CLAIMED → DATA or CLAIMED; `recipients`: what is certain of each already, should this sender die."""
    told, gone = by_recipient(recipients) if recipients else ({}, [])
    _record(
        client,
        table,
        outbound_id,
        claim=claim,
        state=state,
        now=now,
        event=event,
        condition=MINE,
        values=dict(told),
        removes=gone,
    )


def finish(
    client: DynamoDBClient,
    table: str,
    outbound_id: str,
    *,
    claim: str,
    state: OutboxState,
    event: Event,
    provider_id: str,
    reason: str,
    code: str,
    since: datetime | None,
    due: datetime | None,
    message_id: str,
    remaining: Sequence[str],
    recipients: Mapping[str, AtRecipient],
    tries: int | None,
) -> None:
    """CLAIMED or DATA → SENT, DEFERRED, FAILED or UNCERTAIN; see ports.Outbox."""
    if state is OutboxState.FAILED:  # first: a note too many says nothing, one too few hides a mail
        note_unarrived(client, table, outbound_id, at=event.at)
    told, gone = by_recipient(recipients, remaining)
    _record(
        client,
        table,
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
            "unrecorded": 0,
            "tries": tries,
            **told,
        },
        removes=gone,
        revised=True,
    )


def _record(
    client: DynamoDBClient,
    table: str,
    outbound_id: str,
    *,
    claim: str,
    state: OutboxState,
    now: datetime,
    event: Event | None,
    condition: str,
    values: Mapping[str, Any],
    removes: Sequence[str] = (),
    revised: bool = False,
) -> None:
    given = {name: value for name, value in values.items() if value is not None}
    bound: dict[str, Any] = {
        ":state": state.value,
        ":list": keys.outbox_list(state.value),
        ":listed": keys.listed(now, outbound_id),
        ":claim": claim,
        ":claimed": OutboxState.CLAIMED.value,
        ":data": OutboxState.DATA.value,
        **({":uncertain": OutboxState.UNCERTAIN.value} if condition == MINE_STILL else {}),
        **({":no_revision": 0, ":one_more": 1} if revised else {}),
        **{f":{name}": value for name, value in given.items()},
    }
    sets = ["#state = :state", "gsi2pk = :list", "gsi2sk = :listed", *([REVISED] if revised else [])]
    try:
        change(
            client,
            table,
            outbound_id,
            "recording the state of the outbound mail",
            sets=[*sets, *(f"#{one} = :{one}" for one in given)],
            removes=[f"#{one}" for one in removes],
            condition=condition,
            names={
                "#state": "state",
                "#claim": "claim",
                **{f"#{name}": name for name in (*given, *removes)},
            },
            values=bound,
            event=event,
        )
    except client.exceptions.ConditionalCheckFailedException as error:
        raise LeaseLost("another sender has this mail, or it is finished", on=outbound_id) from error
