"""What a mail server holds, what is fetched from it, and what it is told afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from postroom.model.mailbox_state import Position


@dataclass(frozen=True, slots=True)
class Item:
    """One message on the server: its id there, its size in bytes (None: the server cannot say), its arrival.

    `message_id`: its Message-ID as the server lists it, without brackets; empty where the listing has none.
    """

    id: str
    size: int | None
    date: datetime | None = None
    message_id: str = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """What a folder holds, as far as it concerns us.

    `news`: not dealt with yet, oldest first. `unfinished`: stored before, but the server was not told; each of them has
    shown that it is the recorded mail, where the connector has records. `known`: ids seen, stored, and rightly still
    there. `position`: what was asked with, brought to the server's epoch (a changed UIDVALIDITY starts again at the
    floor; content keys stop duplicates). `renewed`: the position is worth remembering although nothing is new.
    `partial`: there was no time to compare all of the folder; the position says where the next listing goes on.
    `suspect`: the folder holds another number of messages than is accounted for (ports.Compares). `undone`: ids set
    aside that the server says it has dealt with, and shows waiting all the same.
    """

    news: tuple[Item, ...]
    unfinished: tuple[str, ...]
    known: int
    position: Position
    resynced: bool = False
    renewed: bool = False
    partial: bool = False
    suspect: bool = False
    undone: frozenset[str] = frozenset()


class Action(StrEnum):
    """What is done on the server after safe storage."""

    MARK_READ = "mark-read"
    DELETE = "delete"
    MOVE = "move"  # to processed_items_folder_name
    MOVE_FAILED = "move-failed"  # to failed_items_folder_name


def undone(position: Position, unread: Mapping[str, bool]) -> frozenset[str]:
    """Name what a listing shows waiting although the server said that it was done; `unread`: id → whether it is.

    An OK is no proof that anything was done, and "not found" none that a mail is gone: a replica may be behind.
    """
    return frozenset(
        one
        for one, action in position.promised().items()
        if one in unread and (action != Action.MARK_READ or unread[one])
    )


@dataclass(frozen=True, slots=True)
class Fetched:
    """A whole message of exactly the announced length, spooled to a file of its own that the receiver deletes.

    `print`: a digest of its header, of a connector whose ids may come to stand for other messages.
    """

    item: Item
    path: Path
    size: int
    sha256: str
    print: str = ""


@dataclass(frozen=True, slots=True)
class FetchFailed:
    """One message that could not be had; the others are not touched by it. `gone`: it is no longer on the server.

    `doubtful`: something came, and did not show that it is the message.
    """

    item: Item
    reason: str
    gone: bool = False
    doubtful: bool = False
