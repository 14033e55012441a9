"""What lies in the mailboxes of the Exchange simulator, and the answers that tests plant there."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha512
from itertools import count
from typing import Any

_numbers = count(1)


def next_id(begin: str) -> str:
    """Make an id as Exchange makes them: 152 characters of base64, in which case, `/` and `+` matter."""
    number = next(_numbers).to_bytes(8, "big")
    return begin + base64.b64encode((sha512(number).digest() + sha512(begin.encode()).digest())[:110]).decode("ascii")


def next_state(items: int, *, complete: bool) -> str:
    """Make a synchronisation state: opaque, and the longer the more items are told of while there are more to tell."""
    length = 900 if complete else 1_200 + items
    number = next(_numbers).to_bytes(8, "big")
    return base64.b64encode((sha512(number).digest() * (length // 64 + 1))[:length]).decode("ascii")


@dataclass
class Stored:
    """One item. `fault`: the response code that GetItem gives for it."""

    content: bytes
    received: datetime
    id: str = ""
    read: bool = False
    kind: str = "Message"
    fault: str = ""
    transport_headers: bool = True  # mail from within has none
    touched: int = 0  # how often something else than the read flag was changed

    @property
    def size(self) -> int:
        """Return what Exchange's own store needs, which is never the size of the MIME content."""
        return len(self.content) + 1_713


@dataclass
class Folder:
    """A folder, and what lies in it."""

    id: str
    name: str
    parent: str | None
    items: list[Stored] = field(default_factory=list)


@dataclass(frozen=True)
class Told:
    """What a client with one synchronisation state knows of a folder: id → how often touched, and whether read."""

    folder: str
    items: dict[str, tuple[int, bool]]

    def next(self, folder: Folder, most: int) -> tuple[list[tuple[str, str, Stored | None]], Told, bool]:
        """Return the next changes (kind, id, item), what is known after them, and whether these are all.

        The order means nothing, as with the real one: here the newest come first, so that nobody relies on another.
        """
        there = {item.id: item for item in folder.items}
        changes: list[tuple[str, str, Stored | None]] = []
        for one, item in reversed(there.items()):
            known = self.items.get(one)
            if known is None:
                changes.append(("Create", one, item))
            elif known[0] != item.touched:
                changes.append(("Update", one, item))
            elif known[1] != item.read:
                changes.append(("ReadFlagChange", one, item))
        changes += [("Delete", one, None) for one in self.items if one not in there]
        items = dict(self.items)
        for _kind, one, changed in changes[:most]:
            if changed is None:
                del items[one]
            else:
                items[one] = (changed.touched, changed.read)
        return changes[:most], Told(self.folder, items), len(changes) <= most


@dataclass(frozen=True)
class Status:
    """A planted answer: an HTTP status instead of an answer."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Fault:
    """A planted answer: a SOAP fault with this response code."""

    code: str
    back_off: int | None = None  # milliseconds


@dataclass(frozen=True)
class Code:
    """A planted answer: this response code in every response message."""

    code: str


@dataclass(frozen=True)
class Cut:
    """A planted answer: only this share of the answer, then the connection ends."""

    share: float


@dataclass(frozen=True)
class Drip:
    """A planted answer: a byte each so many seconds."""

    seconds: float


@dataclass(frozen=True)
class Raw:
    """A planted answer: these bytes, as XML."""

    body: bytes


Planted = Status | Fault | Code | Cut | Drip | Raw


class Mailbox:
    """The folders of one mailbox."""

    def __init__(self) -> None:
        self.folders: dict[str, Folder] = {}
        self.inbox = self.add_folder("Inbox", None)

    def add_folder(self, name: str, parent: str | None) -> Folder:
        folder = Folder(next_id("AQMk"), name, parent)
        self.folders[folder.id] = folder
        return folder

    def folder(self, path: str) -> Folder:
        """Find a folder by its path below the Inbox; empty: the Inbox."""
        found = self.inbox
        for name in filter(None, path.split("/")):
            found = next(f for f in self.folders.values() if f.parent == found.id and f.name == name)
        return found

    def deliver(self, content: bytes, *, folder: str = "", **options: Any) -> Stored:
        """Put a mail into a folder."""
        options.setdefault("received", datetime.now(UTC))
        item = Stored(content, id=next_id("AAMk"), **options)
        self.folder(folder).items.append(item)
        return item

    def find(self, item_id: str) -> tuple[Folder, Stored] | None:
        for folder in self.folders.values():
            for item in folder.items:
                if item.id == item_id:
                    return folder, item
        return None
