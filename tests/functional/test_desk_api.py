"""Cases through the HTTP API's real handler: who gets one, what an answer is refused for, and what is not told of."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api_caller import Caller
from tests.support.aws_stack import AwsStack

CONFIGURATION: dict[str, Any] = {
    "settings": {
        "default_department": "sales",
        "default_inbound_queue": "orders",
        "exception_queue": "orders",
        "trusted_authserv_ids": ["mx.example.com"],
    },
    "departments": [{"name": "sales"}, {"name": "legal"}],
    "queues": [
        {"name": "orders", "department": "sales"},
        {"name": "returns", "department": "sales"},
        {"name": "contracts", "department": "legal"},
    ],
    "outbound_servers": [{"name": "smtp-client", "type": "ses"}],
    "mailboxes": [
        {
            "name": "shop",
            "address": "shop@example.com",
            "server": "imap.example.com",
            "password": {"secret": "shop"},
            "department": "sales",
        }
    ],
}


def mail(number: int, about: int = 0) -> bytes:
    subject = f"Re: Order {about}" if about else f"Order {number}"
    answers = f"In-Reply-To: <{about}@example.org>\r\n" if about else ""
    return (
        "Authentication-Results: mx.example.com; dmarc=pass header.from=example.org\r\n"
        f"From: Ann <ann{about or number}@example.org>\r\nTo: shop@example.com\r\nSubject: {subject}\r\n"
        f"Message-ID: <{number}@example.org>\r\n{answers}Date: Sat, 21 Nov 2026 01:{number:02}:00 +0000\r\n\r\n"
        f"Where is number {number}?\r\n"
    ).encode()


@pytest.fixture
def case(stack: AwsStack) -> str:
    """The case of one mail, waiting in orders."""
    stack.configure(**CONFIGURATION)
    return stack.process(mail(1), mailbox="shop")


ANN = "ann@example.com"
"""Everybody here has the same name: a case is held by an address."""


def agent(stack: AwsStack, name: str, role: str = "agent", department: str = "sales", queue: str = "orders") -> Caller:
    address = f"{name}@example.com"
    return Caller.appointed(stack, name, {department: (role,)}, queues=(queue,), name="Ann Miller", address=address)


@pytest.mark.feature("Q01")
def test_one_of_two_agents_gets_a_case_and_the_other_is_told_who_has_it(stack: AwsStack, case: str) -> None:
    ann, bob = agent(stack, "ann"), agent(stack, "bob")
    taken = ann.post(f"/cases/{case}/claim", None)
    late = bob.post(f"/cases/{case}/claim", None)
    again = ann.post(f"/cases/{case}/claim", None)
    assert (taken.status, taken.body["agent"], taken.body["state"]) == (200, ANN, "claimed")
    assert taken.etag == f'"{taken.body["version"]}"'
    assert (late.status, late.body["code"], late.body["current"]["agent"]) == (409, "case_claimed", ANN)
    assert late.body["what"].startswith(f"{ANN} has had it since")
    assert late.body["current"]["claimed"][:19] == taken.body["claimed"][:19]  # the table keeps milliseconds
    assert (again.status, again.etag) == (200, taken.etag)


@pytest.mark.feature("Q02")
def test_the_next_case_is_taken_until_none_waits(stack: AwsStack, case: str) -> None:
    cases = {case, *(stack.process(mail(number), mailbox="shop") for number in (2, 3))}
    callers = [agent(stack, "ann"), agent(stack, "bob")]
    given = [callers[turn % 2].post("/queues/claim-next", {"queues": ["orders"]}) for turn in range(4)]
    assert [one.status for one in given] == [200, 200, 200, 204]
    assert {one.body["id"] for one in given[:3]} == cases
    assert given[3].text == ""
    assert callers[0].post("/queues/claim-next", {}).status == 204  # of all that she works in


@pytest.mark.feature("Q04")
def test_a_case_that_is_given_back_waits_at_its_old_place(stack: AwsStack, case: str) -> None:
    stack.process(mail(2), mailbox="shop")
    ann, bob = agent(stack, "ann"), agent(stack, "bob")
    before = [one["id"] for one in ann.get("/queues/orders/cases").body["items"]]
    ann.post(f"/cases/{case}/claim", None)
    refused = bob.post(f"/cases/{case}/release", {})
    assert (refused.status, refused.body["current"]["agent"]) == (409, ANN)
    assert len(ann.get("/queues/orders/cases").body["items"]) == 1
    released = ann.post(f"/cases/{case}/release", {"reason": "lunch"})
    assert (released.status, released.body["state"], released.body["agent"]) == (200, "queued", "")
    assert [one["id"] for one in ann.get("/queues/orders/cases").body["items"]] == before
    last = ann.get(f"/cases/{case}/history").body["events"][-1]
    assert (last["what"], last["who"], last["detail"]) == ("released", ANN, "lunch")


def test_queues_and_their_cases_come_in_pages(stack: AwsStack, case: str) -> None:
    cases = [case, *(stack.process(mail(number), mailbox="shop") for number in (2, 3))]
    head = agent(stack, "head", "reader")
    first = head.get("/queues", limit="1").body
    rest = head.get("/queues", cursor=first["next"]).body
    assert [(one["name"], one["waiting"]) for one in first["items"] + rest["items"]] == [("orders", 3), ("returns", 0)]
    assert rest["next"] is None
    page = head.get("/queues/orders/cases", limit="2").body
    after = head.get("/queues/orders/cases", limit="2", cursor=page["next"]).body
    listed = page["items"] + after["items"]
    assert sorted(one["id"] for one in listed) == sorted(cases)
    assert after["next"] is None
    assert first["items"][0]["most_urgent_since"] == listed[0]["enqueued"]
    assert head.get("/queues/returns/cases", cursor=page["next"]).status == 400


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ({"state": "lost"}, "state"),
        ({"state": "closed", "month": "2026-13"}, "month"),
        ({"month": "2026-11"}, "month"),
        ({"limit": "101"}, "limit"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_list_that_makes_no_sense_is_refused(stack: AwsStack, case: str, query: dict[str, str], path: str) -> None:
    refused = agent(stack, "ann").get("/queues/orders/cases", **query)
    assert (refused.status, refused.body["problems"][0]["path"]) == (422, path)


@pytest.mark.feature("A02")
def test_an_answer_to_what_was_read_before_another_mail_came_is_refused_with_what_is_new(
    stack: AwsStack, case: str
) -> None:
    ann = agent(stack, "ann")
    read = ann.post(f"/cases/{case}/claim", None).body["mails_version"]
    newer = stack.process(mail(2, about=1), mailbox="shop")
    wanted = {"text": "It left today.", "mails_version": read}
    refused = ann.post(f"/cases/{case}/reply", wanted, key="first")
    assert (refused.status, refused.body["code"]) == (409, "case_moved_on")
    assert refused.body["current"]["mails"][-1]["id"] == newer
    assert stack.queued("OUTBOUND_QUEUE_URL") == []
    now = refused.body["current"]["mails_version"]
    answered = ann.post(f"/cases/{case}/reply", {**wanted, "mails_version": now, "close_after": True}, key="second")
    assert (answered.status, answered.body["state"]) == (200, "answering")
    again = ann.post(f"/cases/{case}/reply", {**wanted, "mails_version": now, "close_after": True}, key="second")
    assert (again.status, again.body) == (200, answered.body)
    other = ann.post(f"/cases/{case}/reply", {**wanted, "mails_version": now + 1}, key="third")
    assert other.status == 409  # one answer is on its way
    queued = stack.queued("OUTBOUND_QUEUE_URL")
    assert [one["outbound"] for one in queued] == [answered.body["answer"]["outbound"]]
    assert answered.body["answer"]["close_after"] is True


@pytest.mark.feature("A05")
def test_an_answer_is_taken_back_by_who_wrote_it_while_no_sender_has_it(stack: AwsStack, case: str) -> None:
    ann, bob = agent(stack, "ann"), agent(stack, "bob")
    read = ann.post(f"/cases/{case}/claim", None).body["mails_version"]
    ann.post(f"/cases/{case}/reply", {"text": "It left today.", "mails_version": read}, key="first")
    assert bob.post(f"/cases/{case}/undo", None).status == 403
    undone = ann.post(f"/cases/{case}/undo", None)
    assert (undone.status, undone.body["state"], undone.body["agent"]) == (200, "claimed", ANN)
    assert ann.post(f"/cases/{case}/undo", None).status == 409


def test_a_case_is_put_aside_resumed_closed_and_opened_again(stack: AwsStack, case: str) -> None:
    ann = agent(stack, "ann")
    ann.post(f"/cases/{case}/claim", None)
    acts: list[tuple[str, Any, str]] = [
        ("pending", {"until": "2099-01-01T09:00:00+01:00"}, "pending"),
        ("resume", None, "claimed"),
        ("close", {"code": "thanks", "no_answer": True}, "closed"),
        ("reopen", None, "claimed"),
    ]
    versions = []
    for act, body, state in acts:
        done = ann.post(f"/cases/{case}/{act}", body)
        assert (done.status, done.body["state"]) == (200, state), act
        versions.append(done.body["version"])
        listed = {"pending": "pending", "closed": "closed"}.get(state)
        if listed:
            assert [one["id"] for one in ann.get("/queues/orders/cases", state=listed).body["items"]] == [case]
    assert versions == sorted(set(versions))
    assert ann.post(f"/cases/{case}/close", {"no_answer": True}).body["problems"][0]["path"] == "code"
    assert ann.post(f"/cases/{case}/pending", {"until": "2099-01-01T09:00:00"}).status == 422  # in which time zone?


@pytest.mark.parametrize(("act", "body"), [("transfer", {"queue": "returns"}), ("pending", {}), ("close", {})])
def test_what_a_colleague_has_is_left_to_him_but_by_who_may_take_it(
    stack: AwsStack, case: str, act: str, body: dict[str, str]
) -> None:
    agent(stack, "ann").post(f"/cases/{case}/claim", None)
    refused = agent(stack, "bob").post(f"/cases/{case}/{act}", body)
    assert (refused.status, refused.body["current"]["agent"]) == (409, ANN)
    assert agent(stack, "head", "supervisor").post(f"/cases/{case}/{act}", body).status == 200


def test_tags_are_added_and_removed_and_a_note_is_written_once(stack: AwsStack, case: str) -> None:
    ann = agent(stack, "ann")
    assert ann.post(f"/cases/{case}/tags", {"add": ["vip", "late"]}).body["tags"] == ["late", "vip"]
    assert ann.post(f"/cases/{case}/tags", {"add": ["new"], "remove": ["late"]}).body["tags"] == ["new", "vip"]
    assert ann.post(f"/cases/{case}/notes", {"text": "He called."}).status == 422  # no key
    for _time in range(2):
        assert ann.post(f"/cases/{case}/notes", {"text": "He called."}, key="one").status == 200
    shown = ann.get(f"/cases/{case}")
    assert [(one["who"], one["text"]) for one in shown.body["notes"]] == [(ANN, "He called.")]
    assert [(one["id"], one["direction"]) for one in shown.body["mails"]] == [(case, "inbound")]
    assert shown.etag == f'"{shown.body["version"]}"'


def test_a_case_goes_to_queues_of_ones_own_departments_and_others_are_not_told_of(stack: AwsStack, case: str) -> None:
    ann = agent(stack, "ann")
    foreign, missing = (ann.post(f"/cases/{case}/transfer", {"queue": name}) for name in ("contracts", "nowhere"))
    assert foreign.status == missing.status == 422
    told = [str(one.body).replace(name, "") for one, name in ((foreign, "contracts"), (missing, "nowhere"))]
    assert told[0] == told[1]
    moved = ann.post(f"/cases/{case}/transfer", {"queue": "returns", "note": "a return"})
    assert (moved.status, moved.body["queue"], moved.body["counts"]["transfers"]) == (200, "returns", 1)
    assert ann.get(f"/cases/{case}").status == 404  # she does not work there


READS = ("", "/history")
ACTS: dict[str, Any] = {
    "claim": None,
    "release": {},
    "transfer": {"queue": "contracts"},
    "pending": {},
    "resume": None,
    "close": {},
    "reopen": None,
    "tags": {"add": ["x"]},
    "notes": {"text": "x"},
    "reply": {"text": "x", "mails_version": 1},
    "undo": None,
}


@pytest.mark.feature("D04")
def test_cases_of_another_department_or_queue_are_not_there(stack: AwsStack, case: str) -> None:
    head = agent(stack, "head", "reader")
    before = head.get(f"/cases/{case}").body
    strangers = [agent(stack, "law", "senior_agent", "legal", "contracts"), agent(stack, "rob", queue="returns")]
    for who in strangers:
        answers = [who.get(f"/cases/{case}{path}") for path in READS]
        answers += [who.post(f"/cases/{case}/{act}", body, key=act) for act, body in ACTS.items()]
        answers.append(who.get("/queues/orders/cases"))
        answers.append(who.post("/queues/claim-next", {"queues": ["orders"]}))
        assert [one.status for one in answers] == [404] * len(answers), who.subject
        assert "orders" not in [one["name"] for one in who.get("/queues").body["items"]]
    assert head.get(f"/cases/{case}").body == before


def test_who_may_only_read_does_nothing_to_a_case(stack: AwsStack, case: str) -> None:
    reader = agent(stack, "eve", "reader")
    assert {reader.post(f"/cases/{case}/{act}", body, key=act).status for act, body in ACTS.items()} == {403}
    assert reader.post("/queues/claim-next", {}).status == 403
