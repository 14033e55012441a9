"""What the services need from the outside, as small Protocols. Adapters provide them; tests bring five-line fakes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from postroom.model.configuration import Configuration, OutboundServer
from postroom.model.interaction import Body, Event, Interaction
from postroom.model.mailbox import Mailbox, SecretReference
from postroom.model.outbound import Delivery, Outbound, OutboxState
from postroom.model.polling import Health, Lease, MailboxState, Position

# --- mail servers, incoming -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Item:
    """One message on the server: its id there, its size in bytes (None: the server cannot say), its arrival."""

    id: str
    size: int | None
    date: datetime | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """What a folder holds, as far as it concerns us.

    `news`: not dealt with yet, oldest first. `unfinished`: stored before, but the server was not told.
    `known`: ids seen, stored, and rightly still there. `position`: what was asked with, brought to the server's epoch
    (a changed UIDVALIDITY starts again at the floor; content keys stop duplicates).
    """

    news: tuple[Item, ...]
    unfinished: tuple[str, ...]
    known: int
    position: Position
    resynced: bool = False


class Action(StrEnum):
    """What is done on the server after safe storage."""

    MARK_READ = "mark-read"
    DELETE = "delete"
    MOVE = "move"  # to processed_items_folder_name
    MOVE_FAILED = "move-failed"  # to failed_items_folder_name


@dataclass(frozen=True, slots=True)
class Fetched:
    """A whole message of exactly the announced length, spooled to a file of its own that the receiver deletes."""

    item: Item
    path: Path
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class FetchFailed:
    """One message that could not be had; the others are not touched by it. `gone`: it is no longer on the server."""

    item: Item
    reason: str
    gone: bool = False


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

    def act(self, ids: Sequence[str], action: Action) -> None:
        """Mark, move or delete by id; ids that are gone are no error, repeating is harmless."""
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


class Connector(Protocol):
    """One protocol. `open` performs dns → connect → tls → greeting → login → folder, each failure naming its step."""

    def open(self, mailbox: Mailbox, *, secret: str, deadline: float, ask: Position | None = None) -> Session:
        """Connect and select the folder; `deadline` is a `time.monotonic()` value that bounds the whole session.

        `ask` is the position that `look` will be asked with: a connector may send that question with the login.
        Raises the mail-server errors of errors.py, with `.step` set to the step that failed.
        """
        ...


# --- mail servers, outgoing -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Envelope:
    """Who sends and who receives, as the next server is told (RFC 5321)."""

    sender: str  # "" for the null path
    recipients: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sent:
    """What the next server said. `refused` and `deferred`: recipients it did not take (yet), with its answers.

    `message_id`: the Message-ID it wrote over ours, if it does that (SES does).
    """

    provider_id: str = ""
    message_id: str = ""
    refused: Mapping[str, str] = field(default_factory=dict)
    deferred: Mapping[str, str] = field(default_factory=dict)


class Transport(Protocol):
    """One way out. Makes ONE attempt."""

    def send(self, content: bytes, envelope: Envelope, *, outbound_id: str, before_data: BeforeData) -> Sent:
        """Send; calls `before_data` once, right before the point after which the outcome can be unknown.

        Raises SendRefused, SendDeferred (certainly not sent) or SendUncertain.
        """
        ...


class BeforeData(Protocol):
    """Records that the content is about to go on the wire; raises LeaseLost when the claim is no longer ours."""

    def __call__(self) -> None: ...


class Transports(Protocol):
    """Finds the way out for a configured server."""

    def for_server(self, server: OutboundServer) -> Transport: ...


# --- storage -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RawMessage:
    """A stored raw message with what the fetcher knew of it (metadata keys: see services/fetch.py)."""

    key: str
    content: bytes
    metadata: Mapping[str, str]


class RawMessages(Protocol):
    """The raw bucket: byte for byte, only ever added to."""

    def put_if_absent(self, key: str, path: Path, *, sha256: str, metadata: Mapping[str, str]) -> bool:
        """Store the file; False when the key was there already (which is success)."""
        ...

    def get(self, key: str) -> RawMessage:
        """Read one; NotFound when it is not there."""
        ...

    def keys_of_hour(self, hour: datetime) -> Iterator[tuple[str, datetime]]:
        """List (key, stored at) of all raw messages stored in an hour."""
        ...


class Contents(Protocol):
    """The content bucket: attachments and long bodies, under our own keys."""

    def put(self, key: str, content: bytes, *, content_type: str) -> None: ...

    def get(self, key: str) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Cap:
    """One cap on automatic replies that must hold when one is written (security.md 7)."""

    name: str  # said in the decision when it is reached
    key: str  # what is counted
    limit: int
    expires: datetime  # when the count may be forgotten


class Added(StrEnum):
    """What became of adding an interaction."""

    CREATED = "created"
    EXISTED = "existed"  # already there, and the same: success
    CAPPED = "capped"  # nothing was written, since a cap forbids the automatic reply


@dataclass(frozen=True, slots=True)
class ThreadHit:
    """A stored mail that a message refers to."""

    interaction_id: str
    thread_id: str
    message_id: str
    mailbox: str
    participants: frozenset[str]  # addresses that took part in it, lower case
    outbound: bool = False  # we sent it


@dataclass(frozen=True, slots=True)
class Waiting:
    """A reply that came before what it answers."""

    interaction_id: str
    sender: str  # lower case


class Interactions(Protocol):
    """Interactions and their history."""

    def add(
        self, interaction: Interaction, body: Body, *, outbound: Outbound | None = None, caps: Sequence[Cap] = ()
    ) -> Added:
        """Write everything that makes up the interaction at once, only if it is not there yet."""
        ...

    def get(self, interaction_id: str) -> Interaction | None: ...

    def body(self, interaction_id: str) -> Body | None: ...

    def by_message_ids(self, message_ids: Sequence[str]) -> Sequence[ThreadHit]: ...

    def wait_for(self, message_id: str, *, interaction_id: str, sender: str, now: datetime) -> None:
        """Note that an interaction answers a mail that is not here yet."""
        ...

    def waiting_for(self, message_id: str) -> Sequence[Waiting]:
        """Find the interactions that wait for this mail."""
        ...

    def join_thread(self, interaction_id: str, *, thread_id: str, parent_id: str) -> bool:
        """Move an interaction that is a thread of its own into another; False when it is in one already."""
        ...

    def find(self, interaction_id: str) -> ThreadHit | None:
        """Find a stored mail, in or out, by its id."""
        ...

    def add_event(self, interaction_id: str, event: Event) -> None:
        """Add one entry to a history; the same entry twice is one entry."""
        ...

    def present(self, ids: Sequence[str]) -> frozenset[str]:
        """Tell which of these ids exist (the sweeper's question)."""
        ...


class Outbox(Protocol):
    """Outbound interactions on their way; every step is a conditional write."""

    def add(self, outbound: Outbound, *, answers: str | None) -> bool:
        """Write one and mark `answers` done; False when this id exists already (a double click)."""
        ...

    def get(self, outbound_id: str) -> Outbound | None: ...

    def claim(
        self, outbound_id: str, *, claim: str, message_id: str, now: datetime, abandoned_before: datetime
    ) -> Outbound | None:
        """NEW, due DEFERRED or abandoned CLAIMED → CLAIMED; None when somebody else has it or it is finished."""
        ...

    def mark_data(self, outbound_id: str, *, claim: str, now: datetime) -> None:
        """CLAIMED → DATA; raises LeaseLost when the claim is not ours any more."""
        ...

    def finish(
        self,
        outbound_id: str,
        *,
        claim: str,
        state: OutboxState,
        event: Event,
        provider_id: str = "",
        reason: str = "",
        due: datetime | None = None,
        message_id: str = "",
        remaining: Sequence[str] = (),
    ) -> None:
        """CLAIMED or DATA → SENT, DEFERRED, FAILED or UNCERTAIN, with the entry in the history."""
        ...

    def report(self, outbound_id: str, *, report_id: str, delivery: Delivery, event: Event) -> bool:
        """Record what a report says became of a mail; False when it was recorded before, or there is no such mail."""
        ...

    def settle(self, outbound_id: str, *, was: OutboxState, state: OutboxState, event: Event) -> None:
        """Move a mail by a person's word or a report's; raises Conflict when it is not in state `was`."""
        ...

    def waiting(self, state: OutboxState, *, before: datetime) -> Iterator[str]:
        """Ids in this state since before that moment (the sweeper's question)."""
        ...


class MailboxStates(Protocol):
    """State of mailboxes between polls."""

    def load(self, names: Sequence[str], *, consistent: bool = False) -> Mapping[str, MailboxState]:
        """Read many, a hundred to a request; a mailbox never polled has an empty state."""
        ...

    def take_lease(self, state: MailboxState, *, owner: str, now: datetime, expires: datetime) -> Lease | None:
        """Take the mailbox; None when another holds it, or has held it since `state` was read."""
        ...

    def save(self, lease: Lease, state: MailboxState, *, release: bool) -> None:
        """Write what the holder of the lease has done; raises LeaseLost when it is not the holder any more."""
        ...

    def save_health(self, mailbox: str, health: Health, *, config_digest: str) -> None:
        """Write the health alone, without a lease (a failed look)."""
        ...


class Configurations(Protocol):
    """The configuration, versioned."""

    def current(self) -> Configuration:
        """The configuration in force; at most one small read when it is warm."""
        ...


class Secrets(Protocol):
    """Reveals secrets to those functions that may."""

    def reveal(self, reference: SecretReference, *, fresh: bool = False) -> str:
        """Return the secret, cached for the life of the process; `fresh` reads it again (it may have been rotated)."""
        ...


class SecretStore(Protocol):
    """Keeps a secret under its name."""

    def put(self, name: str, value: str, *, now: datetime) -> None: ...


class Tokens(Protocol):
    """Access tokens of mailboxes that log in by OAuth 2.0."""

    def access_token(self, mailbox: Mailbox, *, deadline: float, refused: str = "") -> str:
        """Return a token that is valid for some minutes; one that a server has `refused` is not given out again.

        Raises LoginRefused when only a person can help, and Transient; both with the step `login`.
        """
        ...


class Queue(Protocol):
    """One SQS queue."""

    def send(self, message: Mapping[str, Any], *, delay: int = 0) -> None:
        """Queue a JSON message; delay in seconds, 0–900."""
        ...


class BatchQueue(Protocol):
    """An SQS queue that many messages go to at once."""

    def send_many(self, messages: Sequence[tuple[Mapping[str, Any], int]]) -> None:
        """Queue JSON messages, each with its delay in seconds, ten to a request."""
        ...


class Clock(Protocol):
    """Now, UTC, aware."""

    def __call__(self) -> datetime: ...
