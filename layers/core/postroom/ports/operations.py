"""What operators, the API and the sweeper need beyond what a mail passes through."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Protocol

from postroom.model import (
    Arrival,
    Body,
    Event,
    EventKind,
    Interaction,
    Outbound,
    OutboxState,
    SweepProgress,
)
from postroom.model.case import (
    Case,
    CaseChange,
    CaseEvent,
    CaseList,
    CasePage,
    Draft,
    Note,
    Presence,
)
from postroom.model.configuration import Change, Configuration, Mailbox, RecordedChange, Version, WaitingChange
from postroom.ports.storage import Contents, Interactions, Outbox
from postroom.ports.surroundings import Configurations, SecretStore


class ErasableContents(Contents, Protocol):
    """The content bucket, for those who may take something out of it."""

    def delete(self, key: str) -> None: ...


class UploadAddresses(Protocol):
    """Signed addresses by which files are uploaded without us in between."""

    def to_put(self, key: str, *, content_type: str, size: int, lasts: timedelta) -> tuple[str, Mapping[str, str]]:
        """Return the address that takes so many bytes by PUT, and the headers that must come with them."""
        ...


class InteractionLists(Interactions, Protocol):
    """Interactions with their lists. Rows are plain values, as they are shown."""

    def list_queue(self, queue: str, *, newest_first: bool = True) -> Iterable[Mapping[str, Any]]: ...

    def list_outbox(self, state: OutboxState, *, newest_first: bool = True) -> Iterable[Mapping[str, Any]]: ...

    def thread(self, thread_id: str) -> list[str]:
        """List the ids of a thread's members, oldest first."""
        ...

    def rows(self, ids: Sequence[str]) -> Sequence[Mapping[str, Any]]:
        """Return the rows of mails by their ids; those that are gone are left out."""
        ...


class Cases(Protocol):
    """Cases: read, changed by conditional writes, and listed."""

    def get(self, case_id: str) -> Case | None:
        """Read a case as it is now."""
        ...

    def read(self, ids: Sequence[str]) -> Mapping[str, Case]:
        """Read those that exist of many."""
        ...

    def write(
        self, *changes: CaseChange, outbound: Outbound | None = None, cancelled: str = "", note: Note | None = None
    ) -> bool:
        """Write changes at once; False when a case is not as it was read, or the mail is there, or not NEW any more."""
        ...

    def history(self, case_id: str) -> list[CaseEvent]:
        """Read the whole history of a case, oldest first."""
        ...

    def page(self, wanted: CaseList, *, after: str = "", most: int, newest_first: bool = False) -> CasePage:
        """Read a part of a list, behind the place `after`."""
        ...

    def count(self, wanted: CaseList) -> int:
        """Count the cases of a list, up to a thousand."""
        ...

    def of_customer(self, address: str, *, most: int, before: str = "") -> tuple[list[str], str]:
        """List the ids of a customer's cases, newest first, and where the next part begins."""
        ...

    def of_number(self, word: str) -> list[str]:
        """List the ids of the cases with the first ten letters of this number: one, or by chance two."""
        ...

    def due(self, *, before: datetime) -> Iterator[str]:
        """List the ids of cases that time does something to until then."""
        ...


class OlderMail(InteractionLists, Protocol):
    """Mail that was stored before there were cases."""

    def without_case(self, queue: str) -> Iterable[Mapping[str, Any]]:
        """List the mails that a queue still lists, as rows."""
        ...

    def unlist(self, interaction_id: str) -> None:
        """Take a mail off that list."""
        ...


class CaseNotes(Protocol):
    """What lies beside a case: notes, drafts, and who has it open."""

    def notes(self, case_id: str) -> Sequence[Note]: ...

    def save_note(self, note: Note, *, earlier: int) -> bool:
        """Write a note that was changed; False when it has been changed since it had `earlier` versions."""
        ...

    def draft(self, case_id: str, agent: str) -> Draft | None: ...

    def drafts(self, case_id: str) -> Sequence[Draft]: ...

    def save_draft(self, draft: Draft, *, version: int) -> bool:
        """Write a draft over a version of it; False when another was written meanwhile."""
        ...

    def present(self, case_id: str) -> Sequence[Presence]: ...

    def note_presence(self, case_id: str, presence: Presence) -> None: ...


class ThreadMembers(Protocol):
    """Which mails are in a thread, and what happened to them."""

    def thread(self, thread_id: str) -> list[str]:
        """List the ids of a thread's members, oldest first."""
        ...

    def history(self, interaction_id: str) -> list[Event]: ...


class ThreadMoves(Protocol):
    """Moves mails between threads."""

    def move(self, interaction_id: str, *, was: str, thread_id: str, event: Event) -> None:
        """Move a mail to another thread; raises Conflict when it is not in thread `was`."""
        ...

    def thread_of(self, interaction_id: str) -> tuple[str, str | None, datetime]:
        """Return the thread, the parent and the time of creation of a mail."""
        ...


class Rewrites(Protocol):
    """Writes an interaction anew, with an entry in its history."""

    def check(self, after: Interaction, *, body: Body) -> None:
        """Raise TooLarge for what cannot be kept."""
        ...

    def rewrite(self, before: Interaction, after: Interaction, *, body: Body | None, event: Event) -> None: ...


class InteractionChanges(ThreadMoves, Rewrites, Protocol):
    """Changes of what is stored of an interaction, on a person's word."""


class OutboxHistory(Outbox, Protocol):
    """The outbox with its history."""

    def history(self, outbound_id: str) -> list[Event]: ...


class DatedConfigurations(Configurations, Protocol):
    """The configuration in force, with its age."""

    def in_force_since(self) -> datetime | None:
        """Return when the configuration in force was applied; None before the first."""
        ...


