"""Counts what code asks of AWS, by botocore's own events, and computes the DynamoDB write units that AWS would bill.

moto bills nothing, so the units are computed from the sizes of the items as AWS documents them: one unit a kilobyte of
the larger of the item before and after, double in a transaction, and the same again for each index entry written (two
when an index key changes: the old entry is removed and a new one put).
"""

from __future__ import annotations

import math
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import boto3
from postroom import bootstrap

from tests.support.aws_clients import listening

READS = frozenset({"GetItem", "BatchGetItem", "Query", "Scan", "TransactGetItems"})
WRITES = frozenset({"PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems", "BatchWriteItem"})

Item = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Index:
    """One index: its key attributes, and what of an item it holds (None: everything)."""

    keys: tuple[str, ...]
    projected: frozenset[str] | None


@dataclass
class AwsCalls:
    """What was asked since the last `reset`."""

    calls: Counter[tuple[str, str]] = field(default_factory=Counter)
    write_units: int = 0
    _indexes: dict[str, tuple[tuple[str, ...], list[Index]]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _observer: Any = None

    def reset(self) -> None:
        """Begin to count anew."""
        with self._lock:
            self.calls.clear()
            self.write_units = 0

    def of(self, service: str, *operations: str) -> int:
        """Count the calls to a service, or to some of its operations."""
        return sum(
            count
            for (of_service, operation), count in self.calls.items()
            if of_service == service and (not operations or operation in operations)
        )

    @property
    def reads(self) -> int:
        """Count the requests that read from DynamoDB."""
        return self.of("dynamodb", *READS)

    @property
    def writes(self) -> int:
        """Count the requests that write to DynamoDB."""
        return self.of("dynamodb", *WRITES)

    # --- botocore's events ---

    def before(self, params: dict[str, Any], model: Any, context: dict[str, Any], **_rest: Any) -> None:
        """Note what is asked, and what the items to be written are before."""
        service = model.service_model.service_name
        with self._lock:
            self.calls[service, model.name] += 1
        if service == "dynamodb" and model.name in WRITES:
            targets = list(_targets(model.name, params))
            context["postroom_writes"] = [(table, key, self._read(table, key)) for table, key in self._keyed(targets)]

    def after(self, http_response: Any, context: dict[str, Any], model: Any, **_rest: Any) -> None:
        """Compute what the write cost."""
        if "postroom_writes" not in context or http_response.status_code != 200:
            return
        factor = 2 if model.name == "TransactWriteItems" else 1
        for table, key, before in context.pop("postroom_writes"):
            units = self._units(table, before, self._read(table, key)) * factor
            with self._lock:
                self.write_units += units

    # --- sizes ---

    def _units(self, table: str, before: Item, after: Item) -> int:
        units = _kilobytes(max(item_size(before), item_size(after)))
        for index in self._schema(table)[1]:
            old, new = _entry(index, before), _entry(index, after)
            if old == new:
                continue
            moved = bool(old and new) and [old[key] for key in index.keys] != [new[key] for key in index.keys]
            units += (
                _kilobytes(item_size(old)) + _kilobytes(item_size(new))
                if moved
                else _kilobytes(max(item_size(old), item_size(new)))
            )
        return units

    def _keyed(self, targets: list[tuple[str, Item]]) -> Iterator[tuple[str, Item]]:
        for table, values in targets:
            yield table, {name: values[name] for name in self._schema(table)[0]}

    def _read(self, table: str, key: Item) -> Item:
        found: Item = self._client.get_item(TableName=table, Key=key, ConsistentRead=True).get("Item", {})
        return found

    def _schema(self, table: str) -> tuple[tuple[str, ...], list[Index]]:
        if table not in self._indexes:
            described = self._client.describe_table(TableName=table)["Table"]
            keys = tuple(part["AttributeName"] for part in described["KeySchema"])
            self._indexes[table] = keys, [_index(row, keys) for row in described.get("GlobalSecondaryIndexes", [])]
        return self._indexes[table]

    @property
    def _client(self) -> Any:
        if self._observer is None:
            self._observer = boto3.Session().client("dynamodb")
        return self._observer


@contextmanager
def aws_calls() -> Iterator[AwsCalls]:
    """Count the calls of handlers' clients on the stack that stands; bootstrap makes what it keeps anew."""
    counted = AwsCalls()
    with listening("provide-client-params", counted.before), listening("after-call", counted.after):
        bootstrap.forget()
        try:
            yield counted
        finally:
            bootstrap.forget()


def item_size(item: Item) -> int:
    """Compute the size of an item in bytes as AWS does: names and values."""
    return sum(len(name.encode()) + _value_size(value) for name, value in item.items())


def _value_size(value: Mapping[str, Any]) -> int:
    (kind, content), *_ = value.items()
    match kind:
        case "S":
            return len(content.encode())
        case "B":
            return len(content)
        case "N":
            return len(content.strip("-0.").replace(".", "")) // 2 + 2
        case "BOOL" | "NULL":
            return 1
        case "L":
            return 3 + sum(1 + _value_size(part) for part in content)
        case "M":
            return 3 + sum(1 + len(name.encode()) + _value_size(part) for name, part in content.items())
        case "SS" | "BS" | "NS":
            return sum(len(part if isinstance(part, bytes) else part.encode()) for part in content)
    raise TypeError(f"{kind} is no attribute type")


def _kilobytes(size: int) -> int:
    return math.ceil(size / 1024)


def _index(row: Mapping[str, Any], table_keys: tuple[str, ...]) -> Index:
    keys = tuple(part["AttributeName"] for part in row["KeySchema"])
    projection = row["Projection"]
    if projection["ProjectionType"] == "ALL":
        return Index(keys, None)
    return Index(keys, frozenset({*keys, *table_keys, *projection.get("NonKeyAttributes", [])}))


def _entry(index: Index, item: Item) -> Item:
    if not all(key in item for key in index.keys):
        return {}
    return item if index.projected is None else {name: item[name] for name in item if name in index.projected}


def _targets(operation: str, params: Mapping[str, Any]) -> Iterator[tuple[str, Item]]:
    match operation:
        case "PutItem":
            yield params["TableName"], params["Item"]
        case "UpdateItem" | "DeleteItem":
            yield params["TableName"], params["Key"]
        case "TransactWriteItems":
            for write in params["TransactItems"]:
                for one in write.values():
                    yield one["TableName"], one.get("Item") or one["Key"]
        case "BatchWriteItem":
            for table, requests in params["RequestItems"].items():
                for request in requests:
                    (one,) = request.values()
                    yield table, one.get("Item") or one["Key"]
