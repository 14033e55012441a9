"""Mailboxes that log in by OAuth 2.0, through the real handler: token, login, mail, and what refusals come to."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

import pytest
from postroom.model.configuration.mailbox import DEFAULT_PORTS, Type
from postroom.model.configuration.oauth import AUTHORITIES, SERVERS, Cloud, Provider
from postroom.model.mailbox_state import HealthState
from postroom_cli.mailservers.https import Reply
from postroom_cli.mailservers.tokens import CLIENT, LEAK, SECRET, TENANT, refusal

from tests.functional.oauth.conftest import Site
from tests.support.mails import mail

TYPES = ["IMAP", "POP3", "GRAPH"]
REFRESH: dict[str, Any] = {"grant": "refresh_token", "password": {"secret": "refresh"}}


def consented(site: Site) -> None:
    """A person has consented; each refresh token works once."""
    site.enter("refresh", "refresh-0")
    site.service.refresh_tokens.add("refresh-0")
    site.service.rotates = True


@pytest.mark.feature("G03", "S06")
@pytest.mark.parametrize("type_", TYPES)
@pytest.mark.parametrize("grant", ["client_credentials", "password", "refresh_token"])
def test_mail_is_fetched_with_an_access_token(site: Site, type_: str, grant: str) -> None:
    consented(site)
    site.service.passwords["box0@example.com"] = "pw"
    site.enter("word", "pw")
    options = {
        "client_credentials": {},
        "password": {"grant": "", "password": {"secret": "word"}},
        "refresh_token": REFRESH,
    }[grant]
    site.configure({"type": type_, "leave_msg_on_server": True, **options})
    content = mail(subject="by token")
    site.deliver(type_, content)
    site.poll()
    assert site.raw() == [content]
    assert site.well()
    site.poll()
    assert len(site.raw()) == 1


@pytest.mark.feature("G23")
@pytest.mark.parametrize("type_", ["IMAP", "POP3"])
def test_a_shared_mailbox_is_opened_with_the_token_of_its_service_account(site: Site, type_: str) -> None:
    site.service.passwords["svc@example.com"] = "pw"
    site.enter("word", "pw")
    shared = {"type": type_, "grant": "", "password": {"secret": "word"}, "service_account": "svc@example.com"}
    site.configure(shared, shared)
    content = mail(subject="shared")
    site.deliver(type_, content, user="box1@example.com")
    site.poll("box0", "box1")
    assert site.raw() == [content]
    assert site.well("box0")
    assert site.well("box1")
    assert [form["username"] for form in site.service.forms] == ["svc@example.com"]


@pytest.mark.feature("G03")
def test_mailboxes_of_an_account_share_its_consent(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(AUTHORITIES, (Provider.MICROSOFT, Cloud.WORLDWIDE), site.authority)
    monkeypatch.setitem(SERVERS[(Provider.MICROSOFT, Cloud.WORLDWIDE)], Type.IMAP, "127.0.0.1")
    monkeypatch.setitem(DEFAULT_PORTS, (Type.IMAP, True), site.imap.port)
    site.enter("account.support", "refresh-0")
    site.service.refresh_tokens.add("refresh-0")
    own: dict[str, Any] = {
        "account": "support",
        "server": None,
        "port": None,
        "client_id": None,
        "directory_id": None,
        "tenant_authority": None,
        "client_secret": None,
        "grant": "",
    }
    site.configure(
        own,
        {**own, "shared_mailbox": True},
        oauth_applications=[
            {"name": "app", "client_id": CLIENT, "tenant_id": TENANT, "client_secret": {"secret": "app"}}
        ],
        accounts=[{"name": "support", "application": "app", "address": "box0@example.com"}],
    )
    contents = {mail(subject="own"), mail(subject="shared")}
    for number, content in enumerate(sorted(contents)):
        site.deliver("IMAP", content, user=f"box{number}@example.com")
    site.poll("box0", "box1")
    assert set(site.raw()) == contents
    assert len(site.service.forms) == 1
    assert site.secret("account.support") == "refresh-1"


@pytest.mark.feature("G03")
@pytest.mark.parametrize("type_", TYPES)
def test_a_rotated_refresh_token_is_what_the_next_process_uses(site: Site, type_: str) -> None:
    consented(site)
    site.configure({"type": type_, **REFRESH})
    for _process in range(3):
        site.poll()
        site.begin_anew()
    assert site.well()
    used = [form["refresh_token"] for form in site.service.forms]
    assert len(used) == len(set(used)) == 3
    assert site.secret("refresh") in site.service.refresh_tokens


@pytest.mark.fault(15)
@pytest.mark.parametrize("type_", TYPES)
def test_a_token_that_the_mail_server_refuses_is_replaced_once(site: Site, type_: str) -> None:
    site.configure({"type": type_})
    site.poll()
    site.issued.revoked |= set(site.service.issued)
    site.deliver(type_, mail(subject="after"))
    site.poll()
    assert site.well()
    assert len(site.raw()) == 1
    assert len(site.service.forms) == 2


@pytest.mark.fault(15)
@pytest.mark.parametrize("type_", TYPES)
def test_a_mail_server_that_takes_no_token_stops_the_mailbox_after_two(site: Site, type_: str) -> None:
    site.service.life = 3600
    refusing: Any = ["another"]
    site.imap.tokens = site.pop3.tokens = site.graph.tokens = refusing
    site.configure({"type": type_})
    for _cycle in range(3):
        site.poll()
    health = site.health()
    assert (health.state, health.code, health.step) == (HealthState.NEEDS_ATTENTION, "token_refused", "login")
    assert health.since is not None
    assert health.next_try is not None
    assert health.next_try - health.since >= timedelta(minutes=59)  # no password that could be locked out
    assert len(site.service.forms) == 2


@pytest.mark.fault(15)
@pytest.mark.parametrize(
    ("answer", "code"),
    [
        pytest.param(lambda: refusal(400, "invalid_grant", 50173), "consent_revoked", id="refresh-revoked"),
        pytest.param(lambda: refusal(400, "invalid_grant", 700082), "consent_expired", id="refresh-expired"),
        pytest.param(lambda: refusal(400, "invalid_grant", 65001), "consent_missing", id="consent-removed"),
        pytest.param(lambda: refusal(400, "unauthorized_client", 700016), "wrong_tenant", id="wrong-tenant"),
        pytest.param(lambda: refusal(401, "invalid_client", 7000222), "client_secret_expired", id="secret-expired"),
    ],
)
def test_what_only_a_person_can_mend_stops_the_mailbox_and_says_so(
    site: Site, answer: Any, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="postroom")
    consented(site)
    site.configure(REFRESH)
    site.service.script.append(answer())
    for _cycle in range(3):
        site.poll()
    health = site.health()
    assert (health.state, health.code, health.step) == (HealthState.NEEDS_ATTENTION, code, "login")
    assert health.next_try is None
    assert health.remedy
    assert len(site.service.forms) == 1
    told = f"{caplog.text}{[record.__dict__ for record in caplog.records]}{health}"
    for secret in (SECRET, "refresh-0", LEAK):
        assert secret not in told


@pytest.mark.fault(15)
@pytest.mark.parametrize(
    ("answer", "code"),
    [
        pytest.param(lambda: Reply(503), "token_service_unavailable", id="5xx"),
        pytest.param(lambda: refusal(429, "x", retry_after="300"), "throttled", id="429-retry-after"),
    ],
)
def test_what_passes_by_itself_is_tried_again(site: Site, answer: Any, code: str) -> None:
    site.configure({})
    site.service.script.append(answer())
    site.poll()
    health = site.health()
    assert (health.state, health.code, health.step) == (HealthState.RETRYING, code, "login")
    assert (health.next_try is not None) is (code == "throttled")


@pytest.mark.feature("G03")
def test_many_mailboxes_of_an_application_ask_for_one_token(site: Site) -> None:
    site.configure({}, {}, {"type": "POP3"}, {"type": "POP3"}, {})
    names = [f"box{number}" for number in range(5)]
    site.poll(*names)
    assert all(site.well(name) for name in names)
    assert len(site.service.forms) == 1
