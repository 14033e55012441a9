"""Workflows on real mail through the real handler: what they decide is stored with the mail, and told by `why`."""

from __future__ import annotations

from typing import Any

import pytest
from postroom.model.decision import DecisionRule
from postroom.model.interaction import Interaction, Status
from postroom.model.outbound import OutboxState

from tests.functional.processing.conftest import CONFIGURATION
from tests.support.aws_stack import AwsStack
from tests.support.mails import mail


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
