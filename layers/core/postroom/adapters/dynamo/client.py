"""How the adapters of the table call DynamoDB; the low-level client, since marshalling in boto3's resource is slow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from postroom.adapters.aws import aws_errors
from postroom.adapters.dynamo import items, keys

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

__all__ = ["BATCH", "aws_errors", "query_all", "read_many"]

BATCH = 100  # the most keys that BatchGetItem takes


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
