"""How far a folder with much mail that stays there is known, so that one new mail costs one request (SyncFolderItems).

The server's own state says what has changed since it was given; what was not settled at that moment it cannot say, and
that is kept beside it. Whoever cannot tell from the two lists the whole folder, which happens once a day anyhow.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from postroom.adapters.ews.calls import Row
from postroom.model import Position

COMPARED_EVERY = timedelta(days=1)
STATE_AT_MOST = 32 * 1024  # characters; a folder of 2,048 items was seen with 3,504
OPEN_AT_MOST = 100  # ids; with more, the folder is listed again
RENEWED_AT = 100  # changes after which the state is worth a write, although none of them is for us


@dataclass(frozen=True, slots=True)
class Mark:
    """What stands in a position's cursor: the server's state, and what was open when it was given.

    All else that lay in the folder then is stored and read, or left alone for good. An empty `state`: the server's
    cannot be kept, and the folder is listed by pages until it is time to ask again. `begun`: when a comparison of the
    whole folder was begun that is under way; then `state` is how far it has come, empty for its beginning.
    """

    folder: str  # its id, shortened; the state of another folder means nothing
    compared: datetime  # when the whole folder was listed
    state: str = ""
    open: Mapping[str, bool] = field(default_factory=dict)  # id → whether it was unread
    begun: datetime | None = None

    def is_due(self, now: datetime) -> bool:
        """Tell whether it is time to list the whole folder again (design, 'Identities and order' 8)."""
        return self.begun is not None or not timedelta(0) <= now - self.compared < COMPARED_EVERY

    def text(self) -> str:
        """Write it as a cursor; empty when it would be too long, so that the folder is listed again."""
        if len(self.open) > OPEN_AT_MOST:
            return ""
        values = [_VERSION, self.folder, int(self.compared.timestamp()), self.state, dict(self.open)]
        if self.begun is not None:
            values.append(int(self.begun.timestamp()))
        return json.dumps(values, separators=(",", ":"))


_VERSION = 1


def read_mark(cursor: str, *, folder: str) -> Mark | None:
    """Read a cursor; None when it says nothing about this folder."""
    try:
        version, of, compared, state, still_open, *rest = json.loads(cursor)
        moment = datetime.fromtimestamp(compared, UTC)
        begun = datetime.fromtimestamp(rest[0], UTC) if rest else None
    except (TypeError, ValueError, OverflowError, OSError):
        return None
    if version != _VERSION or of != short(folder) or not isinstance(state, str) or not isinstance(still_open, dict):
        return None
    return Mark(of, moment, state, still_open, begun)


def short(folder: str) -> str:
    """Shorten the id of a folder."""
    return hashlib.sha256(folder.encode("utf-8")).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Sorted:
    """What changes mean for us: new items, and stored ones that the server was not told of."""

    news: tuple[Row, ...]
    unfinished: tuple[str, ...]


def sort_changes(changes: Mapping[str, Row | None], position: Position, mark: Mark, *, stays: bool) -> Sorted | None:
    """Say what has changed since the mark was made; None when that takes the whole folder.

    `stays`: what is stored is to be read; else it is to be gone.

    That is so for what was new then and is not stored yet: it waits for its turn or its next try, and the changes
    need not tell it again. So is what was left alone then, and is to be tried now.
    """
    left_alone = position.left_alone()
    if any(one not in left_alone and one not in changes and one not in mark.open for one in position.problems):
        return None
    news: list[Row] = []
    unfinished: list[str] = []
    for one, row in changes.items():
        if row is None or one in left_alone:
            continue
        if one in position.known:
            if not stays or row.read is False:
                unfinished.append(one)
        elif row.size is None:  # only that it was read, or not, is known of it
            return None
        else:
            news.append(row)
    for one, unread in mark.open.items():
        if one in changes or one in left_alone:
            continue
        if one not in position.known:
            return None
        if unread or not stays:  # marking it read, or taking it away, would be among the changes
            unfinished.append(one)
    return Sorted(tuple(sorted(news, key=arrival)), tuple(unfinished))


def arrival(row: Row) -> datetime:
    """Order by arrival; what has none comes last."""
    return row.received or datetime.max.replace(tzinfo=UTC)
