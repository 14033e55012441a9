"""Bitmaps of what is stored of mail that stays on its server: an item for each 4,096 UIDs (ADR 0018).

They are not fenced by the lease: bits are only added, on the condition that nobody has changed the item since it was
read. Whoever adds one says a fact, and a bit that is lost costs a download.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection
from typing import TYPE_CHECKING

from postroom.adapters.dynamo import items, keys
from postroom.adapters.dynamo.client import aws_errors, query_all
from postroom.errors import Transient
from postroom.model import StoredUids, by_segment, with_bits

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

UNCHANGED = "#version = :was"
NEW = "attribute_not_exists(#version)"
TRIES = 5  # two pollers of one mailbox are rare, and each of them writes once in some seconds
_Segment = tuple[bytes, int]  # the bitmap and the item's version; 0: there is none


class StorageRecords:
    """The bitmaps of all mailboxes; remembers those it wrote, so that a warm function writes without reading."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table
        self._known: dict[tuple[str, str, int], _Segment] = {}

    def read(self, mailbox: str, series: str) -> StoredUids:
        """Read all bitmaps of a series."""
        prefix = keys.stored_segments(series)
        wanted = {
            "KeyConditionExpression": "#pk = :pk AND begins_with(#sk, :sk)",
            "ExpressionAttributeNames": {"#pk": keys.PK, "#sk": keys.SK},
            "ExpressionAttributeValues": items.marshal({":pk": keys.mailbox_state(mailbox)[keys.PK], ":sk": prefix}),
            "ConsistentRead": True,
        }
        found: dict[int, bytes] = {}
        for item in query_all(self._client, self._table, doing="reading what is stored", on=mailbox, **wanted):
            values = items.unmarshal(item)
            segment = int(values[keys.SK].removeprefix(prefix))
            bitmap = _unpacked(values.get("bits", b""))
            self._known[mailbox, series, segment] = bitmap, int(values.get("version", 0))
            found[segment] = bitmap
        return StoredUids(found)

    def add(self, mailbox: str, series: str, uids: Collection[str]) -> None:
        """Set the bits of these UIDs, in the segments that they touch."""
        for segment, bits in sorted(by_segment(uids).items()):
            self._add(mailbox, series, segment, bits)

    def _add(self, mailbox: str, series: str, segment: int, bits: Collection[int]) -> None:
        place = mailbox, series, segment
        for _try in range(TRIES):
            bitmap, version = self._known.get(place) or self._read_one(*place)
            grown = with_bits(bitmap, bits)
            if version and grown == bitmap:
                self._known[place] = bitmap, version
                return
            values = {":bits": zlib.compress(grown), ":version": version + 1} | ({":was": version} if version else {})
            try:
                with aws_errors("noting what is stored", on=mailbox):
                    self._client.update_item(
                        TableName=self._table,
                        Key=items.marshal(keys.stored_segment(mailbox, series, segment)),
                        UpdateExpression="SET #bits = :bits, #version = :version",
                        ConditionExpression=UNCHANGED if version else NEW,
                        ExpressionAttributeNames={"#bits": "bits", "#version": "version"},
                        ExpressionAttributeValues=items.marshal(values),
                    )
            except self._client.exceptions.ConditionalCheckFailedException:
                self._known.pop(place, None)  # another poller was there, or our own answer was lost
                continue
            self._known[place] = grown, version + 1
            return
        raise Transient("What is stored was changed by others again and again", on=mailbox, code="contended")

    def _read_one(self, mailbox: str, series: str, segment: int) -> _Segment:
        with aws_errors("reading what is stored", on=mailbox):
            answer = self._client.get_item(
                TableName=self._table,
                Key=items.marshal(keys.stored_segment(mailbox, series, segment)),
                ConsistentRead=True,
            )
        values = items.unmarshal(answer.get("Item", {}))
        return _unpacked(values.get("bits", b"")), int(values.get("version", 0))


def _unpacked(blob: bytes) -> bytes:
    """Return a bitmap; one that is damaged counts as empty, and what it said is fetched again."""
    try:
        return zlib.decompress(bytes(blob)) if blob else b""
    except zlib.error:
        return b""
