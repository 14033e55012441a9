"""What the API remembers between requests: answers by idempotency key, buckets of tokens, the key of cursors."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from postroom.adapters.aws import aws_errors, error_code
from postroom.adapters.dynamo import items, keys
from postroom.ports import Kept, Taken

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_CONDITION = "ConditionalCheckFailedException"
_TRIES = 3  # of functions that take from one bucket at the same time
_KEY_BYTES = 32


class DynamoRequestMemory:
    """Implements ports.RequestMemory."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table
        self._key: bytes | None = None

    def key(self) -> bytes:
        """Return the key of cursors; it opens nothing but positions in lists that who holds the cursor may read."""
        if self._key is None:
            self._key = self._stored_key() or self._new_key()
        return self._key

    def begin(self, request: str, *, fingerprint: str, now: datetime, held_until: datetime) -> Kept | None:
        """Note a request, unless its key is taken: one write, and a read only where it is."""
        is_free = "attribute_not_exists(pk) OR free_from <= :now"
        values = {
            **keys.request(request),
            "fingerprint": fingerprint,
            "free_from": keys.moment(held_until),
            keys.EXPIRES: int((held_until + timedelta(hours=1)).timestamp()),
        }
        try:
            with aws_errors("noting a request"):
                self._client.put_item(
                    TableName=self._table,
                    Item=items.marshal(values),
                    ConditionExpression=is_free,
                    ExpressionAttributeValues=items.marshal({":now": keys.moment(now)}),
                )
        except ClientError as error:
            if error_code(error) != _CONDITION:
                raise
            return self._noted(request)
        return None

    def finish(self, request: str, *, answer: str, fingerprint: str, until: datetime) -> None:
        """Keep the answer, over the note."""
        values = {
            **keys.request(request),
            "fingerprint": fingerprint,
            "answer": answer,
            "free_from": keys.moment(until),
            keys.EXPIRES: int(until.timestamp()),
        }
        with aws_errors("keeping an answer"):
            self._client.put_item(TableName=self._table, Item=items.marshal(values))

    def give_up(self, request: str, *, fingerprint: str, now: datetime) -> None:
        """Free the key at once."""
        values = {
            **keys.request(request),
            "fingerprint": fingerprint,
            "free_from": keys.moment(now),
            keys.EXPIRES: int(now.timestamp()),
        }
        with aws_errors("giving up a request"):
            self._client.put_item(TableName=self._table, Item=items.marshal(values))

    def take(self, caller: str, *, wanted: int, per_second: float, burst: int, now: datetime) -> Taken:
        """Take tokens; where others take at the same time again and again, they are given: it is no lock."""
        key = keys.bucket(hashlib.sha256(caller.encode("utf-8", "surrogatepass")).hexdigest()[:32])
        for _ in range(_TRIES):
            with aws_errors("counting requests"):
                stored = self._client.get_item(TableName=self._table, Key=items.marshal(key)).get("Item")
            there, version = burst, 0
            if stored is not None:
                values = items.unmarshal(stored)
                passed = max(0.0, (now - keys.parse_moment(values["at"])).total_seconds())
                there, version = min(burst, values["tokens"] + int(passed * per_second)), values["version"]
            got = min(wanted, there)
            if got == 0:
                return Taken(0, 0)
            changed = {
                **key,
                "tokens": there - got,
                "at": keys.moment(now),
                "version": version + 1,
                keys.EXPIRES: int(now.timestamp() + burst / per_second) + 60,
            }
            condition: Any = {"ConditionExpression": "attribute_not_exists(pk)"}
            if version:
                given = items.marshal({":version": version})
                condition = {"ConditionExpression": "version = :version", "ExpressionAttributeValues": given}
            try:
                with aws_errors("counting requests"):
                    self._client.put_item(
                        TableName=self._table,
                        Item=items.marshal(changed),
                        **condition,
                    )
            except ClientError as error:
                if error_code(error) != _CONDITION:
                    raise
                continue
            return Taken(got, there - got)
        return Taken(wanted, 0)

    def _noted(self, request: str) -> Kept | None:
        with aws_errors("reading a request"):
            answer = self._client.get_item(
                TableName=self._table, Key=items.marshal(keys.request(request)), ConsistentRead=True
            )
        values = items.unmarshal(answer["Item"])
        return Kept(values["fingerprint"], values.get("answer"))

    def _stored_key(self) -> bytes | None:
        with aws_errors("reading the key of cursors"):
            stored = self._client.get_item(
                TableName=self._table, Key=items.marshal(keys.cursor_key()), ConsistentRead=True
            ).get("Item")
        return bytes(items.unmarshal(stored)["key"]) if stored else None

    def _new_key(self) -> bytes:
        made = secrets.token_bytes(_KEY_BYTES)
        try:
            with aws_errors("making the key of cursors"):
                self._client.put_item(
                    TableName=self._table,
                    Item=items.marshal({**keys.cursor_key(), "key": made}),
                    ConditionExpression="attribute_not_exists(pk)",
                )
        except ClientError as error:
            if error_code(error) != _CONDITION:
                raise
            return self._stored_key() or made
        return made
