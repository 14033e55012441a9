"""The HTTP API through its real handler: what it answers, what it refuses, and that a double click sends once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.aws_stack import AwsStack

EVENTS = Path(__file__).parents[2] / "events"

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


def get(stack: AwsStack, path: str, **query: str) -> tuple[int, Any]:
    event = json.loads((EVENTS / "api.json").read_text("utf-8"))
    event |= {"rawPath": path, "queryStringParameters": query}
    event["requestContext"]["http"] |= {"path": path}
    answer = stack.invoke("Api", event)
    return int(answer["statusCode"]), json.loads(answer["body"])


def post_reply(stack: AwsStack, interaction_id: str, body: Any, **headers: str) -> tuple[int, Any]:
    event = json.loads((EVENTS / "api_reply.json").read_text("utf-8"))
    path = f"/interactions/{interaction_id}/reply"
    event |= {"rawPath": path, "body": json.dumps(body), "headers": event["headers"] | headers}
    event["requestContext"]["http"] |= {"path": path}
    answer = stack.invoke("Api", event)
    return int(answer["statusCode"]), json.loads(answer["body"])


def test_health_says_that_the_table_answers(stack: AwsStack) -> None:
    stack.configure(**CONFIGURATION)
    assert get(stack, "/health") == (200, {"status": "ok", "mailboxes": 1, "queues": 2})


def test_a_queue_is_listed_as_the_sample_event_asks(stack: AwsStack, interaction: str) -> None:
    answer = stack.invoke("Api", json.loads((EVENTS / "api.json").read_text("utf-8")))
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
    status, (listed,) = get(stack, "/mailboxes")
    assert (status, listed["name"], listed["health"]["state"]) == (200, "support", "active")
    status, shown = get(stack, "/mailboxes/support")
    assert shown["settings"]["password"] == {"secret": "support", "secretsmanager": None}


@pytest.mark.fault(66)
def test_a_reply_is_queued_once_however_often_it_is_posted(stack: AwsStack, interaction: str) -> None:
    body = {"text": "It left today."}
    status, first = post_reply(stack, interaction, body)
    again_status, again = post_reply(stack, interaction, body)
    assert (status, first["state"], first["created"]) == (200, "NEW", True)
    assert (again_status, again["id"], again["created"]) == (200, first["id"], False)
    queued = [message for message in stack.queued("OUTBOUND_QUEUE_URL") if message["outbound"] == first["id"]]
    assert queued == [{"v": 1, "outbound": first["id"]}]
    _status, (listed,) = get(stack, "/outbox", state="new")
    assert listed["id"] == first["id"]
    _status, outbound = get(stack, f"/outbox/{first['id']}")
    assert (outbound["to"], outbound["attributes"]["agent"]) == (["anna@example.org"], "agent@example.com")


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
    ],
    ids=lambda value: str(value) if isinstance(value, str) else "",
)
def test_what_is_not_there_or_makes_no_sense_is_refused(
    stack: AwsStack, path: str, query: dict[str, str], status: int
) -> None:
    assert get(stack, path, **query)[0] == status


@pytest.mark.parametrize(
    "body",
    [{"text": ""}, {"text": "x", "status": "done"}, {"html": "<p>x</p>"}, {"text": "x", "to": ["nobody"]}],
    ids=["empty", "unknown-field", "no-text", "no-address"],
)
def test_a_reply_that_is_not_one_is_refused_and_nothing_is_queued(
    stack: AwsStack, interaction: str, body: dict[str, Any]
) -> None:
    status, _said = post_reply(stack, interaction, body)
    assert status == 422
    assert stack.queued("OUTBOUND_QUEUE_URL") == []


def test_another_reply_under_the_same_key_is_a_conflict(stack: AwsStack, interaction: str) -> None:
    post_reply(stack, interaction, {"text": "It left today."})
    status, said = post_reply(stack, interaction, {"text": "It is lost."})
    assert (status, said["error"]) == (409, "conflict")
    assert said["remedy"]
