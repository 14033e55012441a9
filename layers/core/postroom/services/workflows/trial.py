"""Run workflows over mails and apply nothing (W07): what each would do, and which never matched."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from postroom.model import Decision, Outcome, RawMessage
from postroom.model import DecisionRule as Rule
from postroom.model.configuration import Configuration
from postroom.rules import department_of
from postroom.rules.workflows import RunResult, WorkflowPlan
from postroom.services.inbound import Facts, find_thread, plan_inbound, understand
from postroom.services.policy import policy_of

EXAMPLES = 20


@dataclass(slots=True)
class Tally:
    """What came of one workflow over several mails."""

    results: Counter[str] = field(default_factory=Counter)
    actions: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)  # of mails that it matched
    failures: list[str] = field(default_factory=list)


def plan_for(raw: bytes, configuration: Configuration, *, mailbox: str | None, now: datetime) -> WorkflowPlan:
    """Plan what the workflows of a configuration would do with a mail, as if it began a thread now in a mailbox."""
    found = next((one for one in configuration.mailboxes if one.name == mailbox), None)
    policy = policy_of(configuration, department=department_of(configuration, found))
    alone = find_thread.Threaded(None, None, Decision(Rule.THREAD_NO_REFERENCE, Outcome.NEW))
    facts = Facts(RawMessage("", raw, {}), mailbox or "", found, now)
    return plan_inbound(understand(raw, policy=policy), alone, policy, facts).own.workflows


def tally(plans: Iterable[tuple[str, WorkflowPlan]], configuration: Configuration) -> dict[str, Tally]:
    """Count by workflow what came of it, over (name of the mail, plan); those that never ran are there too."""
    found = {workflow.name: Tally() for workflow in configuration.workflows}
    for source, plan in plans:
        for run in plan.runs:
            if run.workflow not in found:
                continue
            one = found[run.workflow]
            one.results[run.result.value] += 1
            one.actions.update(action.kind.value for action in run.actions)
            if run.actions and len(one.examples) < EXAMPLES:
                one.examples.append(source)
            if run.result is RunResult.FAILED and len(one.failures) < EXAMPLES:
                one.failures.append(f"{source}: {run.detail}")
    return found
