"""Workflows that cannot do what they say are refused with the place, the problem and the remedy."""

from __future__ import annotations

import textwrap

import pytest
from postroom.services.configuration.file import export_configuration, read_configuration

from tests.unit.services.configuration.files import only_problem, read

FRAME = """
queues: [{name: general}, {name: billing}]
templates: [{name: received, subject: Received, text: Thank you.}]
calendars: [{name: office, hours: 24/7}]
workflows:
"""


def workflow(text: str) -> str:
    return FRAME + textwrap.indent(textwrap.dedent(text).strip("\n"), "  ") + "\n"


RIGHT = workflow("""
- name: vip
  on: [received, joined]
  when:
    all:
      - {field: from.domain, in: [example.com, example.net]}
      - not: {field: automatic.is, equals: true}
      - any: [{field: subject, matches: '(?P<number>[0-9]{4})', case: true}, {field: hours.office, equals: open}]
  then: [{set_priority: 5}, {route: {queue: billing}}, {set_field: {invoice: '{{match.number|none}}'}}, stop]
  otherwise: [{add_tags: [other]}]
  mode: shadow
""")

WRONG = {
    "an unknown field": ("{field: form.domain, equals: x}", "`form.domain` is no field", "from.domain"),
    "no field": ("{equals: x}", "`field` is missing", "field: subject"),
    "no operator": ("{field: subject}", "0 operators", "exactly one"),
    "two operators": ("{field: subject, equals: a, contains: b}", "2 operators", "exactly one"),
    "an unknown operator": ("{field: subject, includes: a}", "`includes` is no operator", "contains"),
    "an operator of another kind": ("{field: subject, '<': 3}", "says nothing about `subject`", "contains"),
    "a list where one is wanted": ("{field: subject, contains: [a, b]}", "no list", "contains_any"),
    "one where a list is wanted": ("{field: subject, contains_any: a}", "needs a list", "[one, another]"),
    "a text as a number": ("{field: size, '>': large}", "no number", "a number"),
    "a text as a date": ("{field: date, before: christmas}", "no moment", "2026-12-24"),
    "a span that ends before it begins": ("{field: size, between: [9, 1]}", "ends before it begins", "[from, up to]"),
    "a pattern that RE2 refuses": ("{field: subject, matches: '(?=a)b'}", "look-ahead", "built-in kind"),
    "a pattern that matches nothing": ("{field: subject, matches: 'a*'}", "empty text", "+ instead"),
    "a calendar that is not there": ("{field: date, within_hours: ofice}", "no calendar: `ofice`", "office"),
    "hours of a calendar that is not there": ("{field: hours.ofice, equals: open}", "no calendar `ofice`", "office"),
    "an empty text": ("{field: subject, contains: ''}", "no text", "empty: true"),
    "all beside any": ("{all: [{field: size, '>': 1}], any: []}", "beside other keys", "a place of its own"),
    "a group of nothing": ("{any: []}", "no list of conditions", "at least one"),
    "no mapping": ("subject", "is no condition", "all, any, not"),
}


@pytest.mark.parametrize(("condition", "problem", "remedy"), WRONG.values(), ids=list(WRONG))
def test_a_condition_that_means_nothing_is_refused(condition: str, problem: str, remedy: str) -> None:
    found = only_problem(workflow(f"- {{name: w, when: {condition}, then: [stop]}}"))
    assert found.path == "workflows[0].when"
    assert problem in f"{found.problem} {found.remedy}"
    assert remedy in f"{found.problem} {found.remedy}"


ACTIONS = {
    "a queue that is not there": ("{route: {queue: biling}}", "no queue `biling`", "billing"),
    "an option that is not there": ("{route: {queue: billing, skills: french}}", "`skills`", "queue"),
    "a template that is not there": ("{acknowledge: {template: receive}}", "no template `receive`", "received"),
    "a workflow that is not there": ("{workflow: v}", "no workflow `v`", "w"),
    "a workflow that calls itself": ("{workflow: w}", "leads back to `w`", "call itself"),
    "a priority that is none": ("{set_priority: high}", "no whole number", "-100 to 100"),
    "tags that are none": ("{add_tags: ['']}", "no tags", "50 characters"),
    "a field without a name": ("{set_field: invoice}", "names no field", "set_field:"),
    "a note of nothing": ("{note: ' '}", "says nothing", "a text"),
    "a placeholder that is no field": ("{note: '{{sender}}'}", "`{{sender}}` is no field", "sender.verified"),
    "a group that no pattern has": ("{note: '{{match.number}}'}", "group `number`", "(?P<number>…)"),
    "stop with a value": ("{stop: 3}", "takes no value", "alone"),
}


@pytest.mark.parametrize(("action", "problem", "remedy"), ACTIONS.values(), ids=list(ACTIONS))
def test_an_action_that_cannot_be_done_is_refused(action: str, problem: str, remedy: str) -> None:
    found = only_problem(workflow(f"- {{name: w, then: [{action}]}}"))
    assert found.path == "workflows[0].then[0]"
    assert problem in f"{found.problem} {found.remedy}"
    assert remedy in f"{found.problem} {found.remedy}"


@pytest.mark.parametrize(
    ("text", "path", "problem"),
    [
        ("- {name: w, then: [{delete: true}]}", "workflows[0].then[0]", "is no action"),
        ("- {name: w, then: []}", "workflows[0].then", "has 0 entries"),
        ("- {name: w, then: [stop, {set_priority: 1}]}", "workflows[0].then[1]", "never reached"),
        ("- {name: w, queues: [nowhere], then: [stop]}", "workflows[0].queues", "no queue"),
        ("- {name: w, mailboxes: [nowhere], then: [stop]}", "workflows[0].mailboxes", "no mailbox"),
        ("- {name: w, otherwise: maybe, then: [stop]}", "workflows[0].otherwise", "neither next"),
        ("- {name: w, department: none, then: [stop]}", "workflows[0].department", "no department"),
    ],
)
def test_a_workflow_that_is_not_whole_is_refused(text: str, path: str, problem: str) -> None:
    found = only_problem(workflow(text))
    assert found.path == path
    assert problem in found.problem


def test_conditions_that_are_too_many_or_too_deep_are_refused() -> None:
    leaf = "{field: size, '>': 1}"
    assert (
        "61 comparisons"
        in only_problem(workflow(f"- {{name: w, when: {{all: [{', '.join([leaf] * 61)}]}}, then: [stop]}}")).problem
    )
    deep = "{not: " * 6 + leaf + "}" * 6
    assert "6 deep" in only_problem(workflow(f"- {{name: w, when: {deep}, then: [stop]}}")).problem


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ("{all: [{field: subject, equals: a}, {field: subject, equals: b}]}", "never matches"),
        ("{any: [{field: subject, not_equals: a}, {field: subject, not_equals: b}]}", "holds for every mail"),
    ],
)
def test_what_most_people_mean_otherwise_is_warned_of(condition: str, words: str) -> None:
    file = read_configuration(workflow(f"- {{name: w, when: {condition}, then: [stop]}}"))
    assert [words in warning.problem for warning in file.warnings] == [True]


def test_a_workflow_is_written_as_it_is_read() -> None:
    configuration = read(RIGHT)
    assert read(export_configuration(configuration)) == configuration
    assert (
        type(configuration).model_validate_json(configuration.model_dump_json(exclude_defaults=True)) == configuration
    )
