"""Workflows that could not do what they say: unknown fields, operators that a field does not take, missing names."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from postroom.model.configuration import (
    ActionKind,
    Condition,
    Configuration,
    Group,
    Leaf,
    Operator,
    Workflow,
    WorkflowAction,
    as_flag,
    as_number,
)
from postroom.rules import patterns
from postroom.rules.workflows import FIELDS, OPERATORS, PLACEHOLDER, FieldKind, find_field, parse_moment
from postroom.services.configuration.checks.finding import Finding, Path
from postroom.services.configuration.checks.references import names

MOST_WORKFLOWS = 200
_LONGEST_TAG = 50


def problems(configuration: Configuration) -> Iterator[Finding]:
    """List what is wrong with workflows."""
    counts: dict[str | None, int] = {}
    for index, workflow in enumerate(configuration.workflows):
        path: Path = ("workflows", index)
        counts[workflow.department] = counts.get(workflow.department, 0) + 1
        if counts[workflow.department] == MOST_WORKFLOWS + 1:
            yield Finding(path, f"is one more than {MOST_WORKFLOWS} workflows of one department.", "Join some.")
        yield from _names((*path, "mailboxes"), workflow.mailboxes, _known(configuration, "mailboxes"), "mailbox")
        yield from _names((*path, "queues"), workflow.queues, names(configuration, "queues"), "queue")
        if workflow.when is not None:
            yield from _condition((*path, "when"), workflow.when, configuration)
        groups = _groups(workflow.when)
        for field, actions in (("then", workflow.then), ("otherwise", workflow.otherwise)):
            if isinstance(actions, tuple):
                for number, action in enumerate(actions):
                    yield from _action((*path, field, number), action, configuration, workflow, groups)
                yield from _behind_a_stop((*path, field), actions)


def warnings(configuration: Configuration) -> Iterator[Finding]:
    """List workflows that can never match, or read otherwise than most people mean."""
    for index, workflow in enumerate(configuration.workflows):
        for group in _all_groups(workflow.when):
            yield from _contradiction(("workflows", index, "when"), group)


# --- conditions ---


def _condition(path: Path, condition: Condition, configuration: Configuration) -> Iterator[Finding]:
    if isinstance(condition, Group):
        for part in condition.parts:
            yield from _condition(path, part, configuration)
        return
    field = find_field(condition.field)
    if field is None:
        yield Finding(path, f"`{condition.field}` is no field.", _closest(condition.field, FIELDS))
        return
    if condition.operator not in OPERATORS[field.kind]:
        fitting = ", ".join(one.value for one in Operator if one in OPERATORS[field.kind])
        yield Finding(
            path,
            f"`{condition.operator.value}` says nothing about `{condition.field}`, which is a {field.kind.value}.",
            f"Use one of {fitting}.",
        )
        return
    family, _, name = condition.field.rpartition(".")
    if family == "hours" and configuration.calendar(name) is None:
        yield Finding(path, f"there is no calendar `{name}`.", _closest(name, _known(configuration, "calendars")))
    yield from _value(path, condition, field.kind, configuration)


def _value(path: Path, leaf: Leaf, kind: FieldKind, configuration: Configuration) -> Iterator[Finding]:
    value, at = leaf.value, f"`{leaf.field}`: `{leaf.operator.value}`"
    if leaf.operator is Operator.MATCHES:
        if (refused := patterns.explain(str(value), path="pattern")) is not None:
            yield Finding(path, f"{at} {refused.problem}", refused.remedy)
        return
    if leaf.operator in (Operator.WITHIN_HOURS, Operator.OUTSIDE_HOURS):
        if configuration.calendar(str(value)) is None:
            yield Finding(
                path, f"{at} names no calendar: `{value}`.", _closest(str(value), _known(configuration, "calendars"))
            )
        return
    for fits, problem, remedy in _SHAPES.get(leaf.operator, ()):
        if not fits(value):
            yield Finding(path, f"{at} {problem}.", remedy)
            return
    many = value if isinstance(value, tuple) else (value,)
    fits_kind, example = _OF_KIND[kind]
    if leaf.operator not in (Operator.EXISTS, Operator.EMPTY) and not all(fits_kind(one) for one in many):
        yield Finding(path, f"{at} compares with {value!r}, which is no {kind.value}.", f"Write {example}.")


def _is_text(value: Any) -> bool:
    return isinstance(value, (str, int, float)) and not isinstance(value, bool) and str(value) != ""


def _is_number(value: Any) -> bool:
    return as_number(value) is not None


def _is_moment(value: Any) -> bool:
    try:
        parse_moment(value)
    except ValueError:
        return False
    return True


_OF_KIND: Mapping[FieldKind, tuple[Callable[[Any], bool], str]] = {
    FieldKind.TEXT: (_is_text, "a text that is not empty, or `empty: true`"),
    FieldKind.TEXTS: (_is_text, "a text that is not empty, or `empty: true`"),
    FieldKind.NUMBER: (_is_number, "a number"),
    FieldKind.FLAG: (lambda value: as_flag(value) is not None, "true or false"),
    FieldKind.MOMENT: (_is_moment, "a date like 2026-12-24, or a moment like 2026-12-24T12:00:00Z"),
}


def _in_order(value: Any) -> bool:
    numbers = [as_number(one) for one in value]
    return value[0] <= value[1] if None in numbers else numbers == sorted(numbers)  # type: ignore[type-var]


_LIST = (lambda value: isinstance(value, tuple) and bool(value), "needs a list", "Write [one, another].")
_ONE = (
    lambda value: not isinstance(value, tuple),
    "takes one value, no list",
    "Use in or contains_any for several.",
)
_PAIR = (lambda value: isinstance(value, tuple) and len(value) == 2, "needs two values", "Write [from, up to].")
_YES_NO = (lambda value: isinstance(value, bool), "takes true or false", "Write true or false.")
_SHAPES: Mapping[Operator, tuple[tuple[Callable[[Any], bool], str, str], ...]] = {
    Operator.IN: (_LIST,),
    Operator.NOT_IN: (_LIST,),
    Operator.CONTAINS_ANY: (_LIST,),
    Operator.CONTAINS_ALL: (_LIST,),
    Operator.BETWEEN: (
        _PAIR,
        (lambda value: value[0] <= value[1], "ends before it begins", "Write [from, up to]."),
    ),
    Operator.EXISTS: (_YES_NO,),
    Operator.EMPTY: (_YES_NO,),
    Operator.EQUALS: (_ONE,),
    Operator.NOT_EQUALS: (_ONE,),
    Operator.CONTAINS: (_ONE,),
    Operator.STARTS_WITH: (),
    Operator.ENDS_WITH: (),
    Operator.LESS: (_ONE,),
    Operator.AT_MOST: (_ONE,),
    Operator.MORE: (_ONE,),
    Operator.AT_LEAST: (_ONE,),
    Operator.BEFORE: (_ONE,),
    Operator.AFTER: (_ONE,),
}


def _all_groups(condition: Condition | None) -> Iterator[Group]:
    if isinstance(condition, Group):
        yield condition
        for part in condition.parts:
            yield from _all_groups(part)


def _contradiction(path: Path, group: Group) -> Iterator[Finding]:
    leaves = [one for one in group.parts if isinstance(one, Leaf)]
    equal: dict[str, object] = {}
    for leaf in leaves:
        if group.kind == "all" and leaf.operator is Operator.EQUALS and not isinstance(leaf.value, tuple):
            first = equal.setdefault(leaf.field, leaf.value)
            several = (field := find_field(leaf.field)) is not None and field.kind is FieldKind.TEXTS
            if first != leaf.value and not several:
                yield Finding(
                    path,
                    f"`{leaf.field}` cannot be `{first}` and `{leaf.value}` at once, so this never matches.",
                    "Use any, or in: […].",
                )
    negative = [one for one in leaves if one.operator in (Operator.NOT_EQUALS, Operator.NOT_IN)]
    if group.kind == "any":
        for leaf in negative:
            if sum(one.field == leaf.field for one in negative) > 1:
                yield Finding(
                    path,
                    f"`any` of two that say what `{leaf.field}` is not holds for every mail.",
                    "Use all, or not_in: […].",
                )
                return


# --- actions ---


def _action(
    path: Path, action: WorkflowAction, configuration: Configuration, workflow: Workflow, groups: frozenset[str]
) -> Iterator[Finding]:
    value, name = action.value, action.kind.value
    match action.kind:
        case ActionKind.ROUTE:
            queue = value.get("queue") if isinstance(value, Mapping) else value
            if isinstance(value, Mapping) and (other := sorted(set(value) - {"queue"})):
                yield Finding(path, f"`{other[0]}` is no option of route.", "Write route: {queue: …}.")
            yield from _names(path, (queue,), names(configuration, "queues"), "queue")
        case ActionKind.ACKNOWLEDGE:
            template = value.get("template") if isinstance(value, Mapping) else value
            yield from _names(path, (template,), _known(configuration, "templates"), "template")
        case ActionKind.WORKFLOW:
            known = _known(configuration, "workflows")
            yield from _names(path, (value,), known, "workflow")
            if value in known and workflow.name in _called(configuration, str(value)):
                yield Finding(path, f"`{value}` leads back to `{workflow.name}`.", "Let no workflow call itself.")
        case ActionKind.SET_PRIORITY:
            priority = as_number(value)
            if priority is None or priority != int(priority) or not -100 <= priority <= 100:
                yield Finding(path, f"set_priority: {value!r} is no whole number from -100 to 100.", "Write one.")
        case ActionKind.ADD_TAGS | ActionKind.REMOVE_TAGS:
            tags = value if isinstance(value, tuple) else (value,)
            if not all(isinstance(tag, str) and 0 < len(tag) <= _LONGEST_TAG for tag in tags):
                yield Finding(path, f"{name}: {value!r} are no tags.", f"Write up to {_LONGEST_TAG} characters each.")
        case ActionKind.SET_FIELD:
            if not isinstance(value, Mapping) or not value:
                yield Finding(path, "set_field names no field.", "Write set_field: {invoice: '{{match.number}}'}.")
            else:
                for text in value.values():
                    yield from _placeholders(path, str(text), groups)
        case ActionKind.SET_CATEGORY | ActionKind.NOTE | ActionKind.EXCEPTION:
            if not isinstance(value, str) or not value.strip():
                yield Finding(path, f"{name} says nothing.", f"Write {name}: and a text.")
            else:
                yield from _placeholders(path, value, groups)
        case ActionKind.STOP | ActionKind.SUPPRESS_ACKNOWLEDGEMENT:
            if value is not True:
                yield Finding(path, f"{name} takes no value.", f"Write {name} alone.")


def _placeholders(path: Path, text: str, groups: frozenset[str]) -> Iterator[Finding]:
    for found in PLACEHOLDER.finditer(text):
        family, _, name = found[1].rpartition(".")
        if find_field(found[1]) is None:
            yield Finding(path, f"`{{{{{found[1]}}}}}` is no field.", _closest(found[1], FIELDS))
        elif family == "match" and name not in groups:
            yield Finding(
                path,
                f"no pattern of the conditions has a group `{name}`.",
                f"Write (?P<{name}>…) in one, or name another group.",
            )


def _groups(condition: Condition | None) -> frozenset[str]:
    if isinstance(condition, Group):
        return frozenset().union(*map(_groups, condition.parts))
    if condition is None or condition.operator is not Operator.MATCHES:
        return frozenset()
    if patterns.explain(str(condition.value)) is not None:
        return frozenset()
    return frozenset(patterns.compile_pattern(str(condition.value)).groupindex)


def _behind_a_stop(path: Path, actions: tuple[WorkflowAction, ...]) -> Iterator[Finding]:
    for number, action in enumerate(actions[:-1]):
        if action.kind is ActionKind.STOP:
            yield Finding((*path, number + 1), "stands behind `stop`, and is never reached.", "Put stop last.")
            return


def _called(configuration: Configuration, name: str) -> set[str]:
    """Name the workflows that one calls, itself and through others."""
    calls = {
        one.name: {str(action.value) for action in one.then if action.kind is ActionKind.WORKFLOW}
        for one in configuration.workflows
    }
    reached, pending = set(), [name]
    while pending:
        if (current := pending.pop()) not in reached:
            reached.add(current)
            pending += calls.get(current, ())
    return reached


def _known(configuration: Configuration, section: str) -> set[str]:
    return {one.name for one in getattr(configuration, section)}


def _names(path: Path, given: Iterable[Any], known: set[str], noun: str) -> Iterator[Finding]:
    for name in given:
        if name not in known:
            yield Finding(path, f"there is no {noun} `{name}`.", _closest(str(name), known))


def _closest(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.5)
    return f"Did you mean `{close[0]}`?" if close else f"There are: {', '.join(sorted(known)) or 'none'}."
