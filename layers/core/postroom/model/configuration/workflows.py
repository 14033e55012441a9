"""Workflows: conditions and actions as administrators write them (W01-W12).

What is read here is the shape alone; `services/configuration/checks/workflows.py` says what fields, operators and names
mean nothing, and `postroom.rules.workflows` evaluates them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from postroom.model.configuration.fields import ConfigObject, Line, Name

MOST_DEPTH, MOST_LEAVES, MOST_ACTIONS = 6, 60, 20


class Trigger(StrEnum):
    """What a workflow runs at."""

    RECEIVED = "received"  # a mail that begins a thread
    JOINED = "joined"  # a mail that joins one


class Operator(StrEnum):
    """How a leaf compares a field with a value."""

    EQUALS = "equals"
    NOT_EQUALS = "not_equals"
    IN = "in"
    NOT_IN = "not_in"
    CONTAINS = "contains"
    CONTAINS_ANY = "contains_any"
    CONTAINS_ALL = "contains_all"
    STARTS_WITH = "starts_with"
    ENDS_WITH = "ends_with"
    MATCHES = "matches"  # RE2
    EXISTS = "exists"
    EMPTY = "empty"
    LESS = "<"
    AT_MOST = "<="
    MORE = ">"
    AT_LEAST = ">="
    BETWEEN = "between"  # both ends count
    BEFORE = "before"
    AFTER = "after"
    WITHIN_HOURS = "within_hours"  # of a calendar
    OUTSIDE_HOURS = "outside_hours"


class ActionKind(StrEnum):
    """What a workflow may want done. None of them deletes a mail or runs code."""

    ROUTE = "route"
    SET_PRIORITY = "set_priority"
    SET_CATEGORY = "set_category"
    ADD_TAGS = "add_tags"
    REMOVE_TAGS = "remove_tags"
    SET_FIELD = "set_field"
    NOTE = "note"
    ACKNOWLEDGE = "acknowledge"
    SUPPRESS_ACKNOWLEDGEMENT = "suppress_acknowledgement"
    EXCEPTION = "exception"
    WORKFLOW = "workflow"  # go on in another one
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Leaf:
    """A field compared with a value; `case`: letters count as they are written."""

    field: str
    operator: Operator
    value: Any
    case: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Conditions that must `all` hold, or of which `any` must, or the one that must `not`."""

    kind: Literal["all", "any", "not"]
    parts: tuple[Condition, ...]


Condition = Leaf | Group


@dataclass(frozen=True, slots=True)
class WorkflowAction:
    """One action; `value` as it is written: a text, a number, a list or a mapping."""

    kind: ActionKind
    value: Any = True


def leaves(condition: Condition | None) -> Iterator[Leaf]:
    """List the leaves of a tree of conditions."""
    if isinstance(condition, Leaf):
        yield condition
    elif isinstance(condition, Group):
        for part in condition.parts:
            yield from leaves(part)


def parse_condition(value: Any) -> Condition | None:
    """Read `{all: […]}`, `{any: […]}`, `{not: …}` or `{field: …, <operator>: …}`; None for none."""
    if value is None or isinstance(value, (Leaf, Group)):
        return value
    condition = _condition(value, "", depth=1)
    if (count := sum(1 for _leaf in leaves(condition))) > MOST_LEAVES:
        raise ValueError(f"has {count} comparisons; {MOST_LEAVES} are the most, split the workflow")
    return condition


def _condition(value: Any, at: str, *, depth: int) -> Condition:
    place = f"{at}: " if at else ""
    if depth > MOST_DEPTH:
        raise ValueError(f"{place}conditions stand more than {MOST_DEPTH} deep; write them flatter")
    if not isinstance(value, Mapping):
        raise ValueError(f"{place}is no condition; write {{field: subject, contains: invoice}}, or all, any, not")
    groups = [key for key in ("all", "any", "not") if key in value]
    if groups:
        kind = groups[0]
        if len(value) != 1:
            raise ValueError(f"{place}`{kind}` stands beside other keys; give each condition a place of its own")
        inner = [value[kind]] if kind == "not" else value[kind]
        if not isinstance(inner, (list, tuple)) or not inner:
            raise ValueError(f"{place}`{kind}` holds no list of conditions; give at least one")
        step = f"{at}.{kind}" if at else kind
        places = [step] if kind == "not" else [f"{step}[{number}]" for number in range(len(inner))]
        parts = tuple(_condition(one, where, depth=depth + 1) for one, where in zip(inner, places, strict=True))
        return Group(kind, parts)  # type: ignore[arg-type]  # one of the three keys
    return _leaf(value, place)


