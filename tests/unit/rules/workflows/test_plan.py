"""Plans: the order, what a workflow sees of those before it, stops, chains, failures, shadows."""

from __future__ import annotations

from typing import Any

import pytest
from postroom.model.configuration import ActionKind, Trigger
from postroom.rules.workflows import RunResult, plan_workflows

from tests.unit.rules.workflows.mails import a_mail, only_run, plan, snapshot


def _results(*workflows: dict[str, Any], **given: Any) -> list[str]:
    return [run.result.value for run in plan(*workflows, **given).runs]


ALWAYS: dict[str, Any] = {}
NEVER = {"when": {"field": "subject", "contains": "nowhere"}}


@pytest.mark.feature("W01")
def test_workflows_run_in_the_order_of_the_file_whatever_their_names() -> None:
    found = plan({"name": "z", "then": [{"route": "billing"}]}, {"name": "a", "then": [{"route": "general"}]})
    assert found.queue == "general"
    assert [run.workflow for run in found.runs] == ["z", "a"]


@pytest.mark.feature("W01")
def test_stop_ends_the_run_and_the_trace_names_what_did_not_run() -> None:
    found = plan({"then": [{"set_priority": 3}, "stop"]}, {"then": [{"set_priority": 9}]})
    assert found.priority == 3
    assert [run.result for run in found.runs] == [RunResult.APPLIED, RunResult.NOT_RUN]


@pytest.mark.feature("W01")
@pytest.mark.parametrize(
    ("otherwise", "results"),
    [
        ("next", ["no-match", "applied"]),
        ("stop", ["no-match", "not-run"]),
        ([{"add_tags": "else"}], ["otherwise", "applied"]),
        ([{"add_tags": "else"}, "stop"], ["otherwise", "not-run"]),
    ],
)
def test_a_workflow_that_does_not_match_says_what_then(otherwise: Any, results: list[str]) -> None:
    assert _results({**NEVER, "otherwise": otherwise}, ALWAYS) == results


@pytest.mark.feature("W02")
def test_a_later_workflow_sees_what_earlier_ones_declared_and_the_mail_as_it_was() -> None:
    found = plan(
        {"then": [{"route": "billing"}, {"add_tags": ["vip", "new"]}, {"set_field": {"invoice": "47"}}]},
        {
            "when": {
                "all": [
                    {"field": "queue", "equals": "billing"},
                    {"field": "case.tags", "equals": "vip"},
                    {"field": "case.fields.invoice", "equals": "47"},
                ]
            },
            "then": [{"set_priority": 5}, {"remove_tags": "new"}],
        },
    )
    assert found.priority == 5
    assert (found.tags_added, found.tags_removed) == (frozenset({"vip"}), frozenset({"new"}))


@pytest.mark.feature("W02")
def test_a_workflow_for_a_queue_looks_at_where_the_mail_goes_by_then() -> None:
    assert plan({"then": [{"route": "billing"}]}, {"queues": ["billing"]}).tags_added == {"hit"}
    assert plan({"queues": ["billing"]}).runs == ()


@pytest.mark.feature("W03")
def test_workflows_that_call_each_other_end_after_three_and_have_no_effect_beyond() -> None:
    ring = [{"name": f"w{n}", "then": [{"add_tags": f"t{n}"}, {"workflow": f"w{(n + 1) % 6}"}]} for n in range(6)]
    found = plan(*ring)
    assert {run.result for run in found.runs} == {RunResult.FAILED}
    assert found.tags_added == frozenset()
    assert "call each other" in found.failure


@pytest.mark.feature("W03")
def test_a_workflow_goes_on_in_another_one_by_its_conditions() -> None:
    other = {"name": "other", "mailboxes": ["elsewhere"], "then": [{"set_priority": 7}]}
    assert plan({"then": [{"workflow": "other"}]}, other).priority == 7
    assert plan({"then": [{"workflow": "other"}]}, {**other, **NEVER}).priority is None


