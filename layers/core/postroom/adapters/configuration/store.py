"""The configuration: chunks in the content bucket, and one item that says which of them are in force (ADR 0002).

Applying is one conditional write of that item, so a configuration is in force whole or not at all. A warm function
reads one small item to know that nothing has changed, and loads the chunks that have. With each version lies the list
of what it changed.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import uuid
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from postroom.adapters.aws import aws_errors
from postroom.adapters.configuration.chunks import Chunk, cut, joined, key_of, name_of, read
from postroom.adapters.configuration.waiting_changes import outcome_writes
from postroom.adapters.dynamo import items, keys, query_all
from postroom.errors import Conflict, NotFound
from postroom.model.configuration import (
    ChangeKind,
    Configuration,
    FieldChange,
    ObjectChange,
    RecordedChange,
    Version,
)
from postroom.ports import Contents

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

NOBODY_WAS_FASTER = "attribute_not_exists(pk) OR version = :expected"
AT_ONCE = 8  # chunks that are fetched at the same time
MOST_NAMED = 50  # objects that a version's own record names; its list has all


@dataclass(frozen=True, slots=True)
class _Loaded:
    """A version with its chunks, as they were read or written."""

    version: int = 0
    configuration: Configuration = field(default_factory=Configuration)
    chunks: tuple[Chunk, ...] = ()


class ConfigurationStore:
    """Implements ports.Configurations, and apply, history and roll-back."""

    def __init__(self, client: DynamoDBClient, table: str, contents: Contents) -> None:
        self._client = client
        self._table = table
        self._contents = contents
        self._cached = _Loaded()

    def current(self) -> Configuration:
        """Return the configuration in force: one small consistent read when it is warm."""
        values = self._pointer()
        if (version := values.get("version", 0)) != self._cached.version:
            self._cached = self._loaded(version, values) if version else _Loaded()
        return self._cached.configuration

    def version(self) -> int:
        """Return the number of the configuration in force; 0 before the first."""
        version: int = self._pointer().get("version", 0)
        return version

    def in_force(self) -> tuple[int, Configuration]:
        """Return the configuration in force with its number, from one read."""
        configuration = self.current()
        return self._cached.version, configuration

    def in_force_since(self) -> datetime | None:
        """Return when the configuration in force was applied; None before the first."""
        values = self._pointer()
        return keys.parse_moment(values["at"]) if values else None

    def load(self, version: int) -> Configuration:
        """Return an earlier configuration; NotFound when there was none of that number."""
        if version == self._cached.version:
            return self._cached.configuration
        return self._loaded(version, self._record(version)).configuration

    def put(
        self,
        configuration: Configuration,
        *,
        expected_version: int,
        author: str,
        note: str,
        now: datetime,
        changes: Sequence[RecordedChange] = (),
        settled: Sequence[str] = (),
    ) -> int:
        """Put a configuration in force and return its version; Conflict when another was applied since `expected`.

        `changes`: its list of changes. `settled`: ids of waiting changes that are in it, told so by the same write.
        """
        version = expected_version + 1
        chunks, documents = cut(configuration, self._cached.chunks)
        for key, document in documents.items():
            self._contents.put(key, gzip.compress(document, mtime=0), content_type="application/gzip")
        attempt = uuid.uuid4().hex
        names = " ".join(name_of(chunk.key) for chunk in chunks)
        in_force = {
            "version": version,
            "at": keys.moment(now),
            "chunks": names,
            "digest": hashlib.sha256(names.encode()).hexdigest(),
            "attempt": attempt,
        }
        record = {**in_force, "author": author, "note": note, **self._listed(version, attempt, changes)}
        writes = [
            {
                "Put": {
                    "TableName": self._table,
                    "Item": items.marshal({**keys.configuration_pointer(), **in_force}),
                    "ConditionExpression": NOBODY_WAS_FASTER,
                    "ExpressionAttributeValues": items.marshal({":expected": expected_version}),
                }
            },
            {
                "Put": {
                    "TableName": self._table,
                    "Item": items.marshal({**keys.configuration_version(version), **record}),
                    "ConditionExpression": "attribute_not_exists(pk)",
                }
            },
            *outcome_writes(self._table, settled, version=version, now=now),
        ]
        try:
            with aws_errors("applying the configuration"):
                self._client.transact_write_items(TransactItems=writes)  # type: ignore[arg-type]  # plain dictionaries
        except self._client.exceptions.TransactionCanceledException as error:
            if self._attempt(version) != attempt:  # else the answer to an earlier try was lost; it had worked
                raise Conflict(
                    "somebody applied another configuration in between",
                    remedy="Look at the new plan and apply again.",
                ) from error
        self._cached = _Loaded(version, joined(chunks), chunks)
        return version

    def history(self) -> list[Version]:
        """List every applied configuration, newest first."""
        return [_version(values) for values in self._records()]

    def changes(self, version: int) -> tuple[RecordedChange, ...]:
        """Return what a version changed, in order; nothing for one from before such lists were kept.

        Raises NotFound when there was no such version.
        """
        key = self._record(version).get("changes", "")
        if not key:
            return ()
        return tuple(map(_recorded, json.loads(gzip.decompress(self._contents.get(key)))))

    def past_queues(self) -> frozenset[str] | None:
        """Return the queues that are noted; None before anything was."""
        with aws_errors("reading which queues there were"):
            answer = self._client.get_item(
                TableName=self._table, Key=items.marshal(keys.configuration_queues()), ConsistentRead=True
            )
        if "Item" not in answer:
            return None
        return frozenset(items.unmarshal(answer["Item"]).get("names", ()))

    def note_queues(self, names: Collection[str]) -> None:
        """Add names to those that are noted; none at all notes that there are none."""
        # A set cannot be empty, and the item is to be there all the same.
        values = {":yes": True, **({":names": set(names)} if names else {})}
        with aws_errors("noting which queues there were"):
            self._client.update_item(
                TableName=self._table,
                Key=items.marshal(keys.configuration_queues()),
                UpdateExpression="SET #noted = :yes" + (" ADD #names :names" if names else ""),
                ExpressionAttributeNames={"#noted": "noted"} | ({"#names": "names"} if names else {}),
                ExpressionAttributeValues=items.marshal(values),
            )

    def _pointer(self) -> Mapping[str, Any]:
        with aws_errors("reading which configuration is in force"):
            answer = self._client.get_item(
                TableName=self._table, Key=items.marshal(keys.configuration_pointer()), ConsistentRead=True
            )
        return items.unmarshal(answer.get("Item", {}))

    def _record(self, version: int) -> Mapping[str, Any]:
        with aws_errors("reading the configuration's history"):
            answer = self._client.get_item(
                TableName=self._table, Key=items.marshal(keys.configuration_version(version)), ConsistentRead=True
            )
        if "Item" not in answer:
            raise NotFound(f"there is no configuration {version}", remedy="`postroom config history` lists them.")
        return items.unmarshal(answer["Item"])

    def _attempt(self, version: int) -> str:
        try:
            return str(self._record(version).get("attempt", ""))
        except NotFound:
            return ""

    def _records(self) -> list[Mapping[str, Any]]:
        found = query_all(
            self._client,
            self._table,
            doing="reading the configuration's history",
            KeyConditionExpression="pk = :pk AND begins_with(sk, :prefix)",
            ExpressionAttributeValues=items.marshal({":pk": keys.CONFIG, ":prefix": "V#"}),
            ScanIndexForward=False,
            ConsistentRead=True,
        )
        return [items.unmarshal(one) for one in found]

    def _loaded(self, version: int, values: Mapping[str, Any]) -> _Loaded:
        known = {chunk.key: chunk for chunk in self._cached.chunks}
        wanted = _chunk_keys(version, values)
        known |= self._fetched([key for key in dict.fromkeys(wanted) if key not in known])
        chunks = tuple(known[key] for key in wanted)
        return _Loaded(version, joined(chunks), chunks)

    def _fetched(self, missing: Sequence[str]) -> dict[str, Chunk]:
        if len(missing) < 2:
            return {key: self._chunk(key) for key in missing}
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(AT_ONCE) as threads:
            return dict(zip(missing, threads.map(self._chunk, missing), strict=True))

    def _chunk(self, key: str) -> Chunk:
        return read(key, gzip.decompress(self._contents.get(key)))

    def _listed(self, version: int, attempt: str, changes: Sequence[RecordedChange]) -> dict[str, Any]:
        """Store a list of changes, and return what the version's record says of it."""
        if not changes:
            return {}
        key = f"config/changes/{version:08}-{attempt[:8]}.json.gz"
        document = json.dumps([_plain(one) for one in changes], ensure_ascii=False).encode()
        self._contents.put(key, gzip.compress(document, mtime=0), content_type="application/gzip")
        kinds = Counter(one.change.kind for one in changes)
        objects = list(dict.fromkeys(one.change.object for one in changes))
        return {
            "changes": key,
            **{kind.value: kinds[kind] for kind in ChangeKind},
            "objects": "\n".join(objects[:MOST_NAMED]),
            "complete": len(objects) <= MOST_NAMED,
        }


