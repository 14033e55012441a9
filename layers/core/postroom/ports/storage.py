"""What is kept: raw messages, contents, interactions, the outbox, and the state of mailboxes."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol

from postroom.model import (
    Absorbed,
    Added,
    AtRecipient,
    Body,
    Cap,
    Delivery,
    Duplicate,
    Event,
    Health,
    Interaction,
    Lease,
    MailboxState,
    Outbound,
    OutboxState,
    PreparedInteraction,
    RawMessage,
    Suppression,
    ThreadHit,
    Waiting,
    Withheld,
)


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

    def keys(self, prefix: str) -> Iterator[tuple[str, datetime]]:
        """List (key, stored at) of all raw messages whose keys begin so, in the order of their keys."""
        ...


class Contents(Protocol):
    """The content bucket: attachments and long bodies, under our own keys."""

    def put(self, key: str, content: bytes, *, content_type: str) -> None: ...

    def get(self, key: str) -> bytes: ...


class Interactions(Protocol):
    """Interactions and their history."""

    def add(self, interaction: Interaction, body: Body) -> Added:
        """Write everything that makes up the interaction at once, only if it is not there yet.

        Raises TooLarge for what the store does not hold.
        """
        ...

    def prepare(self, interaction: Interaction, body: Body) -> PreparedInteraction:
        """Make an interaction ready to be written by the outbox, together with what it causes; raises TooLarge."""
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

    def follow(self, member_id: str, *, was: str, thread_id: str) -> bool:
        """Move a mail, in or out, that is in the thread `was` to where that was moved; False when it is elsewhere."""
        ...

    def find(self, interaction_id: str) -> ThreadHit | None:
        """Find a stored mail, in or out, by its id."""
        ...

    def add_event(self, interaction_id: str, event: Event) -> None:
        """Add one entry to a history; the same entry twice is one entry."""
        ...

    def history(self, interaction_id: str) -> list[Event]:
        """Read what happened to an interaction after its creation, oldest first."""
        ...

    def present(self, ids: Sequence[str]) -> frozenset[str]:
        """Tell which of these ids exist (the sweeper's question)."""
        ...


class Duplicates(Protocol):
    """Raw messages that are the same mail as an interaction in other bytes."""

    def absorb(self, duplicate: Duplicate, *, event: Event) -> Absorbed:
        """Note one at once on both sides, with an entry in the interaction's history."""
        ...

    def find(self, duplicate_id: str) -> Duplicate | None: ...

    def of(self, interaction_id: str) -> Sequence[Duplicate]:
        """List all of an interaction, also those that were taken apart."""
        ...

    def take_apart(self, duplicate: Duplicate, *, event: Event) -> None:
        """Let its bytes become an interaction of their own; it is not absorbed again. Repeatable."""
        ...


class Outbox(Protocol):
    """Outbound interactions on their way; every step is a conditional write."""

    def add(
        self, outbound: Outbound, *, cause: PreparedInteraction | None = None, caps: Sequence[Cap] = ()
    ) -> Added | Withheld:
        """Write a mail to send at once with what belongs to it: the interaction that causes it, or that it is answered.

        EXISTED: the mail, or with a `cause` the interaction, was there (a double click, a repeated event). Withheld
        comes only with a `cause` or `caps`: nothing was written; the interaction is to be recorded without the mail.
        """
        ...

    def get(self, outbound_id: str) -> Outbound | None: ...

    def read(self, ids: Sequence[str]) -> Mapping[str, Outbound]:
        """Read those that exist of many."""
        ...

    def claim(
        self, outbound_id: str, *, claim: str, message_id: str, now: datetime, abandoned_before: datetime
    ) -> Outbound | None:
        """NEW, due DEFERRED or abandoned CLAIMED → CLAIMED; None when somebody else has it or it is finished.

        `message_id` empty: none could be made, and what it had stays.
        """
        ...

    def mark_data(
        self, outbound_id: str, *, claim: str, now: datetime, recipients: Mapping[str, AtRecipient] | None = None
    ) -> None:
        """CLAIMED → DATA; raises LeaseLost when the claim is not ours any more.

        `recipients`: where they differ already, what is certain of each: those in DATA become UNCERTAIN with us.
        """
        ...

    def tell(self, outbound_id: str, *, claim: str, event: Event) -> None:
        """Add an entry to the history of a mail that is CLAIMED; raises LeaseLost when the claim is not ours."""
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
        code: str = "",
        since: datetime | None = None,
        due: datetime | None = None,
        message_id: str = "",
        remaining: Sequence[str] = (),
        recipients: Mapping[str, AtRecipient] | None = None,
        tries: int | None = None,
    ) -> None:
        """CLAIMED or DATA → SENT, DEFERRED, FAILED or UNCERTAIN, with the entry in the history.

        `message_id`: one that the next server put in place of ours; `recipients`: what became of it at each, where that
        differs; `remaining`: who is left, of a mail that names only those; `tries`: how often it counts as tried, where
        this time does not count.

        Also what was called UNCERTAIN meanwhile, as long as nobody else has taken it: the sender knows better.
        """
        ...

    def report(
        self,
        outbound_id: str,
        *,
        report_id: str,
        delivery: Delivery | None,
        event: Event,
        deliveries: Mapping[str, Delivery] | None = None,
    ) -> bool:
        """Record what a report says became of a mail; False when it was recorded before, or there is no such mail.

        `delivery` None: it says nothing of that; `deliveries`: what it says of each recipient that it names. A later
        word is not taken back by an earlier one.
        """
        ...

    def settle(
        self,
        outbound_id: str,
        *,
        was: OutboxState,
        state: OutboxState,
        event: Event,
        recipients: Mapping[str, AtRecipient] | None = None,
        remaining: Sequence[str] = (),
        revision: int | None = None,
    ) -> None:
        """Move a mail by a person's word or a report's; raises Conflict when it is not in state `was`.

        `recipients`: what becomes of it at each (None: as it is); `remaining`: who is left, of a mail that names only
        those; `revision`: of the mail as it was read.
        """
        ...

    def acknowledge(self, outbound_id: str, *, state: OutboxState, delivery: Delivery, event: Event) -> None:
        """Record that a person knows that a mail did not arrive; raises Conflict when it was changed meanwhile."""
        ...

    def unarrived(self) -> Iterator[str]:
        """Ids of mails of the last 30 days that failed or came back; each mail says what became of it."""
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

    def stored(self, mailbox: str, series: str) -> Container[str]:
        """Read which ids of a series were stored while mail was to stay on the server (ADR 0018)."""
        ...

    def add_stored(self, mailbox: str, series: str, ids: Collection[str]) -> None:
        """Note that these are stored; needs no lease, since it is true whoever says it."""
        ...

    def save_health(self, mailbox: str, health: Health, *, config_digest: str) -> None:
        """Write the health alone, without a lease (a failed look)."""
        ...


class Suppressions(Protocol):
    """The addresses that nothing more is sent to."""

    def among(self, addresses: Sequence[str], *, now: datetime) -> Mapping[str, Suppression]:
        """Return those of these addresses that are suppressed, under the names that they were asked by."""
        ...

    def add(self, suppression: Suppression) -> bool:
        """Suppress an address; False when it is already, for at least as long."""
        ...

    def remove(self, address: str) -> bool:
        """Let mail go to an address again; False when it was not suppressed."""
        ...

    def all(self, *, now: datetime) -> Iterator[Suppression]: ...
