"""The counters of automatic replies.

A counter of one sender or thread is raised in the transaction that writes the reply. One that many people's mail shares
is raised before it, by itself: in a transaction it would make each acknowledged mail meet the others (ADR 0016). What
was raised and not used is given back; a process that dies between the two leaves one reply too many counted, never too
few.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from postroom.adapters.dynamo import items, keys
from postroom.adapters.dynamo.client import aws_errors
from postroom.model import Cap

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

BELOW_LIMIT = "attribute_not_exists(pk) OR #count < :limit"
FREE_AGAIN = "attribute_not_exists(pk) OR #count < :limit OR #expires <= :now"
RAISED = "#count > :none"


def counting(table: str, cap: Cap, now: datetime) -> dict[str, Any]:
    """Return the update that raises a counter by one, and fails when it is full."""
    values = {":one": 1, ":limit": cap.limit, ":expires": int(cap.expires.timestamp())}
    # One a window: the window begins with each reply. More: the window's number is part of the key.
    first: Mapping[str, int] = {":now": int(now.timestamp())} if cap.limit == 1 else {}
    return {
        "TableName": table,
        "Key": items.marshal(keys.cap(cap.key)),
        "UpdateExpression": (
            "SET #count = :one, #expires = :expires"
            if first
            else "ADD #count :one SET #expires = if_not_exists(#expires, :expires)"
        ),
        "ConditionExpression": FREE_AGAIN if first else BELOW_LIMIT,
        "ExpressionAttributeNames": {"#count": "count", "#expires": keys.EXPIRES},
        "ExpressionAttributeValues": items.marshal({**values, **first}),
    }


def raise_shared(client: DynamoDBClient, table: str, cap: Cap, now: datetime) -> bool:
    """Raise a counter that many people's mail shares; False when it is full."""
    try:
        with aws_errors("counting an automatic reply"):
            client.update_item(**counting(table, cap, now))
    except client.exceptions.ConditionalCheckFailedException:
        return False
    return True


def give_back(client: DynamoDBClient, table: str, cap: Cap) -> None:
    """Lower a counter that was raised for a reply which was not written; once, also when the answer is lost.

    botocore repeats a request whose answer was lost. An update would lower the counter twice then, and let a reply more
    out than the cap allows; a transaction's token, which botocore makes for the call, lets its repetition do nothing.
    """
    try:
        with aws_errors("counting an automatic reply back"):
            client.transact_write_items(
                TransactItems=[
                    {
                        "Update": {
                            "TableName": table,
                            "Key": items.marshal(keys.cap(cap.key)),
                            "UpdateExpression": "ADD #count :less",
                            "ConditionExpression": RAISED,
                            "ExpressionAttributeNames": {"#count": "count"},
                            "ExpressionAttributeValues": items.marshal({":less": -1, ":none": 0}),
                        }
                    }
                ]
            )
    except client.exceptions.TransactionCanceledException:
        return
