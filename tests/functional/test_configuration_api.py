"""The routes of the configuration through the real handler and its role: seen, changed, refused, rolled back."""

from __future__ import annotations

import base64
import copy
import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.support.aws_stack import AwsStack

CONFIGURATION: dict[str, Any] = {
    "settings": {"default_department": "sales", "default_inbound_queue": "q"},
    "departments": [{"name": "sales"}, {"name": "legal"}],
    "queues": [{"name": "q"}, {"name": "exceptions"}, {"name": "secret-queue", "department": "legal"}],
    "endpoints": [{"name": "e", "queue": "q"}],
    "mailboxes": [
        {"name": "m", "address": "m@example.com", "server": "imap.example.com", "department": "sales"},
        {"name": "l", "address": "l@example.com", "server": "imap.example.com", "department": "legal"},
    ],
    "aliases": [{"name": "a", "address": "a@example.com", "department": "sales"}],
    "masking_patterns": [{"name": "card numbers", "kind": "card"}],
}
ISSUER = "https://issuer.example.com"


@dataclass(frozen=True, slots=True)
class Answered:
    """What the API answered."""

    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)
    text: str = ""

    @property
    def etag(self) -> str:
        return self.headers["ETag"]


@dataclass(frozen=True, slots=True)
class Caller:
    """Calls the API as one person."""

    stack: AwsStack
    subject: str

    def __call__(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        match: str | None = None,
        raw: str | None = None,
        query: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
        encoded: bool = False,
    ) -> Answered:
        given = {"content-type": "application/json", **(headers or {}), **({"if-match": match} if match else {})}
        claims = {"iss": ISSUER, "sub": self.subject, "email": f"{self.subject}@example.com", "email_verified": "true"}
        http = {
            "method": method,
            "path": f"/v1{path}",
            "protocol": "HTTP/1.1",
            "sourceIp": "192.0.2.1",
            "userAgent": "t",
        }
        event = {
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": f"/v1{path}",
            "rawQueryString": "",
            "headers": given,
            "queryStringParameters": query or {},
            "requestContext": {
                "http": http,
                "stage": "$default",
                "authorizer": {"jwt": {"claims": claims, "scopes": None}},
            },
            "isBase64Encoded": encoded,
        }
        if raw is not None or body is not None:
            event["body"] = raw if raw is not None else json.dumps(body)
        answer = self.stack.invoke("AdminApi", copy.deepcopy(event))
        text = answer.get("body") or ""
        return Answered(int(answer["statusCode"]), json.loads(text) if text else None, answer["headers"], text)


@pytest.fixture
def admin(stack: AwsStack) -> Caller:
    """An installation with two departments, and its partition administrator."""
    stack.configure(**CONFIGURATION)
    stack.appoint(ISSUER, "anna", "anna", {"*": ("partition_administrator",)})
    return Caller(stack, "anna")


@pytest.fixture
def sales(stack: AwsStack, admin: Caller) -> Caller:
    """The administrator of one department."""
    stack.appoint(ISSUER, "sam", "sam", {"sales": ("department_administrator",)})
    return Caller(stack, "sam")


@pytest.mark.feature("X11", "C19", "D02")
def test_an_object_is_added_shown_changed_replaced_and_removed_by_its_version(admin: Caller) -> None:
    added = admin("POST", "/config/queues", {"name": "new", "description": "one"})
    assert (added.status, added.body["version"], added.body["tally"]) == (201, 2, "1 to add, 0 to change, 0 to remove")
    shown = admin("GET", "/config/queues/new")
    assert (shown.status, shown.body["settings"]) == (200, {"name": "new", "description": "one"})
    assert shown.etag == added.etag
    changed = admin("PATCH", "/config/queues/new", {"description": "two"}, match=shown.etag, query={"why": "asked for"})
    assert (changed.status, changed.body["changes"][0]["fields"][0]["before"]) == (200, "one")
    stale = admin("PATCH", "/config/queues/new", {"description": "three"}, match=shown.etag)
    assert stale.status == 412
    assert stale.body["current"]["settings"]["description"] == "two"
    assert admin("PATCH", "/config/queues/new", {"description": "three"}).status == 428
    merge = {"content-type": "application/merge-patch+json"}
    back = admin("PATCH", "/config/queues/new", {"description": None}, match=changed.etag, headers=merge)
    assert back.body["object"]["settings"] == {"name": "new"}
    whole = admin("PUT", "/config/queues/new", {"department": "legal"}, match=back.etag)
    assert whole.body["object"]["settings"] == {"name": "new", "department": "legal"}
    assert admin("DELETE", "/config/queues/new", match=back.etag).status == 412
    assert admin("DELETE", "/config/queues/new", match=whole.etag).status == 204
    assert admin("GET", "/config/queues/new").status == 404
    history = admin("GET", "/config/history").body["items"]
    assert [(one["version"], one["added"], one["changed"], one["removed"]) for one in history][:2] == [
        (6, 0, 0, 1),
        (5, 0, 1, 0),
    ]
    assert history[3]["note"] == "asked for"
    assert {one["author"] for one in history[:-1]} == {"anna"}


