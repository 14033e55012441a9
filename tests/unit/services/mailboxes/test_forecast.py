"""What is going to fail is said before it does."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from postroom.services.mailboxes.forecast import RULES, warnings

from tests.unit.services.polling.fakes import a_mailbox

TODAY = date(2026, 11, 21)

CASES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "an ordinary mailbox": ({}, []),
    "EWS in Exchange Online": (
        {"type": "EWS", "server": "https://outlook.office365.com/EWS/Exchange.asmx"},
        ["ews-exchange-online"],
    ),
    "EWS on premises": ({"type": "EWS", "server": "https://mail.example.com/EWS/Exchange.asmx"}, []),
    "a password at Microsoft": ({"server": "outlook.office365.com"}, ["password-exchange-online"]),
    "OAuth at Microsoft": ({"server": "outlook.office365.com", "client_id": "abc"}, []),
    "a password at Google": ({"server": "imap.gmail.com"}, ["password-google"]),
    "a host that only looks like Google": ({"server": "imap.notgmail.com"}, []),
    "plain text": ({"security": "none"}, ["plain-text"]),
    "opportunistic TLS": ({"security": "start-tls"}, ["opportunistic-tls"]),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_switched_off_or_unsafe_is_said(case: str) -> None:
    options, expected = CASES[case]
    found = warnings(a_mailbox(**options), today=TODAY, valid_until={})
    assert [warning.rule for warning in found] == expected
    assert all(warning.text and warning.remedy for warning in found)


def test_every_rule_has_a_case() -> None:
    assert {rule.name for rule in RULES} <= {name for _options, expected in CASES.values() for name in expected}


@pytest.mark.parametrize(
    ("days", "said"), [(31, ""), (30, "expires on 2026-12-21"), (0, "expires on"), (-1, "expired on 2026-11-20")]
)
def test_a_secret_that_expires_is_said_thirty_days_ahead(days: int, said: str) -> None:
    last = TODAY + timedelta(days=days)
    found = warnings(a_mailbox(), today=TODAY, valid_until={"support-password": last, "another": TODAY})
    assert [said in warning.text for warning in found] == ([True] if said else [])
