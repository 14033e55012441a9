"""Every route of the description × every built-in role × {own, other department}: nothing of another department shows.

The family: an object that answers otherwise than one that is not there, a list that holds it, a change that reaches it.
A route that is new is tested too: with an object that the table below names for its parameter, or with one that is not
there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import pytest
from postroom.http_api import openapi
from postroom.model.access.principal import Principal, PrincipalKind
from postroom.model.access.rights import Block, Level
from postroom.model.identity import interaction_id
from postroom.rules.access.judge import may_somewhere
from postroom.rules.access.roles import BUILT_IN, BuiltIn

from tests.support.api_caller import ISSUER, Answered, Caller
from tests.support.aws_stack import AwsStack

MARK = "zzother"  # in every name of what belongs to the other department

CONFIGURATION: dict[str, Any] = {
    "settings": {"default_department": "sales", "default_inbound_queue": "orders", "exception_queue": "orders"},
    "departments": [
        {"name": "sales", "default_queue": "orders"},
        {"name": f"{MARK}", "default_queue": f"{MARK}-queue"},
    ],
    "queues": [{"name": "orders", "department": "sales"}, {"name": f"{MARK}-queue", "department": MARK}],
    "outbound_servers": [{"name": "smtp-client", "type": "ses"}],
    "mailboxes": [
        {
            "name": name,
            "address": f"{name}@example.com",
            "server": "imap.example.com",
            "password": {"secret": name},
            "department": department,
        }
        for name, department in (("shop", "sales"), (f"{MARK}-box", MARK))
    ],
}


@dataclass(frozen=True, slots=True)
class Objects:
    """One object of each kind, by the parameter that names it; in the other department; and one that is not there."""

    own: dict[str, str]
    other: dict[str, str]


NOT_THERE = "nothing-of-this-name"


def mail(number: int, to: str) -> bytes:
    head = f"From: Ann <ann{number}@example.org>\r\nTo: {to}\r\nSubject: {to}\r\nMessage-ID: <{number}@example.org>\r\n"
    return head.encode() + b"Date: Sat, 21 Nov 2026 01:58:00 +0000\r\n\r\nWhere is it?\r\n"


@pytest.fixture(scope="module")
def operations() -> list[tuple[str, str, dict[str, Any]]]:
    return list(described())


def described() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in json.loads(openapi())["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


BODIES: dict[tuple[str, str], Any] = {
    ("POST", "/v1/interactions/{interaction_id}/reply"): {"text": "It left today."},
    ("POST", "/v1/queues/claim-next"): {"queues": [f"{MARK}-queue"]},
    ("POST", "/v1/cases/{case_id}/transfer"): {"queue": "orders"},
    ("POST", "/v1/cases/{case_id}/notes"): {"text": "He called."},
    ("POST", "/v1/cases/{case_id}/reply"): {"text": "It left today.", "mails_version": 1},
    ("POST", "/v1/users"): {"address": "new@example.com", "roles": {MARK: ["agent"]}},
    ("PATCH", "/v1/users/{user}"): {"name": "Somebody"},
    ("POST", "/v1/users/{user}/deactivate"): {"preview": True},
    ("PUT", "/v1/roles/{role}"): {"title": "Reader", "rights": {"board": {"level": "view"}}},
    ("POST", "/v1/roles"): {"name": "own_role", "title": "Own", "rights": {"board": {"level": "view"}}},
}


def made(stack: AwsStack) -> Objects:
    stack.configure(**CONFIGURATION)
    ids: dict[str, dict[str, str]] = {"shop": {}, f"{MARK}-box": {}}
    for number, box in enumerate(ids):
        stack.process(mail(number, f"{box}@example.com"), mailbox=box)
        ids[box]["interaction_id"] = interaction_id(box, sha256(mail(number, f"{box}@example.com")).hexdigest())
        ids[box]["case_id"] = ids[box]["interaction_id"]  # of its thread, which the mail began
        ids[box]["name"] = box
    users = {}
    for subject, department in (("peer", "sales"), (f"{MARK}-peer", MARK)):
        users[department] = stack.appoint(ISSUER, subject, subject, {department: ("agent",)}).id
    own = {**ids["shop"], "user": users["sales"], "queue": "orders"}
    other = {**ids[f"{MARK}-box"], "user": users[MARK], "queue": f"{MARK}-queue"}
    boss = Caller.appointed(
        stack, f"{MARK}-boss", {"*": ("partition_administrator", "agent")}, queues=("orders", f"{MARK}-queue")
    )
    for objects in (own, other):
        path = f"/interactions/{objects['interaction_id']}/reply"
        replied = boss.call("POST", path, body={"text": "It left."}, key=objects["interaction_id"])
        assert replied.status == 200, replied.body
        objects["outbound_id"] = replied.body["id"]
    return Objects(own, other)


def ask(who: Caller, method: str, path: str, operation: dict[str, Any], objects: dict[str, str]) -> Answered:
    filled = re.sub(r"\{(\w+)\}", lambda found: objects.get(found[1], NOT_THERE), path.removeprefix("/v1"))
    query = {}
    for one in operation.get("parameters", ()):
        if one["in"] == "query" and one.get("required"):
            query[one["name"]] = "new" if one["name"] == "state" else objects.get(one["name"], NOT_THERE)
    body = BODIES.get((method, path), {} if "requestBody" in operation else None)
    key = f"{who.subject}-{method}-{filled}"[:200] if method == "POST" else ""
    return who.call(method, filled, query=query, body=body, version='"1"' if method != "GET" else "", key=key)


def without_name(answer: Answered) -> Any:
    """What was answered, without the names that the caller gave himself."""
    if isinstance(answer.body, list):
        return answer.body
    return {name: value for name, value in (answer.body or {}).items() if name not in ("on", "problems")}


@pytest.mark.feature("D04")
@pytest.mark.parametrize("role", BuiltIn)
def test_nothing_of_another_department_shows(
    stack: AwsStack, role: BuiltIn, operations: list[tuple[str, str, dict[str, Any]]]
) -> None:
    objects = made(stack)
    where = "*" if role is BuiltIn.PARTITION_ADMINISTRATOR else "sales"
    who = Caller.appointed(stack, "caller", {where: (role.value,)}, queues=("orders",))
    principal = Principal("caller", "caller", PrincipalKind.PERSON, {where: (BUILT_IN[role],)})
    leaks, asked = [], 0
    for method, path, operation in operations:
        right = operation["x-right"]
        block, _colon, level = right.partition(":")
        holds = right == "signed in" or may_somewhere(principal, Block(block), Level(level))
        other = ask(who, method, path, operation, objects.other)
        asked += 1
        if where == "*":
            continue  # there is no other department for him
        if not holds and other.status != 403:
            leaks.append(f"{method} {path} without {right}: {other.status}")
        if MARK in json.dumps(without_name(other)):
            leaks.append(f"{method} {path} tells of the other department: {other.body}")
        if "{" not in path and "queue" not in [one["name"] for one in operation.get("parameters", ())]:
            continue  # a list, or what is made: it holds nothing of the other, which was looked for above
        if "{role}" in path:
            continue  # roles belong to all
        if other.status < 300:
            leaks.append(f"{method} {path}: {other.status}")
        nothing = ask(who, method, path, operation, {})
        if (nothing.status, without_name(nothing)) != (other.status, without_name(other)):
            leaks.append(f"{method} {path}: {other.status} {other.body}, and for what is not there {nothing.body}")
    assert leaks == []
    assert asked == len(operations) >= 22


@pytest.mark.parametrize("role", BuiltIn)
def test_what_is_ones_own_is_allowed_by_the_right_that_the_description_names(
    stack: AwsStack, role: BuiltIn, operations: list[tuple[str, str, dict[str, Any]]]
) -> None:
    objects = made(stack)
    where = "*" if role is BuiltIn.PARTITION_ADMINISTRATOR else "sales"
    who = Caller.appointed(stack, "caller", {where: (role.value,)}, queues=("orders",), aliases=())
    principal = Principal("caller", "caller", PrincipalKind.PERSON, {where: (BUILT_IN[role],)})
    wrong = []
    for method, path, operation in operations:
        if method != "GET":
            continue
        right = operation["x-right"]
        block, _colon, level = right.partition(":")
        holds = right == "signed in" or may_somewhere(principal, Block(block), Level(level))
        answer = ask(who, method, path, operation, objects.own)
        known = all(one in objects.own for one in re.findall(r"\{(\w+)\}", path) if one != "role")
        if "{role}" in path or not known:
            continue
        # An agent sees only his own outbound mail, and this one is another's.
        reached = not (path == "/v1/outbox/{outbound_id}" and role in (BuiltIn.AGENT, BuiltIn.SENIOR_AGENT))
        # The settings are the installation's, not a department's.
        reached = reached and (path != "/v1/config/settings" or where == "*")
        expected = (200, 204) if holds and reached else (404,) if holds else (403,)
        if answer.status not in expected:
            wrong.append(f"{method} {path} with {right}: {answer.status} {answer.body}")
    assert wrong == []


def test_whether_another_department_is_there_is_not_told(stack: AwsStack) -> None:
    made(stack)
    head = Caller.appointed(stack, "head", {"sales": ("department_administrator",)})
    peer = Caller(stack, "peer").id
    for body in ("roles", "queues"):
        asked = {name: {name: ["agent"] if body == "roles" else []} for name in (MARK, f"{MARK}-queue", NOT_THERE)}
        answers = [head.patch(f"/users/{peer}", {body: given}, version='"1"') for given in asked.values()]
        assert [one.status for one in answers] == [404] * 3
        assert without_name(answers[0]) == without_name(answers[1]) == without_name(answers[2])


def test_every_route_names_its_right_and_least_role(operations: list[tuple[str, str, dict[str, Any]]]) -> None:
    for method, path, operation in operations:
        assert operation["x-right"], (method, path)
        assert operation["x-least-role"] in {*BuiltIn, "any", "by grant"}, (method, path)


def test_the_templates_routes_lead_each_path_to_the_function_that_answers_it(
    stack: AwsStack, operations: list[tuple[str, str, dict[str, Any]]]
) -> None:
    stack.configure(**CONFIGURATION)
    boss = Caller.appointed(stack, "boss", {"*": ("partition_administrator",)})
    for method, path, operation in operations:
        answer = ask(boss, method, path, operation, {})
        assert (answer.body or {}).get("code") != "no_such_route", (method, path)
