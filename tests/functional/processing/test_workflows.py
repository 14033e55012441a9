"""Workflows on real mail through the real handler: what they decide is stored with the mail, and told by `why`."""

from __future__ import annotations

from typing import Any

import pytest
from postroom.adapters.dynamo.cases import DynamoCaseNotes, DynamoCases
from postroom.model.decision import DecisionRule
from postroom.model.interaction import Interaction, Status
from postroom.model.outbound import OutboxState

from tests.functional.processing.conftest import CONFIGURATION
from tests.support.aws_stack import AwsStack
from tests.support.mails import CUSTOMER, mail


def processed(stack: AwsStack, *workflows: dict[str, Any], subject: str = "Invoice 4711") -> Interaction:
    templates = [*CONFIGURATION["templates"], {"name": "vip", "subject": "At once", "text": "We are on it."}]
    stack.configure(**{**CONFIGURATION, "templates": templates, "workflows": list(workflows)})
    found = stack.interactions.get(stack.process(mail(subject=subject)))
    assert found is not None
    return found


def trace(found: Interaction) -> list[tuple[str, str]]:
    return [(one.outcome, one.detail) for one in found.decisions if one.rule is DecisionRule.WORKFLOW]


def acknowledgements(stack: AwsStack) -> list[str]:
    rows = list(stack.interactions.list_outbox(OutboxState.NEW))
    return [found.subject for row in rows if (found := stack.outbox.get(row["id"])) is not None]


INVOICES = {
    "name": "invoices",
    "when": {"field": "subject", "matches": r"Invoice (?P<number>\d+)"},
    "then": [{"route": {"queue": "general"}}, {"acknowledge": {"template": "vip"}}],
}


@pytest.mark.feature("W01", "W05", "W11")
def test_a_workflow_routes_a_mail_and_chooses_its_acknowledgement(stack: AwsStack) -> None:
    found = processed(stack, INVOICES, {"name": "others", "when": {"field": "size", ">": 10**9}, "then": ["stop"]})
    assert found.queue == "general"
    assert trace(found) == [
        ("applied", "invoices: route queue general, acknowledge template vip"),
        ("no-match", "others"),
    ]
    assert acknowledgements(stack) == ["At once"]


def test_a_mail_that_no_workflow_matches_goes_by_its_endpoint(stack: AwsStack) -> None:
    found = processed(stack, INVOICES, subject="Hello")
    assert found.queue == "support"
    assert acknowledgements(stack) == ["We have your mail"]


def test_a_workflow_withholds_the_acknowledgement(stack: AwsStack) -> None:
    processed(stack, {"name": "quiet", "then": ["suppress_acknowledgement"]})
    assert acknowledgements(stack) == []


@pytest.mark.feature("W08")
def test_a_failing_workflow_costs_no_mail(stack: AwsStack) -> None:
    found = processed(stack, {"name": "broken", "then": [{"note": "{{report.kind}}"}, {"route": "general"}]})
    assert (found.queue, found.status) == ("exceptions", Status.QUEUED)
    ((outcome, detail),) = trace(found)
    assert outcome == "failed"
    assert "report.kind is missing" in detail


@pytest.mark.feature("W04")
def test_the_same_mail_again_changes_nothing(stack: AwsStack) -> None:
    first = processed(stack, INVOICES)
    again = processed(stack, {"name": "later", "then": [{"route": "exceptions"}]})
    assert again == first
    assert acknowledgements(stack) == ["At once"]


@pytest.mark.feature("W02", "W04")
def test_what_workflows_want_of_a_case_is_written_with_it_and_once(stack: AwsStack) -> None:
    workflow = {
        "name": "vip",
        "on": ["received", "joined"],
        "then": [
            {"set_priority": 5},
            {"add_tags": ["vip"]},
            {"set_field": {"invoice": "4711"}},
            {"set_category": "invoice"},
            {"note": "Written by {{from.address}}"},
        ],
    }
    found = processed(stack, workflow)
    cases = DynamoCases(stack.client("dynamodb"), stack.table)
    case = cases.get(found.thread_id)
    assert case is not None
    assert (case.priority, case.tags, case.category) == (5, frozenset({"vip"}), "invoice")
    assert dict(case.fields) == {"invoice": "4711"}
    assert case.events[0].detail.startswith("by workflows: priority 5")
    notes = DynamoCaseNotes(stack.client("dynamodb"), stack.table, stack.contents).notes(case.id)
    assert [(note.who, note.text) for note in notes] == [("workflow", f"Written by {CUSTOMER}")]
    processed(stack, workflow)
    assert cases.get(case.id) == case
