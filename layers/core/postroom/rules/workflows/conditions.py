"""Evaluate conditions over a snapshot, within a budget of steps: what a pattern costs grows with the text (W11).

Text is compared in NFKC with its case folded, unless a comparison says `case: true`. Of a field that is missing, every
operator is false but `empty`, `exists: false` and those that begin with `not_`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from postroom.model.configuration import Condition, Group, Leaf, Operator, as_flag, as_number
from postroom.rules import compile_pattern
from postroom.rules.service_levels import is_open
from postroom.rules.workflows.snapshot import FieldKind, Snapshot, Value, find_field

MOST_TEXT = 200_000
"""Characters of a field that are looked at; the trace says where a text was longer."""

MOST_STEPS = 10_000
"""For all workflows that look at one mail. A comparison is a step, and so are a thousand characters looked through."""

O = Operator  # noqa: E741 - the table below is read more often than this line
_ANY = frozenset({O.EXISTS, O.EMPTY})
_TEXT = frozenset(
    {O.EQUALS, O.NOT_EQUALS, O.IN, O.NOT_IN, O.CONTAINS, O.CONTAINS_ANY, O.CONTAINS_ALL, O.STARTS_WITH, O.ENDS_WITH}
    | {O.MATCHES}
)
OPERATORS: Mapping[FieldKind, frozenset[Operator]] = {
    FieldKind.TEXT: _ANY | _TEXT,
    FieldKind.TEXTS: _ANY | _TEXT,
    FieldKind.NUMBER: _ANY | {O.EQUALS, O.NOT_EQUALS, O.IN, O.NOT_IN, O.LESS, O.AT_MOST, O.MORE, O.AT_LEAST, O.BETWEEN},
    FieldKind.FLAG: _ANY | {O.EQUALS, O.NOT_EQUALS},
    FieldKind.MOMENT: _ANY | {O.BEFORE, O.AFTER, O.BETWEEN, O.WITHIN_HOURS, O.OUTSIDE_HOURS},
}
"""Which operators a field takes."""


class NotComputable(Exception):
    """A value that a workflow needs cannot be computed; `reason` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(slots=True)
