"""Who wrote a mail, who passed it on, and whom an answer goes to: lists, groups, forwards, our own mail.

The family: a header of the way taken for the writer's, and the one who passes a mail on taken for who wrote it.
"""

from __future__ import annotations

from typing import Any

import pytest
from postroom.mail.outgoing import thread_token
from postroom.model.configuration.document import Configuration
from postroom.model.interaction import Subtype
from postroom.model.understanding import Understanding
from postroom.services.inbound.explanation import explain
from postroom.services.inbound.understand_mail import understand
from postroom.services.policy.compiled import policy_of

from tests.support.mails import mail

SETTINGS: dict[str, Any] = {"default_domain": "shop.example"}
MAILBOX = {"name": "support", "address": "Shop <support@shop.example>", "type": "IMAP", "server": "imap.shop.example"}
ALIAS = {"name": "sales", "address": "sales@shop.example", "redirection_addresses": ["orders@shop.example"]}


def read(raw: bytes, **settings: Any) -> Understanding:
    configuration = Configuration.model_validate(
        {"settings": SETTINGS | settings, "mailboxes": [MAILBOX], "aliases": [ALIAS]}
    )
    return understand(raw, policy=policy_of(configuration))


def answered(found: Understanding) -> list[str]:
    return [one.address for one in found.answer_to]


GROUP = ("Mailing-list: list {address}; contact {address}", "List-ID: <{id}>", "Precedence: list")


def group(address: str, *, list_id: str | None = None) -> list[str]:
    return [one.format(address=address, id=list_id or address.replace("@", ".")) for one in GROUP]


@pytest.mark.parametrize(
    ("address", "settings"),
    [
        pytest.param("support@shop.example", {}, id="a mailbox"),
        pytest.param("sales@shop.example", {}, id="an alias"),
        pytest.param("orders@shop.example", {}, id="a redirection address"),
        pytest.param("team@groups.example", {"own_lists": ["Team@groups.example"]}, id="named by its address"),
        pytest.param("team@groups.example", {"own_lists": ["team.groups.example"]}, id="named by its List-Id"),
    ],
)
def test_a_group_that_is_our_own_front_door_leaves_people_people(address: str, settings: dict[str, Any]) -> None:
    found = read(mail(*group(address)), **settings)
    assert (found.subtype, found.automatic.is_automatic, found.list_headers) == (None, False, ())
    assert found.decisions[0].rule == "kind.own-list"


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param(group("news@other.example"), id="another list"),
        pytest.param([*group("support@shop.example"), "List-Id: <news.other.example>"], id="another list before ours"),
        pytest.param(group("support@shop.example", list_id="news.other.example"), id="two names, one foreign"),
        pytest.param(["List-Unsubscribe: <mailto:u@other.example>"], id="no name at all"),
        pytest.param(["List-Id: support.shop.example.evil.example"], id="a name that ours begins"),
    ],
)
def test_any_other_list_stays_one_and_withholds_the_automatic_reply(headers: list[str]) -> None:
    found = read(mail(*headers))
    assert found.subtype is Subtype.INBOUND_AUTOMATIC
    assert found.list_headers


