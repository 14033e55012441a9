"""The simulator's batches: it takes what Microsoft Graph takes, and refuses what that refuses."""

from __future__ import annotations

import json
from typing import Any

import pytest
from postroom_cli.mailservers.graph import USER, GraphService
from postroom_cli.mailservers.https import Request

LIST = "/users/box0@example.com/mailFolders/inbox/messages?$select=id,isRead"
IMMUTABLE = {"Prefer": 'IdType="ImmutableId"'}


def part(one: str = "1", **options: Any) -> dict[str, Any]:
    return {"id": one, "method": "GET", "url": LIST, "headers": IMMUTABLE, **options}


def ask(service: GraphService, *parts: Any, **options: Any) -> tuple[int, dict[str, Any]]:
    headers = {"authorization": "Bearer token-1", "content-type": "application/json", **options.pop("headers", {})}
    body = options.pop("body", None) or json.dumps({"requests": parts}).encode()
    reply = service(Request(options.get("method", "POST"), "/v1.0/$batch", {}, headers, body))
    return reply.status, json.loads(reply.body)


def test_every_part_is_answered_by_its_id_in_any_order() -> None:
    service = GraphService(users={USER, "box1@example.com"})
    service.deliver(b"x")
    status, answer = ask(service, part(), part("2", url=LIST.replace("box0", "box1")), part("3", url="/me"))
    found = {one["id"]: one for one in answer["responses"]}
    assert status == 200
    assert [one["id"] for one in answer["responses"]] != ["1", "2", "3"]
    assert {one: given["status"] for one, given in found.items()} == {"1": 200, "2": 200, "3": 404}
    assert (len(found["1"]["body"]["value"]), found["2"]["body"]["value"]) == (1, [])
    assert service.violations == []


def test_a_part_that_is_throttled_says_so_by_itself() -> None:
    service = GraphService()
    _status, answer = ask(service, *(part(str(number)) for number in range(6)))
    throttled = [one for one in answer["responses"] if one["status"] == 429]
    assert len(throttled) == 2
    assert all(one["headers"]["Retry-After"] == "1" for one in throttled)


@pytest.mark.parametrize(
    "given",
    [
        pytest.param({"parts": [part(str(number)) for number in range(21)]}, id="too many"),
        pytest.param({"parts": []}, id="none"),
        pytest.param({"parts": [part("a"), part("A")]}, id="an id twice"),
        pytest.param({"parts": [part(id=1)]}, id="an id that is a number"),
        pytest.param({"parts": [part(url=f"https://graph.microsoft.com/v1.0{LIST}")]}, id="an absolute url"),
        pytest.param({"parts": [part(url=f"/v1.0{LIST}")]}, id="the version in the url"),
        pytest.param({"parts": [part(url="/$batch", method="POST")]}, id="a batch in a batch"),
        pytest.param({"parts": [part(method="LOOK")]}, id="no method"),
        pytest.param({"parts": [part(headers=["x"])]}, id="no headers"),
        pytest.param({"parts": [part(headers={"Authorization": "Bearer x"})]}, id="a token of its own"),
        pytest.param({"parts": [part(method="PATCH", body={"isRead": True})]}, id="a body of no type"),
        pytest.param({"parts": [part(more=1)]}, id="an unknown property"),
        pytest.param({"parts": ["x"]}, id="no object"),
        pytest.param({"body": b'{"requests": [], "more": 1}'}, id="more than requests"),
        pytest.param({"body": b"<xml/>"}, id="no JSON"),
        pytest.param({"parts": [part()], "headers": {"content-type": "text/plain"}}, id="not said to be JSON"),
        pytest.param({"parts": [part()], "method": "GET"}, id="not posted"),
    ],
)
def test_what_is_no_batch_is_refused_as_a_whole(given: dict[str, Any]) -> None:
    service = GraphService()
    status, _answer = ask(service, *given.pop("parts", ()), **given)
    assert status == 400
    assert len(service.violations) == 1
    assert service.batches == []


def test_a_token_that_is_not_taken_is_refused_before_anything_is_read() -> None:
    service = GraphService()
    assert ask(service, part(), headers={"authorization": "Bearer wrong"})[0] == 401
    assert service.batches == []
