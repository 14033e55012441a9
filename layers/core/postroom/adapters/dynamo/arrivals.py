"""The newest mails of queues with the dates that say how long they took."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from postroom.adapters.dynamo import items, keys
from postroom.adapters.dynamo.client import aws_errors, read_many
from postroom.model import Arrival

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoArrivals:
    """Implements services.arrivals.Arrivals: a query a queue, then the items, a hundred to a request."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def newest(self, queues: Iterable[str], *, mailboxes: Iterable[str], seen: int, of_each: int) -> list[Arrival]:
        """List up to `of_each` mails of each mailbox among the newest `seen` of each queue, with known dates."""
        asked = frozenset(mailboxes)
        taken: Counter[str] = Counter()
        wanted: list[keys.Key] = []
        for queue in queues:
            for interaction_id, mailbox in self._rows(queue, seen):
                if mailbox in asked and taken[mailbox] < of_each:
                    taken[mailbox] += 1
                    wanted.append(keys.interaction(interaction_id))
        found = read_many(self._client, self._table, wanted, doing="reading when mails came")
        mails = (items.read_interaction(item) for item in found)
        return [
            Arrival(mail.mailbox, received=mail.server_date, queued=mail.created)
            for mail in mails
            if mail.server_date is not None
        ]

    def _rows(self, queue: str, seen: int) -> list[tuple[str, str]]:
        with aws_errors("listing the newest mails of a queue", on=queue):
            answer = self._client.query(
                TableName=self._table,
                IndexName=keys.BY_LIST,
                KeyConditionExpression=f"{keys.LIST_PK} = :queue",
                ExpressionAttributeValues=items.marshal({":queue": keys.queue_list(queue)}),
                ScanIndexForward=False,
                Limit=seen,
            )
        # A case has the id of the mail that began it.
        return [(row[keys.PK]["S"].partition("#")[2], row["mailbox"]["S"]) for row in answer["Items"]]