@pytest.mark.parametrize(
    ("headers", "sender", "author"),
    [
        pytest.param(
            ["X-Original-From: Kim Doe <kim@customer.example>", *group("users@lists.example")],
            '"Kim Doe via Users" <users@lists.example>',
            "Kim Doe <kim@customer.example>",
            id="Google's field",
        ),
        pytest.param(
            ["X-Original-Sender: kim@customer.example"],
            "'Kim Doe' via Users <users@lists.example>",
            "Kim Doe <kim@customer.example>",
            id="the address alone",
        ),
        pytest.param(
            ["Reply-To: Kim Doe <kim@customer.example>"],
            "Kim Doe via Users <users@lists.example>",
            "Kim Doe <kim@customer.example>",
            id="Mailman's Reply-To",
        ),
        pytest.param(
            ["Cc: Kim Doe <kim@customer.example>", "Reply-To: users@lists.example"],
            "Kim Doe via Users <users@lists.example>",
            "Kim Doe <kim@customer.example>",
            id="Mailman's Cc",
        ),
        pytest.param(
            ["X-Original-From: Kim <kim@customer.example>", *group("users@lists.example")],
            "users@lists.example",
            "Kim <kim@customer.example>",
            id="From is the list",
        ),
        pytest.param(["X-Original-From: Eve <eve@evil.example>"], "Kim <kim@customer.example>", None, id="no list"),
        pytest.param([], "Kim Doe via Users <users@lists.example>", None, id="nobody says who"),
        pytest.param(["X-Original-From: not an address"], "Kim via Users <users@lists.example>", None, id="malformed"),
    ],
)
def test_the_author_behind_a_list_is_told(headers: list[str], sender: str, author: str | None) -> None:
    found = read(mail(*headers, sender=sender))
    told = found.original_author
    assert (f"{told.name} <{told.address}>" if told else None) == author
    assert (found.attributes.get("Original-Author") == "kim@customer.example") is (author is not None)


def test_the_author_behind_a_list_is_whom_an_answer_is_proposed_to() -> None:
    headers = ["X-Original-From: Kim Doe <kim@customer.example>", *group("support@shop.example")]
    found = read(mail(*headers, sender='"Kim Doe via Support" <support@shop.example>'))
    assert answered(found) == ["kim@customer.example"]
    assert found.attributes["Answer-To"] == "kim@customer.example"
    assert found.subtype is None


@pytest.mark.parametrize(
    ("sender", "reply_to", "answer"),
    [
        pytest.param("kim@customer.example", None, ["kim@customer.example"], id="who sent it"),
        pytest.param("kim@customer.example", "kim@home.example", ["kim@home.example"], id="Reply-To"),
        pytest.param("kim@customer.example", "support@shop.example", ["kim@customer.example"], id="Reply-To is ours"),
        pytest.param(
            "kim@customer.example",
            "support+pr1.abcd.ef@shop.example",
            ["kim@customer.example"],
            id="with a token of ours",
        ),
        pytest.param("support@shop.example", "kim@customer.example", ["kim@customer.example"], id="a contact form"),
        pytest.param("support@shop.example", None, [], id="ourselves"),
        pytest.param("kim@customer.example", "broken", ["kim@customer.example"], id="Reply-To without an address"),
    ],
)
def test_our_own_addresses_are_never_whom_we_answer(sender: str, reply_to: str | None, answer: list[str]) -> None:
    headers = [f"Reply-To: {reply_to}"] if reply_to else []
    assert answered(read(mail(*headers, sender=sender))) == answer


FORWARD = (
    "Please handle.\r\n\r\nFrom: Kim Doe <kim@customer.example>\r\nSent: Friday, November 27, 2026 4:02 PM\r\n"
    "To: Bo <bo@branch.example>\r\nSubject: Order 4711\r\n\r\nWhere is my order?"
)


def test_who_forwards_and_who_wrote_are_told_apart() -> None:
    found = read(mail(sender="bo@branch.example", subject="FW: Order 4711", body=FORWARD))
    assert found.sender is not None
    assert found.forwarded is not None
    assert found.forwarded.sender is not None
    assert (found.sender.address, found.forwarded.sender.address) == ("bo@branch.example", "kim@customer.example")
    assert answered(found) == ["bo@branch.example"]
    decided = next(one for one in found.decisions if one.rule == "answer-to")
    assert (decided.outcome, "kim@customer.example" in decided.detail) == ("sender", True)
    assert found.attributes["Forwarded-From"] == "kim@customer.example"
    assert found.attributes["Forwarded-Subject"] == "Order 4711"


def test_the_answer_to_a_forward_goes_to_whom_the_setting_says() -> None:
    found = read(mail(sender="bo@branch.example", subject="FW: x", body=FORWARD), answer_forwards_to="original")
    assert answered(found) == ["kim@customer.example"]


