"""The two buckets: raw messages, byte for byte and only ever added to, and contents under our own keys."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from postroom.adapters.aws.client import aws_errors, error_code
from postroom.errors import NotFound
from postroom.model import RawMessage, raw_prefix

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_MISSING = frozenset({"NoSuchKey", "404", "NoSuchVersion"})
_DENIED = frozenset({"AccessDenied", "403"})
_EXISTS = "PreconditionFailed"


class S3RawMessages:
    """Implements ports.RawMessages."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def put_if_absent(self, key: str, path: Path, *, sha256: str, metadata: Mapping[str, str]) -> bool:
        """Stream the file to its key; False when the key was there, which is also how a lost answer ends.

        S3 compares the bytes it received with `sha256` (hex) and refuses a partial or damaged body. One PUT, no
        parts: 100 MB is far below what a PUT may hold, and only whole PUTs can be conditional and checked at once.
        """
        with aws_errors("storing the raw message", on=key), path.open("rb") as body:
            try:
                self._client.put_object(
                    Bucket=self._bucket,
                    Key=key,
                    Body=body,
                    ContentType="message/rfc822",
                    ChecksumSHA256=base64.b64encode(bytes.fromhex(sha256)).decode("ascii"),
                    IfNoneMatch="*",
                    Metadata=dict(metadata),
                )
            except ClientError as error:
                if error_code(error) == _EXISTS:
                    return False
                raise
        return True

    def get(self, key: str) -> RawMessage:
        """Read one; NotFound when it is not there."""
        with aws_errors("reading the raw message", on=key):
            try:
                answer = self._client.get_object(Bucket=self._bucket, Key=key)
            except ClientError as error:
                code = error_code(error)
                if code in _MISSING or (code in _DENIED and not _listed(self._client, self._bucket, key)):
                    raise NotFound("There is no raw message under this key", on=key) from error
                raise
            return RawMessage(key=key, content=answer["Body"].read(), metadata=answer["Metadata"])

    def keys_of_hour(self, hour: datetime) -> Iterator[tuple[str, datetime]]:
        """List (key, stored at) of all raw messages stored in an hour."""
        return self.keys(raw_prefix(hour))

    def keys(self, prefix: str) -> Iterator[tuple[str, datetime]]:
        """List (key, stored at) of all raw messages whose keys begin so, in the order of their keys."""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
        with aws_errors("listing raw messages", on=prefix):
            for page in pages:
                for row in page.get("Contents", []):
                    yield row["Key"], row["LastModified"]


class S3Contents:
    """Implements ports.Contents: attachments, long bodies, configurations, long lists of known ids."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def put(self, key: str, content: bytes, *, content_type: str) -> None:
        """Store bytes under a key; again is no harm."""
        with aws_errors("storing content", on=key):
            self._client.put_object(Bucket=self._bucket, Key=key, Body=content, ContentType=content_type)

    def get(self, key: str) -> bytes:
        """Read one; NotFound when it is not there."""
        with aws_errors("reading content", on=key):
            try:
                return self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
            except ClientError as error:
                if error_code(error) in _MISSING:
                    raise NotFound("There is no content under this key", on=key) from error
                raise

    def to_put(self, key: str, *, content_type: str, size: int, lasts: timedelta) -> tuple[str, Mapping[str, str]]:
        """Implement ports.UploadAddresses: size and type are signed, so that nothing else is taken."""
        url = self._client.generate_presigned_url(
            "put_object",
            Params={"Bucket": self._bucket, "Key": key, "ContentType": content_type, "ContentLength": size},
            ExpiresIn=int(lasts.total_seconds()),
        )
        return url, {"Content-Type": content_type, "Content-Length": str(size)}

    def holds(self, key: str) -> bool:
        """Tell whether there is something under a key, also where it may not be read."""
        with aws_errors("looking for content", on=key):
            return _listed(self._client, self._bucket, key)

    def delete(self, key: str) -> None:
        """Remove one; a missing key is no error."""
        with aws_errors("removing content", on=key):
            self._client.delete_object(Bucket=self._bucket, Key=key)


def _listed(client: S3Client, bucket: str, key: str) -> bool:
    # To those who may list some prefixes only, S3 says of a missing object that they may not read it.
    answer = client.list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1)
    return any(row["Key"] == key for row in answer.get("Contents", []))
