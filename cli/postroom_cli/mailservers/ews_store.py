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

    @property
    def size(self) -> int:
        """What Exchange's own store needs, which is never the size of the MIME content."""
        return len(self.content) + 1_713


@dataclass
class Folder:
    """A folder, and what lies in it."""

    id: str
    name: str
    parent: str | None
    items: list[Stored] = field(default_factory=list)


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