def _leaf(value: Mapping[str, Any], place: str) -> Leaf:
    field = value.get("field")
    if not isinstance(field, str) or not field:
        raise ValueError(f"{place}`field` is missing; name what is compared, as `field: subject`")
    given = [key for key in value if key not in ("field", "case")]
    known = [key for key in given if key in _OPERATORS]
    if unknown := [key for key in given if key not in _OPERATORS]:
        raise ValueError(f"{place}`{unknown[0]}` is no operator; use one of {', '.join(_OPERATORS)}")
    if len(known) != 1:
        raise ValueError(f"{place}`{field}` has {len(known)} operators; give exactly one")
    case = as_flag(value.get("case", False))
    if case is None:
        raise ValueError(f"{place}`case` is no yes or no; write true or false")
    operator = Operator(known[0])
    given_value = _frozen(value[known[0]])
    if operator in (Operator.EXISTS, Operator.EMPTY) and (flag := as_flag(given_value)) is not None:
        given_value = flag
    return Leaf(field, operator, given_value, case)


def as_flag(value: Any) -> bool | None:
    """Read true or false, also as text (files give every scalar as it is written); None for anything else."""
    return value if isinstance(value, bool) else {"true": True, "false": False}.get(str(value))


def as_number(value: Any) -> float | None:
    """Read a number, also as text; None for anything else."""
    if isinstance(value, bool):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def write_condition(condition: Condition | None) -> Any:
    """Write a condition as it is read."""
    if condition is None:
        return None
    if isinstance(condition, Group):
        parts = [write_condition(part) for part in condition.parts]
        return {condition.kind: parts[0] if condition.kind == "not" else parts}
    value = list(condition.value) if isinstance(condition.value, tuple) else condition.value
    return {"field": condition.field, condition.operator.value: value, **({"case": True} if condition.case else {})}


def parse_action(value: Any) -> WorkflowAction:
    """Read `{<action>: <value>}`, or an action that needs no value by its name alone."""
    if isinstance(value, WorkflowAction):
        return value
    name, given = (value, True) if isinstance(value, str) else (None, None)
    if isinstance(value, Mapping) and len(value) == 1:
        ((name, given),) = value.items()
    if name not in _ACTIONS:
        known = ", ".join(_ACTIONS)
        raise ValueError(f"{value!r} is no action; write one of {known}, as `set_priority: 5`")
    return WorkflowAction(ActionKind(name), True if as_flag(given) else _frozen(given))


def write_action(action: WorkflowAction) -> Any:
    """Write an action as it is read."""
    value = list(action.value) if isinstance(action.value, tuple) else action.value
    return action.kind.value if value is True else {action.kind.value: value}


def _parse_otherwise(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return tuple(parse_action(one) for one in value)
    if value not in ("next", "stop"):
        raise ValueError(f"{value!r} is neither next, stop, nor a list of actions")
    return value


_OPERATORS = tuple(one.value for one in Operator)
_ACTIONS = tuple(one.value for one in ActionKind)

_WrittenAction = Annotated[
    WorkflowAction,
    BeforeValidator(parse_action),
    PlainSerializer(write_action),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "enum": list(_ACTIONS)},
                {"type": "object", "minProperties": 1, "maxProperties": 1, "propertyNames": {"enum": list(_ACTIONS)}},
            ]
        }
    ),
]
_WrittenCondition = Annotated[
    Leaf | Group | None,
    BeforeValidator(parse_condition),
    PlainSerializer(write_condition),
    WithJsonSchema({"type": ["object", "null"]}),
]
_Otherwise = Annotated[
    Literal["next", "stop"] | tuple[WorkflowAction, ...],
    BeforeValidator(_parse_otherwise),
    PlainSerializer(lambda value: value if isinstance(value, str) else [write_action(one) for one in value]),
    WithJsonSchema({"anyOf": [{"enum": ["next", "stop"]}, {"type": "array"}]}),
]


class Expectation(ConfigObject):
    """What a workflow is expected to do with a mail; held to by `config check` (W09)."""

    mail: Line = Field(description="Path of a mail, beside the configuration file.")
    actions: tuple[ActionKind, ...] = Field(description="What is planned for it by this workflow, in this order.")


class Workflow(ConfigObject):
    """Conditions on a mail, and what is done where they hold. Workflows run in the order in which they are written."""

    name: Name
    department: str | None = Field(default=None, description="Only its mail; empty: all mail.")
    description: Line = ""
    on: tuple[Trigger, ...] = Field(default=(Trigger.RECEIVED,), min_length=1, description="What it runs at.")
    mailboxes: tuple[str, ...] = Field(default=(), description="Only their mail; empty: that of all.")
    queues: tuple[str, ...] = Field(default=(), description="Only mail that goes to these; empty: to any.")
    enabled: bool = True
    mode: Literal["active", "shadow"] = Field(
        default="active", description="shadow: what it would do is told by `why`, and not done."
    )
    when: _WrittenCondition = Field(default=None, description="Conditions; empty: always.")
    then: tuple[_WrittenAction, ...] = Field(min_length=1, max_length=MOST_ACTIONS, description="Where they hold.")
    otherwise: _Otherwise = Field(
        default="next", description="Where they do not: go on with the `next` workflow, `stop`, or actions."
    )
    on_error: Literal["exceptions", "stop"] = Field(
        default="exceptions",
        description="When a value cannot be computed the mail goes to the exception queue; stop: no later one runs.",
    )
    expect: tuple[Expectation, ...] = ()