def test_other_objects_may_change_between_reading_and_changing(admin: Caller) -> None:
    seen = admin("GET", "/config/mailboxes/m")
    assert admin("POST", "/config/queues", {"name": "other"}).status == 201
    changed = admin("PATCH", "/config/mailboxes/m", {"description": "x"}, match=seen.etag)
    assert changed.status == 200
    assert admin("GET", "/config/queues/other").status == 200


def test_a_whole_configuration_is_planned_put_and_returned_to(admin: Caller) -> None:
    seen = admin("GET", "/config")
    assert seen.body["configuration"] == CONFIGURATION
    wanted = CONFIGURATION | {"queues": [*CONFIGURATION["queues"], {"name": "more"}], "aliases": []}
    planned = admin("POST", "/config/plan", wanted)
    assert (planned.body["tally"], planned.body["changed"]) == ("1 to add, 0 to change, 1 to remove", False)
    assert admin("PUT", "/config", wanted, match='"99"').status == 412
    assert admin("PUT", "/config", wanted).status == 428
    put = admin("PUT", "/config", wanted, match=seen.etag)
    assert (put.status, put.body["version"]) == (200, 2)
    changes = admin("GET", "/config/history/2").body["items"]
    assert [(one["object"], one["kind"], one["who"]) for one in changes] == [
        ("queues/more", "added", "anna"),
        ("aliases/a", "removed", "anna"),
    ]
    one = admin("POST", "/config/rollback/1", {"objects": ["aliases/a"]})
    assert one.body["tally"] == "1 to add, 0 to change, 0 to remove"
    told = admin("GET", "/config/aliases/a/history").body["items"]
    assert [(each["kind"], each["version"]) for each in told] == [("added", 3), ("removed", 2)]
    assert admin("POST", "/config/rollback/1", {}).status == 200
    assert admin("GET", "/config").body["configuration"] == CONFIGURATION
    assert admin("POST", "/config/rollback/77", {}).status == 404


@pytest.mark.feature("O16", "D04")
def test_a_roll_back_disables_first_what_it_removes_if_told_to(admin: Caller) -> None:
    new = {"name": "n", "address": "n@example.com", "server": "imap.example.com", "password": {"secret": "s"}}
    assert admin("POST", "/config/mailboxes", new).status == 201
    assert admin("POST", "/mailboxes/n/enable").status == 200
    refused = admin("POST", "/config/rollback/1", {})
    assert (refused.status, refused.body["problems"][0]["path"]) == (422, "mailboxes[name=n]")
    assert admin("POST", "/config/rollback/1", {"disable": True}).status == 200
    assert admin("GET", "/config").body == {"version": 5, "configuration": CONFIGURATION}


@pytest.mark.feature("D04")
def test_a_mailbox_is_enabled_polled_disabled_and_only_then_removed(admin: Caller) -> None:
    seen = admin("GET", "/config/mailboxes/m")
    with_password = admin("PATCH", "/config/mailboxes/m", {"password": {"secret": "s"}}, match=seen.etag)
    assert with_password.status == 200
    assert admin("POST", "/mailboxes/m/poll").status == 422
    enabled = admin("POST", "/mailboxes/m/enable")
    assert (enabled.status, enabled.body["object"]["settings"]["enabled"]) == (200, True)
    assert admin("POST", "/mailboxes/m/poll").status == 204
    assert [one["mailboxes"] for one in admin.stack.queued("POLL_QUEUE_URL")] == [["m"]]
    guarded = admin("DELETE", "/config/mailboxes/m", match=enabled.etag)
    assert (guarded.status, "it is enabled" in guarded.text) == (422, True)
    assert admin("GET", "/mailboxes/m/problems").body == {"items": []}
    assert admin("GET", "/mailboxes/m/costs").body["total"] > 0
    disabled = admin("POST", "/mailboxes/m/disable")
    assert admin("DELETE", "/config/mailboxes/m", match=disabled.etag).status == 204


