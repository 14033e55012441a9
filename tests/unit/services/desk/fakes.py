"""Cases in memory, with the table's conditions, and with faults: a write that fails before it is done, or after."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random

from postroom.errors import Transient
from postroom.model.case import (
    Case,
    CaseChange,
    CaseEvent,
    CaseEventKind,
    CaseList,
    CasePage,
    CaseRow,
    Draft,
    Note,
    Presence,
    due,
    list_of,
    urgency,
)
from postroom.model.configuration.document import Configuration
from postroom.model.outbound import Outbound, OutboxState

NOON = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)


def a_case(case_id: str, queue: str = "support", at: datetime = NOON) -> Case:
    """Make a waiting case."""
    return Case(
        id=case_id,
        mailbox="support",
        queue=queue,
        department="service",
        subject="Kettle",
        customer="kim@example.org",
        created=at,
        enqueued=at,
        mails=(case_id,),
        events=(CaseEvent(1, at, CaseEventKind.QUEUED.value, "postroom"),),
    )


def order(case: Case) -> str:
    """Return a place in a list of waiting cases."""
    return f"{0 if case.attention else 1}#{urgency(case).isoformat()}#{case.id}"


@dataclass
class FakeCases:
    """Implements ports.Cases; `faults`: one write in so many fails, half of them after it was done."""

    stored: dict[str, Case] = field(default_factory=dict)
    outbox: dict[str, OutboxState] = field(default_factory=dict)
    kept: dict[tuple[str, int], CaseEvent] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    faults: int = 0
    random: Random = field(default_factory=lambda: Random(1))

    def get(self, case_id: str) -> Case | None:
        return self.stored.get(case_id)

    def read(self, ids: Sequence[str]) -> Mapping[str, Case]:
        return {one: self.stored[one] for one in ids if one in self.stored}

    def write(
        self, *changes: CaseChange, outbound: Outbound | None = None, cancelled: str = "", note: Note | None = None
    ) -> bool:
        fault = self.random.randrange(self.faults) if self.faults else -1
        if fault == 0:
            raise Transient("the table does not answer")
        for change in changes:
            there = self.stored.get(change.after.id)
            if (there.version if there else None) != (change.before.version if change.before else None):
                return False
        if outbound is not None and outbound.id in self.outbox:
            return False
        if cancelled and self.outbox.get(cancelled) is not OutboxState.NEW:
            return False
        for change in changes:
            self.kept |= {(change.after.id, event.version): event for event in change.after.events}
            self.stored[change.after.id] = change.after
        if outbound is not None:
            self.outbox[outbound.id] = OutboxState.NEW
        if cancelled:
            self.outbox[cancelled] = OutboxState.CANCELLED
        self.notes += [note] if note else []
        if fault == 1:
            raise Transient("the answer of the table was lost")
        return True

    def history(self, case_id: str) -> list[CaseEvent]:
        return [event for (one, _version), event in sorted(self.kept.items()) if one == case_id]

    def page(self, wanted: CaseList, *, after: str = "", most: int, newest_first: bool = False) -> CasePage:
        found = sorted((case for case in self.stored.values() if list_of(case) == wanted), key=order)
        rest = [case for case in (reversed(found) if newest_first else found) if order(case) > after or newest_first]
        rows = tuple(_row(case) for case in rest[:most])
        return CasePage(rows, rows[-1].order if len(rest) > most else "")

    def count(self, wanted: CaseList) -> int:
        return len(self.page(wanted, most=1_000).rows)

    def of_customer(self, address: str, *, most: int, before: str = "") -> tuple[list[str], str]:
        return [case.id for case in self.stored.values() if case.customer == address][:most], before

    def of_number(self, word: str) -> list[str]:
        return [case.id for case in self.stored.values() if case.number.replace("-", "").startswith(word[:10])]

    def due(self, *, before: datetime) -> Iterator[str]:
        return (case.id for case in list(self.stored.values()) if (at := due(case)) is not None and at < before)


def _row(case: Case) -> CaseRow:
    return CaseRow(
        case.id,
        case.state,
        case.version,
        case.subject,
        case.customer,
        case.queue,
        case.created,
        case.enqueued,
        agent=case.agent,
        attention=case.attention,
        order=order(case),
    )


@dataclass
class FakeNotes:
    """Implements ports.CaseNotes, as far as the desk asks."""

    cases: FakeCases
    presences: list[Presence] = field(default_factory=list)

    def notes(self, case_id: str) -> Sequence[Note]:
        return [note for note in self.cases.notes if note.case == case_id]

    def save_note(self, note: Note, *, earlier: int) -> bool:
        raise NotImplementedError(f"{note.id} {earlier}")

    def draft(self, case_id: str, agent: str) -> Draft | None:
        raise NotImplementedError(f"{case_id} {agent}")

    def drafts(self, case_id: str) -> Sequence[Draft]:
        raise NotImplementedError(case_id)

    def save_draft(self, draft: Draft, *, version: int) -> bool:
        raise NotImplementedError(f"{draft.case} {version}")

    def present(self, case_id: str) -> Sequence[Presence]:
        return [one for one in self.presences if case_id]

    def note_presence(self, case_id: str, presence: Presence) -> None:
        raise NotImplementedError(f"{case_id} {presence}")


class Fixed:
    """Implements ports.Configurations with one configuration."""

    def __init__(self, **content: object) -> None:
        self._configuration = Configuration.model_validate(content)

    def current(self) -> Configuration:
        return self._configuration
