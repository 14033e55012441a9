"""Workflows: conditions over a mail and its case, and the plan that comes of them. Pure."""

from typing import TYPE_CHECKING

from postroom.room import lazily

if TYPE_CHECKING:
    from postroom.rules.workflows.conditions import OPERATORS, parse_moment
    from postroom.rules.workflows.plan import PLACEHOLDER, Run, RunResult, WorkflowPlan, plan_workflows
    from postroom.rules.workflows.snapshot import FIELDS, FieldKind, Snapshot, find_field
else:
    __getattr__ = lazily(
        __name__,
        {
            "conditions": ["OPERATORS", "parse_moment"],
            "plan": ["PLACEHOLDER", "Run", "RunResult", "WorkflowPlan", "plan_workflows"],
            "snapshot": ["FIELDS", "FieldKind", "Snapshot", "find_field"],
        },
    )

__all__ = [
    "FIELDS",
    "OPERATORS",
    "PLACEHOLDER",
    "FieldKind",
    "Run",
    "RunResult",
    "Snapshot",
    "WorkflowPlan",
    "find_field",
    "parse_moment",
    "plan_workflows",
]