@pytest.mark.feature("C17", "S10")
def test_an_administrator_of_a_department_sees_and_changes_his_own_and_nothing_tells_of_the_others(
    admin: Caller, sales: Caller
) -> None:
    whole = sales("GET", "/config")
    assert "legal" not in whole.text
    assert "settings" not in whole.body["configuration"]
    assert [one["name"] for one in whole.body["configuration"]["mailboxes"]] == ["m"]
    assert [one["name"] for one in sales("GET", "/config/mailboxes").body["items"]] == ["m"]
    seen = sales("GET", "/config/mailboxes/m")
    assert sales("PATCH", "/config/mailboxes/m", {"description": "mine"}, match=seen.etag).status == 200
    foreign = admin("GET", "/config/mailboxes/l").etag
    for answer in (
        sales("GET", "/config/mailboxes/l"),
        sales("PATCH", "/config/mailboxes/l", {"description": "x"}, match=foreign),
        sales("PUT", "/config/mailboxes/l", {}, match=foreign),
        sales("DELETE", "/config/mailboxes/l", match=foreign),
        sales("GET", "/config/mailboxes/l/history"),
        sales("POST", "/mailboxes/l/enable"),
        sales("POST", "/mailboxes/l/poll"),
        sales("GET", "/mailboxes/l/costs"),
        sales("GET", "/config/mailboxes/nowhere"),
    ):
        assert answer.status == 404
        assert answer.body["code"] == "not_found"
    for answer in (
        sales("PUT", "/config", {}, match='"1"'),
        sales("POST", "/config/plan", {}),
        sales("GET", "/config/history"),
        sales("GET", "/config/settings"),
    ):
        assert answer.status == 403
    back = sales("POST", "/config/rollback/0", {})
    assert back.status in (403, 404)
    assert admin("GET", "/config").body["version"] == 2


def test_a_stranger_sees_nothing(stack: AwsStack, admin: Caller) -> None:
    stranger = Caller(stack, "stranger")
    for path in ("/config", "/config/queues", "/config/mailboxes/m", "/config/history", "/config/settings"):
        answer = stranger("GET", path)
        assert answer.status in (200, 403, 404), path
        if answer.status == 200:
            assert answer.body == {"version": 1, "configuration": {}}


def test_pages_hold_each_object_once(admin: Caller) -> None:
    names, cursor = [], ""
    while True:
        page = admin("GET", "/config/queues", query={"limit": "1", **({"cursor": cursor} if cursor else {})}).body
        names += [one["name"] for one in page["items"]]
        cursor = page["next"]
        if not cursor:
            break
    assert names == ["q", "exceptions", "secret-queue"]


@pytest.mark.parametrize("path", ["mailboxes.cycle_time", "settings.default_domain", "queues.active"])
def test_an_option_is_explained(admin: Caller, path: str) -> None:
    told = admin("GET", f"/config/explain/{path}")
    assert told.status == 200
    assert told.body["values"]


