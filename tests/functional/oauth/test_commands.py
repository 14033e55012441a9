"""`postroom mailbox test` and `preview` of mailboxes that log in by OAuth 2.0."""

from __future__ import annotations

from typing import Any

import pytest
from postroom_cli.mailservers.tokens import SECRET, refusal

from tests.functional.cli.conftest import Command, postroom  # noqa: F401 - the fixture of the command
from tests.functional.oauth.conftest import Site
from tests.support.mails import mail

TYPES = ["IMAP", "POP3", "GRAPH"]


@pytest.mark.feature("C09")
@pytest.mark.parametrize("type_", TYPES)
def test_a_connection_is_tested_with_a_token(site: Site, postroom: Command, type_: str) -> None:  # noqa: F811
    site.configure({"type": type_})
    site.deliver(type_, mail(subject="waits"))
    ran = postroom("mailbox", "test", "box0", "--json")
    assert (ran.status, ran.json["ok"], ran.json["messages"]) == (0, True, 1)
    assert len(site.service.forms) == 1
    assert postroom("mailbox", "preview", "box0").status == 0


@pytest.mark.feature("C09")
@pytest.mark.parametrize("type_", TYPES)
@pytest.mark.parametrize(
    ("number", "code"),
    [
        (50173, "consent_revoked"),
        (700082, "consent_expired"),
        (700016, "wrong_tenant"),
        (65001, "consent_missing"),
        (7000222, "client_secret_expired"),
    ],
)
def test_a_refused_token_is_named_with_its_step_and_remedy(
    site: Site,
    postroom: Command,  # noqa: F811
    type_: str,
    number: int,
    code: str,
) -> None:
    site.configure({"type": type_})
    site.service.script.append(refusal(400, "invalid_grant", number))
    ran = postroom("mailbox", "test", "box0", "--json")
    steps: list[dict[str, Any]] = ran.json["steps"]
    assert not ran.json["ok"]
    assert [step["name"] for step in steps if step["ok"]] == [
        step for step in ("dns", "connect", "tls", "greeting") if step != "greeting" or type_ != "GRAPH"
    ]
    assert (steps[-1]["name"], steps[-1]["code"]) == ("login", code)
    assert steps[-1]["remedy"]
    assert SECRET not in ran.out + ran.err
