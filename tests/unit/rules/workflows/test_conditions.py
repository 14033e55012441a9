"""Conditions: every field can be read, and each operator holds, does not hold, and meets a field that is missing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from postroom.model import Body
from postroom.rules.workflows import FIELDS, OPERATORS, FieldKind, RunResult, find_field

from tests.unit.rules.workflows.mails import a_mail, only_run, plan, snapshot

HOLDS: dict[str, dict[str, Any]] = {
    "equals, whatever the case": {"field": "from.address", "equals": "ann@example.ORG"},
    "equals one of several": {"field": "to.any", "equals": "support@example.com"},
    "not equals": {"field": "from.domain", "not_equals": "example.com"},
    "in": {"field": "from.domain", "in": ["example.com", "example.org"]},
    "not in": {"field": "from.domain", "not_in": ["example.com"]},
    "contains, by its decomposed letters too": {"field": "subject", "contains": "U\u0308BERFÄLLIG"},
    "contains any": {"field": "text", "contains_any": ["facture", "rechnung"]},
    "contains all": {"field": "text", "contains_all": ["please", "rechnung"]},
    "starts with": {"field": "subject.bare", "starts_with": "invoice"},
    "ends with one of": {"field": "attachments.names", "ends_with": [".doc", ".pdf"]},
    "matches": {"field": "subject", "matches": r"invoice\s+\d{4}-\d{4}"},
    "exists": {"field": "message_id.has", "exists": True},
    "does not exist": {"field": "report.kind", "exists": False},
    "empty": {"field": "reply_to.address", "empty": True},
    "not empty": {"field": "subject", "empty": False},
    "a missing field is not equal": {"field": "report.kind", "not_equals": "bounce"},
    "less": {"field": "attachments.count", "<": 2},
    "at most": {"field": "attachments.count", "<=": 1},
    "more": {"field": "age", ">": 59},
    "at least": {"field": "age", ">=": 60},
    "between, ends included": {"field": "size", "between": [5000, 6000]},
    "a number in": {"field": "now.hour", "in": [11, 12]},
    "a flag": {"field": "automatic.is", "equals": False},
    "before": {"field": "date", "before": "2026-11-30"},
    "after": {"field": "date", "after": "2026-11-29T08:59:00Z"},
    "between two moments": {"field": "date", "between": ["2026-11-29", "2026-11-30"]},
    "within hours": {"field": "server_date", "within_hours": "office"},
    "outside hours": {"field": "server_date", "outside_hours": "nights"},
    "hours of now": {"field": "hours.office", "equals": "open"},
    "a weekday": {"field": "now.weekday", "equals": "Monday"},
    "of the reply alone": {"not": {"field": "text_reply", "contains": "rechnung"}},
    "all": {"all": [{"field": "size", ">": 1}, {"field": "size", "<": 9999}]},
    "any": {"any": [{"field": "size", ">": 9999}, {"field": "size", "<": 9999}]},
}
DOES_NOT: dict[str, dict[str, Any]] = {
    "the case where it counts": {"field": "from.address", "equals": "ann@example.org", "case": True},
    "a pattern's case where it counts": {"field": "subject", "matches": "invoice", "case": True},
    "not equals one of several": {"field": "to.any", "not_equals": "support@example.com"},
    "contains all but one": {"field": "text", "contains_all": ["please", "facture"]},
    "less than itself": {"field": "attachments.count", "<": 1},
    "outside the hours it is within": {"field": "server_date", "outside_hours": "office"},
    "a missing field equals nothing": {"field": "report.kind", "equals": "bounce"},
    "a missing field contains nothing": {"field": "report.reason", "contains_any": ["user"]},
    "a missing field is not above": {"field": "date", "after": "2020-01-01"},
    "all but one": {"all": [{"field": "size", ">": 1}, {"field": "size", ">": 9999}]},
    "not": {"not": {"field": "subject", "contains": "invoice"}},
}


@pytest.mark.feature("W11")
@pytest.mark.parametrize("condition", HOLDS.values(), ids=list(HOLDS))
def test_a_condition_holds(condition: dict[str, Any]) -> None:
    found = plan({"when": condition})
    assert only_run(found).result is RunResult.APPLIED, only_run(found).detail
    assert found.tags_added == {"hit"}


@pytest.mark.parametrize("condition", DOES_NOT.values(), ids=list(DOES_NOT))
def test_a_condition_does_not_hold(condition: dict[str, Any]) -> None:
    found = plan({"when": condition}, mail=a_mail(date=None) if condition.get("field") == "date" else None)
    assert only_run(found).result is RunResult.NO_MATCH, only_run(found).detail
    assert found.tags_added == frozenset()


@pytest.mark.parametrize("name", sorted(FIELDS))
def test_every_field_is_read_as_what_it_is_said_to_hold(name: str) -> None:
    field = find_field(name)
    assert field is not None
    expected: dict[FieldKind, tuple[type, ...]] = {
        FieldKind.TEXT: (str, type(None)),
        FieldKind.TEXTS: (tuple,),
        FieldKind.NUMBER: (int, float, type(None)),
        FieldKind.FLAG: (bool,),
        FieldKind.MOMENT: (type(a_mail().date), type(None)),
    }
    for mail in (a_mail(), a_mail(sender=None, date=None, files=(), to=(), cc=())):
        value = field.read(snapshot(mail))
        assert isinstance(value, expected[field.kind])
        assert not (field.kind is FieldKind.NUMBER and isinstance(value, bool))


def test_every_operator_is_of_use_for_some_field() -> None:
    tried = {key for one in (*HOLDS.values(), *DOES_NOT.values()) for key in one}
    assert {one.value for kind in OPERATORS.values() for one in kind} <= tried


def test_a_share_of_cases_is_the_same_cases_each_time() -> None:
    share = {"when": {"field": "random.percent", "<": 25}}
    first = [bool(plan(share, thread=f"t{number}").tags_added) for number in range(400)]
    again = [bool(plan(share, thread=f"t{number}").tags_added) for number in range(400)]
    assert first == again
    assert 60 < sum(first) < 140


def test_the_beginning_of_a_long_text_is_compared_and_the_trace_says_so() -> None:
    mail = replace(a_mail(), body=Body(text="x" * 300_000 + " end", text_reply=""))
    found = plan({"when": {"field": "text", "contains": "end"}}, mail=mail)
    assert found.tags_added == frozenset()
    assert "text" in found.runs[-1].detail


def test_what_takes_too_many_steps_fails_by_name_and_costs_no_mail() -> None:
    mail = replace(a_mail(), body=Body(text="y" * 200_000, text_reply=""))
    greedy = {"when": {"any": [{"field": "text", "matches": f"x{number}"} for number in range(60)]}}
    found = plan(greedy, {"then": [{"add_tags": "other"}]}, mail=mail)
    assert found.runs[0].result is RunResult.FAILED
    assert "steps" in found.runs[0].detail
    assert found.failure.startswith("workflow w0: ")
