"""The folder that a client of the IMAP server has selected: search, fetch, store, copy, move, expunge."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet

from postroom_cli.mailservers.imap_faults import Faults
from postroom_cli.mailservers.imap_fetch import fetch_row
from postroom_cli.mailservers.imap_syntax import BadCommand, Token, flags_of, in_set, search_predicate, text_of
from postroom_cli.mailservers.listener import Connection
from postroom_cli.mailservers.store import Folder, Message


class No(Exception):
    """The command is refused; the text is for the NO answer."""


class Selection:
    """What one client was told of one folder: sequence numbers count in that."""

    def __init__(
        self,
        folder: Folder,
        *,
        read_only: bool,
        connection: Connection,
        faults: Faults,
        capabilities: Sequence[str],
        find: Callable[[bytes], Folder],
        behind: AbstractSet[int] = frozenset(),
    ) -> None:
        self._folder = folder
        self._read_only = read_only
        self._connection = connection
        self._faults = faults
        self._capabilities = capabilities
        self._find = find
        self._behind = behind
        self._view: list[Message] = [message for message in folder.messages if message.uid not in behind]

    @property
    def exists(self) -> int:
        """Return how many messages the client was told of."""
        return len(self._view)

    def close(self) -> None:
        """Expunge what is marked, without a word (CLOSE)."""
        if not self._read_only:
            self._folder.remove([message for message in self._view if "\\Deleted" in message.flags])

    def _chosen(self, text: bytes, by_uid: bool) -> list[tuple[int, Message]]:
        if by_uid:
            uids = in_set(text, [message.uid for message in self._view])
            return [(number, message) for number, message in enumerate(self._view, 1) if message.uid in uids]
        numbers = in_set(text, range(1, len(self._view) + 1))
        return [(number, message) for number, message in enumerate(self._view, 1) if number in numbers]

    def _here(self, messages: Sequence[tuple[int, Message]]) -> list[tuple[int, Message]]:
        with self._folder.lock:
            there = set(map(id, self._folder.messages))
        return [(number, message) for number, message in messages if id(message) in there]

    def _changeable(self) -> Folder:
        if self._read_only:
            raise No("[READ-ONLY] Mailbox is read-only")
        return self._folder

    def search(self, tokens: list[Token], by_uid: bool) -> str:
        """Answer SEARCH."""
        if len(tokens) > 1 and isinstance(tokens[0], bytes) and tokens[0].upper() == b"CHARSET":
            tokens = tokens[2:]
        if not tokens:
            raise BadCommand("Missing search key")
        self.sync(expunged=by_uid)
        holds = search_predicate(tokens, self._view)
        lacking = self._faults.lacking.pop(0) if self._faults.lacking else frozenset[int]()
        found = [
            message.uid if by_uid else number
            for number, message in self._here(list(enumerate(self._view, 1)))
            if holds(message, number) and message.uid not in lacking
        ]
        self._connection.send(" ".join(["* SEARCH", *map(str, found)]).encode() + b"\r\n")
        return "OK SEARCH completed"

    def fetch(self, tokens: list[Token], by_uid: bool) -> str:
        """Answer FETCH."""
        chosen = self._here(self._chosen(text_of(tokens, 0), by_uid))
        items = tokens[1] if isinstance(tokens[1], list) else [tokens[1]]
        names = [item for item in items if isinstance(item, bytes)]
        if by_uid and b"UID" not in [name.upper() for name in names]:
            names.insert(0, b"UID")
        if self._faults.untagged:
            self._connection.send(self._faults.untagged)
        for number, message in chosen:
            fetch_row(self._connection, self._faults, number, message, names, read_only=self._read_only)
        return "OK FETCH completed"

    def store(self, tokens: list[Token], by_uid: bool) -> str:
        """Answer STORE."""
        self._changeable()
        operation = text_of(tokens, 1).upper()
        rest = tokens[2] if isinstance(tokens[2], list) else tokens[2:]
        flags = set(flags_of(rest))
        for number, message in self._here(self._chosen(text_of(tokens, 0), by_uid)):
            if operation.startswith(b"+"):
                message.flags |= flags
            elif operation.startswith(b"-"):
                message.flags -= flags
            else:
                message.flags = set(flags)
            if not operation.endswith(b".SILENT"):
                self._connection.send(
                    f"* {number} FETCH (UID {message.uid} FLAGS ({' '.join(sorted(message.flags))}))\r\n".encode()
                )
        return "OK STORE completed"

    def copy(self, tokens: list[Token], by_uid: bool) -> str:
        """Answer COPY."""
        chosen = self._here(self._chosen(text_of(tokens, 0), by_uid))
        target = self._find(text_of(tokens, 1))
        return f"OK {self._copy_to(target, chosen)}COPY completed"

    def move(self, tokens: list[Token], by_uid: bool) -> str:
        """Answer MOVE."""
        if "MOVE" not in self._capabilities:
            raise BadCommand("Unknown command MOVE")
        folder = self._changeable()
        chosen = self._here(self._chosen(text_of(tokens, 0), by_uid))
        target = self._find(text_of(tokens, 1))
        code = self._copy_to(target, chosen)
        if code:
            self._connection.send(f"* OK {code}Moved\r\n".encode())
        folder.remove(message for _number, message in chosen)
        return "OK MOVE completed"

    def _copy_to(self, target: Folder, chosen: Sequence[tuple[int, Message]]) -> str:
        if not chosen:
            return ""
        copies = [
            target.add(message.raw, internaldate=message.internaldate, flags=message.flags) for _, message in chosen
        ]
        old, new = (",".join(str(m.uid) for m in group) for group in ([m for _, m in chosen], copies))
        return f"[COPYUID {target.uidvalidity} {old} {new}] "

    def expunge(self, uids: bytes | None) -> str:
        """Answer EXPUNGE (all that is marked) or UID EXPUNGE."""
        if uids is not None and "UIDPLUS" not in self._capabilities:
            raise BadCommand("Unknown command UID EXPUNGE")
        folder = self._changeable()
        chosen = self._view if uids is None else [message for _, message in self._chosen(uids, True)]
        folder.remove([message for message in chosen if "\\Deleted" in message.flags])
        return "OK EXPUNGE completed"

    def sync(self, *, expunged: bool) -> None:
        """Tell the client what has changed; sequence numbers may not shift in answers to FETCH, STORE and SEARCH."""
        with self._folder.lock:
            now = [message for message in self._folder.messages if message.uid not in self._behind]
        there, known = set(map(id, now)), set(map(id, self._view))
        lines: list[str] = []
        if expunged:
            for index in range(len(self._view) - 1, -1, -1):
                if id(self._view[index]) not in there:
                    del self._view[index]
                    lines.append(f"* {index + 1} EXPUNGE\r\n")
        added = [message for message in now if id(message) not in known]
        if added:
            self._view += added
            lines.append(f"* {len(self._view)} EXISTS\r\n")
        if lines:
            self._connection.send("".join(lines).encode())
