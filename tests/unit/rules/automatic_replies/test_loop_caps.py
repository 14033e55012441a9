"""The caps on automatic replies, as data."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from postroom.model import Cap
from postroom.rules.automatic_replies.caps import DOMAIN, INSTALLATION, SENDER, THREAD, caps_on

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
LIMITS = {SENDER: 1, DOMAIN: 100, THREAD: 3, INSTALLATION: 1_000}


def caps(sender: str = "ann@example.com", *, now: datetime = NOW, **limits: int) -> dict[str, Cap]:
    given = {name: limits.get(name.partition("-")[0], limit) for name, limit in LIMITS.items()}
    return {one.name: one for one in caps_on(sender=sender, mailbox="m", thread_id="t", limits=given, now=now)}


def keys(sender: str) -> dict[str, str]:
    return {name: cap.key for name, cap in caps(sender).items()}


def test_a_reply_must_pass_four_caps_narrowest_first_each_with_its_limit() -> None:
    assert {name: cap.limit for name, cap in caps().items()} == LIMITS
    assert list(caps()) == [SENDER, DOMAIN, THREAD, INSTALLATION]
    assert len({cap.key for cap in caps().values()}) == 4
    assert [name for name, cap in caps().items() if cap.shared] == [DOMAIN, INSTALLATION]


def test_one_within_a_window_is_counted_from_when_it_was_and_more_by_the_window_they_are_in() -> None:
    later = NOW + timedelta(hours=13)
    assert caps()[SENDER].key == caps(now=later)[SENDER].key
    assert caps()[SENDER].expires == NOW + timedelta(hours=24)
    assert caps(domain=1)[DOMAIN].key == caps(domain=1, now=later)[DOMAIN].key
    assert caps(domain=2)[DOMAIN].key != caps(domain=2, now=later)[DOMAIN].key
    assert caps(domain=2)[DOMAIN].expires == NOW + timedelta(hours=48)  # that of its window, wherever that began
    assert caps()[THREAD].key == caps(now=later)[THREAD].key


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
    assert (keys(one)[SENDER] == keys(other)[SENDER]) is same


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
    assert (keys(one)[DOMAIN] == keys(other)[DOMAIN]) is same


@pytest.mark.parametrize("address", ["a@gmail.com", "a@googlemail.com", "a@yahoo.fr", "a@x.fastmail.com", "a@web.de"])
def test_the_domain_of_mailboxes_for_everybody_is_not_counted(address: str) -> None:
    assert DOMAIN not in keys(address)
