"""One mail, and workflows written as an administrator writes them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from postroom.mail.headers import Address
from postroom.model import Attachment, Body, Understanding
from postroom.model.configuration import Configuration, Trigger
from postroom.model.understanding import ReadFile
from postroom.rules.workflows import Run, Snapshot, WorkflowPlan, plan_workflows

MONDAY_NOON = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
QUEUES: list[dict[str, Any]] = [{"name": one} for one in ("general", "billing", "exceptions")]


def a_mail(**given: Any) -> Understanding:
    """Return a customer's mail about an invoice."""
    about: dict[str, Any] = {
        "sha256": "0" * 64,
        "size": 5_000,
        "subject": "Re: AW: Invoice 2026-4711 überfällig",
        "sender": Address("Ann Müller", "Ann@Example.org"),
        "to": (Address("", "support@example.com"),),
        "cc": (Address("", "boss@example.org"),),
        "body": Body(text="Please look.\n> Rechnung", text_reply="Please look."),
        "subtype": None,
        "message_id": "<1@example.org>",
        "date": datetime(2026, 11, 29, 9, 0, tzinfo=UTC),
        "files": (ReadFile(Attachment("scan.pdf", "application/pdf", 1000, "1" * 64), lambda: b""),),
    }
    return Understanding(**{**about, **given})


def snapshot(mail: Understanding | None = None, *, workflows: Any = (), **given: Any) -> Snapshot:
    """Return the mail as workflows see it on Monday at noon."""
    configuration = Configuration.model_validate(
        {
            "queues": QUEUES,
            "templates": [{"name": "received", "subject": "Received", "text": "Thank you."}],
            "calendars": [
                {"name": "office", "hours": {"monday": ["08:00-17:00"]}},
                {"name": "nights", "hours": {"monday": ["20:00-24:00"]}},
            ],
            "workflows": list(workflows),
        }
    )
    about: dict[str, Any] = {
        "trigger": Trigger.RECEIVED,
        "mail": mail or a_mail(),
        "subtype": "InboundNew",
        "mailbox": "support",
        "endpoint": "",
        "department": "default",
        "queue": "general",
        "thread": "t1",
        "now": MONDAY_NOON,
        "configuration": configuration,
        "server_date": datetime(2026, 11, 30, 11, 0, tzinfo=UTC),
    }
    return Snapshot(**{**about, **given})


def plan(*workflows: dict[str, Any], mail: Understanding | None = None, **given: Any) -> WorkflowPlan:
    """Plan what workflows do with the mail; names and actions may be left out."""
    full = [{"name": f"w{number}", "then": [{"add_tags": "hit"}], **one} for number, one in enumerate(workflows)]
    at = snapshot(mail, workflows=full, **given)
    return plan_workflows(at.configuration.workflows, at)


def only_run(found: WorkflowPlan) -> Run:
    """Return the trace of the only workflow."""
    (run,) = found.runs
    return run
