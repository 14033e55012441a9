"""The case follows its answer: it closes when the answer was sent, and comes back when it did not arrive (§0.3, A27).

Whoever comes first tells it: the sender, a report, or the timer that looks after cases in ANSWERING; it is told once.
"""

from __future__ import annotations

from datetime import datetime

from postroom.errors import Conflict, NotFound
from postroom.model import Outbound, OutboxState
from postroom.model.case import Case, CaseChange, CaseState
from postroom.ports import Cases, Outbox
from postroom.rules import cases as rules
from postroom.rules.cases import triggers as on
from postroom.services.desk.case_change import Members, change, follow

_STATES = {
    OutboxState.SENT: "sent",
    OutboxState.FAILED: "failed",
    OutboxState.UNCERTAIN: "uncertain",
    OutboxState.CANCELLED: "cancelled",
}


def follow_outbound(outbound_id: str, *, outbox: Outbox, cases: Cases, members: Members, now: datetime) -> Case | None:
    """Tell the case of a mail of ours what became of it; None when it has none, or is on its way still."""
    outbound = outbox.get(outbound_id)
    if outbound is None or outbound.automatic:
        return None
    case = follow(outbound.thread_id, cases)
    if case is None:
        return None
    member = members(case.agent or case.last_agent, case.queue)
    if outbound.state in _STATES:
        trigger = on.Outcome(outbound.id, _STATES[outbound.state], _why(outbound), member)
        case = _told(case, trigger, cases, now)
    if outbound.delivery.failed:
        # One report by the state that it led to: each further one is told by who brings it.
        report = f"delivery:{outbound.delivery.value}"
        if not case.bounced(outbound.id):
            case = _told(case, on.Bounced(outbound.id, report, _not_arrived(outbound), member), cases, now)
    return case


def look_after(case: Case, *, outbox: Outbox, cases: Cases, members: Members, now: datetime) -> Case | None:
    """Follow the answer of a case that nobody has told what became of it."""
    if case.state is not CaseState.ANSWERING or case.answer is None:
        return None
    return follow_outbound(case.answer.outbound, outbox=outbox, cases=cases, members=members, now=now)


def _told(case: Case, trigger: on.Trigger, cases: Cases, now: datetime) -> Case:
    try:
        after = rules.change(case, trigger, now=now)
        if after is case or cases.write(CaseChange(case, after)):
            return after
        return change(case.id, trigger, cases=cases, now=now)
    except (Conflict, NotFound):
        return case  # merged meanwhile: the answer belongs to what it was


def _why(outbound: Outbound) -> str:
    if outbound.state is OutboxState.UNCERTAIN:
        return f"Nobody knows whether the answer left: {outbound.reason or 'the server did not say'}"
    return f"The answer was not sent: {outbound.reason or 'no reason was given'}"


def _not_arrived(outbound: Outbound) -> str:
    return f"The answer to {', '.join(outbound.to)} did not arrive: {outbound.delivery.value}"
