"""Two mailboxes that open one folder with one login are refused: each mail would come twice, and be answered twice."""

from __future__ import annotations

import pytest
from postroom.model.configuration import Configuration
from postroom.services.configuration.checks.mailboxes import same_folder

pytestmark = pytest.mark.fault(100)

FIRST = {"name": "sales", "address": "sales@example.com", "server": "mail.example.com", "login": "box", "enabled": True}


def refused(**second: object) -> list[str]:
    """Say which mailboxes are refused beside the first."""
    other = {**FIRST, "name": "support", "address": "support@example.com", **second}
    configuration = Configuration.model_validate({"mailboxes": [FIRST, other]})
    return [".".join(map(str, finding.path)) for finding in same_folder(configuration)]


@pytest.mark.parametrize(
    "second",
    [
        {},
        {"login": "BOX"},
        {"server": "Mail.Example.com"},
        {"folder_path": "inbox"},
        {"type": "POP3"},
        {"port": 143, "security": "start-tls-required"},
    ],
    ids=["the same", "login in capitals", "server in capitals", "inbox in small letters", "by POP3", "another port"],
)
def test_one_login_and_folder_is_refused(second: dict[str, object]) -> None:
    assert refused(**second) == ["mailboxes.1.login"]


@pytest.mark.parametrize(
    "second",
    [
        {"login": "other"},
        {"folder_path": "Support"},
        {"server": "mail.example.org"},
        {"enabled": False},
        {"type": "POP3", "login": "other"},
    ],
    ids=["another login", "another folder", "another server", "not polled", "another login by POP3"],
)
def test_what_opens_something_else_is_allowed(second: dict[str, object]) -> None:
    assert refused(**second) == []


def test_logins_that_are_the_addresses_differ() -> None:
    assert refused(login="") == []


def test_the_finding_names_the_other_and_what_to_do() -> None:
    other = {**FIRST, "name": "support", "address": "support@example.com"}
    (finding,) = same_folder(Configuration.model_validate({"mailboxes": [FIRST, other]}))
    assert "`sales`" in finding.problem
    assert "aliases" in finding.remedy
