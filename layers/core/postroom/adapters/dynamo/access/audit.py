"""The audit log in the table: entries are put once, under a key that is new, and nothing here changes one."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from postroom.adapters.aws import aws_errors
from postroom.adapters.dynamo import items, keys, read_many
from postroom.model.access import AuditAction, AuditEntry, PrincipalKind

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KEPT = timedelta(days=3 * 366)
"""How long entries are kept: the longest that a claim can wait where nothing else is agreed (three years)."""

_NEW = "attribute_not_exists(pk)"


def audit_write(table: str, entry: AuditEntry) -> Any:
    """Return the put of an entry, alone or within a transaction with what it tells of: the one way to write one."""
    told = {"before": entry.before, "after": entry.after, "reason": entry.reason}
    values = {
        **keys.audit(entry.at, entry.id),
        keys.LIST_PK: keys.audited(entry.object),
        keys.LIST_SK: keys.listed(entry.at, entry.id),
        keys.CUSTOMER_PK: keys.audited_person(entry.actor),
        keys.CUSTOMER_SK: keys.listed(entry.at, entry.id),
        "action": entry.action.value,
        "object": entry.object,
        "actor": entry.actor,
        "actor_name": entry.actor_name,
        "actor_kind": entry.actor_kind.value,
        "department": entry.department,
        "client": entry.client,
        "told": zlib.compress(json.dumps(told, separators=(",", ":"), default=str).encode()),
        keys.EXPIRES: int((entry.at + KEPT).timestamp()),
    }
    return {"TableName": table, "Item": items.marshal(values), "ConditionExpression": _NEW}


class DynamoAudit:
    """Implements ports.Audit."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def add(self, entry: AuditEntry) -> None:
        """Write an entry of its own."""
        with aws_errors("writing the audit log", on=entry.object):
            self._client.put_item(**audit_write(self._table, entry))

    def page(
        self, *, since: datetime, until: datetime, about: str = "", actor: str = "", after: str = "", most: int = 100
    ) -> tuple[Sequence[AuditEntry], str]:
        """List entries, newest first; `after` is the sort key of the last one."""
        # A sort key ends with an id: no id is behind `~`.
        newest = min(after, keys.listed(until, "~")) if after else keys.listed(until, "~")
        oldest = keys.listed(since, "")
        if about:
            pages = self._by_index(
                keys.BY_LIST, (keys.LIST_PK, keys.LIST_SK), keys.audited(about), oldest, newest, most
            )
        elif actor:
            names = (keys.CUSTOMER_PK, keys.CUSTOMER_SK)
            pages = self._by_index(keys.BY_CUSTOMER, names, keys.audited_person(actor), oldest, newest, most)
        else:
            pages = self._by_day(oldest, newest, since, most)
        found: list[AuditEntry] = []
        for values in pages:
            if values[keys.SK] == after:
                continue
            found.append(_entry(values))
            if len(found) == most:
                return found, values[keys.SK]
        return found, ""

    def _by_day(self, oldest: str, newest: str, since: datetime, most: int) -> Iterator[Mapping[str, Any]]:
        day = keys.parse_moment(newest.partition("#")[0])
        while day.date() >= since.date():
            wanted = ("pk = :pk AND sk BETWEEN :oldest AND :newest", keys.audit_day(day))
            yield from self._query({}, *wanted, oldest, newest, most)
            day -= timedelta(days=1)

    def _by_index(
        self, index: str, names: tuple[str, str], value: str, oldest: str, newest: str, most: int
    ) -> Iterator[Mapping[str, Any]]:
        condition = f"{names[0]} = :pk AND {names[1]} BETWEEN :oldest AND :newest"
        rows = list(self._query({"IndexName": index}, condition, value, oldest, newest, most, only=most + 1))
        wanted = [{name: row[name] for name in (keys.PK, keys.SK)} for row in rows]
        read = map(items.unmarshal, read_many(self._client, self._table, wanted, doing="reading the audit log"))
        yield from sorted(read, key=lambda values: str(values[keys.SK]), reverse=True)

    def _query(
        self,
        index: Mapping[str, str],
        condition: str,
        value: str,
        oldest: str,
        newest: str,
        most: int,
        *,
        only: int | None = None,
    ) -> Iterator[Mapping[str, Any]]:
        start: dict[str, Any] = {}
        read = 0
        while True:
            wanted: dict[str, Any] = {
                "TableName": self._table,
                "KeyConditionExpression": condition,
                "ExpressionAttributeValues": items.marshal({":pk": value, ":oldest": oldest, ":newest": newest}),
                "ScanIndexForward": False,
                "Limit": most + 1,
                **index,
                **start,
            }
            with aws_errors("reading the audit log"):
                answer = self._client.query(**wanted)
            for row in answer["Items"]:
                yield items.unmarshal(row)
                read += 1
            if "LastEvaluatedKey" not in answer or (only is not None and read >= only):
                return
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}


def _entry(values: Mapping[str, Any]) -> AuditEntry:
    told = json.loads(zlib.decompress(values["told"]))
    at, _hash, name = values[keys.SK].partition("#")
    return AuditEntry(
        id=name,
        at=keys.parse_moment(at),
        action=AuditAction(values["action"]),
        object=values["object"],
        actor=values["actor"],
        actor_name=values["actor_name"],
        actor_kind=PrincipalKind(values["actor_kind"]),
        department=values["department"],
        before=told["before"],
        after=told["after"],
        reason=told["reason"],
        client=values["client"],
    )
