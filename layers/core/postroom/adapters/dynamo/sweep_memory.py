"""What the sweeper remembers between its runs: its mark, and what it queued again."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from postroom.adapters.dynamo import items, keys
from postroom.adapters.dynamo.client import aws_errors
from postroom.model import SweepProgress

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_PRINT = 6  # bytes
_MOST = 50_000  # prints of an hour, 300 KB; of more, the oldest are forgotten, and may be queued once more
_KEPT = timedelta(days=3)
_TIMES = ("hour", "looked_back", "trouble")


class DynamoSweepMemory:
    """Implements services.sweep.Memory: one item for the mark, one for each hour of which something was repeated."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def load(self) -> SweepProgress:
        """Read how far the sweeper is; nothing is known before its first run."""
        found = self._read(keys.sweep_mark(), "reading the sweeper's mark")
        times = {name: keys.parse_moment(found[name]) for name in _TIMES if name in found}
        return SweepProgress(**times, healthy_key=found.get("healthy", ""))

    def save(self, progress: SweepProgress) -> None:
        """Move the mark."""
        times = {name: at for name in _TIMES if (at := getattr(progress, name)) is not None}
        self._write(
            {
                **keys.sweep_mark(),
                **{name: keys.moment(at) for name, at in times.items()},
                "healthy": progress.healthy_key or None,
            },
            "moving the sweeper's mark",
        )

    def repeated(self, hour: datetime, *, since: datetime) -> Collection[str]:
        """Read the prints of an hour's raw messages that were queued again since a moment."""
        return frozenset(one for at, prints in self._times(hour) if at >= since for one in prints)

    def remember(self, hour: datetime, prints: Collection[str], *, at: datetime) -> None:
        """Add what was queued again; one sweeper runs at a time, so nothing is lost between reading and writing."""
        times = [(then, kept) for then, kept in self._times(hour) if at - then < _KEPT]
        times.append((at, sorted(prints)))
        while len(times) > 1 and sum(len(kept) for _then, kept in times) > _MOST:
            del times[0]
        self._write(
            {
                **keys.sweep_repeated(hour),
                "times": [[keys.moment(then), b"".join(map(bytes.fromhex, kept))] for then, kept in times],
                keys.EXPIRES: int((at + _KEPT).timestamp()),
            },
            "remembering what was queued again",
        )

    def _times(self, hour: datetime) -> list[tuple[datetime, list[str]]]:
        found = self._read(keys.sweep_repeated(hour), "reading what was queued again")
        return [(keys.parse_moment(then), _prints(bytes(packed))) for then, packed in found.get("times", ())]

    def _read(self, key: keys.Key, doing: str) -> dict[str, Any]:
        with aws_errors(doing):
            answer = self._client.get_item(TableName=self._table, Key=items.marshal(key), ConsistentRead=True)
        return items.unmarshal(answer.get("Item", {}))

    def _write(self, values: dict[str, Any], doing: str) -> None:
        with aws_errors(doing):
            self._client.put_item(TableName=self._table, Item=items.marshal(values))


def _prints(packed: bytes) -> list[str]:
    return [packed[start : start + _PRINT].hex() for start in range(0, len(packed), _PRINT)]
