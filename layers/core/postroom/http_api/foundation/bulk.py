"""Acts on many objects at once: each has an answer of its own (207)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pydantic import Field

from postroom.errors import Invalid, PostroomError, Problem
from postroom.services.api import ApiAnswer, ProblemDetails, problems

MOST_ITEMS = 100
"""Of a page, and of an act on many."""


class ItemAnswer(ApiAnswer):
    """What came of an act on one of many."""

    id: str
    status: int = Field(description="The HTTP status that the act on this one alone would have had.")
    problem: ProblemDetails | None = None


class BulkAnswer(ApiAnswer):
    """What came of an act on many objects, in the order of the request."""

    items: tuple[ItemAnswer, ...]


def on_many(ids: Sequence[str], act: Callable[[str], object]) -> BulkAnswer:
    """Do an act on each of up to 100 objects; what one meets is told with it, and stops none of the others."""
    if len(ids) > MOST_ITEMS:
        raise Invalid([Problem("ids", f"names {len(ids):,} objects.", f"Name at most {MOST_ITEMS}.")])
    if len(set(ids)) < len(ids):
        raise Invalid([Problem("ids", "names an object twice.", "Name each once.")])
    return BulkAnswer(items=tuple(_one(name, act) for name in ids))


def _one(name: str, act: Callable[[str], object]) -> ItemAnswer:
    try:
        act(name)
    except PostroomError as error:
        problem = problems.problem_of(error)
        return ItemAnswer(id=name, status=problem.status, problem=problem)
    return ItemAnswer(id=name, status=200)
