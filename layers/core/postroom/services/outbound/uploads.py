"""Files that agents upload: straight into the bucket by a signed address, and named by id in the mail they go with.

An upload is two objects: what was said of it when it began, and its bytes. It lasts a day; a mail takes a copy.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from postroom.errors import Invalid, NotFound, Problem
from postroom.mail.outgoing import file_name
from postroom.ports import Contents, UploadAddresses

LASTS = timedelta(hours=24)
ADDRESS_LASTS = timedelta(minutes=15)
LARGEST = 100_000_000
"""Bytes of one upload; what a way out takes of it is its `maximum_attachment_size` (S08)."""

_ID = re.compile(r"(\d{8}T\d{6})-([0-9a-f]{32})")
_TYPE = re.compile(r"[A-Za-z0-9][\w!#$&^.+-]{0,60}/[A-Za-z0-9][\w!#$&^.+-]{0,80}", re.ASCII)


@dataclass(frozen=True, slots=True)
class UploadBegun:
    """Where to PUT the bytes, with which headers, until when; the id names the file in a mail."""

    id: str
    url: str
    headers: Mapping[str, str]
    expires: datetime  # of the address; the upload itself lasts a day


@dataclass(frozen=True, slots=True)
class Upload:
    """What was said of an upload when it began."""

    name: str
    content_type: str
    size: int


def begin_upload(
    name: str, content_type: str, size: int, *, contents: Contents, addresses: UploadAddresses, now: datetime
) -> UploadBegun:
    """Begin an upload; raises Invalid for what can be no file."""
    upload_id = _begun(name, content_type, size, contents=contents, now=now)
    url, headers = addresses.to_put(_key(upload_id), content_type=content_type, size=size, lasts=ADDRESS_LASTS)
    return UploadBegun(upload_id, url, headers, now + ADDRESS_LASTS)


def keep_upload(name: str, content_type: str, data: bytes, *, contents: Contents, now: datetime) -> str:
    """Keep bytes that are here already as an upload; returns its id, raises Invalid for what can be no file."""
    upload_id = _begun(name, content_type, len(data), contents=contents, now=now)
    contents.put(_key(upload_id), data, content_type=content_type)
    return upload_id


def _begun(name: str, content_type: str, size: int, *, contents: Contents, now: datetime) -> str:
    problems = []
    if not name.strip():
        problems.append(Problem("name", "is empty.", "Give the file's name."))
    if not _TYPE.fullmatch(content_type):
        problems.append(
            Problem("content_type", f"{content_type[:80]!r} is no media type.", "Write image/png or alike.")
        )
    if not 0 < size <= LARGEST:
        problems.append(Problem("size", f"{size:,} bytes cannot be uploaded.", f"Upload 1 to {LARGEST:,} bytes."))
    if problems:
        raise Invalid(problems)
    upload_id = f"{now.astimezone(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(16)}"
    said = json.dumps({"name": file_name(name), "content_type": content_type, "size": size}).encode()
    contents.put(f"{_key(upload_id)}.json", said, content_type="application/json")
    return upload_id


def read_upload(upload_id: str, *, contents: Contents, now: datetime) -> tuple[Upload, bytes]:
    """Read an upload with its bytes; raises NotFound for one that expired, never arrived, or is not whole."""
    again = "Upload the file again, and name it by its new id."
    match = _ID.fullmatch(upload_id)
    if match is None:
        raise NotFound(f"{upload_id[:80]!r} is no upload", on=upload_id, remedy="Name it by the id that it was given.")
    begun = datetime.strptime(match[1], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    if now - begun > LASTS:
        raise NotFound(f"the upload {upload_id} has expired", on=upload_id, remedy=again)
    try:
        said = json.loads(contents.get(f"{_key(upload_id)}.json"))
        data = contents.get(_key(upload_id))
    except NotFound as error:
        raise NotFound(f"the upload {upload_id} has not arrived", on=upload_id, remedy=again) from error
    upload = Upload(said["name"], said["content_type"], said["size"])
    if len(data) != upload.size:
        what = f"the upload {upload_id} has {len(data):,} bytes of {upload.size:,}"
        raise NotFound(what, on=upload_id, remedy=again)
    return upload, data


def _key(upload_id: str) -> str:
    return f"uploads/{upload_id}"
