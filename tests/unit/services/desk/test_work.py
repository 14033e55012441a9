"""What agents do with cases, and that no interleaving of them gives a case two holders, or loses one.

The family: two people and one case. Interleavings are real ones: every read and write of an act is a step, and at each
step another act may come between; a write may fail before it is done, or after, as when its answer is lost.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from postroom.errors import Conflict, Invalid, Transient
from postroom.model.case import Case, CaseChange, CaseList, CasePage, CaseState, Doing, ListKind, Presence, list_of
from postroom.rules.cases import triggers as on
from postroom.services.desk.case_change import change
from postroom.services.desk.work import CaseWork

from tests.unit.services.desk.fakes import NOON, FakeCases, FakeNotes, Fixed, a_case

QUEUES: dict[str, Any] = {"queues": [{"name": "support"}, {"name": "billing"}, {"name": "old", "active": False}]}


def a_desk(
    cases: FakeCases, *, chance: Callable[[int], int] = lambda _most: 0, notes: FakeNotes | None = None
) -> CaseWork:
    return CaseWork(cases, notes or FakeNotes(cases), Fixed(**QUEUES), lambda: NOON + timedelta(hours=1), chance)


def filled(*ids: str) -> FakeCases:
    cases = FakeCases()
    for number, case_id in enumerate(ids):
        cases.write(CaseChange(None, a_case(case_id, at=NOON + timedelta(minutes=number))))
    return cases


@pytest.mark.feature("Q01")
def test_of_two_claims_one_is_told_who_has_it_and_the_holder_may_claim_again() -> None:
    desk = a_desk(filled("c1"))
    claimed = desk.claim("c1", who="ann")
    assert desk.claim("c1", who="ann") == claimed
    with pytest.raises(Conflict, match="ann has had it since 2026-11-30 13:00"):
        desk.claim("c1", who="bob")


@pytest.mark.feature("Q02")
def test_claim_next_takes_the_most_urgent_of_all_queues_and_nothing_where_nothing_waits() -> None:
    cases = filled("c1", "c2")
    cases.write(CaseChange(None, a_case("first", "billing", NOON - timedelta(hours=1))))
    desk = a_desk(cases)
    taken = [desk.claim_next(["support", "billing"], who="ann") for _time in range(4)]
    assert [case.id if case else None for case in taken] == ["first", "c1", "c2", None]


@pytest.mark.feature("Q02")
def test_a_hundred_agents_at_once_get_a_hundred_cases() -> None:
    names = [f"c{number}" for number in range(100)]
    cases = filled(*names)
    random = Random(7)
    stale = cases.page(CaseList(ListKind.WAITING, "support"), most=1_000)

    class Behind(FakeCases):
        """Shows to everybody the list as it was before anybody had claimed: an index that lags."""

        def page(self, wanted: CaseList, *, after: str = "", most: int, newest_first: bool = False) -> CasePage:
            rows = [row for row in stale.rows if row.order > after]
            return CasePage(tuple(rows[:most]), rows[most - 1].order if len(rows) > most else "")

    lagging = Behind(stored=cases.stored)
    taken = [
        a_desk(lagging, chance=random.randrange).claim_next(["support"], who=f"agent{number}") for number in range(100)
    ]
    assert {case.id for case in taken if case} == set(names)
    assert a_desk(lagging).claim_next(["support"], who="late") is None


@pytest.mark.feature("Q03")
def test_a_case_that_is_written_in_is_taken_by_force_only() -> None:
    cases = filled("c1")
    notes = FakeNotes(cases, [Presence("ann", Doing.WRITING, NOON + timedelta(minutes=59, seconds=30))])
    desk = a_desk(cases, notes=notes)
    desk.claim("c1", who="ann")
    with pytest.raises(Conflict, match="ann is writing"):
        desk.take("c1", who="bob")
    assert desk.take("c1", who="bob", force=True).agent == "bob"


@pytest.mark.feature("Q12")
def test_an_agent_who_leaves_leaves_no_case_behind() -> None:
    cases = filled("c1", "c2", "c3")
    desk = a_desk(cases)
    for case_id in ("c1", "c2"):
        desk.claim(case_id, who="ann")
    assert desk.leave("ann", by="sue") == 2
    assert {case.state for case in cases.stored.values()} == {CaseState.QUEUED}
    assert all(not case.last_agent for case in cases.stored.values())


@pytest.mark.parametrize(
    ("act", "field"),
    [
        (lambda desk: desk.transfer("c1", who="ann"), "queue"),
        (lambda desk: desk.transfer("c1", who="ann", queue="nowhere"), "queue"),
        (lambda desk: desk.transfer("c1", who="ann", queue="old"), "queue"),
        (lambda desk: desk.wait("c1", who="ann", until=NOON), "until"),
        (lambda desk: desk.wait("c1", who="ann", until=None, wake_on_reply=False), "until"),
        (lambda desk: desk.close("c1", who="ann", no_answer=True), "code"),
        (lambda desk: desk.tag("c1", who="ann", add=["a\nb"]), "add"),
        (lambda desk: desk.set("c1", who="ann", priority=9999), "priority"),
        (lambda desk: desk.note("c1", " ", who="ann"), "text"),
    ],
    ids=["nowhere-to", "no-queue", "inactive", "past", "never", "no-code", "odd-tag", "priority", "empty-note"],
)
def test_bad_input_names_field_problem_and_remedy_and_changes_nothing(
    act: Callable[[CaseWork], object], field: str
) -> None:
    cases = filled("c1")
    with pytest.raises(Invalid) as refused:
        act(a_desk(cases))
    assert [one.path for one in refused.value.problems] == [field]
    assert all(one.problem and one.remedy for one in refused.value.problems)
    assert cases.stored["c1"].version == 1


@pytest.mark.feature("A06")
def test_a_note_is_written_once_with_its_entry_in_the_history() -> None:
    cases = filled("c1")
    desk = a_desk(cases)
    first = desk.note("c1", "She called", who="ann", key="k1", mentions=["bob"])
    assert desk.note("c1", "She called", who="ann", key="k1", mentions=["bob"]) == first
    assert (len(cases.notes), cases.stored["c1"].version, cases.stored["c1"].mails_version) == (1, 2, 1)


class Interleaved(FakeCases):
    """Lets every read and write of an act be a step, at which the schedule may let another act go on."""

    def __init__(self, schedule: Schedule, faults: int, seed: int) -> None:
        super().__init__(faults=faults, random=Random(seed))
        self.schedule = schedule

    def get(self, case_id: str) -> Case | None:
        self.schedule.step()
        return super().get(case_id)

    def write(self, *changes: CaseChange, **more: Any) -> bool:
        self.schedule.step()
        return super().write(*changes, **more)

    def page(self, wanted: CaseList, **asked: Any) -> CasePage:
        self.schedule.step()
        return super().page(wanted, **asked)


class Schedule:
    """Runs one thread at a time, and chooses by its seed which goes on at each step."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.gates: dict[int, threading.Semaphore] = {}
        self.back = threading.Semaphore(0)
        self.own = threading.local()

    def step(self) -> None:
        gate = getattr(self.own, "gate", None)
        if gate is not None:
            self.back.release()
            gate.acquire()

    def run(self, works: list[Callable[[], None]]) -> None:
        def body(number: int, work: Callable[[], None]) -> None:
            self.own.gate = self.gates[number]
            self.gates[number].acquire()
            try:
                work()
            finally:
                del self.gates[number]
                self.back.release()

        self.gates = {number: threading.Semaphore(0) for number in range(len(works))}
        threads = [threading.Thread(target=body, args=one) for one in enumerate(works)]
        for thread in threads:
            thread.start()
        while self.gates:
            self.gates[self.random.choice(sorted(self.gates))].release()
            self.back.acquire()
        for thread in threads:
            thread.join()


