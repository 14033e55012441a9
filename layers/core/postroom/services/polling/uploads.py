"""Store fetched messages in the raw bucket, several at a time, each under a key that says what it is."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from postroom.errors import PostroomError
from postroom.model import (
    DEAD_LEASE,
    OLD,
    OVERSIZE,
    SERIES,
    SERVER_DATE,
    SERVER_ID,
    SIZE,
    Fetched,
    Item,
    Position,
    raw_key,
)
from postroom.ports import Clock, RawMessages
from postroom.rules.polling import is_old

UPLOADS = 8  # puts at the same time, so that the network to S3 does not brake the one to the mail server


class StoreFailed(Exception):
    """Our own storage failed, not the mail server: carries the translated error past the handling of the latter."""

    def __init__(self, cause: PostroomError) -> None:
        super().__init__(cause.what)
        self.cause = cause


class Uploads:
    """Puts under way for one mailbox. `stored` is told of each that is done: the item, and whether headers only.

    `series`: what the ids of the position mean one and the same mail in. `dead_lease`: when the lease ended of the poll
    before, should it have died; it may have stored the same mail and not have lived to remember it.
    """

    def __init__(
        self,
        pool: ThreadPoolExecutor,
        raw: RawMessages,
        *,
        mailbox: str,
        position: Position,
        series: str,
        dead_lease: datetime | None,
        clock: Clock,
        stored: Callable[[Item, bool], None],
    ) -> None:
        self._pool = pool
        self._raw = raw
        self._mailbox = mailbox
        self._position = position
        self._series = series
        self._dead_lease = dead_lease
        self._clock = clock
        self._stored = stored
        self._under_way: dict[Future[None], tuple[Item, bool]] = {}

    def message(self, fetched: Fetched) -> None:
        """Store a whole message; its file is removed afterwards."""
        self._under_way[self._pool.submit(self._put, fetched)] = (fetched.item, False)
        self.settle(at_most=UPLOADS)

    def headers(self, item: Item, headers: bytes) -> None:
        """Store the headers of an over-size message."""
        self._under_way[self._pool.submit(self._put_headers, item, headers)] = (item, True)
        self.settle(at_most=UPLOADS)

    def settle(self, *, at_most: int = 0) -> None:
        """Wait until no more than `at_most` puts are under way; raises StoreFailed when one has failed."""
        failure: PostroomError | None = None
        while len(self._under_way) > at_most:
            done, _waiting = wait(self._under_way, return_when=FIRST_COMPLETED)
            for future in done:
                item, headers_only = self._under_way.pop(future)
                try:
                    future.result()
                except PostroomError as error:
                    failure = error
                    continue
                self._stored(item, headers_only)
        if failure is not None:
            failure.step = "store"
            raise StoreFailed(failure)

    def _put(self, fetched: Fetched) -> None:
        try:
            metadata = self._metadata(fetched.item, size=fetched.size)
            self._put_file(fetched.item, fetched.path, fetched.sha256, metadata)
        finally:
            fetched.path.unlink(missing_ok=True)

    def _put_headers(self, item: Item, headers: bytes) -> None:
        handle, name = tempfile.mkstemp(prefix="postroom-", suffix=".eml")
        path = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(headers)
            metadata = {**self._metadata(item, size=item.size or 0), OVERSIZE: "true"}
            self._put_file(item, path, hashlib.sha256(headers).hexdigest(), metadata)
        finally:
            path.unlink(missing_ok=True)

    def _put_file(self, item: Item, path: Path, sha256: str, metadata: Mapping[str, str]) -> None:
        now = self._clock()
        key = raw_key(self._mailbox, now, f"{self._position.epoch}/{item.id}", sha256)
        self._raw.put_if_absent(key, path, sha256=sha256, metadata=metadata)

    def _metadata(self, item: Item, *, size: int) -> dict[str, str]:
        metadata = {SERVER_ID: quote(item.id, safe=""), SIZE: str(size), SERIES: quote(self._series, safe="")}
        if self._dead_lease is not None:
            metadata[DEAD_LEASE] = self._dead_lease.isoformat()
        if item.date is not None:
            metadata[SERVER_DATE] = item.date.isoformat()
        if is_old(item, self._position):
            metadata[OLD] = "true"
        return metadata
