"""One logged-in IMAP connection with its folder, and how to get it again when it is lost."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from postroom.adapters.imap.errors import refused
from postroom.adapters.imap.folder_names import quote_folder
from postroom.adapters.imap.login import Opened, at_step, dial, examine, search_result
from postroom.adapters.imap.wire import Wire
from postroom.adapters.net import Rules
from postroom.errors import PostroomError, Transient
from postroom.model import Record
from postroom.model.configuration import Mailbox

_NAMESPACE = re.compile(rb'\(\("((?:[^"\\]|\\.)*)" (?:"((?:[^"\\]|\\.)*)"|NIL)')
_LIST = re.compile(rb'\([^)]*\) (?:"((?:[^"\\]|\\.)*)"|NIL)')


@dataclass(frozen=True, slots=True)
class Naming:
    """How the server writes folder names: its hierarchy separator and the prefix of the personal namespace."""

    separator: str
    prefix: str = ""

    def translate(self, path: str, separator: str) -> str:
        """Write an administrator's path, whose separator is given, as the server does."""
        name = path.replace(separator, self.separator) if self.separator else path
        if name.upper() == "INBOX" or (self.prefix and name.startswith(self.prefix)):
            return name
        return self.prefix + name


class Link:
    """Holds the connection. Every exchange ends at the deadline or the mailbox's protocol timeout."""

    def __init__(self, mailbox: Mailbox, *, secret: str, deadline: float, rules: Rules, search: bytes = b"") -> None:
        self.mailbox = mailbox
        self._secret = secret
        self.session_deadline = deadline
        self._rules = rules
        self._naming: Naming | None = None
        self._writable = False
        self._given_up = False
        self.shown: dict[int, Record] = {}  # UID → what the server said of it over this connection
        self.opened = self._dial(search)

    @property
    def wire(self) -> Wire:
        """Return the connection."""
        return self.opened.wire

    @property
    def on(self) -> str:
        """Return what errors are about: host and port."""
        return self.wire.stream.on

    def begin(self, step: str, *, extra: float = 0.0) -> None:
        """Begin an exchange that may take the protocol timeout, and `extra` seconds for what is large."""
        if self._given_up:
            self.redial()
        timeout = self.mailbox.protocol_timeout.total_seconds() + extra
        at_step(self.wire.stream, step, timeout=timeout, session_deadline=self.session_deadline)

    def give_up(self) -> None:
        """Drop the connection: what comes on it is not to be understood any more. The next exchange dials again."""
        self.wire.stream.close()
        self._given_up = True

    @property
    def overdue(self) -> bool:
        """Tell whether the deadline of the whole session has passed."""
        return time.monotonic() >= self.session_deadline

    def redial(self) -> None:
        """Connect again after the connection was lost or given up; the folder must be the same as before."""
        self.wire.stream.close()
        before = self.opened.uidvalidity
        self._writable = False
        self.shown = {}  # another connection may lead to another state of the folder: a replica, a backup
        self.opened = self._dial(b"")
        self._given_up = False
        if self.opened.uidvalidity != before:
            raise Transient("The folder was replaced while it was read", on=self.on, step="list", code="resync")

    def search(self, criteria: bytes, *, step: str) -> list[int]:
        """UID SEARCH; sorted UIDs."""
        self.command("UID SEARCH", criteria, step=step)
        return search_result(self.wire)

    def exists(self) -> int:
        """Return how many messages the folder holds, as far as the server has told until now."""
        said = self.wire.untagged
        if counts := [int(count) for count in said.pop("EXISTS", []) if count.strip().isdigit()]:
            self.opened.exists = counts[-1]
        self.opened.exists -= min(self.opened.exists, len(said.pop("EXPUNGE", [])))
        return self.opened.exists

    def command(self, name: str, arguments: bytes, *, step: str) -> bytes:
        """Send one command and return the text of its OK; raises what NO or BAD means."""
        self.begin(step)
        kind, text = self.wire.command(name, arguments)
        if kind != "OK":
            raise refused(text, step=step, on=self.on)
        return text

    def can(self, capability: bytes) -> bool:
        """Tell whether the server has a capability, asking once."""
        self.begin("act")
        return self.wire.can(capability)

    def writable(self) -> None:
        """SELECT the folder, so that flags may be changed; raises when it opens read-only."""
        if self._writable:
            return
        self.begin("act")
        before = self.opened
        self.opened = examine(before.wire, before.folder, read_only=False)
        if self.opened.uidvalidity != before.uidvalidity:
            raise Transient("The folder was replaced while it was read", on=self.on, step="act", code="resync")
        if self.opened.read_only:
            raise refused(b"[READ-ONLY] the folder opens read-only", step="act", on=self.on)
        self._writable = True

    def folder_name(self, path: str) -> bytes:
        """Write an administrator's folder path as the server does, quoted."""
        self.begin("folder")
        return quote_folder(self._ask_naming(self.wire).translate(path, self.mailbox.folder_separator))

    def close(self) -> None:
        """Send LOGOUT and close, without waiting for the answer; never raises."""
        with suppress(PostroomError):
            self.wire.stream.send(self.wire.new_tag() + b" LOGOUT\r\n")
        self.wire.stream.close()

    def _dial(self, search: bytes) -> Opened:
        """Open the folder under the name given; only if there is none, ask how the server writes names."""
        path = self.mailbox.folder_path
        opened = dial(
            self.mailbox,
            folder=quote_folder(self._naming.translate(path, self.mailbox.folder_separator) if self._naming else path),
            secret=self._secret,
            deadline=self.session_deadline,
            rules=self._rules,
            search=search,
        )
        if isinstance(opened, Opened):
            return opened
        wire, missing = opened.wire, opened.error
        try:
            if self._naming is not None or missing.code != "folder_missing":
                raise missing
            timeout = self.mailbox.protocol_timeout.total_seconds()
            at_step(wire.stream, "folder", timeout=timeout, session_deadline=self.session_deadline)
            name = self._ask_naming(wire).translate(path, self.mailbox.folder_separator)
            if name == path:
                raise missing
            return examine(wire, quote_folder(name))
        except BaseException:
            wire.stream.close()
            raise

    def _ask_naming(self, wire: Wire) -> Naming:
        if self._naming is None:
            wire.untagged.clear()
            results = list(wire.flight(("NAMESPACE", b""), ("LIST", b'"" ""')))
            self._naming = _naming(
                wire.untagged.pop("NAMESPACE", []) if results[0][0] == "OK" else [],
                wire.untagged.pop("LIST", []) if results[1][0] == "OK" else [],
            )
        return self._naming


def _naming(namespace: Sequence[bytes], listed: Sequence[bytes]) -> Naming:
    for line in namespace:
        if match := _NAMESPACE.match(line):
            return Naming(_unquote(match[2] or b""), _unquote(match[1]))
    for line in listed:
        if match := _LIST.match(line):
            return Naming(_unquote(match[1] or b""))
    return Naming("")


def _unquote(text: bytes) -> str:
    return re.sub(rb"\\(.)", rb"\1", text).decode("ascii", "replace")
