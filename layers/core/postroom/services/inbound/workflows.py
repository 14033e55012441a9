"""Run the workflows over a mail that was understood, threaded and routed, and tell what came of each (W01-W08)."""

from __future__ import annotations

from dataclasses import replace

from postroom.model import Decision, Interaction, Named, Outcome, Status, Understanding
from postroom.model import DecisionRule as Rule
from postroom.model.case import CaseEffects
from postroom.model.configuration import Trigger, WorkflowAction
from postroom.rules.cases import MOST_NOTE
from postroom.rules.workflows import Run, RunResult, Snapshot, WorkflowPlan, plan_workflows
from postroom.services.inbound.facts import Facts
from postroom.services.policy import Policy

MOST_TOLD = 30  # workflows that have a line of their own in `why`


def run_workflows(interaction: Interaction, mail: Understanding, policy: Policy, facts: Facts) -> WorkflowPlan:
    """Plan what the workflows in force do with a mail; pure."""
    workflows = policy.configuration.workflows
    if not workflows:
        return WorkflowPlan()
    return plan_workflows(workflows, snapshot(interaction, mail, policy, facts))


def snapshot(interaction: Interaction, mail: Understanding, policy: Policy, facts: Facts) -> Snapshot:
    """Return the mail as workflows see it."""
    return Snapshot(
        trigger=Trigger.RECEIVED if interaction.thread_id == interaction.id else Trigger.JOINED,
        mail=mail,
        subtype=str(interaction.subtype.value),
        mailbox=facts.mailbox.name if facts.mailbox else facts.mailbox_name,
        endpoint=(facts.mailbox.endpoint or "") if facts.mailbox else "",
        department=interaction.department,
        queue=interaction.queue,
        thread=interaction.thread_id,
        now=facts.now,
        configuration=policy.configuration,
        server_date=interaction.server_date,
        oversize=facts.oversize,
    )


def applied(interaction: Interaction, plan: WorkflowPlan, policy: Policy) -> Interaction:
    """Return the interaction where the plan wants it, with the trace among its decisions."""
    decisions = list(told(plan))
    queue = plan.queue or interaction.queue
    if plan.failure:
        settings = policy.configuration.settings
        department = policy.configuration.department(interaction.department)
        queue = (department.exception_queue if department else None) or settings.exception_queue
        decisions.append(Decision(Rule.ROUTE, Named(queue), f"the exception queue: {plan.failure}"))
    elif plan.queue:
        decisions.append(Decision(Rule.ROUTE, Named(queue), f"a workflow routes it to queue {queue}"))
    if not decisions:
        return interaction
    status = Status.QUEUED if plan.failure else interaction.status
    return replace(interaction, queue=queue, status=status, decisions=(*interaction.decisions, *decisions))


def effects_of(plan: WorkflowPlan) -> CaseEffects:
    """Return what the plan wants of the mail's case."""
    return CaseEffects(
        queue=None if plan.failure else plan.queue,
        priority=plan.priority,
        category=plan.category,
        add_tags=plan.tags_added,
        remove_tags=plan.tags_removed,
        fields=plan.fields,
        note="\n\n".join(plan.notes)[:MOST_NOTE],
    )


def told(plan: WorkflowPlan) -> list[Decision]:
    """Say in a line each what workflows came to; those that did not match share one."""
    lines = [
        Decision(Rule.WORKFLOW, run.result, _line(run))
        for run in plan.runs
        if run.result not in (RunResult.NO_MATCH, RunResult.NOT_RUN)
    ]
    if len(lines) > MOST_TOLD:
        lines = [*lines[:MOST_TOLD], Decision(Rule.WORKFLOW, Outcome.CUT, f"{len(lines) - MOST_TOLD} more")]
    for result in (RunResult.NO_MATCH, RunResult.NOT_RUN):
        names = [run.workflow for run in plan.runs if run.result is result]
        if names:
            more = f" and {len(names) - MOST_TOLD} more" if len(names) > MOST_TOLD else ""
            lines.append(Decision(Rule.WORKFLOW, result, ", ".join(names[:MOST_TOLD]) + more))
    return lines


def _line(run: Run) -> str:
    return ": ".join(filter(None, (run.workflow, run.detail, ", ".join(map(_action, run.actions)))))


def _action(action: WorkflowAction) -> str:
    value = action.value
    if value is True:
        return action.kind.value
    if isinstance(value, tuple):
        value = " ".join(map(str, value))
    elif hasattr(value, "items"):
        value = ", ".join(f"{key} {one}" for key, one in value.items())
    return f"{action.kind.value} {value}"[:200]
