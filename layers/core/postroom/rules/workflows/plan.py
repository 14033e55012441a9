"""Plan what workflows do with a mail, pure: the same snapshot gives the same plan, and nothing is done here (W01-W08).

Workflows run in the order in which they are written. Each sees the mail as it was, and what those before it declared;
what they do triggers no workflow. One whose value cannot be computed has no effect at all: the mail goes to the
exception queue with the reason, and the others go on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from postroom.model.configuration import ActionKind, Configuration, Workflow, WorkflowAction, as_number
from postroom.rules.workflows.conditions import Budget, NotComputable, evaluate
from postroom.rules.workflows.snapshot import Snapshot, find_field

MOST_CHAINED = 3


class RunResult(StrEnum):
    """What came of one workflow."""

    APPLIED = "applied"
    OTHERWISE = "otherwise"  # its conditions do not hold, and it says what then
    NO_MATCH = "no-match"
    FAILED = "failed"
    SHADOW = "shadow"  # it would have been applied
    NOT_RUN = "not-run"  # an earlier one stopped


@dataclass(frozen=True, slots=True)
class Run:
    """One workflow's part in a plan: the trace that people read."""

    workflow: str
    result: RunResult
    actions: tuple[WorkflowAction, ...] = ()
    detail: str = ""


@dataclass(frozen=True, slots=True)
class WorkflowPlan:
    """What is to be done with a mail. None: workflows say nothing about it."""

    queue: str | None = None
    priority: int | None = None
    category: str | None = None
    tags_added: frozenset[str] = frozenset()
    tags_removed: frozenset[str] = frozenset()
    fields: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    acknowledgement: str | None = None  # a template; empty: none at all
    failure: str = ""  # why it goes to the exception queue
    runs: tuple[Run, ...] = ()


@dataclass(slots=True)
class _Effects:
    """What workflows declared so far, and how the next one sees it."""

    plan: WorkflowPlan
    at: Snapshot
    stopped: bool = False


def plan_workflows(workflows: Sequence[Workflow], at: Snapshot) -> WorkflowPlan:
    """Run all workflows over one snapshot."""
    budget = Budget()
    effects = _Effects(WorkflowPlan(), at)
    runs: list[Run] = []
    for workflow in workflows:
        if not _concerns(workflow, effects.at):
            continue
        if effects.stopped:
            runs.append(Run(workflow.name, RunResult.NOT_RUN, detail="an earlier workflow stopped"))
            continue
        runs.append(_run(workflow, workflows, effects, budget))
    if budget.cut:
        runs.append(Run("", RunResult.APPLIED, detail=f"of {', '.join(sorted(budget.cut))} the beginning was compared"))
    return replace(effects.plan, runs=tuple(runs))


def _concerns(workflow: Workflow, at: Snapshot) -> bool:
    return (
        workflow.enabled
        and at.trigger in workflow.on
        and workflow.department in (None, at.department)
        and (not workflow.mailboxes or at.mailbox in workflow.mailboxes)
        and (not workflow.queues or at.queue in workflow.queues)
    )


def _run(workflow: Workflow, workflows: Sequence[Workflow], effects: _Effects, budget: Budget) -> Run:
    before = _Effects(effects.plan, replace(effects.at, groups={}) if effects.at.groups else effects.at)
    try:
        actions, result = _chosen(workflow, before, budget)
        done = _apply(actions, before, workflows, budget, chained=0)
    except NotComputable as error:
        reason = f"workflow {workflow.name}: {error.reason}"
        if workflow.mode == "active":  # a trial run sends no mail astray
            effects.plan = replace(effects.plan, failure=effects.plan.failure or reason)
            effects.stopped = workflow.on_error == "stop"
        return Run(workflow.name, RunResult.FAILED, detail=error.reason)
    if workflow.mode == "shadow":
        return Run(workflow.name, RunResult.SHADOW if actions else RunResult.NO_MATCH, done)
    effects.plan, effects.at, effects.stopped = before.plan, before.at, before.stopped
    if result is RunResult.NO_MATCH and workflow.otherwise == "stop":
        effects.stopped = True
    return Run(workflow.name, result, done)


def _chosen(workflow: Workflow, effects: _Effects, budget: Budget) -> tuple[Sequence[WorkflowAction], RunResult]:
    verdict = evaluate(workflow.when, effects.at, budget)
    effects.at = effects.at.with_groups(verdict.groups)
    if verdict.holds:
        return workflow.then, RunResult.APPLIED
    if isinstance(workflow.otherwise, tuple):
        return workflow.otherwise, RunResult.OTHERWISE
    return (), RunResult.NO_MATCH


