"""Whom a mail goes to: never ourselves, nobody twice, nobody who does not read, and with the names that people gave."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from postroom.mail.headers.address import Address
from postroom.model.configuration.document import Configuration
from postroom.model.interaction import Interaction, Subtype
from postroom.rules import recipients

CONFIGURATION = Configuration.model_validate(
    {
        "mailboxes": [
            {
                "name": "support",
                "address": "Support <support@example.com>",
                "server": "mail.example.com",
                "password": {"secret": "s"},
            }
        ],
        "aliases": [
            {"name": "sales", "address": "sales@bücher.example", "redirection_addresses": ["orders@example.com"]}
        ],
    }
)
OWN = recipients.own_addresses(CONFIGURATION)
ANN, BOB = Address("Ann", "ann@example.org"), Address("", "bob@example.net")
US = Address("Support", "Support@example.com")

MAIL = Interaction(
    id="i1",
    mailbox="support",
    queue="q",
    department="d",
    thread_id="i1",
    subtype=Subtype.INBOUND_NEW,
    subject="x",
    sender=ANN,
    created=datetime(2026, 11, 30, tzinfo=UTC),
    size=1,
    sha256="0",
    raw_key="raw",
    to=(US,),
)


@pytest.mark.feature("A09")
@pytest.mark.parametrize(
    ("changes", "to"),
    [
        ({}, ["Ann <ann@example.org>"]),
        ({"reply_to": (BOB,)}, ["bob@example.net"]),
        ({"reply_to": (US,)}, ["Ann <ann@example.org>"]),
        ({"reply_to": (US, BOB)}, ["bob@example.net"]),
        ({"reply_to": (Address("", "orders@EXAMPLE.com"),)}, ["Ann <ann@example.org>"]),
        ({"reply_to": (Address("", "sales@xn--bcher-kva.example"),)}, ["Ann <ann@example.org>"]),
        ({"reply_to": (Address("", "support+list@example.com"),)}, ["Ann <ann@example.org>"]),
        ({"reply_to": (Address("", "support+pr1.abc.aaaaaaaaaaaaaaaa@example.com"),)}, ["Ann <ann@example.org>"]),
        ({"reply_to": (Address("", "no-reply@shop.example"),)}, ["Ann <ann@example.org>"]),
        ({"reply_to": (Address("", "not an address"),)}, ["Ann <ann@example.org>"]),
        ({"reply_to": (Address("", "bär@example.org"),)}, ["Ann <ann@example.org>"]),
        ({"sender": US, "reply_to": (ANN,)}, ["Ann <ann@example.org>"]),
        ({"sender": US, "attributes": {"Original-Author": "ann@example.org"}}, ["ann@example.org"]),
        ({"sender": US, "attributes": {"Forwarded-From": "ann@example.org"}}, ["ann@example.org"]),
        (
            {"attributes": {"Answer-To": "ann@example.org, bob@example.net"}},
            ["Ann <ann@example.org>", "bob@example.net"],
        ),
        ({"reply_to": (ANN, Address("A.", "ANN@example.org"))}, ["Ann <ann@example.org>"]),
    ],
)
def test_an_answer_goes_to_the_person_in_order(changes: dict[str, object], to: list[str]) -> None:
    found = recipients.to_answer(replace(MAIL, **changes), OWN)  # type: ignore[arg-type]  # fields of it
    assert [f"{one.name} <{one.address}>" if one.name else one.address for one in found.to] == to
    assert not found.problems


@pytest.mark.feature("A09")
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"sender": None}, "no sender"),
        ({"sender": US}, "address of this installation"),
        ({"sender": US, "reply_to": (US,)}, "address of this installation"),
        ({"sender": Address("", "noreply@shop.example")}, "read by nobody"),
        ({"sender": Address("", "do-not-reply@shop.example")}, "read by nobody"),
        ({"sender": Address("Mail Delivery", "MAILER-DAEMON@mx.example")}, "read by nobody"),
        ({"sender": Address("", "bounces+tag@list.example")}, "read by nobody"),
        ({"sender": US, "reply_to": (Address("", "nicht-antworten@shop.example"),)}, "read by nobody"),
    ],
)
def test_where_nobody_can_be_answered_the_problem_says_what_to_do(changes: dict[str, object], words: str) -> None:
    found = recipients.to_answer(replace(MAIL, **changes), OWN)  # type: ignore[arg-type]
    (problem,) = found.problems
    assert not found.to
    assert problem.path == "to"
    assert words in problem.problem
    assert problem.remedy


@pytest.mark.parametrize(
    "address", ["postmaster@example.org", "abuse@example.org", "norah@example.org", "ann@noreply.org"]
)
def test_people_whose_address_only_looks_so_are_answered(address: str) -> None:
    assert recipients.to_answer(replace(MAIL, sender=Address("", address)), OWN).to[0].address == address


@pytest.mark.feature("A09")
def test_an_answer_to_all_leaves_us_out_and_nobody_gets_it_twice() -> None:
    mail = replace(
        MAIL,
        to=(US, BOB, Address("Ann", "Ann@Example.org"), Address("", "support+x@example.com")),
        cc=(
            Address("Bob", "BOB@example.net"),
            Address("", "orders@example.com"),
            Address("Carol", "carol@example.org"),
            Address("", "no-reply@shop.example"),
            Address("", "sales@bücher.example"),
        ),
    )
    found = recipients.to_everybody(mail, OWN)
    assert found.to == (ANN,)
    assert found.cc == (Address("Bob", "bob@example.net"), Address("Carol", "carol@example.org"))
    assert any("no-reply" in one for one in found.left_out)


def test_the_others_are_answered_where_only_the_sender_cannot_be() -> None:
    mail = replace(MAIL, sender=Address("", "noreply@shop.example"), cc=(BOB,))
    found = recipients.to_everybody(mail, OWN)
    assert (found.to, found.cc, found.problems) == ((BOB,), (), ())


def test_a_recipient_stands_in_the_first_field_that_names_him_with_his_name() -> None:
    found = recipients.to_whom_typed(
        ["ann@example.org", "Ann <ANN@example.org>"],
        ["Bob <bob@example.net>", "ann@example.org", "c@bücher.example"],
        ["bob@example.net", "dora@example.net", "c@xn--bcher-kva.example"],
    )
    assert found.to == (Address("Ann", "ann@example.org"),)
    assert found.cc == (Address("Bob", "bob@example.net"), Address("", "c@bücher.example"))
    assert found.bcc == (Address("", "dora@example.net"),)
    assert found.left_out


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        (["ann@exa mple.org"], "a space"),
        (["bär@example.org"], "other letters"),
        (["support@example.com"], "mailbox of this installation"),
        (["Support+tag@Example.com"], "mailbox of this installation"),
        ([f"a{number}@example.org" for number in range(10_000)], "10,000 recipients"),
    ],
    ids=["space", "local part", "own", "own with a tag", "ten thousand"],
)
def test_what_cannot_be_a_recipient_is_named_by_field(typed: list[str], words: str) -> None:
    mailboxes = frozenset({"support@example.com"})
    for field in ("to", "cc", "bcc"):
        given = {"to": [], "cc": [], "bcc": [], field: typed}
        found = recipients.to_whom_typed(given["to"], given["cc"], given["bcc"], mailboxes=mailboxes)
        (problem,) = found.problems
        assert (problem.path, words in problem.problem) == (field, True)
        assert problem.remedy


@pytest.mark.parametrize("name", ["", "Ann", 'Smith, "J."', "a\\b", "山田", "x@y"])
def test_a_mailbox_that_is_written_reads_back_as_the_same(name: str) -> None:
    one = Address(name, "ann@example.org")
    assert recipients.typed("to", [recipients.written(one)]) == ((one,), [])
