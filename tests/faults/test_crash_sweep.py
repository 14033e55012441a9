"""No fault at any step loses, doubles or sends a mail twice, or hides what is uncertain; and the sweep can tell."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor, Future
from dataclasses import replace

import pytest

from tests.faults.path import SCENARIOS, reference, run
from tests.faults.plants import PLANTS, Plant
from tests.faults.points import Kind, Place, Point
from tests.faults.sweep import Failure, catch, processes, sweep
from tests.faults.world import Scenario, World

_LEAST_POINTS = 975


def _tell(capsys: pytest.CaptureFixture[str], line: str) -> None:
    with capsys.disabled():
        sys.stdout.write(f"\n{line}")


@pytest.fixture(scope="module")
def pool() -> Iterator[Executor]:
    with processes() as made:
        yield made


@pytest.fixture(scope="module")
def caught(pool: Executor) -> Mapping[str, Future[Failure | None]]:
    """Plant each wrong order, beside each other."""
    return {plant.name: pool.submit(catch, plant) for plant in PLANTS}


@pytest.mark.slow
@pytest.mark.feature("X09")
@pytest.mark.fault(32, 33, 34, 36, 37, 38, 43, 44, 55, 57, 68, 70, 71, 76)
def test_no_fault_costs_a_mail(pool: Executor, capsys: pytest.CaptureFixture[str]) -> None:
    started = time.monotonic()
    tried = sweep(pool, everything=os.environ.get("POSTROOM_FAULTS") == "all")
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(tried.kinds.items()))
    points = tried.kinds.total()
    _tell(capsys, f"{points} fault points in {time.monotonic() - started:.0f} s ({kinds})")
    _tell(capsys, f"{len(tried.failures)} of them cost something")
    assert not tried.failures, "\n".join(str(failure) for failure in tried.failures)
    assert points >= _LEAST_POINTS


@pytest.mark.slow
@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.name)
def test_a_planted_wrong_order_is_caught(
    plant: Plant, caught: Mapping[str, Future[Failure | None]], capsys: pytest.CaptureFixture[str]
) -> None:
    found = caught[plant.name].result()
    _tell(capsys, f"planted: {plant.name}: {f'caught at {found.point}' if found else 'NOT CAUGHT'}")
    assert found is not None


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_the_path_is_the_same_at_every_run(scenario: Scenario) -> None:
    with World(scenario) as world:
        first, second = reference(world), reference(world)
        assert (first.expected, first.places) == (second.expected, second.places)


@pytest.mark.parametrize("stage", range(1, 4))
def test_a_run_from_a_checkpoint_comes_to_the_same_as_the_whole_path(stage: int) -> None:
    with World(SCENARIOS[0]) as world:
        known = reference(world)
        place = known.places[len(known.checkpoints[stage].places)]
        point = Point(place, place.kinds[-1])
        whole = replace(known, checkpoints=known.checkpoints[:1])
        assert known.stage_of(place) == stage
        assert whole.stage_of(place) == 0
        (late, injected), (from_the_beginning, as_well) = run(world, point, known), run(world, point, whole)
        assert late == from_the_beginning
        assert injected.places == as_well.places
        assert injected.struck


def test_a_place_knows_what_can_go_wrong_there() -> None:
    assert Kind.NO_ANSWER in Place("aws sesv2.SendEmail", 1).kinds
    assert Kind.EVENT_LOST not in Place("event track_delivery", 1).kinds
    assert str(Point(Place("smtp QUIT", 2), Kind.DIES_AFTER)) == "smtp QUIT #2 dies-after"
