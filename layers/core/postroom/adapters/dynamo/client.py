"""How the adapters of the table call DynamoDB; the low-level client, since marshalling in boto3's resource is slow.

DynamoDB cancels a transaction that meets another one (TransactionConflict), and a single write that meets one
(TransactionConflictException); botocore repeats neither. Without `repeat_conflicts` the mail would come back when its
message does.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from postroom.adapters.aws import aws_errors
from postroom.adapters.dynamo import items, keys

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

__all__ = ["BATCH", "aws_errors", "query_all", "read_many", "repeat_conflicts"]

BATCH = 100  # the most keys that BatchGetItem takes
MOST_TRIES = 8
FIRST_WAIT_SECONDS = 0.05  # doubled with every try, and all of it or half: 6 seconds in all at most

_CONFLICT = "TransactionConflict"
_PASSING = frozenset({_CONFLICT, "ThrottlingError", "ProvisionedThroughputExceeded", "RequestLimitExceeded"})


def read_many(
    client: DynamoDBClient, table: str, wanted: Sequence[keys.Key], *, doing: str, consistent: bool = False
) -> Iterator[items.Item]:
    """Read the items that exist of up to any number of keys, a hundred to a request, in no order."""
    # DynamoDB refuses a whole batch that names a key twice.
    once = list({tuple(sorted(key.items())): key for key in wanted}.values())
    for start in range(0, len(once), BATCH):
        left: list[Any] = [items.marshal(key) for key in once[start : start + BATCH]]
        while left:
            with aws_errors(doing):
                answer = client.batch_get_item(RequestItems={table: {"Keys": left, "ConsistentRead": consistent}})
            yield from answer["Responses"].get(table, [])
            later = answer.get("UnprocessedKeys", {})
            left = list(later[table]["Keys"]) if table in later else []


def query_all(
    client: DynamoDBClient, table: str, *, doing: str, on: str = "", **wanted: Any
) -> Iterator[Mapping[str, Any]]:
    """Yield the items of every page of a query: DynamoDB ends a page at 1 MB, whatever is asked for."""
    start: dict[str, Any] = {}
    while True:
        with aws_errors(doing, on=on):
            answer = client.query(TableName=table, **wanted, **start)
        yield from answer["Items"]
        if "LastEvaluatedKey" not in answer:
            return
        start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}


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
