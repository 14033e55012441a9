"""The configuration: one document a version in the content bucket, and one item that says which is in force.

Applying is one conditional write of that item, so a configuration is in force whole or not at all; history and
roll-back come for nothing; and a warm function reads one small item to know that nothing has changed.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from postroom.adapters.dynamo import items, keys
from postroom.adapters.dynamo.client import aws_errors
from postroom.errors import Conflict, NotFound
from postroom.model.configuration import Configuration, Version
from postroom.ports import Contents

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

NOBODY_WAS_FASTER = "attribute_not_exists(pk) OR version = :expected"


class ConfigurationStore:
    """Implements ports.Configurations, and apply, history and roll-back."""

    def __init__(self, client: DynamoDBClient, table: str, contents: Contents) -> None:
        self._client = client
        self._table = table
        self._contents = contents
        self._cached: tuple[int, Configuration] = (0, Configuration())

    def current(self) -> Configuration:
        """Return the configuration in force: one small consistent read when it is warm."""
        version, digest = self._pointer()
        if version != self._cached[0]:
            self._cached = (version, self._document(version, digest))
        return self._cached[1]

    def version(self) -> int:
        """Return the number of the configuration in force; 0 before the first."""
        return self._pointer()[0]

    def in_force_since(self) -> datetime | None:
        """Return when the configuration in force was applied; None before the first."""
        values = self._pointer_values()
        return keys.parse_moment(values["at"]) if values else None

    def load(self, version: int) -> Configuration:
        """Return an earlier configuration; NotFound when there was none of that number."""
        with aws_errors("reading the configuration's history"):
            answer = self._client.get_item(
                TableName=self._table, Key=items.marshal(keys.configuration_version(version)), ConsistentRead=True
            )
        if "Item" not in answer:
            raise NotFound(f"there is no configuration {version}", remedy="`postroom config history` lists them.")
        return self._document(version, items.unmarshal(answer["Item"])["digest"])

    def put(self, configuration: Configuration, *, expected_version: int, author: str, note: str, now: datetime) -> int:
        """Put a configuration in force and return its version; Conflict when another was applied since `expected`."""
        document = configuration.model_dump_json(exclude_defaults=True).encode()
        digest = hashlib.sha256(document).hexdigest()
        version = expected_version + 1
        self._contents.put(_key(version, digest), gzip.compress(document, mtime=0), content_type="application/gzip")
        record = {"version": version, "at": keys.moment(now), "author": author, "note": note, "digest": digest}
        try:
            with aws_errors("applying the configuration"):
                self._client.transact_write_items(
                    TransactItems=[
                        {
                            "Put": {
                                "TableName": self._table,
                                "Item": items.marshal({**keys.configuration_pointer(), **record}),
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
                    ]
                )
        except self._client.exceptions.TransactionCanceledException as error:
            if self._pointer() == (version, digest):
                return version  # the answer to an earlier try was lost; it had worked
            raise Conflict(
                "somebody applied another configuration in between",
                remedy="Look at the new plan and apply again.",
            ) from error
        return version

    def history(self) -> list[Version]:
        """List every applied configuration, newest first."""
        versions: list[Version] = []
        start: dict[str, object] = {}
        while True:
            with aws_errors("reading the configuration's history"):
                answer = self._client.query(
                    TableName=self._table,
                    KeyConditionExpression="pk = :pk AND begins_with(sk, :prefix)",
                    ExpressionAttributeValues=items.marshal({":pk": keys.CONFIG, ":prefix": "V#"}),
                    ScanIndexForward=False,
                    ConsistentRead=True,
                    **start,  # type: ignore[arg-type]  # the page after this one
                )
            for values in map(items.unmarshal, answer["Items"]):
                versions.append(
                    Version(
                        version=values["version"],
                        at=keys.parse_moment(values["at"]),
                        author=values["author"],
                        note=values["note"],
                        digest=values["digest"],
                    )
                )
            if "LastEvaluatedKey" not in answer:
                return versions
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

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

    def _pointer(self) -> tuple[int, str]:
        values = self._pointer_values()
        return (values["version"], values["digest"]) if values else (0, "")

    def _pointer_values(self) -> Mapping[str, Any]:
        with aws_errors("reading which configuration is in force"):
            answer = self._client.get_item(
                TableName=self._table, Key=items.marshal(keys.configuration_pointer()), ConsistentRead=True
            )
        return items.unmarshal(answer.get("Item", {}))

    def _document(self, version: int, digest: str) -> Configuration:
        if version == 0:
            return Configuration()
        return Configuration.model_validate_json(gzip.decompress(self._contents.get(_key(version, digest))))


def _key(version: int, digest: str) -> str:
    return f"config/{version:08}-{digest[:16]}.json.gz"
