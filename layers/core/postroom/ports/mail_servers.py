"""Mail servers that mail is fetched from."""

from __future__ import annotations

from collections.abc import Collection, Container, Hashable, Iterator, Sequence
from typing import Protocol, runtime_checkable

from postroom.errors import PostroomError
from postroom.model import Action, Fetched, FetchFailed, Item, Listing, Position
from postroom.model.configuration import Mailbox


class Session(Protocol):
    """An open, logged-in mailbox folder. Every call keeps to the deadline it was opened with."""

    def look(self, position: Position | None) -> bool:
        """Tell whether there is anything to do: new messages, or stored ones the server was not told of."""
        ...

    def list(self, position: Position | None) -> Listing:
        """List what is there against what is known."""
        ...

    def fetch(self, items: Sequence[Item]) -> Iterator[Fetched | FetchFailed]:
        """Fetch whole messages without marking them read, in order, pipelined; one result an item."""
        ...

    def headers(self, item: Item) -> bytes:
        """Fetch the header section only."""
        ...

    def act(self, ids: Sequence[str], action: Action) -> Collection[str]:
        """Mark, move or delete by id; ids that are gone are no error, repeating is harmless.

        Returns the ids of other mails than those that were stored under them: nothing was done to these (ADR 0018).
        """
        ...

    def close(self) -> None:
        """Log out as the protocol wants it, or drop the connection; never raises."""
        ...


@runtime_checkable
class Extendable(Protocol):
    """A session whose deadline can be moved: one login serves the short look and the long fetch."""

    def extend(self, deadline: float) -> None:
        """Set the deadline (`time.monotonic()`) of everything that follows."""
        ...


@runtime_checkable
class Counts(Protocol):
    """A session that knows how many messages lie in its folder without listing them."""

    def count(self) -> int | None:
        """Return the number; None when the server does not tell it."""
        ...


@runtime_checkable
class Recognizes(Protocol):
    """A session whose folder can show that it is the one that a position of another spelling of its place speaks of."""

    def recognizes(self, position: Position) -> bool:
        """Tell whether mail that lies there proves it; False where nothing does."""
        ...


@runtime_checkable
class Compares(Protocol):
    """A session of a folder in which stored mail stays, too much of it to be listed at every poll."""

    def compare(self, position: Position | None, stored: Container[str]) -> tuple[Listing, Collection[str]]:
        """List as `list` does, and as news everything that lies there and is not stored.

        Returns besides the ids that lie there and are neither news nor left alone.
        """
        ...


class Connector(Protocol):
    """One protocol. `open` performs dns → connect → tls → greeting → login → folder, each failure naming its step."""

    def open(self, mailbox: Mailbox, *, secret: str, deadline: float, ask: Position | None = None) -> Session:
        """Connect and select the folder; `deadline` is a `time.monotonic()` value that bounds the whole session.

        `ask` is the position that `look` will be asked with: a connector may send that question with the login.
        Raises the mail-server errors of errors.py, with `.step` set to the step that failed.
        """
        ...


@runtime_checkable
class LooksTogether(Connector, Protocol):
    """A connector that can look at several mailboxes in one request, without opening any; `together`: at how many."""

    @property
    def together(self) -> int:
        """Return how many mailboxes one call takes."""
        ...

    def company(self, mailbox: Mailbox, position: Position) -> Hashable | None:
        """Say what mailboxes looked at together have in common, their secret among it; None: this one is opened."""
        ...

    def look_together(
        self, asked: Sequence[tuple[Mailbox, Position]], *, secret: str, deadline: float
    ) -> Iterator[tuple[Mailbox, bool | PostroomError]]:
        """Look at mailboxes of one company; each answer comes as soon as it is known, and any may be missing.

        False: nothing is to be done there. True: open it, since something is, or nobody knows. An error: what its
        `open` would raise, where asking again would be wrong. Raises what concerns all; then nobody is answered for.
        """
        ...


class Tokens(Protocol):
    """Access tokens of mailboxes that log in by OAuth 2.0."""

    def access_token(self, mailbox: Mailbox, *, deadline: float, refused: str = "") -> str:
        """Return a token that is valid for some minutes; one that a server has `refused` is not given out again.

        Raises LoginRefused when only a person can help, and Transient; both with the step `login`.
        """
        ...