AGENTS, CASES, ACTS = 50, 500, 30


@pytest.mark.parametrize("seed", range(3))
def test_fifty_agents_and_faults_give_none_of_five_hundred_cases_two_holders_and_lose_none(seed: int) -> None:
    schedule = Schedule(seed)
    cases = Interleaved(schedule, faults=15, seed=seed)
    for number in range(CASES):
        made = a_case(f"c{number}", at=NOON + timedelta(seconds=number))
        cases.stored[made.id], cases.kept[made.id, 1] = made, made.events[0]
    told: Counter[str] = Counter()

    def agent(number: int) -> Callable[[], None]:
        random, who = Random(seed * 1_000 + number), f"agent{number}"
        desk = a_desk(cases, chance=random.randrange)

        def work() -> None:
            for _act in range(ACTS):
                case_id = f"c{random.randrange(CASES)}"
                acts: list[tuple[str, Callable[[], object]]] = [
                    ("claim", lambda one=case_id: desk.claim(one, who=who)),  # type: ignore[misc]
                    ("next", lambda: desk.claim_next(["support"], who=who)),
                    ("release", lambda one=case_id: desk.release(one, who=who)),  # type: ignore[misc]
                    ("take", lambda one=case_id: desk.take(one, who=who)),  # type: ignore[misc]
                    ("transfer", lambda one=case_id: desk.transfer(one, who=who, queue="billing")),  # type: ignore[misc]
                    ("wait", lambda one=case_id: desk.wait(one, who=who, until=None)),  # type: ignore[misc]
                    ("resume", lambda one=case_id: desk.resume(one, who=who)),  # type: ignore[misc]
                    ("close", lambda one=case_id: desk.close(one, who=who)),  # type: ignore[misc]
                    ("mail", lambda one=case_id: _mail(cases, one, f"m{random.randrange(10**9)}")),  # type: ignore[misc]
                ]
                name, act = random.choice(acts)
                try:
                    act()
                    told[name] += 1
                except (Conflict, Transient) as error:
                    told[type(error).__name__] += 1

        return work

    schedule.run([agent(number) for number in range(AGENTS)])
    assert len(cases.stored) == CASES
    assert {"claim", "next", "take", "mail", "Conflict", "Transient"} <= set(told)
    for case in cases.stored.values():
        history = cases.history(case.id)
        # One entry a version: no two writes went through on the same state, so no two people got it.
        assert [event.version for event in history] == list(range(1, case.version + 1))
        assert bool(case.agent) or not case.state.held
        assert (list_of(case) is not None) == (case.state is not CaseState.MERGED)
        assert not (case.state is CaseState.CLOSED and case.unread)  # no customer's mail without an open case
        _one_holder_after_the_other(case, history)


def _one_holder_after_the_other(case: Case, history: list[Any]) -> None:
    """Read the history: who claims a case finds it free, and only its holder gives it back."""
    holder = ""
    for event in history:
        match event.what:
            case "claimed":
                assert holder == "", case.id
                holder = event.who
            case "taken":
                assert holder not in ("", event.who), case.id
                holder = event.who
            case "released":
                assert holder == event.who, case.id
                holder = ""
            case "transferred" | "closed":
                assert holder in ("", event.who), case.id
                holder = ""
            case "pending":
                assert holder in ("", event.who), case.id
                holder = event.who
            case "resumed" | "reopened" | "woken":
                holder = event.who if event.what == "resumed" else case.agent if event is history[-1] else "*"
        if holder == "*":
            return  # who has it then depends on who had it; the versions above say that nobody else came between


def _mail(cases: FakeCases, case_id: str, mail_id: str) -> None:
    change(case_id, on.MailJoined(mail_id), cases=cases, now=NOON + timedelta(hours=2))
