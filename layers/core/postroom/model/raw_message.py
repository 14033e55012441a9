"""A raw message as it is stored, the metadata that its fetcher writes beside it, and how far all are processed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

# Metadata of a raw object: what the fetcher knew and the bytes do not say.
SERVER_DATE = "server-date"  # ISO 8601: when the mail server received it
SERVER_ID = "uid"  # percent-encoded
SIZE = "size"  # bytes of the message; with `oversize`, of what was not fetched
OVERSIZE = "oversize"  # "true": the object holds the headers only (G08)
OLD = "old"  # "true": it was there before the first connection, so it gets no automatic reply (X13)


@dataclass(frozen=True, slots=True)
class RawMessage:
    """A stored raw message with what the fetcher knew of it."""

    key: str
    content: bytes
    metadata: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SweepProgress:
    """How far raw messages are known to be interactions, and how processing was when the sweeper looked last."""

    hour: datetime | None = None  # all raw messages whose keys name earlier hours are interactions
    looked_back: datetime | None = None  # when the hours before were looked at again last
    trouble: datetime | None = None  # when processing was last seen to fail for healthy mail too
    healthy_key: str = ""  # a raw message that is an interaction: what processing is tried with
