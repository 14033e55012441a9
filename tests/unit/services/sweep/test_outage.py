"""Processing is impossible for hours: each mail costs at most two messages, and all are done afterwards (fault 86)."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from types import SimpleNamespace
from typing import Any

import pytest
from postroom.errors import NotFound, Transient
from postroom.model.configuration.document import Configuration
from postroom.model.identity import parse_raw_key, raw_key
from postroom.model.messages import stored_event, stored_keys
from postroom.model.raw_message import SweepProgress
from postroom.services.sweep import raw_messages
from postroom.services.sweep.sweep import Sweep

START = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
EVERY = timedelta(minutes=5)
BUCKET = "raw"
RECEIVES = 5


@dataclass
class World:
    """The buckets, tables and queues around a sweeper; its clock; and a process_inbound that may be unable to work."""

    hidden: timedelta  # how long SQS hides a message that failed
    now: datetime = START
    works: bool = True
    killers: set[str] = field(default_factory=set)  # keys of mails that fail by their own fault
    stored: dict[datetime, list[tuple[str, datetime]]] = field(default_factory=dict)
    done: dict[str, str] = field(default_factory=dict)  # interaction id → how
    order: list[str] = field(default_factory=list)
    messages: Counter[str] = field(default_factory=Counter)  # key → messages that it cost
    inbound: deque[list[Any]] = field(default_factory=deque)  # [event, receives, visible at]
    letters: dict[str, Any] = field(default_factory=dict)
    progress: SweepProgress = field(default_factory=SweepProgress)
    again: dict[datetime, dict[str, datetime]] = field(default_factory=dict)

    # --- what the sweeper sees ---

    def keys_of_hour(self, hour: datetime) -> Iterator[tuple[str, datetime]]:
        yield from self.stored.get(hour, ())

    def present(self, ids: Sequence[str]) -> frozenset[str]:
        return frozenset(self.done).intersection(ids)

    def get(self, interaction_id: str) -> Any:
        return SimpleNamespace(wrap_reason=None) if interaction_id in self.done else None

    def send_many(self, messages: Sequence[tuple[Mapping[str, Any], int]]) -> None:
        for event, _delay in messages:
            self.messages.update(stored_keys(event))
            self.inbound.append([event, 0, self.now])

    def receive(self) -> list[tuple[str, Mapping[str, Any]]]:
        return [(receipt, self.letters[receipt]) for receipt in list(self.letters)[:10]]

    def delete(self, receipt: str) -> None:
        del self.letters[receipt]

    def load(self) -> SweepProgress:
        return self.progress

    def save(self, progress: SweepProgress) -> None:
        self.progress = progress

    def repeated(self, hour: datetime, *, since: datetime) -> Collection[str]:
        return {one for one, at in self.again.get(hour, {}).items() if at >= since}

    def remember(self, hour: datetime, prints: Collection[str], *, at: datetime) -> None:
        self.again.setdefault(hour, {}).update(dict.fromkeys(prints, at))

    def __call__(self, key: str) -> None:  # Ingest
        if not self.works:
            raise Transient("AWS was busy")
        if key in self.killers:
            raise ZeroDivisionError
        self._done(key, "interaction")

    def wrap(self, key: str, _reason: str) -> None:
        self._done(key, "wrapped")

    def _done(self, key: str, how: str) -> None:
        interaction_id = parse_raw_key(key).interaction_id
        if interaction_id not in self.done:
            self.order.append(key)
        self.done.setdefault(interaction_id, how)

    def waiting(self, *_arguments: Any, **_named: Any) -> Iterator[str]:
        return iter(())

    def unarrived(self) -> Iterator[str]:
        return iter(())

    def in_force_since(self) -> datetime | None:
        return None

    def current(self) -> Configuration:
        return Configuration()

    # --- what happens ---

    def arrive(self, number: int, *, lost: bool = False) -> str:
        digest = sha256(str(number).encode()).hexdigest()
        key = raw_key("support", self.now, str(number), digest)
        self.stored.setdefault(parse_raw_key(key).stored, []).append((key, self.now))
        if not lost:
            self.messages[key] += 1
            self.inbound.append([stored_event(BUCKET, key), 0, self.now])
        return key

    def process(self) -> None:
        for _one in range(len(self.inbound)):
            message = self.inbound.popleft()
            if message[2] > self.now:
                self.inbound.append(message)
                continue
            try:
                for key in stored_keys(message[0]):
                    self(key)
            except (Transient, ZeroDivisionError):
                message[1] += 1
                message[2] = self.now + self.hidden
                if message[1] >= RECEIVES:
                    self.letters[str(len(self.messages) + sum(self.messages.values()) + id(message))] = message[0]
                else:
                    self.inbound.append(message)

    def sweep(self) -> Mapping[str, int]:
        world: Any = self
        run = Sweep(
            raw=world,
            raw_bucket=BUCKET,
            interactions=world,
            outbox=world,
            states=world,
            configurations=world,
            looks=world,
            inbound_queue=world,
            outbound_queue=world,
            dead_letters=world,
            ingest=world,
            memory=world,
            clock=lambda: self.now,
        )
        swept = run()
        return {name: getattr(swept, name) for name in swept.__slots__}


@pytest.mark.fault(86)
@pytest.mark.parametrize("hours", [1, 4, 12])
@pytest.mark.parametrize("hidden", [timedelta(seconds=30), timedelta(minutes=12)], ids=["hidden-30s", "hidden-12min"])
def test_an_outage_costs_two_messages_a_mail_and_wraps_nothing(hours: int, hidden: timedelta) -> None:
    world = World(hidden)
    number = 0
    for minutes in range(0, 60 * (hours + 26), 5):
        world.now = START + timedelta(minutes=minutes)
        world.works = not 60 <= minutes < 60 * (hours + 1)
        for _mail in range(4 if minutes < 60 * (hours + 2) else 0):
            number += 1
            world.arrive(number)
        world.process()
        world.sweep()
    assert len(world.done) == number
    assert set(world.done.values()) == {"interaction"}
    assert max(world.messages.values()) <= 2
    assert not world.letters


@pytest.mark.fault(86)
def test_after_an_outage_all_is_done_within_the_hour() -> None:
    hours, world = 12, World(timedelta(seconds=30))
    for number in range(hours * 60):
        world.now = START + timedelta(minutes=number)
        world.works = number < 30
        world.arrive(number)
        if number % 5 == 0:
            world.process()
            world.sweep()
    world.works = True
    for _run in range(12):
        world.now += EVERY
        world.process()
        world.sweep()
    world.process()
    assert len(world.done) == hours * 60
    assert set(world.done.values()) == {"interaction"}


@pytest.mark.fault(86)
@pytest.mark.fault(87)
def test_a_mail_that_fails_alone_is_wrapped_and_its_neighbours_are_not() -> None:
    world = World(timedelta(seconds=30))
    for number in range(60):
        world.now = START + timedelta(minutes=5 * number)
        key = world.arrive(number)
        if number == 7:
            world.killers.add(key)
        world.process()
        world.sweep()
    (killer,) = world.killers
    assert world.done[parse_raw_key(killer).interaction_id] == "wrapped"
    assert Counter(world.done.values()) == {"interaction": 59, "wrapped": 1}


@pytest.mark.fault(43)
@pytest.mark.fault(86)
def test_a_run_queues_so_many_and_the_oldest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raw_messages, "MOST_QUEUED", 10)
    world = World(timedelta(seconds=30))
    lost = []
    for number in range(25):
        world.now = START + timedelta(minutes=10 * number)
        lost.append(world.arrive(number, lost=True))
    world.now += timedelta(minutes=15)
    counts = [world.sweep()["raw_queued_again"] for _run in range(4)]
    assert counts == [10, 10, 5, 0]
    world.process()
    assert world.order == lost


@pytest.mark.fault(101)
def test_a_listing_that_takes_too_long_goes_on_at_the_next_run_and_passes_nothing() -> None:
    world = World(timedelta(seconds=30))
    lost = world.arrive(1, lost=True)
    long_ago = START.replace(minute=0) - timedelta(days=30)
    world.progress = SweepProgress(hour=long_ago, looked_back=START)
    world.now = START + timedelta(hours=2)
    ticks = iter(range(10_000_000))

    def slow() -> datetime:  # a second for each hour that is listed
        return world.now + timedelta(seconds=next(ticks))

    hours = []
    for _run in range(12):
        everything: Any = world
        found = raw_messages.look(
            raw=everything, interactions=everything, progress=world.progress, now=world.now, clock=slow
        )
        world.progress = found.progress
        hours.append(found.progress.hour)
        if found.missing:
            break
    assert found.missing == (lost,)
    assert hours == sorted(hours, key=lambda hour: hour or START)
    assert hours[-1] is not None
    assert hours[-1] <= START


MISSING = {
    # The healthy mail of a quiet installation grows old: its raw message is removed, its interaction stays.
    "its-raw-message": ("", True),
    "something-that-all-mail-needs": ("the secret", False),
}


@pytest.mark.fault(86)
@pytest.mark.parametrize(("what", "fine"), MISSING.values(), ids=MISSING.keys())
def test_a_healthy_mail_whose_raw_message_is_gone_is_no_trouble_of_all_mail(what: str, fine: bool) -> None:
    world = World(timedelta(seconds=30))
    key = world.arrive(1)
    world(key)

    def process(asked: str) -> None:
        raise NotFound("There is none", on=what or asked)

    assert raw_messages.works(key, process=process, interactions=world) is fine  # type: ignore[arg-type]
