"""Mail in memory: users, their folders, and messages with UIDs and flags."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

_BARE_NEWLINE = re.compile(rb"\r\n|\r|\n")


def normalise(raw: bytes) -> bytes:
    """Make every line end CRLF, as IMAP imposes (RFC 3501 §4.3.1 by way of RFC 5322 §2.1)."""
    return _BARE_NEWLINE.sub(b"\r\n", raw)


@dataclass(eq=False)
class Message:
    """One message in a folder."""

    uid: int
    raw: bytes
    flags: set[str]
    internaldate: datetime

    @property
    def header(self) -> bytes:
        """Return the header section with its empty line."""
        end = self.raw.find(b"\r\n\r\n")
        if self.raw.startswith(b"\r\n"):
            return b"\r\n"
        return self.raw if end < 0 else self.raw[: end + 4]


@dataclass(eq=False)
class Folder:
    """One folder; `uidvalidity` may be set by a test, as after a restored backup."""

    name: str
    uidvalidity: int
    uidnext: int = 1
    messages: list[Message] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def add(self, raw: bytes, *, internaldate: datetime, flags: Iterable[str] = ()) -> Message:
        """Append a message as it is."""
        with self.lock:
            message = Message(self.uidnext, raw, set(flags), internaldate)
            self.uidnext += 1
            self.messages.append(message)
            return message

    def remove(self, messages: Iterable[Message]) -> None:
        """Take messages out; those that are gone are no error."""
        gone = set(map(id, messages))
        with self.lock:
            self.messages[:] = [message for message in self.messages if id(message) not in gone]

    @property
    def uids(self) -> list[int]:
        """UIDs of what is there, ascending."""
        with self.lock:
            return [message.uid for message in self.messages]

    def with_uid(self, uid: int) -> Message:
        """Return the message with this UID."""
        with self.lock:
            return next(message for message in self.messages if message.uid == uid)


class Store:
    """Folders of all users, shared by an IMAP and a POP3 server if wanted. `users` maps names to passwords."""

    def __init__(self, users: Mapping[str, str]) -> None:
        self.users = dict(users)
        self._folders: dict[str, dict[str, Folder]] = {user: {} for user in users}
        self._lock = threading.Lock()
        self._validity = 1_000
        for user in users:
            self.create(user, "INBOX")

    def create(self, user: str, name: str) -> Folder:
        """Make a folder, or return the one there is."""
        name = _canonical(name)
        with self._lock:
            folders = self._folders.setdefault(user, {})
            if name not in folders:
                self._validity += 1
                folders[name] = Folder(name, self._validity)
            return folders[name]

    def delete(self, user: str, name: str) -> None:
        """Delete a folder with all its messages."""
        with self._lock:
            del self._folders[user][_canonical(name)]

    def folder(self, user: str, name: str) -> Folder | None:
        """Find a folder."""
        return self._folders.get(user, {}).get(_canonical(name))

    def names(self, user: str) -> list[str]:
        """List the names of all folders of a user."""
        with self._lock:
            return sorted(self._folders.get(user, {}))

    def append(
        self,
        user: str,
        folder: str,
        raw: bytes,
        *,
        internaldate: datetime | None = None,
        flags: Iterable[str] = (),
    ) -> Message:
        """Put a message into a folder (made if missing), with CRLF line ends."""
        moment = internaldate or datetime.now(UTC).replace(microsecond=0)
        return self.create(user, folder).add(normalise(raw), internaldate=moment, flags=flags)


def _canonical(name: str) -> str:
    return "INBOX" if name.upper() == "INBOX" else name