SECRET = "hunter2-Hunter2"
NEW = {"name": "n", "address": "n@example.com", "server": "imap.example.com"}
NO_UTF8 = {"raw": base64.b64encode(b'{"a": "\xff"}').decode(), "encoded": True}
DEEP = "[" * 60 + "]" * 60
WRONG: tuple[tuple[str, str, str, Any, dict[str, Any], tuple[int, ...]], ...] = (
    ("no object", "POST", "/config/queues", [], {}, (400, 422)),
    ("a text", "POST", "/config/queues", "name", {}, (400, 422)),
    ("nothing", "POST", "/config/queues", None, {}, (400, 422)),
    ("no name", "POST", "/config/queues", {}, {}, (422,)),
    ("a name of 41 characters", "POST", "/config/queues", {"name": "x" * 41}, {}, (422,)),
    ("a number for a name", "POST", "/config/queues", {"name": 7}, {}, (422,)),
    ("a list for a name", "POST", "/config/queues", {"name": ["q"]}, {}, (422,)),
    ("a name that is there", "POST", "/config/queues", {"name": "q"}, {}, (422,)),
    ("a name in other case", "POST", "/config/queues", {"name": "Q"}, {}, (422,)),
    ("an unknown field", "POST", "/config/queues", {"name": "n", "colour": "red"}, {}, (422,)),
    ("an unknown section", "POST", "/config/things", {"name": "n"}, {}, (404,)),
    ("a section by another method", "POST", "/config/settings", {}, {}, (404, 405, 422)),
    ("a port of 0", "PATCH", "/config/mailboxes/m", {"port": 0}, {}, (422,)),
    ("a port of smtp", "PATCH", "/config/mailboxes/m", {"port": 25}, {}, (422,)),
    ("options that contradict", "PATCH", "/config/mailboxes/m", {"first_connection": "since"}, {}, (422,)),
    ("a wrong type", "PATCH", "/config/mailboxes/m", {"cycle_time": {"a": 1}}, {}, (422,)),
    ("an unknown department", "PATCH", "/config/mailboxes/m", {"department": "nowhere"}, {}, (422,)),
    ("another name", "PATCH", "/config/mailboxes/m", {"name": "n"}, {}, (422,)),
    ("a password in clear", "PATCH", "/config/mailboxes/m", {"password": SECRET}, {}, (422,)),
    ("a password for a name", "PATCH", "/config/mailboxes/m", {"password": {"secret": SECRET + "!"}}, {}, (422,)),
    ("a password in no field", "PATCH", "/config/mailboxes/m", {"passwort": SECRET, "password": 3}, {}, (422,)),
    ("an enabled new one", "POST", "/config/mailboxes", NEW | {"enabled": True}, {}, (422,)),
    ("an address that is used", "POST", "/config/mailboxes", NEW | {"address": "M@example.com"}, {}, (422,)),
    ("what is used", "DELETE", "/config/queues/q", None, {}, (422,)),
    ("no such object", "PATCH", "/config/queues/nowhere", {"active": False}, {}, (404,)),
    ("a stale version", "PATCH", "/config/queues/q", {"active": False}, {"match": '"stale"'}, (412,)),
    ("no version", "PATCH", "/config/queues/q", {"active": False}, {"match": ""}, (428,)),
    ("any version", "PATCH", "/config/queues/q", {"active": False}, {"match": "*"}, (428,)),
    ("two megabytes", "PATCH", "/config/queues/q", {"description": "x" * 2_000_000}, {}, (413,)),
    ("deep JSON", "PATCH", "/config/queues/q", None, {"raw": f'{{"a": {DEEP}}}'}, (400,)),
    ("no JSON", "PATCH", "/config/queues/q", None, {"raw": f'{{"password": "{SECRET}"'}, (400,)),
    ("a key twice", "PATCH", "/config/queues/q", None, {"raw": '{"active": true, "active": false}'}, (400,)),
    ("no number", "PATCH", "/config/queues/q", None, {"raw": '{"active": NaN}'}, (400,)),
    ("no UTF-8", "PATCH", "/config/queues/q", None, NO_UTF8, (400,)),
    ("half a pair", "PATCH", "/config/queues/q", None, {"raw": '{"description": "\\ud800"}'}, (400,)),
    ("no JSON type", "PATCH", "/config/queues/q", {}, {"headers": {"content-type": "text/plain"}}, (415, 422)),
    ("an unknown parameter", "PATCH", "/config/queues/q", {}, {"query": {"force": "1"}}, (400,)),
    ("a wrong whole", "PUT", "/config", {"queues": [{"name": "a b"}]}, {"match": '"1"'}, (422,)),
    ("a whole with an unknown section", "POST", "/config/plan", {"things": []}, {}, (422,)),
    ("a whole that removes what is used", "PUT", "/config", CONFIGURATION | {"queues": []}, {"match": '"1"'}, (422,)),
    ("a roll-back of no object", "POST", "/config/rollback/1", {"objects": ["mailboxes"]}, {}, (422,)),
    ("a roll-back of what never was", "POST", "/config/rollback/1", {"objects": ["queues/zzz"]}, {}, (404,)),
    ("a roll-back with more", "POST", "/config/rollback/1", {"force": True}, {}, (422,)),
    ("a version that is no number", "POST", "/config/rollback/one", {}, {}, (422,)),
)  # fmt: skip


def test_what_is_wrong_is_refused_with_place_problem_and_remedy_and_nothing_is_changed(admin: Caller) -> None:
    before = admin("GET", "/config").body
    etags = {path: admin("GET", path).etag for path in ("/config/queues/q", "/config/mailboxes/m")}
    for what, method, path, body, more, statuses in WRONG:
        match = more.get("match", etags.get(path, '"none"') if method in ("PATCH", "PUT", "DELETE") else None)
        answer = admin(method, path, body, **{**more, "match": match})
        assert answer.status in statuses, (what, answer.status, answer.text)
        assert answer.headers["Content-Type"] == "application/problem+json", what
        assert answer.body["code"], what
        assert answer.body["remedy"], what
        if answer.status == 422:
            assert answer.body["problems"], what
            assert all(one["path"] and one["problem"] and one["remedy"] for one in answer.body["problems"]), what
        assert "unter2" not in answer.text, what
        assert "Traceback" not in answer.text
    assert admin("GET", "/config").body == before


@pytest.mark.feature("C04", "C06", "C10")
def test_what_is_used_names_its_users(admin: Caller) -> None:
    for section, name, user in (("queues", "q", "endpoint `e`"), ("departments", "legal", "mailbox `l`")):
        seen = admin("GET", f"/config/{section}/{name}")
        refused = admin("DELETE", f"/config/{section}/{name}", match=seen.etag)
        assert refused.status == 422
        assert user in refused.text
