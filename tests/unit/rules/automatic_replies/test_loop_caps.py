"""The caps on automatic replies, as data."""

from __future__ import annotations

from datetime import timedelta

import pytest
from postroom.rules.automatic_replies.caps import (
    CAPS,
    INSTALLATION,
    SENDER,
    THREAD,
    Cap,
    counters,
    refused_by,
    sender_key,
)


def test_the_caps_are_one_a_day_three_a_thread_and_a_number_an_hour() -> None:
    assert [(cap.name, cap.most, cap.window) for cap in CAPS] == [
        ("sender-and-mailbox", 1, timedelta(hours=24)),
        ("thread", 3, None),
        ("installation", 1_000, timedelta(hours=1)),
    ]


def test_a_reply_must_pass_three_counters_narrowest_first() -> None:
    found = list(counters(sender="Ann@Example.com", mailbox="support", thread_id="t1"))
    assert [each.cap for each in found] == [SENDER, THREAD, INSTALLATION]
    assert len({each.key for each in found}) == 3


def test_an_installation_may_have_its_own_number() -> None:
    mine = Cap("installation", most=5, window=timedelta(hours=1))
    assert list(counters(sender="a@b", mailbox="m", thread_id="t", installation_cap=mine))[-1].cap is mine


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Ann@Example.com", "ann@example.com", True),
        ("ann+1@example.com", "ann+2@example.com", True),
        ("ann@example.com", "ann@example.net", False),
        ("ann@example.com", "bob@example.com", False),
    ],
)
def test_a_sender_is_one_sender_however_the_address_is_tagged(one: str, other: str, same: bool) -> None:
    assert (sender_key(one) == sender_key(other)) is same


@pytest.mark.parametrize(
    ("cap", "says"),
    [(SENDER, "within 24 hours"), (THREAD, "a thread"), (INSTALLATION, "within 1 hour ")],
)
def test_a_full_counter_says_which_cap_and_how_much(cap: Cap, says: str) -> None:
    decision = refused_by(cap)
    assert decision.outcome == "suppressed"
    assert cap.name in decision.detail
    assert says in decision.detail
