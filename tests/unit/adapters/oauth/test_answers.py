"""What the answers of a token endpoint mean, and the way there."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from typing import Any

import pytest
from postroom.adapters.net.tls import client_context
from postroom.adapters.oauth.requests import wanted
from postroom.errors import (
    ConnectFailed,
    DeadlineExceeded,
    LoginRefused,
    MailboxLocked,
    Permanent,
    PostroomError,
    ServerMisbehaved,
    TlsFailed,
    Transient,
)
from postroom_cli.mailservers.https import Reply
from postroom_cli.mailservers.tokens import LEAK, SECRET, as_json, refusal

from tests.support import certificates
from tests.unit.adapters.oauth.conftest import World

pytestmark = pytest.mark.feature("G03")


REFUSALS: dict[str, tuple[Callable[[], Reply], type[PostroomError], str]] = {
    "wrong-tenant": (lambda: refusal(400, "unauthorized_client", 700016), LoginRefused, "wrong_tenant"),
    "tenant-unknown": (lambda: refusal(400, "invalid_request", 90002), LoginRefused, "tenant_unknown"),
    "consent-missing": (lambda: refusal(400, "invalid_grant", 65001), LoginRefused, "consent_missing"),
    "secret-expired": (lambda: refusal(401, "invalid_client", 7000222), LoginRefused, "client_secret_expired"),
    "secret-wrong": (lambda: refusal(401, "invalid_client", 7000215), LoginRefused, "client_secret_wrong"),
    "secret-missing": (lambda: refusal(401, "invalid_client", 7000218), LoginRefused, "client_secret_missing"),
    "refresh-expired": (lambda: refusal(400, "invalid_grant", 700082), LoginRefused, "consent_expired"),
    "refresh-revoked": (lambda: refusal(400, "invalid_grant", 50173), LoginRefused, "consent_revoked"),
    "second-factor": (lambda: refusal(400, "invalid_grant", 50076), LoginRefused, "mfa_required"),
    "conditional-access": (lambda: refusal(400, "access_denied", 53003), LoginRefused, "access_blocked"),
    "password-wrong": (lambda: refusal(400, "invalid_grant", 50126), LoginRefused, "password_wrong"),
    "account-locked": (lambda: refusal(400, "invalid_grant", 50053), LoginRefused, "account_locked"),
    "scope-unknown": (lambda: refusal(400, "invalid_scope", 70011), LoginRefused, "scope_wrong"),
    "number-in-text-only": (
        lambda: as_json(400, {"error": "invalid_grant", "error_description": f"AADSTS700082: {LEAK}"}),
        LoginRefused,
        "consent_expired",
    ),
    "google-revoked": (lambda: refusal(400, "invalid_grant"), LoginRefused, "consent_revoked"),
    "google-client": (lambda: refusal(401, "invalid_client"), LoginRefused, "client_secret_wrong"),
    "google-delegation": (lambda: refusal(401, "unauthorized_client"), LoginRefused, "consent_missing"),
    "google-deleted": (lambda: refusal(401, "deleted_client"), LoginRefused, "application_unknown"),
    "google-key": (
        lambda: refusal(400, "invalid_grant", text="Invalid JWT Signature."),
        LoginRefused,
        "assertion_refused",
    ),
    "unheard-of": (lambda: refusal(400, "brand_new", 123456789), LoginRefused, "token_not_given"),
    "cloud-of-a-government": (lambda: refusal(400, "invalid_request", 90038), LoginRefused, "wrong_cloud"),
    "not-installed-here": (lambda: refusal(401, "invalid_client", 7000229), LoginRefused, "wrong_tenant"),
    "certificate-unknown": (lambda: refusal(401, "invalid_client", 50012), LoginRefused, "assertion_refused"),
    "session-revoked": (lambda: refusal(400, "invalid_grant", 50133), LoginRefused, "consent_revoked"),
    "second-factor-too-old": (lambda: refusal(400, "invalid_grant", 50078), LoginRefused, "mfa_required"),
    "device-policy": (lambda: refusal(400, "invalid_grant", 530032), LoginRefused, "access_blocked"),
    "account-not-assigned": (lambda: refusal(400, "invalid_grant", 50105), LoginRefused, "account_not_assigned"),
    "account-of-another-tenant": (lambda: refusal(400, "invalid_grant", 50020), LoginRefused, "account_unknown"),
    "account-deleted": (lambda: refusal(400, "invalid_grant", 500341), LoginRefused, "account_unknown"),
    "unheard-of-grant": (lambda: refusal(400, "invalid_grant", 123456789), LoginRefused, "token_not_given"),
    "google-session-control": (
        lambda: refusal(400, "invalid_grant", text="reauth related error (invalid_rapt)"),
        LoginRefused,
        "consent_expired",
    ),
    "google-service-account-deleted": (
        lambda: refusal(400, "invalid_grant", text="Invalid grant: account not found"),
        LoginRefused,
        "assertion_refused",
    ),
    "not-an-object": (lambda: as_json(400, ["x"]), ServerMisbehaved, "no_token_service"),
    "a-proxy-s-page": (lambda: Reply(403, b"<html>Blocked</html>"), ServerMisbehaved, "no_token_service"),
    "a-login-to-the-network": (lambda: Reply(303, b"", {"Location": "/hello"}), Permanent, "no_token_service"),
    "asked-in-a-loop": (lambda: refusal(400, "invalid_grant", 50196), MailboxLocked, "throttled"),
    "directory-down": (lambda: refusal(400, "invalid_grant", 90033), Transient, "token_service_unavailable"),
    "budget-exceeded": (lambda: refusal(400, "invalid_request", 90024), Transient, "token_service_unavailable"),
    "agents-of-the-domain-down": (lambda: refusal(400, "invalid_grant", 80002), Transient, "token_service_unavailable"),
    "throttled": (lambda: refusal(429, "temporarily_unavailable", retry_after="7"), MailboxLocked, "throttled"),
    "broken": (lambda: Reply(500, b"<html>"), Transient, "token_service_unavailable"),
    "unavailable": (lambda: refusal(400, "temporarily_unavailable"), Transient, "token_service_unavailable"),
    "elsewhere": (lambda: Reply(302, b"", {"Location": "https://evil.example/"}), Permanent, "no_token_service"),
    "no-service": (lambda: Reply(404, b"<html>"), Permanent, "no_token_service"),
    "empty": (lambda: as_json(200, {}), ServerMisbehaved, "no_token"),
    "not-json": (lambda: Reply(200, b"<html>"), ServerMisbehaved, "no_token"),
    "brackets-without-end": (lambda: Reply(200, b"[" * 200_000), ServerMisbehaved, "no_token"),
    "token-with-line-end": (lambda: as_json(200, {"access_token": "a\r\nb"}), ServerMisbehaved, "no_token"),
    "cut-short": (lambda: Reply(200, b"x" * 100, cut=10), ServerMisbehaved, "connection_lost"),
}


@pytest.mark.fault(15)
@pytest.mark.parametrize("name", REFUSALS)
def test_every_answer_has_its_own_error_and_tells_no_secret(
    world: World, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    answer, kind, code = REFUSALS[name]
    world.service.script.append(answer())
    mailbox = world.consented()
    with pytest.raises(kind) as caught:
        world.token(mailbox)
    error = caught.value
    assert (type(error), error.code, error.step) == (kind, code, "login")
    assert error.remedy
    told = f"{error!s}{error!r}{error.__dict__}{world.tokens!r}{caplog.text}"
    for secret in (SECRET, "refresh-0", LEAK, "Contoso"):
        assert secret not in told


def test_codes_differ_where_remedies_do() -> None:
    codes = {code for _answer, _kind, code in REFUSALS.values()}
    assert len(codes) >= 18


@pytest.mark.fault(15)
def test_a_service_that_recovers_is_asked_again(world: World) -> None:
    world.service.script.append(Reply(503))
    with pytest.raises(Transient):
        world.token(world.mailbox())
    world.wait(seconds=10)
    assert world.token(world.mailbox())


# --- the way there ---


def test_a_private_address_is_refused_where_it_is_not_allowed(world: World) -> None:
    world.tokens._allowed = ()
    with pytest.raises(Permanent) as caught:
        world.token(world.mailbox())
    assert (caught.value.code, caught.value.step) == ("address_refused", "login")


def untrusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", os.devnull)
    client_context.cache_clear()


@pytest.mark.parametrize("authority", ["own", "google"])
def test_a_certificate_that_nobody_trusts_gets_no_secret(
    world: World, authority: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    untrusted(monkeypatch)
    # The authority of a mailbox's own server speaks for no provider.
    google = world.google(ca_certificate=certificates.authority().pem)
    with pytest.raises(TlsFailed):
        world.token(world.mailbox() if authority == "own" else google)
    assert world.service.forms == []


def test_a_token_service_of_one_s_own_is_trusted_by_the_mailbox_s_authority(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    untrusted(monkeypatch)
    assert world.token(world.mailbox(ca_certificate=certificates.authority().pem))


@pytest.mark.parametrize(
    ("authority", "own"),
    [
        (None, False),
        ("https://login.microsoftonline.com", False),
        ("https://LOGIN.microsoftonline.us/x", False),
        ("https://accounts.google.com", False),
        ("https://adfs.example.com/adfs", True),
    ],
)
def test_a_provider_is_never_vouched_for_by_the_mailbox_s_authority(
    world: World, authority: str | None, own: bool
) -> None:
    asked = wanted(world.mailbox(ca_certificate="pem", tenant_authority=authority))
    assert asked.ca_pem == ("pem" if own else "")


def test_a_service_that_is_not_there_is_a_matter_of_the_network(world: World) -> None:
    with pytest.raises(ConnectFailed):
        world.token(world.mailbox(tenant_authority="https://127.0.0.1:1"))


def test_a_dripping_service_ends_at_the_deadline(world: World) -> None:
    stop = threading.Event()

    def drip(write: Callable[[bytes], Any]) -> None:
        while not stop.wait(0.05):
            write(b" ")

    world.service.script.append(Reply(200, headers={"Content-Length": "1000000"}, pieces=drip))
    try:
        with pytest.raises(DeadlineExceeded):
            world.token(world.mailbox(), seconds=0.7)
    finally:
        stop.set()
