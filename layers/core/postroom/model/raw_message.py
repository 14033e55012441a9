"""A raw message as it is stored, the metadata that its fetcher writes beside it, what it is a duplicate of, and how far
all are processed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

# Metadata of a raw object: what the fetcher knew and the bytes do not say.
SERVER_DATE = "server-date"  # ISO 8601: when the mail server received it
SERVER_ID = "uid"  # percent-encoded
SIZE = "size"  # bytes of the message; with `oversize`, of what was not fetched
OVERSIZE = "oversize"  # "true": the object holds the headers only (G08)
SERIES = "series"  # what its id means one and the same mail in: place, epoch and restores, as rules.polling names it
DEAD_LEASE = "dead-lease"  # ISO 8601: when the lease ended of a poll before that died, and may have stored it too
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


class SameMail(StrEnum):
    """By what two raw messages of equal stable digest and server date are one mail."""

    SAME_ID = "same-id"  # both were fetched under one id of the server
    MOVED = "moved"  # the mailbox has changed its place or its ids since; one to one
    SAME_DELIVERY = "same-delivery"  # Exchange lists it under another id, with Message-ID and time of delivery


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A raw message that is the same mail as an interaction, in other bytes: kept, linked, and no interaction itself.

    `id`: of the interaction that its bytes would be; `of`: of the one that it belongs to.

    `claim`: no interaction has two duplicates of one claim. `apart`: a person has made it an interaction of its own.
    """

    id: str
    of: str
    mailbox: str
    raw_key: str
    evidence: SameMail
    claim: str
    at: datetime
    apart: bool = False


class Absorbed(StrEnum):
    """What became of taking a raw message for a duplicate."""

    DONE = "done"
    ALREADY = "already"  # an earlier try did it
    REFUSED = "refused"  # it is an interaction, or the claim is another one's
