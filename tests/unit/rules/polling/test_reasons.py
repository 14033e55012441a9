"""How the last tries of mails ended is kept for people, and only as long as it is true."""

from __future__ import annotations

import pytest
from postroom.rules.polling.position import MOST_REASON, MOST_REASONS, reasons

CASES: dict[str, tuple[dict[str, str], dict[str, str], dict[str, int], dict[str, str]]] = {
    "first": ({}, {"1": "gave nothing"}, {"1": 1}, {"1": "gave nothing"}),
    "again": ({"1": "gave nothing"}, {"1": "broke off"}, {"1": 2}, {"1": "broke off"}),
    "not-tried-this-time": ({"1": "gave nothing"}, {}, {"1": 2}, {"1": "gave nothing"}),
    "fetched-after-all": ({"1": "gave nothing"}, {}, {}, {}),
    "shortened": ({}, {"1": "x" * 1000}, {"1": 1}, {"1": "x" * MOST_REASON}),
}


@pytest.mark.parametrize(("known", "failed", "problems", "kept"), CASES.values(), ids=CASES.keys())
def test_a_reason_is_the_last_one_of_what_is_a_problem_still(
    known: dict[str, str], failed: dict[str, str], problems: dict[str, int], kept: dict[str, str]
) -> None:
    assert reasons(known, failed, problems) == kept


def test_the_newest_of_very_many_are_kept() -> None:
    known = {str(number): "old" for number in range(MOST_REASONS)}
    kept = reasons(known, {"0": "new", "new": "new"}, dict.fromkeys([*known, "new"], 3))
    assert len(kept) == MOST_REASONS
    assert list(kept)[-2:] == ["0", "new"]
    assert "1" not in kept
