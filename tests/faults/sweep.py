"""Try every fault of the path, on as many processors as there are, and gather what they cost."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field

from tests.faults.path import SCENARIOS, Observed, problems, run
from tests.faults.plants import Plant
from tests.faults.points import Place, Point, points_of
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


@dataclass(slots=True)
class Result:
    """What the sweep came to."""

    points: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)
    seconds: float = 0.0


def sweep(*, everything: bool) -> Result:
    """Try the points of both scenarios."""
    started = time.monotonic()
    wanted = [(scenario.name, point) for scenario in SCENARIOS for point in points_for(scenario, everything=everything)]
    result = Result(points=len(wanted), kinds=Counter(point.kind.value for _scenario, point in wanted))
    workers = max(1, min(8, os.cpu_count() or 1))
    context = multiprocessing.get_context("spawn")  # threads of mail servers do not survive a fork
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        for failures in pool.map(try_points, [wanted[number::workers] for number in range(workers)]):
            result.failures += failures
    result.seconds = time.monotonic() - started
    return result


def points_for(scenario: Scenario, *, everything: bool) -> list[Point]:
    """List the points of a scenario, by a run without faults."""
    with World(scenario) as world:
        places = places_of(world)[1]
    if not everything and scenario is not SCENARIOS[0]:
        places = [place for place in places if not place.target.startswith(_SAME_IN_BOTH + _ALSO_THE_SAME)]
    return points_of(places)


def places_of(world: World) -> tuple[Observed, list[Place]]:
    """Run without a fault: what must come of it, and every step of the path."""
    expected, injector = run(world)
    return expected, injector.places


def try_points(wanted: Sequence[tuple[str, Point]]) -> list[Failure]:
    """Try points one by one; a process of its own does this."""
    failures: list[Failure] = []
    for scenario in SCENARIOS:
        points = [point for name, point in wanted if name == scenario.name]
        if points:
            with World(scenario) as world:
                expected, _places = places_of(world)
                failures += _failures(world, expected, points)
    return failures


def _failures(world: World, expected: Observed, points: Iterable[Point]) -> Iterable[Failure]:
    for point in points:
        observed, injector = run(world, point)
        found = problems(observed, expected, point)
        if not injector.struck:
            found.append("the path did not come by here")
        if found:
            yield Failure(world.scenario.name, point, tuple(found))


def catch(plant: Plant) -> Failure | None:
    """Return the first fault that costs something with a wrong order planted; None when the sweep is blind to it."""
    scenario = next(one for one in SCENARIOS if one.name == plant.scenario)
    with plant.planted(), World(scenario) as world:
        expected, places = places_of(world)
        points = [point for point in points_of(places) if point.place.target in plant.targets]
        return next(iter(_failures(world, expected, points)), None)
