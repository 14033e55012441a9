"""Repeat what DynamoDB refused because a transaction was at work on the same item.

DynamoDB cancels a transaction that meets another one (TransactionConflict), and a single write that meets one
(TransactionConflictException); botocore repeats neither. Without this the mail would come back when its message does.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

MOST_TRIES = 8
FIRST_WAIT_SECONDS = 0.05  # doubled with every try, and all of it or half: 6 seconds in all at most

_CONFLICT = "TransactionConflict"
_PASSING = frozenset({_CONFLICT, "ThrottlingError", "ProvisionedThroughputExceeded", "RequestLimitExceeded"})


def repeat_conflicts(client: DynamoDBClient) -> DynamoDBClient:
    """Let a client repeat what met another transaction; the one place for all writes of all functions."""
    # The stubs know no handler that answers; botocore sleeps for what this one says (botocore/endpoint.py).
    client.meta.events.register("needs-retry.dynamodb", _wait, unique_id="postroom-conflicts")  # type: ignore[arg-type]
    return client


def _wait(response: Any, attempts: int, **_named: Any) -> float | None:
    """Return how many seconds botocore waits before it repeats the request; None: not for this reason."""
    if response is None or attempts >= MOST_TRIES or not _met_another(response[1]):
        return None
    wait: float = FIRST_WAIT_SECONDS * 2 ** (attempts - 1)
    return wait * random.uniform(0.5, 1)


def _met_another(parsed: Mapping[str, Any]) -> bool:
    code = parsed.get("Error", {}).get("Code", "")
    if code == "TransactionConflictException":
        return True
    if code != "TransactionCanceledException":
        return False
    # A condition that failed is an answer, whatever else was in the way.
    reasons = {reason.get("Code", "None") for reason in parsed.get("CancellationReasons", [])} - {"None"}
    return bool(reasons) and reasons <= _PASSING
