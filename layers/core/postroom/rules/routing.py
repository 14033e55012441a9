"""Which queue a mail goes to, and why: endpoint → queue, with fall-backs that never end nowhere (G11, C14, C16)."""

from __future__ import annotations

from dataclasses import dataclass

from postroom.model import Decision, Named, Outcome, Status, Subtype
from postroom.model import DecisionRule as Rule
from postroom.model.configuration import Configuration, Department, Endpoint, Mailbox

_FAILURES = frozenset({Subtype.INBOUND_NDR, Subtype.PERMANENT_UNDELIVERABLE, Subtype.TEMPORARY_UNDELIVERABLE})
_NO_WORK = frozenset({Subtype.INBOUND_REPORT, Subtype.INBOUND_DISPOSITION})


@dataclass(frozen=True, slots=True)
class Route:
    """Where a mail goes. `acknowledgement` names a template, empty for none; reports that need nobody are `done`."""

    queue: str
    department: str
    status: Status
    acknowledgement: str
    decisions: tuple[Decision, ...]


def route(
    configuration: Configuration,
    mailbox: Mailbox | None,
    subtype: Subtype,
    *,
    absent: str = "the mailbox is not configured any more",
) -> Route:
    """Choose the queue; every step that decided, or failed to, is in the decisions.

    `absent` says why there is no mailbox.
    """
    decisions: list[Decision] = []
    department = _department(configuration, mailbox, decisions)
    endpoint = _endpoint(configuration, mailbox, decisions, absent)
    if subtype in _FAILURES:
        wanted = (department.exception_queue if department else None) or configuration.settings.exception_queue
        decisions.append(Decision(Rule.ROUTE, Named(wanted), f"{subtype.value} goes to the exception queue"))
    elif endpoint is not None:
        wanted = endpoint.queue
        decisions.append(Decision(Rule.ROUTE, Named(wanted), f"endpoint {endpoint.name} leads to queue {wanted}"))
    else:
        wanted = (department.default_queue if department else None) or configuration.settings.default_inbound_queue
        decisions.append(Decision(Rule.ROUTE, Named(wanted), "no endpoint applies: the default inbound queue"))
    queue = _existing(configuration, wanted, department, decisions)
    return Route(
        queue=queue,
        department=department.name if department else configuration.settings.default_department,
        status=Status.DONE if subtype in _NO_WORK else Status.QUEUED,
        acknowledgement=(endpoint.acknowledgement or "") if endpoint else "",
        decisions=tuple(decisions),
    )


def department_of(configuration: Configuration, mailbox: Mailbox | None) -> str:
    """Name the department whose rules hold for a mailbox's mail; the same that its interactions belong to."""
    found = _department(configuration, mailbox, [])
    return found.name if found else configuration.settings.default_department


def _department(configuration: Configuration, mailbox: Mailbox | None, decisions: list[Decision]) -> Department | None:
    named = mailbox.department if mailbox else None
    wanted = named or configuration.settings.default_department
    found = next((one for one in configuration.departments if one.name == wanted), None)
    if found is None and configuration.departments:
        found = configuration.departments[0]
        if named:
            decisions.append(
                Decision(Rule.DEPARTMENT, Named(found.name), f"there is no department {named}: the first one")
            )
    return found


def _endpoint(
    configuration: Configuration, mailbox: Mailbox | None, decisions: list[Decision], absent: str
) -> Endpoint | None:
    endpoints = {endpoint.name: endpoint for endpoint in configuration.endpoints}
    if mailbox is None:
        decisions.append(Decision(Rule.ENDPOINT, Outcome.DEFAULT, absent))
    elif mailbox.endpoint:
        if mailbox.endpoint in endpoints:
            return endpoints[mailbox.endpoint]
        decisions.append(Decision(Rule.ENDPOINT, Outcome.DEFAULT, f"there is no endpoint {mailbox.endpoint}"))
    default = configuration.settings.default_endpoint
    if default and default not in endpoints:
        decisions.append(Decision(Rule.ENDPOINT, Outcome.NONE, f"there is no default endpoint {default} either"))
    return endpoints.get(default) if default else None


def _existing(
    configuration: Configuration, wanted: str, department: Department | None, decisions: list[Decision]
) -> str:
    """Fall back until a queue is there and active; the last name is taken as it is, so that no mail is lost."""
    settings = configuration.settings
    queues = {queue.name: queue for queue in configuration.queues}
    candidates = [
        wanted,
        (department.exception_queue or "") if department else "",
        settings.exception_queue,
        (department.default_queue or "") if department else "",
        settings.default_inbound_queue,
    ]
    if not queues:
        return wanted
    for name in filter(None, candidates):
        queue = queues.get(name)
        if queue is not None and queue.active:
            return name
        problem = "is not active" if queue else "does not exist"
        decisions.append(Decision(Rule.ROUTE, Outcome.FALL_BACK, f"queue {name} {problem}"))
    last = next((queue.name for queue in configuration.queues if queue.active), settings.default_inbound_queue)
    decisions.append(
        Decision(Rule.ROUTE, Named(last), "the last resort: the first active queue, or the default's name")
    )
    return last
