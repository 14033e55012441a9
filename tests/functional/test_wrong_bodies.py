"""Wrong bodies to the routes of people: refused with place, problem and remedy; nothing is half-written or echoed."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.functional.test_people_api import CONFIGURATION, ada
from tests.support.api_caller import Caller
from tests.support.aws_stack import AwsStack

__all__ = ["ada"]

CANARY = "hunter2-canary"
GOOD: dict[str, Any] = {"address": "new@example.com", "roles": {"sales": ["agent"]}}
RIGHTS: dict[str, Any] = {"cases": {"level": "view", "reach": "queues"}}
ROLE: dict[str, Any] = {"name": "looker", "title": "Looks", "rights": RIGHTS}


@dataclass(frozen=True)
class Wrong:
    method: str
    path: str
    body: Any
    status: int
    version: str = ""
    key: str = ""
    raw: dict[str, Any] = field(default_factory=dict)


def user(**changes: Any) -> Wrong:
    body = {name: value for name, value in {**GOOD, **changes}.items() if value is not ...}
    return Wrong("POST", "/users", body, 422)


def role(**changes: Any) -> Wrong:
    return Wrong("POST", "/roles", {**ROLE, **changes}, 422)


def raw(status: int, **changes: Any) -> Wrong:
    return Wrong("POST", "/users", GOOD, status, raw=changes)


JSON = {"content-type": "application/json"}
WRONG: dict[str, Wrong] = {
    "no body": Wrong("POST", "/users", None, 422),
    "a list": Wrong("POST", "/users", [GOOD], 422),
    "a text": Wrong("POST", "/users", CANARY, 422),
    "an unknown field": user(password=CANARY),
    "a field of the table": user(version=7, state="active"),
    "roles of another type": user(roles=["agent"]),
    "a number for a role": user(roles={"sales": [7]}),
    "no roles": user(roles=...),
    "roles that are empty": user(roles={}),
    "an unknown role": user(roles={"sales": [CANARY]}),
    "an unknown department": user(roles={"nowhere": ["agent"]}),
    "an unknown queue": user(queues={"nowhere": []}),
    "an unknown alias": user(aliases=["nobody"]),
    "no address": user(address=CANARY),
    "two addresses": user(address="a@example.com, b@example.com"),
    "a line break in an address": user(address="a@example.com\r\nBcc: b@example.com"),
    "a name of 201 characters": user(name="x" * 201),
    "a name that turns the line round": user(name="abc\u202e"),
    "no ARN": user(address=..., arn=CANARY),
    "a role name of 41 characters": role(name="x" * 41),
    "a role name with capitals": role(name="Looker"),
    "a role without rights": role(rights={}),
    "an unknown block": role(rights={CANARY: {"level": "view"}}),
    "an unknown level": role(rights={"cases": {"level": "own"}}),
    "a built-in role's name": Wrong("POST", "/roles", {**ROLE, "name": "agent"}, 409),
    "another built-in role's rights": Wrong("PUT", "/roles/agent", {"title": "Agent", "rights": RIGHTS}, 422, '"0"'),
    "no version": Wrong("PUT", "/roles/agent", {"title": "Agent", "rights": RIGHTS}, 428),
    "a stale version": Wrong("PUT", "/roles/agent", {"title": "Agent", "rights": RIGHTS}, 412, '"7"'),
    "every version": Wrong("PUT", "/roles/agent", {"title": "Agent", "rights": RIGHTS}, 428, "*"),
    "two versions": Wrong("PUT", "/roles/agent", {"title": "Agent", "rights": RIGHTS}, 428, '"0", "1"'),
    "a key of other characters": Wrong("POST", "/users", GOOD, 422, key="\u202e"),
    "a key of 201 characters": Wrong("POST", "/users", GOOD, 422, key="k" * 201),
    "an unknown parameter": raw(400, queryStringParameters={"dry_run": CANARY}),
    "two megabytes": raw(413, body=json.dumps({**GOOD, "name": CANARY * 150_000})),
    "deep JSON": raw(400, body='{"roles": ' + "[" * 5_000 + "]" * 5_000 + "}"),
    "bad UTF-8": raw(400, body=base64.b64encode(b'{"name": "\xff"}').decode(), isBase64Encoded=True),
    "half a surrogate pair": raw(400, body='{"name": "\\ud83d"}'),
    "no JSON": raw(400, body='{"name": '),
    "a field twice": raw(400, body='{"name": "a", "name": "b"}'),
    "another content type": raw(415, body=CANARY, headers={"content-type": "text/plain"}),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_request_is_refused_and_changes_nothing(
    stack: AwsStack, ada: Caller, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert CONFIGURATION
    wrong = WRONG[name]
    answer = ada.call(wrong.method, wrong.path, body=wrong.body, version=wrong.version, key=wrong.key, raw=wrong.raw)
    assert answer.status == wrong.status, answer.body
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.body["code"]
    assert answer.body["what"]
    assert answer.body["remedy"]
    if wrong.status in (400, 413, 422):
        assert answer.body["problems"]
        assert all(one["path"] and one["problem"] and one["remedy"] for one in answer.body["problems"])
    printed = capsys.readouterr()
    assert CANARY not in printed.out + printed.err
    named = ("an unknown parameter", "an unknown role", "an unknown block")  # told, to be found
    if name not in named:
        assert CANARY not in answer.text
    assert [one["name"] for one in ada.get("/users").body["items"]] == ["ada"]
    assert all(one["built_in"] and one["version"] == 0 for one in ada.get("/roles").body["items"])


def test_there_are_enough_of_them() -> None:
    assert len(WRONG) >= 25