class Budget:
    """What is left of the steps of one run, which fields were cut, and texts that were folded already."""

    steps: int = MOST_STEPS
    cut: set[str] = field(default_factory=set)
    _folded: dict[tuple[str, bool], str] = field(default_factory=dict)

    def folded(self, text: str, *, case: bool) -> str:
        """Return a text as comparisons see it; each is folded once a run, however many workflows compare it."""
        if (found := self._folded.get((text, case))) is None:
            found = self._folded[text, case] = folded(text, case=case)
        return found

    def spend(self, characters: int = 0) -> None:
        """Take a step, and one more for each thousand characters; raises NotComputable when there are none left."""
        self.steps -= 1 + characters // 1000
        if self.steps < 0:
            raise NotComputable(f"its comparisons take more than {MOST_STEPS:,} steps")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether conditions hold, and what the groups of patterns caught."""

    holds: bool
    groups: Mapping[str, str] = field(default_factory=dict)


_HOLDS, _FAILS = Verdict(True), Verdict(False)


def evaluate(condition: Condition | None, at: Snapshot, budget: Budget) -> Verdict:
    """Tell whether a condition holds; raises NotComputable."""
    if condition is None:
        return _HOLDS
    if isinstance(condition, Leaf):
        return _leaf(condition, at, budget)
    return _group(condition, at, budget)


def _group(group: Group, at: Snapshot, budget: Budget) -> Verdict:
    if group.kind == "not":
        return _FAILS if evaluate(group.parts[0], at, budget).holds else _HOLDS
    groups: dict[str, str] = {}
    for part in group.parts:
        verdict = evaluate(part, at, budget)
        if verdict.groups:
            groups.update(verdict.groups)
        if verdict.holds is (group.kind == "any"):
            return Verdict(verdict.holds, groups) if groups else verdict
    return Verdict(group.kind == "all", groups)


def _leaf(leaf: Leaf, at: Snapshot, budget: Budget) -> Verdict:
    if leaf.operator is Operator.MATCHES:
        value, missing = _read(leaf, at, budget)
        return _FAILS if missing else _matches(leaf, value, budget)
    return _HOLDS if _holds(leaf, at, budget) else _FAILS


def _read(leaf: Leaf, at: Snapshot, budget: Budget) -> tuple[Value, bool]:
    known = find_field(leaf.field)
    if known is None:
        raise NotComputable(f"there is no field {leaf.field}")
    value = known.read(at)
    budget.spend()
    return value, value is None or value in ("", ())


def _holds(leaf: Leaf, at: Snapshot, budget: Budget) -> bool:
    value, missing = _read(leaf, at, budget)
    if leaf.operator is Operator.EMPTY:
        return missing is bool(leaf.value)
    if leaf.operator is Operator.EXISTS:
        return missing is not bool(leaf.value)
    if missing:
        return leaf.operator in (Operator.NOT_EQUALS, Operator.NOT_IN)
    if isinstance(value, (str, tuple)):
        return _text_holds(leaf, value, budget)
    if isinstance(value, datetime):
        return _moment_holds(leaf, value, at)
    return _plain_holds(leaf, value)


def _texts(leaf: Leaf, value: Value, budget: Budget) -> tuple[str, ...]:
    texts = value if isinstance(value, tuple) else (str(value),)
    if any(len(text) > MOST_TEXT for text in texts):
        budget.cut.add(leaf.field)
    texts = tuple(text[:MOST_TEXT] for text in texts)
    budget.spend(sum(map(len, texts)))
    return texts


def folded(text: str, *, case: bool = False) -> str:
    """Return a text as comparisons see it."""
    plain = unicodedata.normalize("NFKC", text)
    return plain if case else plain.casefold()


@lru_cache(maxsize=4096)  # of the workflows in force, each compared with every mail
def _words(value: Any, case: bool) -> tuple[str, ...]:
    return tuple(folded(str(one), case=case) for one in (value if isinstance(value, tuple) else (value,)))


def _text_holds(leaf: Leaf, value: Value, budget: Budget) -> bool:
    texts = [budget.folded(text, case=leaf.case) for text in _texts(leaf, value, budget)]
    words = _words(leaf.value, leaf.case)
    match leaf.operator:
        case Operator.EQUALS | Operator.IN:
            return any(text in words for text in texts)
        case Operator.NOT_EQUALS | Operator.NOT_IN:
            return all(text not in words for text in texts)
        case Operator.CONTAINS | Operator.CONTAINS_ANY:
            return any(word in text for word in words for text in texts)
        case Operator.CONTAINS_ALL:
            return all(any(word in text for text in texts) for word in words)
        case Operator.STARTS_WITH:
            return any(text.startswith(words) for text in texts)
        case Operator.ENDS_WITH:
            return any(text.endswith(words) for text in texts)
        case _:
            raise NotComputable(f"{leaf.operator.value} says nothing about {leaf.field}")


@lru_cache(maxsize=512)
def _compiled(pattern: str, case: bool) -> Any:
    return compile_pattern(pattern, ignore_case=not case)


def _matches(leaf: Leaf, value: Value, budget: Budget) -> Verdict:
    pattern = _compiled(str(leaf.value), leaf.case)
    for text in _texts(leaf, value, budget):
        if found := pattern.search(budget.folded(text, case=True)):
            groups = {name: caught for name, caught in found.groupdict().items() if caught is not None}
            return Verdict(True, groups)
    return Verdict(False)


_NUMBERS: Mapping[Operator, Callable[[Any, Any], bool]] = {
    Operator.EQUALS: lambda value, wanted: value == wanted,
    Operator.NOT_EQUALS: lambda value, wanted: value != wanted,
    Operator.IN: lambda value, wanted: value in wanted,
    Operator.NOT_IN: lambda value, wanted: value not in wanted,
    Operator.LESS: lambda value, wanted: value < wanted,
    Operator.AT_MOST: lambda value, wanted: value <= wanted,
    Operator.MORE: lambda value, wanted: value > wanted,
    Operator.AT_LEAST: lambda value, wanted: value >= wanted,
    Operator.BETWEEN: lambda value, wanted: wanted[0] <= value <= wanted[1],
}


def _plain_holds(leaf: Leaf, value: Value) -> bool:
    compare = _NUMBERS.get(leaf.operator)
    if compare is None:
        raise NotComputable(f"{leaf.operator.value} says nothing about {leaf.field}")
    read = as_flag if isinstance(value, bool) else as_number
    wanted = tuple(map(read, leaf.value)) if isinstance(leaf.value, tuple) else read(leaf.value)
    if wanted is None or (isinstance(wanted, tuple) and None in wanted):
        raise NotComputable(f"{leaf.field} cannot be compared with {leaf.value}")
    return compare(value, wanted)


def parse_moment(value: Any) -> datetime:
    """Read a date or a moment; without a zone it is UTC. Raises ValueError."""
    moment = datetime.fromisoformat(str(value))
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _moment_holds(leaf: Leaf, value: datetime, at: Snapshot) -> bool:
    match leaf.operator:
        case Operator.BEFORE:
            return value < parse_moment(leaf.value)
        case Operator.AFTER:
            return value > parse_moment(leaf.value)
        case Operator.BETWEEN:
            return parse_moment(leaf.value[0]) <= value <= parse_moment(leaf.value[1])
        case Operator.WITHIN_HOURS | Operator.OUTSIDE_HOURS:
            calendar = at.configuration.calendar(str(leaf.value))
            if calendar is None:
                raise NotComputable(f"there is no calendar {leaf.value}")
            return is_open(calendar, value) is (leaf.operator is Operator.WITHIN_HOURS)
        case _:
            raise NotComputable(f"{leaf.operator.value} says nothing about {leaf.field}")
