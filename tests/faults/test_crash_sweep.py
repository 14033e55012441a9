"""No fault at any step loses, doubles or sends a mail twice, or hides what is uncertain; and the sweep can tell."""

from __future__ import annotations

import os
import sys

import pytest

from tests.faults.path import SCENARIOS
from tests.faults.plants import PLANTS, Plant
from tests.faults.points import Kind, Place, Point
from tests.faults.sweep import catch, places_of, sweep
from tests.faults.world import World

_LEAST_POINTS = 600


def _tell(capsys: pytest.CaptureFixture[str], line: str) -> None:
    with capsys.disabled():
        sys.stdout.write(f"\n{line}")


@pytest.mark.slow
@pytest.mark.feature("X09")
@pytest.mark.fault(32, 33, 34, 36, 37, 38, 43, 44, 55, 57, 68, 70, 71, 76)
def test_no_fault_costs_a_mail(capsys: pytest.CaptureFixture[str]) -> None:
    result = sweep(everything=os.environ.get("POSTROOM_FAULTS") == "all")
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(result.kinds.items()))
    _tell(capsys, f"{result.points} fault points in {result.seconds:.0f} s ({kinds})")
    _tell(capsys, f"{len(result.failures)} of them cost something")
    assert not result.failures, "\n".join(str(failure) for failure in result.failures)
    assert result.points >= _LEAST_POINTS


@pytest.mark.slow
@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.name)
def test_a_planted_wrong_order_is_caught(plant: Plant, capsys: pytest.CaptureFixture[str]) -> None:
    caught = catch(plant)
    _tell(capsys, f"planted: {plant.name}: {f'caught at {caught.point}' if caught else 'NOT CAUGHT'}")
    assert caught is not None


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_the_path_is_the_same_at_every_run(scenario: object) -> None:
    with World(next(one for one in SCENARIOS if one is scenario)) as world:
        assert places_of(world) == places_of(world)


def test_a_place_knows_what_can_go_wrong_there() -> None:
    assert Kind.NO_ANSWER in Place("aws sesv2.SendEmail", 1).kinds
    assert Kind.EVENT_LOST not in Place("event track_delivery", 1).kinds
    assert str(Point(Place("smtp QUIT", 2), Kind.DIES_AFTER)) == "smtp QUIT #2 dies-after"
