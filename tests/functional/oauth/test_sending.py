"""Sending by SMTP with the token of an e-mail account, through the real handler."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from postroom.model.configuration.oauth import AUTHORITIES, Cloud, Provider
from postroom.model.outbound import Outbound, OutboxState
from postroom_cli.mailservers import SmtpSink
from postroom_cli.mailservers.tokens import CLIENT, SECRET, TENANT, refusal

from tests.functional.oauth.conftest import Site
from tests.functional.processing.conftest import CONFIGURATION
from tests.functional.processing.test_smtp import reply_and_send

pytestmark = pytest.mark.feature("G03")


@pytest.fixture
def sink(site: Site) -> Iterator[SmtpSink]:
    """An SMTP server that takes nothing but the access tokens that were issued."""
    with SmtpSink({"support@example.com": "unused"}, tokens=["none"], require_login=True) as server:
        accepting: Any = site.issued
        server.tokens = accepting
        yield server


@pytest.fixture
def reply(site: Site, sink: SmtpSink, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Configure an account that has consented, and return what sends a reply by it."""
    monkeypatch.setitem(AUTHORITIES, (Provider.MICROSOFT, Cloud.WORLDWIDE), site.authority)
    site.enter("account.support", "refresh-0")
    site.service.refresh_tokens.add("refresh-0")
    site.service.rotates = True

    def send(**account: Any) -> Outbound:
        server = {
            "name": "smtp-client",
            "type": "smtp",
            "host": "localhost",
            "port": sink.port,
            "ca_certificate": sink.ca_pem,
            "authentication": "oauth-service",
            "account": "support",
        }
        application = {"name": "app", "client_id": CLIENT, "tenant_id": TENANT, "client_secret": {"secret": "app"}}
        given = {"name": "support", "application": "app", "address": "support@example.com", **account}
        site.stack.configure(
            **{
                **CONFIGURATION,
                "outbound_servers": [server],
                "oauth_applications": [application],
                "accounts": [given],
            }
        )
        return reply_and_send(site.stack)

    return send


def test_a_reply_is_sent_with_an_access_token_and_the_rotated_one_is_kept(
    site: Site, sink: SmtpSink, reply: Any
) -> None:
    assert reply().state is OutboxState.SENT
    (received,) = sink.mails
    assert (received.encrypted, received.user) == (True, "support@example.com")
    assert [form["grant_type"] for form in site.service.forms] == ["refresh_token"]
    assert site.secret("account.support") == "refresh-1"


@pytest.mark.fault(15)
def test_a_token_that_the_server_refuses_is_replaced_once(site: Site, sink: SmtpSink, reply: Any) -> None:
    site.issued.revoked.add("access-2")  # the first that is issued: number 1 is the refresh token beside it
    assert reply().state is OutboxState.SENT
    assert len(site.service.forms) == 2
    assert len(sink.mails) == 1


@pytest.mark.fault(15)
def test_a_server_that_takes_no_token_makes_the_mail_wait(site: Site, sink: SmtpSink, reply: Any) -> None:
    refusing: Any = ["another"]
    sink.tokens = refusing
    outbound = reply()
    assert outbound.state is OutboxState.DEFERRED
    assert len(site.service.forms) == 2
    assert sink.mails == []


@pytest.mark.fault(15)
def test_revoked_consent_makes_the_mail_wait_and_says_why(site: Site, sink: SmtpSink, reply: Any) -> None:
    site.service.script.append(refusal(400, "invalid_grant", 50173))
    outbound = reply()
    assert outbound.state is OutboxState.DEFERRED
    assert "revoked" in outbound.reason
    assert SECRET not in outbound.reason
    assert sink.mails == []


def test_an_inactive_account_sends_nothing(site: Site, sink: SmtpSink, reply: Any) -> None:
    assert reply(active=False).state is OutboxState.DEFERRED
    assert (sink.mails, site.service.forms) == ([], [])
