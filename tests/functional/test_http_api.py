"""The HTTP API through its real handler: what it answers, what it refuses, and that a double click sends once."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from postroom import bootstrap
from postroom.http_api import openapi

from tests.support.aws_stack import AwsStack

EVENTS = Path(__file__).parents[2] / "events"

CLAIMS: dict[str, str] = json.loads((EVENTS / "api.json").read_text("utf-8"))["requestContext"]["authorizer"]["jwt"][
    "claims"
]

CONFIGURATION: dict[str, Any] = {
    "settings": {"default_department": "help", "default_inbound_queue": "inbound"},
    "departments": [{"name": "help"}],
    "queues": [{"name": "inbound"}, {"name": "exceptions"}],
    "outbound_servers": [{"name": "smtp-client", "type": "ses"}],
    "mailboxes": [
        {
            "name": "support",
            "address": "support@example.com",
            "server": "imap.example.com",
            "password": {"secret": "support"},
            "enabled": True,
        }
    ],
}

MAIL = (
    b"From: Anna Berg <anna@example.org>\r\nTo: support@example.com\r\nSubject: Where is my order?\r\n"
    b"Message-ID: <order-1@example.org>\r\nDate: Sat, 21 Nov 2026 01:58:00 +0000\r\n\r\nIt was due on Monday.\r\n"
)


@pytest.fixture
def interaction(stack: AwsStack) -> str:
    """One stored mail, as an interaction."""
    stack.configure(**CONFIGURATION)
    return stack.process(MAIL)


@pytest.fixture(autouse=True)
def caller(stack: AwsStack) -> None:
    """Who asks in the sample events: an agent and an administrator at once."""
    stack.appoint(
        CLAIMS["iss"],
        CLAIMS["sub"],
        "agent@example.com",
        {"*": ("partition_administrator", "agent")},
        queues=("inbound",),
    )


def get(stack: AwsStack, path: str, **query: str) -> tuple[int, Any]:
    event = json.loads((EVENTS / "api.json").read_text("utf-8"))
    event |= {"rawPath": "/v1" + path, "queryStringParameters": query}
    event["requestContext"]["http"] |= {"path": "/v1" + path}
    answer = stack.invoke(stack.function_of(event), event)
    return int(answer["statusCode"]), json.loads(answer["body"])


def post_reply(stack: AwsStack, interaction_id: str, body: Any, **headers: str) -> tuple[int, Any]:
    event = json.loads((EVENTS / "api_reply.json").read_text("utf-8"))
    path = f"/v1/interactions/{interaction_id}/reply"
    event |= {"rawPath": path, "body": json.dumps(body), "headers": event["headers"] | headers}
    event["requestContext"]["http"] |= {"path": path}
    answer = stack.invoke("DeskApi", event)
    return int(answer["statusCode"]), json.loads(answer["body"])


def test_health_says_that_the_table_answers(stack: AwsStack) -> None:
    stack.configure(**CONFIGURATION)
    assert get(stack, "/health") == (200, {"status": "ok", "mailboxes": 1, "queues": 2})


def test_a_queue_is_listed_as_the_sample_event_asks(stack: AwsStack, interaction: str) -> None:
    answer = stack.invoke("DeskApi", json.loads((EVENTS / "api.json").read_text("utf-8")))
    (row,) = json.loads(answer["body"])
    assert (row["id"], row["subject"], row["from"]) == (interaction, "Where is my order?", "anna@example.org")


def test_an_interaction_is_shown_with_its_text_and_why_it_is_where_it_is(stack: AwsStack, interaction: str) -> None:
    status, shown = get(stack, f"/interactions/{interaction}")
    assert (status, shown["subject"], shown["queue"]) == (200, "Where is my order?", "inbound")
    assert shown["body"]["text"].strip() == "It was due on Monday."
    status, told = get(stack, f"/interactions/{interaction}/history")
    assert status == 200
    assert all(decision["rule"] and decision["outcome"] for decision in told["decisions"])
    assert told["decisions"]


def test_mailboxes_are_listed_with_their_health_and_shown_without_secrets(stack: AwsStack) -> None:
    stack.configure(**CONFIGURATION)
    status, page = get(stack, "/mailboxes")
    (listed,) = page["items"]
    assert page["next"] is None
    assert (status, listed["name"], listed["health"]["state"]) == (200, "support", "active")
    status, shown = get(stack, "/mailboxes/support")
    assert shown["settings"]["password"] == {"secret": "support", "secretsmanager": None}


@pytest.mark.fault(66)
def test_a_reply_is_queued_once_however_often_it_is_posted(stack: AwsStack, interaction: str) -> None:
    body = {"text": "It left today."}
    status, first = post_reply(stack, interaction, body)
    again_status, again = post_reply(stack, interaction, body)
    assert (status, first["state"], first["created"]) == (200, "NEW", True)
    assert (again_status, again) == (200, first)
    queued = [message for message in stack.queued("OUTBOUND_QUEUE_URL") if message["outbound"] == first["id"]]
    assert queued == [{"v": 1, "outbound": first["id"]}]
    _status, (listed,) = get(stack, "/outbox", state="new")
    assert listed["id"] == first["id"]
    _status, outbound = get(stack, f"/outbox/{first['id']}")
    assert outbound["to"] == ['"Anna Berg" <anna@example.org>']
    assert outbound["attributes"]["agent"] == "agent@example.com"


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("/mailboxes/nobody", {}, 404),
        ("/interactions/nothing", {}, 404),
        ("/interactions/nothing/history", {}, 404),
        ("/outbox/nothing", {}, 404),
        ("/interactions", {}, 422),
        ("/outbox", {"state": "lost"}, 422),
        ("/nowhere", {}, 404),
        ("/interactions/" + "x" * 3000, {}, 422),
        ("/interactions", {"queue": "x" * 3000}, 422),
        ("/mailboxes", {"limit": "0"}, 422),
        ("/mailboxes", {"cursor": "gone"}, 400),
        ("/mailboxes", {"colour": "red"}, 400),
        ("/interactions", {"queue": "\ud800"}, 400),
    ],
    ids=lambda value: ascii(value)[:40] if isinstance(value, str) else "",
)
def test_what_is_not_there_or_makes_no_sense_is_refused(
    stack: AwsStack, path: str, query: dict[str, str], status: int
) -> None:
    answered, said = get(stack, path, **query)
    assert (answered, said["status"]) == (status, status)
    assert said["code"]
    assert said["remedy"]


@pytest.mark.parametrize(
    "body",
    [{"text": ""}, {"text": "x", "status": "done"}, {"html": "<p>x</p>"}, {"text": "x", "to": ["nobody"]}],
    ids=["empty", "unknown-field", "no-text", "no-address"],
)
def test_a_reply_that_is_not_one_is_refused_and_nothing_is_queued(
    stack: AwsStack, interaction: str, body: dict[str, Any]
) -> None:
    status, said = post_reply(stack, interaction, body)
    assert (status, said["status"]) == (422, 422)
    assert all(one["path"] and one["problem"] and one["remedy"] for one in said["problems"])
    assert said["problems"]
    assert stack.queued("OUTBOUND_QUEUE_URL") == []


def test_another_reply_under_the_same_key_is_a_conflict(stack: AwsStack, interaction: str) -> None:
    post_reply(stack, interaction, {"text": "It left today."})
    status, said = post_reply(stack, interaction, {"text": "It is lost."})
    assert (status, said["code"]) == (409, "key_reused")
    assert said["remedy"]


# The family: a body that is no text, or JSON that nobody means, which the framework would hand on or fail of.
UNREADABLE: dict[str, tuple[dict[str, Any], int, str]] = {
    "nested-deeply": ({"body": '{"text": ' + "[" * 100_000 + "]" * 100_000 + "}"}, 400, "levels deep"),
    "nested-a-little-too-deeply": ({"body": '{"text": ' + "[" * 40 + "]" * 40 + "}"}, 400, "levels deep"),
    "half-a-surrogate-pair": ({"body": '{"text": "\\ud83d"}'}, 400, "surrogate"),
    "half-a-pair-in-a-name": ({"body": '{"text": "x", "\\udfff": 1}'}, 400, "surrogate"),
    "a-raw-half-pair": ({"body": '{"text": "\ud83d"}'}, 400, "surrogate"),
    "not-utf-8": ({"body": base64.b64encode(b'{"text": "\xff"}').decode(), "isBase64Encoded": True}, 400, "UTF-8"),
    "not-base64": ({"body": "!!", "isBase64Encoded": True}, 400, "base64"),
    "two-megabytes": ({"body": json.dumps({"text": "x" * 2_000_000})}, 413, "bytes"),
    "two-megabytes-in-base64": (
        {"body": base64.b64encode(b"x" * 2_000_000).decode(), "isBase64Encoded": True},
        413,
        "bytes",
    ),
    "no-json": ({"body": '{"text": '}, 400, "line 1, column 10"),
    "not-a-number": ({"body": '{"text": NaN}'}, 400, "NaN"),
    "a-number-of-5000-digits": ({"body": '{"text": ' + "9" * 5000 + "}"}, 400, "number"),
    "given-twice": ({"body": '{"text": "a", "text": "b"}'}, 400, "twice"),
    "a-list": ({"body": "[]"}, 422, ""),
    "nothing": ({"body": None}, 422, "missing"),
    "a-form": ({"body": "text=x", "headers": {"content-type": "application/x-www-form-urlencoded"}}, 422, ""),
    "plain-text": ({"body": "x", "headers": {"content-type": "text/plain"}}, 415, ""),
    "an-empty-key": ({"headers": {"idempotency-key": "", "content-type": "application/json"}}, 422, "empty"),
    "a-key-of-other-characters": ({"headers": {"idempotency-key": "\u202e"}}, 422, "characters"),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_request_that_is_no_text_or_no_sensible_json_is_refused_with_its_place(
    stack: AwsStack, interaction: str, name: str
) -> None:
    changed, expected, told = UNREADABLE[name]
    event = json.loads((EVENTS / "api_reply.json").read_text("utf-8"))
    path = f"/v1/interactions/{interaction}/reply"
    event |= {"rawPath": path, **changed, "headers": event["headers"] | changed.get("headers", {})}
    event["requestContext"]["http"] |= {"path": path}
    answer = stack.invoke("DeskApi", event)
    said = json.loads(answer["body"])
    assert (answer["statusCode"], said["status"]) == (expected, expected)
    headers = {key.lower(): value for key, value in (answer.get("headers") or {}).items()}
    assert str(headers["content-type"]).startswith("application/problem+json")
    assert {"code", "what", "on", "remedy", "problems"} <= said.keys()
    assert told in json.dumps(said["problems"])
    assert all(one["path"] and one["problem"] and one["remedy"] for one in said["problems"])
    assert len(answer["body"]) < 2000
    assert stack.queued("OUTBOUND_QUEUE_URL") == []


def test_the_description_is_served_and_is_the_one_that_is_checked_in(stack: AwsStack) -> None:
    stack.configure(**CONFIGURATION)
    status, served = get(stack, "/openapi.json")
    checked_in = (EVENTS.parent / "docs" / "openapi.json").read_text("utf-8")
    assert (status, served["openapi"]) == (200, "3.1.0")
    assert served == json.loads(checked_in), "run scripts/openapi"
    assert openapi() == checked_in, "run scripts/openapi"


def test_every_answer_and_every_error_of_the_description_is_typed() -> None:
    for path, methods in json.loads(openapi())["paths"].items():
        for method, operation in methods.items():
            for status, response in operation["responses"].items():
                if status == "204":
                    assert "content" not in response
                    continue
                ((kind, content),) = response["content"].items()
                error = int(status) >= 400
                assert kind == ("application/problem+json" if error else "application/json"), (path, method, status)
                schema = content["schema"].get("items", content["schema"])
                named = schema["$ref"].rpartition("/")[2]
                assert (named == "ProblemDetails") is error, (path, method, status)


def test_what_nobody_foresaw_is_told_without_a_word_of_it(
    stack: AwsStack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails() -> None:
        raise RuntimeError("password=canary-value of ann@example.com")

    monkeypatch.setattr(bootstrap, "admin_api", fails)
    status, said = get(stack, "/health")
    assert (status, said["code"]) == (500, "unexpected")
    printed = capsys.readouterr()
    assert "canary-value" not in json.dumps(said) + printed.out + printed.err