class ConfigurationVersions(Protocol):
    """The versions of the configuration, as far as changing needs them."""

    def version(self) -> int:
        """Return the number of the version in force; 0 before the first."""
        ...

    def in_force(self) -> tuple[int, Configuration]:
        """Return the configuration in force with its number, from one read."""
        ...

    def load(self, version: int) -> Configuration: ...

    def put(
        self,
        configuration: Configuration,
        *,
        expected_version: int,
        author: str,
        note: str,
        now: datetime,
        changes: Sequence[RecordedChange] = (),
        settled: Sequence[str] = (),
    ) -> int:
        """Put the next version in force, with its list of changes; `settled`: waiting changes that are in it.

        Raises Conflict when `expected_version` is not the one in force, or a settled change waits no more.
        """
        ...


class ConfigurationHistory(DatedConfigurations, ConfigurationVersions, Protocol):
    """The configuration in force, and all that were."""

    def past_queues(self) -> frozenset[str] | None:
        """Return the queues that are noted as those of earlier configurations; None before anything was."""
        ...

    def note_queues(self, names: Collection[str]) -> None:
        """Add names to those that are noted."""
        ...

    def history(self) -> Sequence[Version]:
        """List every applied configuration, newest first."""
        ...

    def changes(self, version: int) -> Sequence[RecordedChange]:
        """Return what a version changed; nothing for one from before such lists were kept. Raises NotFound."""
        ...


class WaitingChanges(Protocol):
    """Changes of the configuration that wait to be published together, and whose turn it is to do so."""

    def take_turn(self, owner: str, *, now: datetime, until: datetime) -> bool:
        """Take the turn to publish, or keep it; False while somebody else has it."""
        ...

    def end_turn(self, owner: str) -> None: ...

    def add(self, change_id: str, change: Change, *, now: datetime) -> None:
        """Let a change wait; ids sort by the order of their coming. Raises TooLarge for one of too many objects."""
        ...

    def waiting(self) -> Sequence[WaitingChange]:
        """List the changes that wait, in the order of their coming."""
        ...

    def refuse(self, change_id: str, outcome: Mapping[str, Any]) -> None:
        """Tell a waiting change why it is not applied."""
        ...

    def outcome(self, change_id: str) -> Mapping[str, Any] | None:
        """Return what became of a change: `version`, or what it was refused for; None while it waits."""
        ...

    def forget(self, change_id: str) -> bool:
        """Take a change out that still waits; False when something became of it meanwhile."""
        ...


class SecretEntry(SecretStore, Protocol):
    """Where secrets are entered; nothing there can read them back."""

    def put(self, name: str, value: str, *, now: datetime, valid_until: date | None = None) -> None: ...

    def remove(self, name: str) -> bool:
        """Remove a secret; False when there was none."""
        ...


class SecretDates(Protocol):
    """Knows which secrets are there and when they expire, and nothing else of them."""

    def entered(self, names: Sequence[str]) -> frozenset[str]:
        """Return those of the names under which a secret lies."""
        ...

    def valid_until(self, names: Sequence[str]) -> Mapping[str, date]:
        """Return the last day of those secrets for which one was entered."""
        ...


class Notices(Protocol):
    """Where administrators see what belongs to no mail."""

    def add(self, *, at: datetime, what: EventKind, detail: str) -> None: ...

    def of_day(self, day: datetime) -> Iterator[Event]:
        """Return what was noted on a day (UTC), oldest first."""
        ...


class Arrivals(Protocol):
    """Knows the newest mails of queues."""

    def newest(self, queues: Iterable[str], *, mailboxes: Iterable[str], seen: int, of_each: int) -> list[Arrival]:
        """List up to `of_each` mails of each mailbox among the newest `seen` of each queue, with known dates."""
        ...


class Probe(Protocol):
    """Walks the way to a mail server, as far as it goes without credentials."""

    def __call__(self, mailbox: Mailbox, *, deadline: float, passed: Callable[[str], None]) -> None:
        """Call `passed` after each step; raises what connectors raise, with the step that failed."""
        ...


class DeadLetters(Protocol):
    """The inbound dead-letter queue."""

    def receive(self) -> list[tuple[str, Mapping[str, Any]]]:
        """Receive up to ten messages as (receipt, content); empty when there are none."""
        ...

    def delete(self, receipt: str) -> None: ...


class SweepMemory(Protocol):
    """What the sweeper writes down between its runs."""

    def load(self) -> SweepProgress: ...

    def save(self, progress: SweepProgress) -> None: ...

    def repeated(self, hour: datetime, *, since: datetime) -> Collection[str]:
        """Read the prints of an hour's raw messages that were queued again since a moment."""
        ...

    def remember(self, hour: datetime, prints: Collection[str], *, at: datetime) -> None:
        """Write down that these were queued again."""
        ...


class Ticks(Protocol):
    """Remembers the time of the last tick."""

    def last(self) -> datetime | None: ...

    def save(self, tick: datetime) -> None:
        """Remember a tick, unless a later one is."""
        ...


class Looks(Protocol):
    """Remembers when mailboxes were last polled, whether or not anything was found."""

    def note(self, names: Collection[str], *, at: datetime, kept: timedelta) -> None:
        """Write down that these were polled together; forgotten after `kept`."""
        ...

    def last(self, names: Collection[str]) -> Mapping[str, datetime]:
        """Return when mailboxes were last polled; those of which nothing is known are left out."""
        ...


class Redrive(Protocol):
    """The dead letters of a queue, as operators see them."""

    name: str
    url: str

    def count(self) -> int:
        """Return about how many there are."""
        ...

    def move(self) -> int:
        """Put them back into their queue, and return how many; each is there before it leaves the dead letters."""
        ...
