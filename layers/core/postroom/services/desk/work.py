"""What agents and supervisors do with cases: each act reads the case, asks the rules, and writes once.

Who may do what is judged before (rules/access); here stands what must hold whoever asks.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from postroom.errors import Conflict, Invalid, Problem, Transient
from postroom.model import short_id
from postroom.model.case import Case, CaseEventKind, CaseList, CaseRow, Doing, ListKind, Note
from postroom.ports import CaseNotes, Cases, Clock, Configurations
from postroom.rules.cases import MOST_NOTE
from postroom.rules.cases import triggers as on
from postroom.services.desk.case_change import change, read

FIRST_TRIED = 20
"""Claims begin at a random one among so many, so that a hundred agents do not all try the same case."""

PAGE = 50
MOST_WALKED = 2_000
WRITING_LASTS = timedelta(seconds=60)
MOST_TAG = 60


@dataclass(frozen=True, slots=True)
class CaseWork:
    """The acts of people on cases; `who` is the subject of who acts."""

    cases: Cases
    notes: CaseNotes
    configurations: Configurations
    clock: Clock
    chance: Callable[[int], int] = random.randrange

    def claim(self, case_id: str, *, who: str) -> Case:
        """Take a waiting case; raises Conflict with who has it since when (Q01)."""
        return self._change(case_id, on.Claimed(who))

    def claim_next(self, queues: Sequence[str], *, who: str) -> Case | None:
        """Take the most urgent case of these queues; None when none waits (Q02)."""
        walked = 0
        for row in self._most_urgent(queues):
            walked += 1
            if walked > MOST_WALKED:
                raise Transient("others are faster at every case", code="case_busy", remedy="Ask again in a second.")
            try:
                return self.claim(row.id, who=who)
            except Conflict:
                continue  # the list is a hint: it is gone just now
        return None

    def release(self, case_id: str, *, who: str, reason: str = "") -> Case:
        """Put a case back into its queue, at its old place (Q04)."""
        return self._change(case_id, on.Released(who, who, reason=reason))

    def take(self, case_id: str, *, who: str, force: bool = False) -> Case:
        """Take a case from a colleague who is not writing in it (Q03)."""
        now = self.clock()
        holder = read(case_id, self.cases).agent
        writing = any(
            one.agent == holder and one.doing is Doing.WRITING and now - one.at <= WRITING_LASTS
            for one in self.notes.present(case_id)
        )
        return self._change(case_id, on.Taken(who, writing=writing, force=force))

    def transfer(
        self, case_id: str, *, who: str, queue: str = "", agent: str = "", note: str = "", others: bool = False
    ) -> Case:
        """Give a case to another queue, or to an agent (Q13)."""
        configuration = self.configurations.current()
        case = read(case_id, self.cases)
        wanted = queue or case.queue
        problems = []
        if not queue and not agent:
            problems.append(Problem("queue", "is missing.", "Name a queue, or an agent."))
        found = next((one for one in configuration.queues if one.name == wanted), None)
        if found is None and configuration.queues:
            problems.append(Problem("queue", f"there is no queue {wanted[:80]!r}.", "Name one that is configured."))
        elif found is not None and not found.active:
            problems.append(Problem("queue", f"{wanted} takes no mail.", "Name one that is active."))
        if problems:
            raise Invalid(problems)
        department = (found.department if found else None) or case.department
        return self._change(case_id, on.Transferred(who, wanted, department, agent=agent, note=note, others=others))

    def wait(
        self, case_id: str, *, who: str, until: datetime | None, wake_on_reply: bool = True, others: bool = False
    ) -> Case:
        """Put a case aside until a date, or until the customer writes (A12, A13)."""
        return self._change(case_id, on.Waiting(who, until, wake_on_reply, others))

    def resume(self, case_id: str, *, who: str) -> Case:
        """Go on with a case before its date."""
        return self._change(case_id, on.Resumed(who))

    def close(self, case_id: str, *, who: str, code: str = "", no_answer: bool = False, others: bool = False) -> Case:
        """Close a case without an answer (A18, A19); one that needs none has to say why by a code."""
        if no_answer and not code:
            raise Invalid([Problem("code", "is missing.", "Say by a code why no answer is needed.")])
        return self._change(case_id, on.Closed(who, code, no_answer, others))

    def reopen(self, case_id: str, *, who: str) -> Case:
        """Open a closed case, and have it."""
        return self._change(case_id, on.Reopened(who))

    def tag(self, case_id: str, *, who: str, add: Iterable[str] = (), remove: Iterable[str] = ()) -> Case:
        """Add and remove tags (A17)."""
        given = {"add": frozenset(add), "remove": frozenset(remove)}
        problems = [
            Problem(name, f"{tag[:80]!r} is no tag.", f"Use 1 to {MOST_TAG} characters on one line.")
            for name, tags in given.items()
            for tag in sorted(tags)
            if not tag.strip() or len(tag) > MOST_TAG or not tag.isprintable()
        ]
        if problems:
            raise Invalid(problems)
        return self._change(case_id, on.Changed(who, given["add"], given["remove"]))

    def set(
        self,
        case_id: str,
        *,
        who: str,
        category: str | None = None,
        fields: Mapping[str, str] | None = None,
        priority: int | None = None,
    ) -> Case:
        """Set category, fields and priority; what is not named stays (A17)."""
        if priority is not None and not -1000 <= priority <= 1000:
            raise Invalid([Problem("priority", f"is {priority}.", "Use -1000 to 1000.")])
        return self._change(case_id, on.Changed(who, category=category, fields=dict(fields or {}), priority=priority))

    def note(self, case_id: str, text: str, *, who: str, key: str = "", mentions: Sequence[str] = ()) -> Note:
        """Write a note, with its entry in the history at once (A06); the same key again writes nothing."""
        if not text.strip() or len(text) > MOST_NOTE:
            raise Invalid([Problem("text", f"has {len(text):,} characters.", f"Write 1 to {MOST_NOTE:,}.")])
        now = self.clock()
        note_id = short_id("note", case_id, who, key or f"{now.isoformat()}\x00{text}")
        there = next((one for one in self.notes.notes(case_id) if one.id == note_id), None)
        if there is not None:
            return there
        note = Note(note_id, case_id, now, who, text, tuple(mentions))
        told = f"{note_id}, to {', '.join(mentions)}" if mentions else note_id
        change(case_id, on.Noted(who, told), cases=self.cases, now=now, note=note)
        return note

    def leave(self, who: str, *, by: str, reason: str = "") -> int:
        """Release all cases of an agent who leaves (Q12); returns how many."""
        released = 0
        after = ""
        while True:
            page = self.cases.page(CaseList(ListKind.HELD, who), after=after, most=PAGE)
            for row in page.rows:
                try:
                    self._change(row.id, on.Released(who, by, CaseEventKind.LEFT, reason))
                except Conflict:
                    continue  # it moved meanwhile, or its answer is on its way: its outcome finds its holder gone
                released += 1
            if not page.after:
                return released
            after = page.after

    def _most_urgent(self, queues: Sequence[str]) -> Iterable[CaseRow]:
        """Yield what waits in queues, the most urgent first, from a random one among the first on."""
        places = dict.fromkeys(queues, "")
        rows = self._next_rows(places)
        first = rows[:FIRST_TRIED]
        start = self.chance(len(first)) if first else 0
        yield from first[start:]
        yield from rows[FIRST_TRIED:]
        while places:
            yield from self._next_rows(places)
        yield from first[:start]

    def _next_rows(self, places: dict[str, str]) -> list[CaseRow]:
        """Read the next part of each queue; a queue that has no more leaves `places`."""
        rows: list[CaseRow] = []
        for queue, after in list(places.items()):
            page = self.cases.page(CaseList(ListKind.WAITING, queue), after=after, most=PAGE)
            rows += page.rows
            if page.after:
                places[queue] = page.after
            else:
                del places[queue]
        return sorted(rows, key=lambda row: row.order)

    def _change(self, case_id: str, trigger: on.Trigger) -> Case:
        return change(case_id, trigger, cases=self.cases, now=self.clock())
