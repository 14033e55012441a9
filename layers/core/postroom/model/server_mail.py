"""What a mail server holds, what is fetched from it, and what it is told afterwards."""

from __future__ import annotations

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
    `suspect`: the folder holds another number of messages than is accounted for (ports.Compares).
    """

    news: tuple[Item, ...]
    unfinished: tuple[str, ...]
    known: int
    position: Position
    resynced: bool = False
    renewed: bool = False
    suspect: bool = False


class Action(StrEnum):
    """What is done on the server after safe storage."""

    MARK_READ = "mark-read"
    DELETE = "delete"
    MOVE = "move"  # to processed_items_folder_name
    MOVE_FAILED = "move-failed"  # to failed_items_folder_name


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
    """One message that could not be had; the others are not touched by it. `gone`: it is no longer on the server."""

    item: Item
    reason: str
    gone: bool = False
