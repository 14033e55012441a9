"""When mailboxes were last polled: one small item for the mailboxes of a poll request, not one for each of them.

Poll requests of the schedule name the same mailboxes at each cycle, so that their item is written over, and there are
about as many items as there are poll requests in a cycle. A set that is polled no more keeps its time until it expires.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from postroom.adapters.dynamo import items, keys
from postroom.adapters.dynamo.client import aws_errors, query_all

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_MARK = 6  # bytes of a name's digest: those of a hundred mailboxes stay within one write unit, and two are never alike


class DynamoLooks:
    """Implements ports.Looks."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def note(self, names: Collection[str], *, at: datetime, kept: timedelta) -> None:
        """Write down that these were polled: one write unit for up to a hundred."""
        marks = b"".join(sorted(map(_mark, names)))
        values = {
            **keys.looks(hashlib.sha256(marks).hexdigest()[:16]),
            "at": keys.moment(at),
            "marks": marks,
            keys.EXPIRES: int((at + kept).timestamp()),
        }
        with aws_errors("noting which mailboxes were polled"):
            self._client.put_item(TableName=self._table, Item=items.marshal(values))

    def last(self, names: Collection[str]) -> Mapping[str, datetime]:
        """Read when mailboxes were last polled; those of which nothing is known are left out."""
        marked = {_mark(name): name for name in names}
        found: dict[str, datetime] = {}
        pages = query_all(
            self._client,
            self._table,
            doing="reading when mailboxes were polled",
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues=items.marshal({":pk": keys.looks("")[keys.PK]}),
        )
        for values in map(items.unmarshal, pages):
            at, marks = keys.parse_moment(values["at"]), bytes(values["marks"])
            for start in range(0, len(marks), _MARK):
                name = marked.get(marks[start : start + _MARK])
                if name is not None and (name not in found or found[name] < at):
                    found[name] = at
        return found


def _mark(name: str) -> bytes:
    return hashlib.sha256(name.encode("utf-8")).digest()[:_MARK]
