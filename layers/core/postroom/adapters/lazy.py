"""Adapters that are made, and whose libraries are imported, when the first mailbox needs them.

A function that polls IMAP mailboxes by password must not wait at its start for what only others use.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Generic, TypeVar

from postroom.errors import PostroomError
from postroom.model import Position
from postroom.model.configuration import Mailbox
from postroom.ports import Connector, LooksTogether, Session, Tokens

_Made = TypeVar("_Made")


class _Late(Generic[_Made]):
    def __init__(self, make: Callable[[], _Made]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._made: _Made | None = None

    def get(self) -> _Made:
        with self._lock:  # many mailboxes are opened at the same time, and caches must be one
            if self._made is None:
                self._made = self._make()
            return self._made


class LateConnector(_Late[Connector]):
    """Implements ports.Connector."""

    def open(self, mailbox: Mailbox, *, secret: str, deadline: float, ask: Position | None = None) -> Session:
        """Open by the connector that is made now, or was."""
        return self.get().open(mailbox, secret=secret, deadline=deadline, ask=ask)


class LateLooks(_Late[LooksTogether]):
    """Implements ports.LooksTogether."""

    @property
    def together(self) -> int:
        """Ask the connector."""
        return self.get().together

    def open(self, mailbox: Mailbox, *, secret: str, deadline: float, ask: Position | None = None) -> Session:
        """Open by the connector."""
        return self.get().open(mailbox, secret=secret, deadline=deadline, ask=ask)

    def company(self, mailbox: Mailbox, position: Position) -> Hashable | None:
        """Ask the connector."""
        return self.get().company(mailbox, position)

    def look_together(
        self, asked: Sequence[tuple[Mailbox, Position]], *, secret: str, deadline: float
    ) -> Iterator[tuple[Mailbox, bool | PostroomError]]:
        """Look by the connector."""
        return self.get().look_together(asked, secret=secret, deadline=deadline)


class LateTokens(_Late[Tokens]):
    """Implements ports.Tokens."""

    def access_token(self, mailbox: Mailbox, *, deadline: float, refused: str = "") -> str:
        """Ask what is made now, or was."""
        return self.get().access_token(mailbox, deadline=deadline, refused=refused)