def _apply(
    actions: Sequence[WorkflowAction],
    effects: _Effects,
    workflows: Sequence[Workflow],
    budget: Budget,
    *,
    chained: int,
) -> tuple[WorkflowAction, ...]:
    """Declare the effects of actions in order; returns those that were reached."""
    done: list[WorkflowAction] = []
    for action in actions:
        budget.spend()
        if action.kind is ActionKind.STOP:
            effects.stopped = True
            return (*done, action)
        if action.kind is ActionKind.WORKFLOW:
            if chained == MOST_CHAINED:
                raise NotComputable(f"more than {MOST_CHAINED} workflows call each other")
            target = next((one for one in workflows if one.name == action.value), None)
            if target is None:
                raise NotComputable(f"there is no workflow {action.value}")
            inner, _result = _chosen(target, effects, budget)
            done += (action, *_apply(inner, effects, workflows, budget, chained=chained + 1))
            continue
        _declare(action, effects)
        done.append(action)
    return tuple(done)


def _declare(action: WorkflowAction, effects: _Effects) -> None:
    plan, at, value = effects.plan, effects.at, action.value
    match action.kind:
        case ActionKind.ROUTE:
            queue = value.get("queue") if isinstance(value, Mapping) else value
            _usable_queue(at.configuration, str(queue))
            plan, at = replace(plan, queue=str(queue)), replace(at, queue=str(queue))
        case ActionKind.EXCEPTION:
            plan = replace(plan, failure=plan.failure or filled(str(value), at))
        case ActionKind.SET_PRIORITY:
            priority = int(as_number(value) or 0)
            plan, at = replace(plan, priority=priority), replace(at, priority=priority)
        case ActionKind.SET_CATEGORY:
            category = filled(str(value), at)
            plan, at = replace(plan, category=category), replace(at, category=category)
        case ActionKind.ADD_TAGS:
            tags = _words(value)
            plan = replace(plan, tags_added=plan.tags_added | tags, tags_removed=plan.tags_removed - tags)
            at = replace(at, tags=at.tags | tags)
        case ActionKind.REMOVE_TAGS:
            tags = _words(value)
            plan = replace(plan, tags_added=plan.tags_added - tags, tags_removed=plan.tags_removed | tags)
            at = replace(at, tags=at.tags - tags)
        case ActionKind.SET_FIELD:
            given = {str(key): filled(str(one), at) for key, one in value.items()}
            plan = replace(plan, fields={**plan.fields, **given})
            at = replace(at, fields={**at.fields, **given})
        case ActionKind.NOTE:
            plan = replace(plan, notes=(*plan.notes, filled(str(value), at)))
        case ActionKind.ACKNOWLEDGE:
            template = value.get("template") if isinstance(value, Mapping) else value
            if at.configuration.template(str(template)) is None:
                raise NotComputable(f"there is no template {template}")
            plan = replace(plan, acknowledgement=str(template))
        case ActionKind.SUPPRESS_ACKNOWLEDGEMENT:
            plan = replace(plan, acknowledgement="")
        case _:
            raise NotComputable(f"{action.kind.value} cannot be done here")
    effects.plan, effects.at = plan, at


def _usable_queue(configuration: Configuration, name: str) -> None:
    found = next((one for one in configuration.queues if one.name == name), None)
    if found is None and configuration.queues:
        raise NotComputable(f"there is no queue {name}")
    if found is not None and not found.active:
        raise NotComputable(f"queue {name} is not active")


def _words(value: Any) -> frozenset[str]:
    return frozenset(map(str, value)) if isinstance(value, (list, tuple)) else frozenset({str(value)})


PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z0-9_.]+)\s*(?:\|([^{}|]*))?\}\}")
"""`{{field}}`, or `{{field|what stands there when the field is missing}}`."""

_LONGEST = 500  # characters of a value that is put into a text


def filled(text: str, at: Snapshot) -> str:
    """Put values of fields into a text; raises NotComputable for one that is missing and has no fall-back."""

    def value(found: re.Match[str]) -> str:
        known = find_field(found[1])
        read = known.read(at) if known else None
        if read is None or read in ("", ()):
            if found[2] is None:
                raise NotComputable(f"{found[1]} is missing, and `{{{{{found[1]}|…}}}}` names nothing instead")
            return found[2]
        return (", ".join(read) if isinstance(read, tuple) else str(read))[:_LONGEST]

    return PLACEHOLDER.sub(value, text)