def test_a_forward_from_our_own_address_is_a_persons_and_is_answered_to_who_wrote() -> None:
    found = read(mail(sender="sales@shop.example", subject="FW: Order 4711", body=FORWARD))
    assert (found.subtype, answered(found)) == (None, ["kim@customer.example"])


def test_mail_under_our_own_address_is_told_as_such() -> None:
    found = read(mail(sender="Shop <support@shop.example>"))
    assert (found.subtype, found.automatic.rule) == (Subtype.INBOUND_AUTOMATIC, "own-mail")
    assert ("kind.own-mail", "returned") in [(one.rule, one.outcome) for one in found.decisions]


def test_what_a_report_holds_is_forwarded_by_nobody() -> None:
    raw = mail(
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b",
        sender="MAILER-DAEMON@mx.example",
        return_path="<>",
        subject="Undelivered Mail Returned to Sender",
        body="--b\r\n\r\nNo.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\n"
        "Final-Recipient: rfc822; kim@y.example\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n--b\r\n"
        "Content-Type: message/rfc822\r\n\r\nFrom: support@shop.example\r\nTo: kim@y.example\r\n\r\nHello\r\n--b--",
    )
    found = read(raw)
    assert (found.subtype, found.forwarded) == (Subtype.INBOUND_NDR, None)


def test_explain_tells_all_of_it() -> None:
    configuration = Configuration.model_validate({"settings": SETTINGS, "mailboxes": [MAILBOX]})
    raw = mail(sender="bo@branch.example", subject="FW: Order 4711", body=FORWARD)
    row = explain(raw, source="x", policy=policy_of(configuration))
    assert row["forwarded"] == {
        "from": {"name": "Kim Doe", "address": "kim@customer.example"},
        "to": [{"name": "Bo", "address": "bo@branch.example"}],
        "date": "Friday, November 27, 2026 4:02 PM",
        "subject": "Order 4711",
    }
    assert row["answer_to"] == [{"name": "", "address": "bo@branch.example"}]
    assert row["original_author"] is None


def test_what_is_told_of_a_forward_is_masked() -> None:
    pattern = {"name": "digits", "pattern": r"\d{4}", "replacement": "*"}
    configuration = Configuration.model_validate(
        {"settings": SETTINGS, "mailboxes": [MAILBOX], "masking_patterns": [pattern]}
    )
    raw = mail(sender="bo@branch.example", subject="FW: Order 4711", body=FORWARD)
    found = understand(raw, policy=policy_of(configuration))
    assert found.forwarded is not None
    assert "4711" not in found.forwarded.subject + found.attributes["Forwarded-Subject"]


def test_an_answer_is_never_sent_to_a_piece_of_an_address() -> None:
    others = [f"customer-with-a-long-name-{number}@far-away.customer.example" for number in range(30)]
    found = read(mail(f"Reply-To: {', '.join(others)}", sender="bo@branch.example", subject="FW: x", body=FORWARD))
    proposed = found.attributes["Answer-To"].split(", ")
    assert len(proposed) > 5
    assert proposed == others[: len(proposed)]


def test_a_mail_that_we_sent_is_known_by_its_token_whoever_it_says_it_is_from() -> None:
    key = b"k" * 32
    own_id = thread_token.message_id_for("abcdefghijklmnopqrstuvwxyz", key=key, domain="shop.example")
    configuration = Configuration.model_validate({"settings": SETTINGS, "mailboxes": [MAILBOX]})
    policy = policy_of(configuration, thread_keys=[key])
    found = understand(mail(message_id=own_id), policy=policy)
    assert (found.subtype, found.automatic.rule) == (Subtype.INBOUND_AUTOMATIC, "own-mail")
    reported = understand(mail("Auto-Submitted: auto-replied", message_id=own_id), policy=policy)
    assert "kind.own-mail" in [one.rule for one in reported.decisions]
