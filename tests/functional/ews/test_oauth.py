"""EWS by OAuth 2.0 through the real handler: an application that acts for the mailbox, and tokens that are refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from postroom import bootstrap
from postroom.model.mailbox_state import HealthState
from postroom_cli.mailservers.ews_store import Status
from postroom_cli.mailservers.tokens import CLIENT, SECRET, TENANT, TokenService, refusal

from tests.functional.ews.opening import ADDRESS
from tests.functional.ews.site import Site
from tests.support.mails import mail

APPLICATION = "the application"


class Issuer:
    """A token service, and an Exchange server that knows the application by what it has issued."""

    def __init__(self, site: Site, service: TokenService, url: str) -> None:
        self.site = site
        self.service = service
        self.void: set[str] = set()  # expired or revoked
        self._url = url
        site.ews.offers = ()
        site.ews.token_owner = self._owner
        site.ews.may_impersonate.add((APPLICATION, ADDRESS))
        site.enter("app", SECRET)

    def _owner(self, token: str) -> str | None:
        return APPLICATION if token in self.service.issued and token not in self.void else None

    def configure(self, **options: Any) -> None:
        """Let the mailbox log in by client credentials."""
        given = {
            "password": None,
            "client_id": CLIENT,
            "directory_id": TENANT,
            "tenant_authority": self._url,
            "client_secret": {"secret": "app"},
            "grant": "client_credentials",
            **options,
        }
        self.site.configure(**given)


@pytest.fixture
def issuer(site: Site) -> Iterator[Issuer]:
    """A token service on loopback, whose authority the mailbox trusts by its `ca_certificate`."""
    service = TokenService()
    with service.server() as endpoint:
        yield Issuer(site, service, endpoint.url)


@pytest.mark.feature("G03", "G23", "G24")
def test_an_application_fetches_for_the_mailbox_with_one_token_for_many_polls(issuer: Issuer) -> None:
    site = issuer.site
    issuer.configure(leave_msg_on_server=True)
    mails = [mail(subject=f"Number {number}") for number in range(3)]
    for content in mails:
        site.box.deliver(content)
        site.poll()
    assert sorted(content for content, _facts in site.raw()) == sorted(mails)
    assert all(item.read for item in site.box.inbox.items)
    assert (len(issuer.service.issued), set(site.ews.authorizations)) == (1, {"Bearer"})
    (form,) = issuer.service.forms
    assert (form["grant_type"], form["scope"]) == ("client_credentials", "https://outlook.office.com/.default")
    assert site.state().health.state is HealthState.ACTIVE


@pytest.mark.feature("G03")
def test_an_exchange_of_ones_own_names_the_scope_of_its_tokens(issuer: Issuer) -> None:
    issuer.configure(scope="https://mail.example.com/.default")
    issuer.site.poll()
    assert [form["scope"] for form in issuer.service.forms] == ["https://mail.example.com/.default"]
    assert issuer.site.state().health.state is HealthState.ACTIVE


@pytest.mark.fault(15)
def test_a_token_that_ended_early_is_had_anew_and_nothing_is_lost(issuer: Issuer) -> None:
    site = issuer.site
    issuer.configure()
    site.poll()
    issuer.void.update(issuer.service.issued)
    content = mail()
    site.box.deliver(content)
    site.poll()
    assert [stored for stored, _facts in site.raw()] == [content]
    assert len(issuer.service.issued) == 2
    assert site.state().health.state is HealthState.ACTIVE


@pytest.mark.fault(15)
@pytest.mark.parametrize("operation", ["GetItem", "DeleteItem"])
def test_a_token_that_ends_while_mail_is_fetched_does_not_stop_the_mailbox(issuer: Issuer, operation: str) -> None:
    site = issuer.site
    issuer.configure()
    site.poll()
    content = mail()
    site.box.deliver(content)
    site.ews.plant(operation, Status(401))
    site.poll()
    assert (site.state().health.state, site.state().health.code) == (HealthState.RETRYING, "login_ended")
    site.poll()
    assert [stored for stored, _facts in site.raw()] == [content]
    assert site.box.inbox.items == []
    assert site.state().health.state is HealthState.ACTIVE


def test_an_application_that_exchange_refuses_needs_a_person_and_is_not_tried_again(issuer: Issuer) -> None:
    site = issuer.site
    site.ews.token_owner = lambda _token: None
    issuer.configure()
    for _ in range(3):
        site.poll()
    health = site.state().health
    assert (health.state, health.code, health.step) == (HealthState.NEEDS_ATTENTION, "login_refused", "login")
    assert health.remedy
    assert site.ews.authorizations == ["Bearer", "Bearer"]  # one token, and one more in case the first was void
    assert not any(token in health.reason for token in issuer.service.issued)


def test_an_application_without_the_right_to_the_mailbox_is_told_which_right(issuer: Issuer) -> None:
    site = issuer.site
    site.ews.may_impersonate.clear()
    issuer.configure()
    site.poll()
    health = site.state().health
    assert (health.state, health.code) == (HealthState.NEEDS_ATTENTION, "impersonation_denied")
    assert "ApplicationImpersonation" in health.remedy


@pytest.mark.parametrize(
    ("error", "number"),
    [
        pytest.param("invalid_client", 7000222, id="the client secret has expired"),
        pytest.param("invalid_client", 7000215, id="the client secret is wrong"),
        pytest.param("unauthorized_client", 700016, id="no such application"),
    ],
)
def test_a_token_that_is_not_given_out_needs_a_person(issuer: Issuer, error: str, number: int) -> None:
    site = issuer.site
    issuer.service.script.extend([refusal(401, error, number)] * 4)
    issuer.configure()
    for _ in range(2):
        site.poll()
    health = site.state().health
    assert (health.state, health.step) == (HealthState.NEEDS_ATTENTION, "login")
    assert health.remedy
    assert site.ews.authorizations == []
    issuer.service.script.clear()
    bootstrap.forget()
    site.enter("app", SECRET)
    issuer.configure(description="Enabled again by a person")
    site.poll()
    assert site.state().health.state is HealthState.ACTIVE
