"""Why mail is left alone: the numbers that are stored, and the one place that tells them from failed tries."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from postroom.model.mailbox_state import FAILED_BUT_ONE, FAILED_ONCE, LeftAlone, Position, is_left_alone

CORE = Path(__file__).parents[3] / "layers" / "core" / "postroom"


def test_the_numbers_are_those_that_positions_have_stored_since_the_first_release() -> None:
    assert json.loads(json.dumps(dict(LeftAlone.__members__))) == {
        "GIVEN_UP": 3,
        "OVERSIZE": 4,
        "BAD_SIZE": 5,
        "OLD": 6,
        "DOUBTFUL": 7,
    }


@pytest.mark.parametrize("problem", [FAILED_ONCE, FAILED_BUT_ONE, *LeftAlone, 99])
def test_an_id_is_either_tried_again_or_left_alone(problem: int) -> None:
    position = Position(problems={"1": problem})
    assert position.left_alone() == ({"1"} if is_left_alone(problem) else set())
    assert position.tried_again() == {"1"} - position.left_alone()
    assert position.leaves_alone("1") is is_left_alone(problem) is (problem >= 3)
    assert not position.leaves_alone("2")


def test_a_reason_of_a_later_release_reads_as_given_up_and_a_number_of_tries_as_none() -> None:
    assert LeftAlone(99) is LeftAlone.GIVEN_UP
    with pytest.raises(ValueError, match="2 is not a valid LeftAlone"):
        LeftAlone(2)


def test_no_module_tells_tries_from_reasons_by_a_comparison_of_its_own() -> None:
    compared = re.compile(r"[<>]=?\s*LeftAlone\.|LeftAlone\.\w+\s*[<>]")
    found = [path.name for path in CORE.rglob("*.py") if compared.search(path.read_text(encoding="utf-8"))]
    assert found == ["mailbox_state.py"]
