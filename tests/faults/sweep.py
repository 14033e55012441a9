"""Try every fault of the path, on as many processors as there are, and gather what they cost."""

from __future__ import annotations

import multiprocessing
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from tests.faults.path import SCENARIOS, Reference, problems, reference, run
from tests.faults.plants import Plant
from tests.faults.points import Point, points_of
from tests.faults.world import Scenario, World

_SAME_IN_BOTH = ("aws s3.", "aws dynamodb.GetItem", "aws dynamodb.Query", "aws dynamodb.BatchGetItem", "aws kms.")
_ALSO_THE_SAME = ("aws secrets-manager.", "event schedule_polls", "event sweep", "tcp ", "imap LOG")
"""Steps that both scenarios take alike: by default tried in the first only (`POSTROOM_FAULTS=all`: in both)."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A fault that cost something."""

    scenario: str
    point: Point
    problems: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.scenario}: {self.point}\n" + "\n".join(f"    {problem}" for problem in self.problems)


@dataclass(frozen=True, slots=True)
class Share:
    """What one process tries: every so manieth point of a scenario."""

    scenario: str
    first: int
    step: int
    everything: bool


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of a share: how many points of each kind, and those that cost something."""

    kinds: Counter[str]
    failures: list[Failure]


@contextmanager
def processes() -> Iterator[Executor]:
    """Give a process for each processor."""
    # Threads of mail servers do not survive a fork.
    with ProcessPoolExecutor(_workers(), mp_context=multiprocessing.get_context("spawn")) as pool:
        yield pool


def _workers() -> int:
    return max(1, min(8, os.cpu_count() or 1))


def sweep(pool: Executor, *, everything: bool) -> Tried:
    """Try the points of both scenarios."""
    step = _workers()
    shares = [Share(scenario.name, first, step, everything) for scenario in SCENARIOS for first in range(step)]
    kinds: Counter[str] = Counter()
    failures: list[Failure] = []
    for tried in pool.map(try_share, shares):
        kinds += tried.kinds
        failures += tried.failures
    return Tried(kinds, failures)


def try_share(share: Share) -> Tried:
    """Try points one by one; a process of its own does this."""
    with World(_scenario(share.scenario)) as world:
        known = reference(world)
        points = _points(world.scenario, known, everything=share.everything)[share.first :: share.step]
        return Tried(Counter(point.kind.value for point in points), list(_failures(world, known, points)))


def _points(scenario: Scenario, known: Reference, *, everything: bool) -> list[Point]:
    places = known.places
    if not everything and scenario is not SCENARIOS[0]:
        places = tuple(place for place in places if not place.target.startswith(_SAME_IN_BOTH + _ALSO_THE_SAME))
    return points_of(places)


def _failures(world: World, known: Reference, points: Iterable[Point]) -> Iterator[Failure]:
    for point in points:
        observed, injector = run(world, point, known)
        found = problems(observed, known.expected, point)
        if not injector.struck:
            found.append("the path did not come by here")
        if found:
            yield Failure(world.scenario.name, point, tuple(found))


def catch(plant: Plant) -> Failure | None:
    """Return the first fault that costs something with a wrong order planted; None when the sweep is blind to it."""
    with plant.planted(), World(_scenario(plant.scenario)) as world:
        known = reference(world)
        points = [point for point in points_of(known.places) if point.place.target in plant.targets]
        return next(_failures(world, known, points), None)


def _scenario(name: str) -> Scenario:
    return next(one for one in SCENARIOS if one.name == name)