def _chunk_keys(version: int, values: Mapping[str, Any]) -> list[str]:
    if "chunks" in values:
        return [key_of(name) for name in values["chunks"].split()]
    return [f"config/{version:08}-{values['digest'][:16]}.json.gz"]  # from before there were chunks


def _version(values: Mapping[str, Any]) -> Version:
    return Version(
        version=values["version"],
        at=keys.parse_moment(values["at"]),
        author=values["author"],
        note=values["note"],
        digest=values["digest"],
        **{kind.value: values.get(kind.value, 0) for kind in ChangeKind},
        objects=tuple(filter(None, values.get("objects", "").split("\n"))),
        complete=values.get("complete", False),
    )


def _plain(one: RecordedChange) -> dict[str, Any]:
    change = one.change
    return {
        "who": one.who,
        "at": keys.moment(one.at),
        "why": one.why,
        "kind": change.kind.value,
        "section": change.section,
        "name": change.name,
        "fields": [[found.field, found.before, found.after] for found in change.fields],
    }


def _recorded(plain: Mapping[str, Any]) -> RecordedChange:
    fields = tuple(FieldChange(name, before, after) for name, before, after in plain["fields"])
    change = ObjectChange(ChangeKind(plain["kind"]), plain["section"], plain["name"], fields)
    return RecordedChange(change, plain["who"], keys.parse_moment(plain["at"]), plain["why"])
