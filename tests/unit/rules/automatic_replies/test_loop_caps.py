"""The caps on automatic replies, as data."""

from __future__ import annotations

from datetime import timedelta

import pytest
from postroom.rules.automatic_replies.caps import (
    CAPS,
    DOMAIN,
    INSTALLATION,
    SENDER,
    THREAD,
    Cap,
    counters,
    refused_by,
)


def test_the_caps_are_one_a_day_three_a_thread_and_a_number_an_hour() -> None:
    assert [(cap.name, cap.most, cap.window) for cap in CAPS] == [
        ("sender-and-mailbox", 1, timedelta(hours=24)),
        ("domain-and-mailbox", 100, timedelta(hours=24)),
        ("thread", 3, None),
        ("installation", 1_000, timedelta(hours=1)),
    ]


def test_a_reply_must_pass_four_counters_narrowest_first() -> None:
    found = list(counters(sender="Ann@Example.com", mailbox="support", thread_id="t1"))
    assert [each.cap for each in found] == [SENDER, DOMAIN, THREAD, INSTALLATION]
    assert len({each.key for each in found}) == 4


def test_an_installation_may_have_its_own_number() -> None:
    mine = Cap("installation", most=5, window=timedelta(hours=1))
    assert list(counters(sender="a@b", mailbox="m", thread_id="t", installation_cap=mine))[-1].cap is mine


def keys(sender: str) -> dict[str, str]:
    return {one.cap.name: one.key for one in counters(sender=sender, mailbox="m", thread_id="t")}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Ann@Example.com", "ann@example.com", True),
        ("ann+1@example.com", "ann+2@example.com", True),
        ("ann@example.com", "ann@example.net", False),
        ("ann@example.com", "bob@example.com", False),
        ("a.n.n@example.com", "ann@example.com", False),
        ("a.n.n+x@googlemail.com", "Ann@gmail.com", True),
        ("ann@GMAIL.com.", "ann@gmail.com", True),
        ("ａｎｎ@example.com", "ann@example.com", True),
        ('"ann"@example.com', "ann@example.com", True),
        ("ann-shop@yahoo.co.uk", "ann-news@yahoo.co.uk", True),
        ("ann-shop@yahoo.com", "ann@ymail.com", True),
        ("ann@yahoo.co.uk", "ann@yahoo.com", False),
        ("shop@ann.fastmail.com", "ann+shop@fastmail.com", True),
        ("a.nn_x@pm.me", "annx@protonmail.com", True),
        ("ann.b@yandex.com", "ann-b@ya.ru", True),
        ("ann@me.com", "ann@icloud.com", True),
        ("ann-b@example.com", "ann-c@example.com", False),
        ("+ann@example.com", "+bob@example.com", False),
    ],
)
def test_a_sender_is_one_person_however_the_address_is_spelled(one: str, other: str, same: bool) -> None:
    assert (keys(one)[SENDER.name] == keys(other)[SENDER.name]) is same


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("a1@firm.example", "a2@firm.example", True),
        ("a@h1.firm.example", "b@h2.firm.example", True),
        ("a@h1.firm.co.uk", "b@firm.co.uk", True),
        ("a@one.co.uk", "b@two.co.uk", False),
        ("a@firm.de", "b@firm.com", False),
    ],
)
def test_a_domain_is_counted_with_all_of_its_hosts(one: str, other: str, same: bool) -> None:
    assert (keys(one)[DOMAIN.name] == keys(other)[DOMAIN.name]) is same


@pytest.mark.parametrize("address", ["a@gmail.com", "a@googlemail.com", "a@yahoo.fr", "a@x.fastmail.com", "a@web.de"])
def test_the_domain_of_mailboxes_for_everybody_is_not_counted(address: str) -> None:
    assert DOMAIN.name not in keys(address)


@pytest.mark.parametrize(
    ("cap", "says"),
    [(SENDER, "within 24 hours"), (DOMAIN, "within 24 hours"), (THREAD, "a thread"), (INSTALLATION, "within 1 hour ")],
)
def test_a_full_counter_says_which_cap_and_how_much(cap: Cap, says: str) -> None:
    decision = refused_by(cap)
    assert decision.outcome == "suppressed"
    assert cap.name in decision.detail
    assert says in decision.detail