@pytest.mark.feature("W04")
def test_the_same_snapshot_gives_the_same_plan() -> None:
    workflows = [{"name": "w", "then": [{"note": "from {{from.name}}"}, {"acknowledge": {"template": "received"}}]}]
    at = snapshot(workflows=workflows)
    assert plan_workflows(at.configuration.workflows, at) == plan_workflows(at.configuration.workflows, at)


@pytest.mark.parametrize(
    ("given", "concerned"),
    [
        ({"enabled": False}, False),
        ({"department": "default"}, True),
        ({"department": "service"}, False),
        ({"mailboxes": ["support"]}, True),
        ({"mailboxes": ["sales"]}, False),
        ({"on": ["joined"]}, False),
        ({"on": ["received", "joined"]}, True),
    ],
)
def test_a_workflow_concerns_what_it_says(given: dict[str, Any], concerned: bool) -> None:
    assert bool(plan(given).runs) is concerned


def test_a_mail_that_joins_is_another_trigger() -> None:
    assert plan({"on": ["joined"]}, trigger=Trigger.JOINED).tags_added == {"hit"}


@pytest.mark.feature("W08")
@pytest.mark.parametrize(
    ("action", "said"),
    [
        ({"route": {"queue": "nowhere"}}, "no queue nowhere"),
        ({"acknowledge": {"template": "gone"}}, "no template gone"),
        ({"note": "{{report.kind}}"}, "report.kind is missing"),
    ],
)
def test_a_value_that_cannot_be_computed_undoes_its_workflow_alone(action: dict[str, Any], said: str) -> None:
    found = plan({"then": [{"set_priority": 9}, action]}, {"then": [{"add_tags": "kept"}]})
    assert found.priority is None
    assert found.tags_added == {"kept"}
    assert found.failure.startswith("workflow w0: ")
    assert said in found.failure


@pytest.mark.feature("W08")
def test_a_failure_may_end_the_run() -> None:
    failing = {"then": [{"route": "nowhere"}], "on_error": "stop"}
    assert _results(failing, ALWAYS) == ["failed", "not-run"]


def test_a_workflow_that_only_tries_has_no_effect_and_sends_no_mail_astray() -> None:
    found = plan({"mode": "shadow", "then": [{"set_priority": 9}, "stop"]}, ALWAYS)
    assert [run.result for run in found.runs] == [RunResult.SHADOW, RunResult.APPLIED]
    assert found.runs[0].actions[0].kind is ActionKind.SET_PRIORITY
    assert found.priority is None
    assert plan({"mode": "shadow", "then": [{"route": "nowhere"}]}).failure == ""


def test_groups_of_a_pattern_and_fields_stand_in_texts_with_a_fall_back() -> None:
    found = plan(
        {
            "when": {"field": "subject", "matches": r"(?P<number>\d{4}-\d{4})"},
            "then": [
                {"set_field": {"invoice": "{{match.number}}"}},
                {"note": "{{from.name}} / {{report.kind|no report}} / {{to.any}}"},
                {"set_category": "invoice"},
            ],
        }
    )
    assert found.fields == {"invoice": "2026-4711"}
    assert found.notes == ("Ann Müller / no report / support@example.com",)
    assert found.category == "invoice"


def test_groups_of_one_workflow_are_none_of_the_next() -> None:
    first = {"when": {"field": "subject", "matches": r"(?P<number>\d{4}-\d{4})"}}
    assert "match.number is missing" in plan(first, {"then": [{"note": "{{match.number}}"}]}).failure


def test_an_acknowledgement_is_another_one_or_none() -> None:
    assert plan({"then": [{"acknowledge": "received"}]}).acknowledgement == "received"
    assert plan({"then": ["suppress_acknowledgement"]}).acknowledgement == ""
    assert plan(ALWAYS).acknowledgement is None


def test_a_person_may_be_asked_for_by_rule() -> None:
    found = plan({"then": [{"exception": "an invoice of {{from.domain}}"}]})
    assert found.failure == "an invoice of Example.org"
    assert only_run(found).result is RunResult.APPLIED
    assert a_mail().sender is not None
