"""People through the real API: invited, signed in, given roles, deactivated; and what nobody may do."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from postroom import bootstrap

from tests.support.api_caller import ISSUER, Caller
from tests.support.aws_stack import AwsStack, aws_stack

CONFIGURATION: dict[str, Any] = {
    "settings": {"default_department": "sales", "default_inbound_queue": "orders", "exception_queue": "orders"},
    "departments": [{"name": "sales"}, {"name": "service"}],
    "queues": [{"name": "orders", "department": "sales"}, {"name": "repairs", "department": "service"}],
    "outbound_servers": [{"name": "smtp-client", "type": "ses"}],
}


@pytest.fixture
def ada(stack: AwsStack) -> Caller:
    """The first partition administrator."""
    stack.configure(**CONFIGURATION)
    return Caller.appointed(stack, "ada", {"*": ("partition_administrator",)})


def invite(who: Caller, address: str, roles: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    answer = who.post("/users", {"address": address, "roles": roles, **more})
    assert answer.status == 201, answer.body
    found: dict[str, Any] = answer.body
    return found


def test_who_was_invited_is_made_at_the_first_sign_in_if_the_address_is_verified(stack: AwsStack, ada: Caller) -> None:
    invite(ada, "Ann@Example.com", {"sales": ["agent"]}, queues={"orders": ["de"]})
    unverified = Caller(stack, "ann", address="ann@example.com", verified=False)
    assert unverified.get("/me").status == 403
    ann = Caller(stack, "ann", address="ann@example.com")
    me = ann.get("/me")
    assert (me.status, me.body["user"]["roles"], me.body["user"]["queues"]) == (
        200,
        {"sales": ["agent"]},
        {"orders": ["de"]},
    )
    assert {one["block"] for one in me.body["rights"]} >= {"cases", "case_work"}
    # The invitation is used up: another account with the same address is somebody else.
    assert Caller(stack, "another", address="ann@example.com").get("/me").status == 403


def test_the_stacks_first_administrator_is_one_from_the_first_sign_in_on_and_only_while_there_is_none() -> None:
    with aws_stack(AdministratorEmail="Boss@Example.com", JwtIssuer=ISSUER, JwtAudience="x") as stack:
        stack.configure(**CONFIGURATION)
        bootstrap.forget()
        assert Caller(stack, "eve", address="boss@example.com", verified=False).get("/me").status == 403
        me = Caller(stack, "boss", address="boss@example.com").get("/me")
        assert (me.status, me.body["user"]["roles"]) == (200, {"*": ["partition_administrator"]})
        assert Caller(stack, "another", address="boss@example.com").get("/me").status == 403
    bootstrap.forget()


def test_a_group_of_the_token_leads_to_a_role(stack: AwsStack, ada: Caller) -> None:
    role = ada.get("/roles/agent")
    body = {name: role.body[name] for name in ("title", "rights")} | {"groups": {"sales-agents": "sales"}}
    assert ada.put("/roles/agent", body, version=role.etag).status == 200
    me = Caller(stack, "bob", groups="[sales-agents x]").get("/me")
    assert (me.status, me.body["user"]["roles"]) == (200, {"sales": ["agent"]})
    assert Caller(stack, "eve", groups="[x]").get("/me").status == 403


def test_the_last_partition_administrator_stays(stack: AwsStack, ada: Caller) -> None:
    me = ada.get(f"/users/{ada.id}")
    taken = ada.patch(f"/users/{ada.id}", {"roles": {"*": None}}, version=me.etag)
    assert (taken.status, taken.body["code"]) == (409, "last_administrator")
    gone = ada.post(f"/users/{ada.id}/deactivate", {}, version=me.etag)
    assert (gone.status, gone.body["code"]) == (409, "last_administrator")
    second = Caller.appointed(stack, "second", {"*": ("partition_administrator",)})
    assert second.post(f"/users/{ada.id}/deactivate", {}, version=me.etag).status == 200
    last = second.get(f"/users/{second.id}")
    assert second.post(f"/users/{second.id}/deactivate", {}, version=last.etag).status == 409


@dataclass(frozen=True)
class Grant:
    by: Mapping[str, tuple[str, ...]]
    gives: Mapping[str, list[str]]
    status: int


GRANTS: dict[str, Grant] = {
    "an administrator of everything makes one of a department": Grant(
        {"*": ("partition_administrator",)}, {"sales": ["department_administrator"]}, 201
    ),
    "of a department, an agent": Grant({"sales": ("department_administrator",)}, {"sales": ["agent"]}, 201),
    "of a department, a supervisor": Grant({"sales": ("department_administrator",)}, {"sales": ["supervisor"]}, 201),
    "of a department, one above": Grant(
        {"sales": ("department_administrator",)}, {"*": ["partition_administrator"]}, 404
    ),
    "of a department, an agent everywhere": Grant({"sales": ("department_administrator",)}, {"*": ["agent"]}, 404),
    "of a department, an agent elsewhere": Grant({"sales": ("department_administrator",)}, {"service": ["agent"]}, 404),
    "of a department, the whole partition in his own": Grant(
        {"sales": ("department_administrator",)}, {"sales": ["partition_administrator"]}, 403
    ),
    "of a department, a role of raw and unmasked text": Grant(
        {"sales": ("department_administrator",)}, {"sales": ["revealer"]}, 403
    ),
    "of everything, a role of raw and unmasked text": Grant(
        {"*": ("partition_administrator",)}, {"sales": ["revealer"]}, 201
    ),
    "a supervisor, an agent": Grant({"sales": ("supervisor",)}, {"sales": ["agent"]}, 403),
    "an agent, himself more": Grant({"sales": ("agent",)}, {"sales": ["supervisor"]}, 403),
    "nobody": Grant({}, {"sales": ["agent"]}, 403),
}


@pytest.mark.parametrize("name", GRANTS)
def test_nobody_gives_what_he_lacks(stack: AwsStack, ada: Caller, name: str) -> None:
    rights = {"unmasked_text": {"level": "view"}, "raw_messages": {"level": "view"}}
    made = ada.post("/roles", {"name": "revealer", "title": "Reads everything", "rights": rights})
    assert made.status == 201, made.body
    grant = GRANTS[name]
    who = Caller.appointed(stack, "who", grant.by)
    answer = who.post("/users", {"address": "new@example.com", "roles": grant.gives})
    assert answer.status == grant.status, answer.body
    listed = ada.get("/users").body["items"]
    assert any(one["address"] == "new@example.com" for one in listed) is (grant.status == 201)


def test_a_department_administrator_sees_and_changes_what_is_his_and_leaves_the_rest(
    stack: AwsStack, ada: Caller
) -> None:
    both = invite(ada, "both@example.com", {"sales": ["agent"], "service": ["supervisor"]})
    other = invite(ada, "other@example.com", {"service": ["agent"]})
    head = Caller.appointed(stack, "head", {"sales": ("department_administrator",)})
    seen = head.get(f"/users/{both['id']}")
    assert (seen.status, seen.body["roles"]) == (200, {"sales": ["agent"]})
    assert head.get(f"/users/{other['id']}").status == 404
    assert {one["name"] for one in head.get("/users").body["items"]} == {"both@example.com", "head"}
    changed = head.patch(f"/users/{both['id']}", {"roles": {"sales": ["senior_agent"]}}, version=seen.etag)
    assert (changed.status, changed.body["roles"]) == (200, {"sales": ["senior_agent"]})
    whole = ada.get(f"/users/{both['id']}").body["roles"]
    assert whole == {"sales": ["senior_agent"], "service": ["supervisor"]}
    assert head.post(f"/users/{both['id']}/deactivate", {}, version=changed.etag).status == 403


def test_a_supervisor_says_who_works_in_his_departments_queues_and_gives_no_role(stack: AwsStack, ada: Caller) -> None:
    agent = invite(ada, "agent@example.com", {"sales": ["agent"]})
    head = Caller.appointed(stack, "head", {"sales": ("supervisor",)}, queues=("orders",))
    seen = head.get(f"/users/{agent['id']}")
    joined = head.patch(f"/users/{agent['id']}", {"queues": {"orders": ["de", "en"]}}, version=seen.etag)
    assert (joined.status, joined.body["queues"]) == (200, {"orders": ["de", "en"]})
    version = joined.etag
    assert head.patch(f"/users/{agent['id']}", {"queues": {"repairs": []}}, version=version).status == 404
    assert head.patch(f"/users/{agent['id']}", {"roles": {"sales": ["reader"]}}, version=version).status == 403


def test_a_change_names_the_version_that_it_was_made_from(stack: AwsStack, ada: Caller) -> None:
    one = invite(ada, "one@example.com", {"sales": ["agent"]})
    path = f"/users/{one['id']}"
    assert ada.patch(path, {"name": "One"}).status == 428
    assert ada.patch(path, {"name": "One"}, version="*").status == 428
    assert ada.patch(path, {"name": "One"}, version='"1"').status == 200
    stale = ada.patch(path, {"name": "Two"}, version='"1"')
    assert (stale.status, stale.etag, stale.body["current"]["name"]) == (412, '"2"', "One")


def test_who_is_deactivated_may_nothing_and_gets_back_what_he_had(stack: AwsStack, ada: Caller) -> None:
    head = Caller.appointed(stack, "head", {"sales": ("supervisor",)})
    assert head.get("/users").status == 200
    path = f"/users/{head.id}"
    told = ada.post(f"{path}/deactivate", {"preview": True}, version=ada.get(path).etag)
    assert (told.body["done"], told.body["user"]["state"]) == (False, "active")
    gone = ada.post(f"{path}/deactivate", {}, version=ada.get(path).etag)
    assert (gone.body["done"], gone.body["user"]["state"]) == (True, "deactivated")
    bootstrap.forget()  # rights are read again within a minute
    assert (head.get("/users").status, head.get("/me").status) == (403, 403)
    assert ada.post(f"{path}/activate", None, version=gone.etag).status == 200
    bootstrap.forget()
    assert head.get("/users").status == 200


def test_a_role_that_somebody_has_stays_and_one_that_nobody_has_goes(stack: AwsStack, ada: Caller) -> None:
    rights = {"cases": {"level": "view", "reach": "queues"}}
    made = ada.post("/roles", {"name": "looker", "title": "Looks", "rights": rights})
    one = invite(ada, "one@example.com", {"sales": ["looker"]})
    used = ada.delete("/roles/looker", version=made.etag)
    assert (used.status, used.body["code"]) == (409, "in_use")
    assert ada.delete(f"/users/{one['id']}", version='"1"').status == 204
    assert ada.delete("/roles/looker", version=made.etag).status == 204
    assert ada.get("/roles/looker").status == 404
    assert ada.post("/roles", {"name": "looker", "title": "Looks again", "rights": rights}).status == 201
    assert ada.delete("/roles/agent", version='"0"').status == 409


def test_a_machine_signs_with_aws_and_every_session_of_a_role_is_the_role(stack: AwsStack, ada: Caller) -> None:
    arn = "arn:aws:sts::123456789012:assumed-role/crm"
    machine = Caller(stack, f"{arn}/session-1", signed=True)
    assert machine.get("/users").status == 403
    made = ada.post("/users", {"arn": arn, "roles": {"sales": ["integrator"]}})
    assert (made.status, made.body["kind"], made.body["state"]) == (201, "machine", "active")
    bootstrap.forget()
    assert Caller(stack, f"{arn}/session-2", signed=True).get("/mailboxes").status == 200


def test_a_list_goes_on_by_its_cursor_and_by_no_other(stack: AwsStack, ada: Caller) -> None:
    for number in range(5):
        invite(ada, f"user{number}@example.com", {"sales": ["agent"]})
    names: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = ada.get("/users", limit="2", **({"cursor": cursor} if cursor else {})).body
        names += [one["name"] for one in page["items"]]
        cursor = page["next"]
    assert names == sorted(names)
    assert len(names) == 6
    first = ada.get("/users", limit="2").body["next"]
    head = Caller.appointed(stack, "head", {"sales": ("supervisor",)})
    assert head.get("/users", cursor=first).status == 400  # another caller
    assert ada.get("/mailboxes", cursor=first).status == 400  # another list
    turned = base64.urlsafe_b64encode(json.dumps([9_999_999_999, "user"]).encode()).decode()
    assert ada.get("/users", cursor=turned).status == 400  # made up


def test_a_repeated_request_gets_the_same_answer_and_does_nothing(stack: AwsStack, ada: Caller) -> None:
    body = {"address": "one@example.com", "roles": {"sales": ["agent"]}}
    first, again = (ada.post("/users", body, key="k1") for _ in range(2))
    assert (first.status, again.status, again.body) == (201, 201, first.body)
    assert again.headers["Idempotent-Replayed"] == "true"
    other = ada.post("/users", {**body, "address": "two@example.com"}, key="k1")
    assert (other.status, other.body["code"]) == (409, "key_reused")
    # What was refused is no answer to keep: it is made again when the reason is gone.
    refused = ada.post("/users", {"address": "x", "roles": {"sales": ["agent"]}}, key="k2")
    assert refused.status == 422
    assert ada.post("/users", {**body, "address": "two@example.com"}, key="k2").status == 201


@pytest.mark.feature("A25")
def test_the_audit_log_tells_who_did_what_by_object_by_person_and_by_department(stack: AwsStack, ada: Caller) -> None:
    one = invite(ada, "one@example.com", {"sales": ["agent"]})
    other = invite(ada, "other@example.com", {"service": ["agent"]})
    changed = ada.patch(f"/users/{one['id']}", {"roles": {"sales": ["reader"]}}, version='"1"')
    assert changed.status == 200
    (newest, *_), by_object = (ada.get("/audit", object=f"user/{one['id']}").body["items"] for _ in range(2))
    assert [entry["action"] for entry in by_object] == ["user_changed", "user_invited"]
    assert (newest["actor"], newest["before"], newest["after"]) == (
        ada.id,
        {"roles": {"sales": ["agent"]}},
        {"roles": {"sales": ["reader"]}},
    )
    by_person = ada.get("/audit", actor=ada.id).body["items"]
    assert {entry["object"] for entry in by_person} >= {f"user/{one['id']}", f"user/{other['id']}"}
    assert {entry["actor"] for entry in by_person} == {ada.id}
    # The department's administrator sees his own department's entries and no other's.
    head = Caller.appointed(stack, "head", {"sales": ("department_administrator",)})
    seen = {entry["object"] for entry in head.get("/audit").body["items"]}
    assert f"user/{one['id']}" in seen
    assert f"user/{other['id']}" not in seen
    assert head.get("/audit", object=f"user/{other['id']}").body["items"] == []
    assert Caller.appointed(stack, "agent", {"sales": ("agent",)}).get("/audit").status == 403


def test_the_audit_log_is_paged_without_missing_or_repeating_an_entry(stack: AwsStack, ada: Caller) -> None:
    for number in range(7):
        invite(ada, f"user{number}@example.com", {"sales": ["agent"]})
    for filtered in ({}, {"actor": ada.id}):
        whole = [one["id"] for one in ada.get("/audit", **filtered).body["items"]]
        found: list[str] = []
        cursor: str | None = ""
        while cursor is not None:
            page = ada.get("/audit", limit="3", **filtered, **({"cursor": cursor} if cursor else {})).body
            found += [one["id"] for one in page["items"]]
            cursor = page["next"]
        assert found == whole
        assert len(set(found)) == len(found) >= 7


def test_the_audit_log_is_exported_as_json_lines_by_an_auditor_which_it_tells(stack: AwsStack, ada: Caller) -> None:
    invite(ada, "one@example.com", {"sales": ["agent"]})
    assert ada.get("/audit/export").status == 403
    auditor = Caller.appointed(stack, "auditor", {"*": ("auditor",)})
    exported = auditor.get("/audit/export")
    assert exported.status == 200
    lines = [json.loads(line) for line in exported.text.splitlines()]
    assert lines[0]["action"] == "audit_exported"
    assert [line["id"] for line in lines] == [one["id"] for one in ada.get("/audit").body["items"]]
