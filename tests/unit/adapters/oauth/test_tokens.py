"""Access tokens: every grant, one request for many mailboxes, and what the endpoint's answers mean."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID
from postroom.adapters.oauth import microsoft
from postroom.adapters.oauth.endpoint import TokenEndpoint
from postroom.adapters.oauth.requests import Held, wanted
from postroom.errors import (
    LoginRefused,
    Transient,
)
from postroom.model.configuration.mailbox import Mailbox
from postroom_cli.mailservers.https import Reply
from postroom_cli.mailservers.tokens import CLIENT, SECRET, TENANT, as_json, claims

from tests.unit.adapters.oauth.conftest import World

pytestmark = pytest.mark.feature("G03")


# --- grants ---


@pytest.mark.parametrize(
    ("options", "form"),
    [
        pytest.param(
            {},
            {
                "grant_type": "client_credentials",
                "scope": "https://outlook.office.com/.default",
                "client_secret": SECRET,
            },
            id="client-credentials",
        ),
        pytest.param(
            {"type": "GRAPH", "server": None},
            {
                "grant_type": "client_credentials",
                "scope": "https://graph.microsoft.com/.default",
                "client_secret": SECRET,
            },
            id="client-credentials-graph",
        ),
        pytest.param(
            {"client_secret": None, "password": {"secret": "app"}},
            {
                "grant_type": "client_credentials",
                "scope": "https://outlook.office.com/.default",
                "client_secret": SECRET,
            },
            id="application-secret-as-password",
        ),
        pytest.param(
            {"grant": ""},
            {
                "grant_type": "client_credentials",
                "scope": "https://outlook.office.com/.default",
                "client_secret": SECRET,
            },
            id="no-grant-and-no-password",
        ),
        pytest.param(
            {"grant": "", "password": {"secret": "word"}},
            {
                "grant_type": "password",
                "scope": "https://outlook.office.com/.default",
                "client_secret": SECRET,
                "username": "box@example.com",
                "password": "pass word&=",
            },
            id="password-is-the-default",
        ),
        pytest.param(
            {"grant": "refresh_token", "password": {"secret": "refresh"}, "client_secret": None},
            {
                "grant_type": "refresh_token",
                "scope": "https://outlook.office.com/.default offline_access",
                "refresh_token": "refresh-0",
            },
            id="refresh-token-of-a-public-client",
        ),
        pytest.param(
            {"scope": "https://other.example/.default"},
            {"grant_type": "client_credentials", "scope": "https://other.example/.default", "client_secret": SECRET},
            id="own-scope",
        ),
    ],
)
def test_each_grant_posts_its_form(world: World, options: dict[str, Any], form: dict[str, str]) -> None:
    world.kept.values |= {"word": "pass word&=", "refresh": "refresh-0"}
    world.service.passwords["box@example.com"] = "pass word&="
    world.service.refresh_tokens.add("refresh-0")
    assert world.token(world.mailbox(**options)) == world.service.issued[0]
    assert world.service.forms == [{"client_id": CLIENT, "client_info": "1", **form}]
    assert world.service.paths == [f"/{TENANT}/oauth2/v2.0/token"]  # no discovery before it, even in a new process


@pytest.mark.feature("G23")
def test_a_service_account_gives_its_name_and_password_for_the_token_of_a_shared_mailbox(world: World) -> None:
    world.kept.values["word"] = "pw"
    world.service.passwords["svc@example.com"] = "pw"
    shared = [
        world.mailbox(f"shared{n}", grant="password", password={"secret": "word"}, service_account="svc@example.com")
        for n in range(3)
    ]
    assert {world.token(one) for one in shared} == {world.service.issued[0]}
    assert [form["username"] for form in world.service.forms] == ["svc@example.com"]


@pytest.mark.parametrize(
    "authority", ["{url}/{tenant}", "{url}/{tenant}/", "{url}/{tenant}/oauth2/v2.0/authorize", "{url}/"], ids=str
)
def test_an_authority_may_name_the_tenant_itself(world: World, authority: str) -> None:
    written = authority.format(url=world.url, tenant=TENANT)
    directory = TENANT if written.endswith(f"{world.url}/") else None
    assert world.token(world.mailbox(tenant_authority=written, directory_id=directory))


def test_google_is_asked_with_refresh_token_and_secret(world: World) -> None:
    assert world.token(world.google())
    assert world.service.forms == [
        {"client_id": CLIENT, "grant_type": "refresh_token", "refresh_token": "refresh-0", "client_secret": SECRET}
    ]


def _key() -> tuple[rsa.RSAPrivateKey, str, str]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "postroom")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    return key, pem, certificate.public_bytes(serialization.Encoding.PEM).decode()


@pytest.mark.parametrize("key_first", [True, False], ids=["key-first", "certificate-first"])
def test_a_certificate_proves_the_application_without_a_secret_sent(world: World, key_first: bool) -> None:
    key, pem, certificate = _key()
    world.kept.values["app"] = pem + certificate if key_first else certificate + pem
    assert world.token(world.mailbox())
    (form,) = world.service.forms
    assert "client_secret" not in form
    assertion = form["client_assertion"]
    header, body = claims(assertion)
    digest = x509.load_pem_x509_certificate(certificate.encode()).fingerprint(hashes.SHA256())
    assert (header["alg"], header["x5t#S256"].rstrip("=")) == (
        "PS256",
        base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
    )
    assert (body["iss"], body["sub"], body["aud"]) == (CLIENT, CLIENT, f"{world.url}/{TENANT}/oauth2/v2.0/token")
    signed, _, signature = assertion.rpartition(".")
    key.public_key().verify(
        base64.urlsafe_b64decode(signature + "=="),
        signed.encode(),
        padding.PSS(padding.MGF1(hashes.SHA256()), 32),
        hashes.SHA256(),
    )


def test_an_assertion_that_somebody_else_signed_is_sent_as_it_is(world: World) -> None:
    assertion = f"{_part({'alg': 'RS256'})}.{_part({'sub': CLIENT})}.c2lnbmVk"
    world.kept.values["app"] = f"{assertion}\n"  # of a workload identity, put into Secrets Manager by what rotates it
    assert world.token(world.mailbox())
    (form,) = world.service.forms
    assert (form["client_assertion"], form.get("client_secret")) == (assertion, None)


def _part(value: dict[str, str]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


# The family: whatever an environment, an option or an answer could make the library do beyond the one request.


@pytest.mark.parametrize("host", ["login.microsoftonline.com", "login.windows.net", "x.ciamlogin.com", "own.example"])
@pytest.mark.parametrize("tenant", ["common", "contoso.example", "adfs", "dstsv2"])
@pytest.mark.parametrize("grant", ["refresh_token", "password"])
def test_no_authority_and_no_environment_makes_a_second_request_or_another_host(
    monkeypatch: pytest.MonkeyPatch, host: str, tenant: str, grant: str
) -> None:
    monkeypatch.setenv("MSAL_FORCE_REGION", "westeurope")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    asked: list[tuple[str, dict[str, str]]] = []

    class Recorded(TokenEndpoint):
        def ask(self, form: Mapping[str, str], *, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
            asked.append((self.url, dict(form)))
            return {"access_token": "a"}

    mailbox = Mailbox.model_validate(
        {
            "name": "box",
            "address": "box@example.com",
            "server": "outlook.office365.com",
            "client_id": CLIENT,
            "tenant_authority": f"https://{host}/{tenant}",
            "password": {"secret": "word"},
            "client_secret": {"secret": "app"},
            "grant": grant,
        }
    )
    now = datetime(2026, 11, 21, 12, tzinfo=UTC)
    endpoint = Recorded(wanted(mailbox).endpoint, deadline=0, now=now)
    assert microsoft.ask(wanted(mailbox), Held("word", SECRET), endpoint) == {"access_token": "a"}
    ((url, form),) = asked
    assert url == f"https://{host}/{tenant}/oauth2/v2.0/token"
    assert "openid" not in form["scope"]  # nobody consented to it


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({"id_token": "no.jwt"}, id="id-token-that-is-none"),
        pytest.param({"id_token": 7, "client_info": "!", "scope": ["x"]}, id="of-other-types"),
        pytest.param({"refresh_in": "soon", "_x": 1, "error": None}, id="more-than-the-standard-names"),
    ],
)
def test_what_else_an_answer_holds_disturbs_no_token(world: World, more: dict[str, Any]) -> None:
    world.service.script.append(as_json(200, {"access_token": "a", "expires_in": 3600, **more}))
    assert world.token(world.mailbox()) == "a"


def test_a_scope_that_the_library_reserves_is_sent_as_it_is_configured(world: World) -> None:
    scope = "https://outlook.office.com/IMAP.AccessAsUser.All offline_access openid"
    world.token(world.consented(scope=scope))
    assert [form["scope"] for form in world.service.forms] == [scope]


def test_a_google_service_account_signs_for_the_mailbox(world: World) -> None:
    key, pem, _certificate = _key()
    document = {"type": "service_account", "client_email": "svc@p.example", "private_key": pem, "private_key_id": "k1"}
    world.kept.values["app"] = as_json(200, document).body.decode()
    assert world.token(world.google(password=None))
    (form,) = world.service.forms
    header, body = claims(form["assertion"])
    assert (header["alg"], header["kid"]) == ("RS256", "k1")
    assert (body["iss"], body["sub"], body["scope"]) == ("svc@p.example", "box@example.com", "https://mail.google.com/")
    signed, _, signature = form["assertion"].rpartition(".")
    key.public_key().verify(
        base64.urlsafe_b64decode(signature + "=="), signed.encode(), padding.PKCS1v15(), hashes.SHA256()
    )


@pytest.mark.parametrize(
    "content",
    [
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----\nAAAA\n",
    ],
    ids=["no-certificate", "no-key", "neither-readable"],
)
def test_an_unusable_key_is_named_and_not_quoted(world: World, content: str) -> None:
    world.kept.values["app"] = content
    with pytest.raises(LoginRefused) as caught:
        world.token(world.mailbox())
    assert caught.value.code == "key_unusable"
    assert "AAAA" not in repr(caught.value) + str(caught.value)
    assert world.service.forms == []


@pytest.mark.parametrize(
    "options",
    [
        {"client_id": None},
        {"directory_id": None},
        {"tenant_authority": "http://login.example/x"},
    ],
    ids=["no-client", "no-tenant", "not-https"],
)
def test_what_is_missing_is_said_before_anything_is_sent(world: World, options: dict[str, Any]) -> None:
    with pytest.raises(LoginRefused) as caught:
        world.token(world.mailbox(**options))
    assert caught.value.code == "oauth_incomplete"
    assert world.service.forms == []


# --- one token for many ---


def test_a_hundred_mailboxes_of_an_application_make_one_request(world: World) -> None:
    boxes = [world.mailbox(f"box{number}") for number in range(100)]
    with ThreadPoolExecutor(100) as pool:
        tokens = set(pool.map(world.token, boxes))
    assert tokens == {world.service.issued[0]}
    assert len(world.service.forms) == 1


def test_a_hundred_mailboxes_with_a_wrong_secret_make_one_request(world: World) -> None:
    world.service.secrets = {"another"}
    boxes = [world.mailbox(f"box{number}") for number in range(100)]

    def refused(box: Mailbox) -> str:
        with pytest.raises(LoginRefused) as caught:
            world.token(box)
        return caught.value.code

    with ThreadPoolExecutor(100) as pool:
        assert set(pool.map(refused, boxes)) == {"client_secret_wrong"}
    assert len(world.service.forms) == 1


def test_a_secret_entered_anew_is_tried_at_once(world: World) -> None:
    world.service.secrets = {"right"}
    with pytest.raises(LoginRefused):
        world.token(world.mailbox())
    world.kept.values["app"] = "right"
    assert world.token(world.mailbox())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({}, {"type": "GRAPH", "server": None}),
        ({}, {"scope": "https://other.example/.default"}),
        ({}, {"client_secret": {"secret": "second"}}),
        (
            {"grant": "password", "password": {"secret": "word"}, "address": "a@example.com"},
            {"grant": "password", "password": {"secret": "word"}, "address": "b@example.com"},
        ),
    ],
    ids=["scope-of-type", "own-scope", "secret", "account"],
)
def test_what_differs_gets_a_token_of_its_own(world: World, one: dict[str, Any], other: dict[str, Any]) -> None:
    world.kept.values |= {"second": SECRET, "word": "pw"}
    world.service.passwords |= {"a@example.com": "pw", "b@example.com": "pw"}
    assert world.token(world.mailbox(**one)) != world.token(world.mailbox(**other))


@pytest.mark.parametrize(
    ("life", "minutes", "requests"),
    [
        pytest.param(3600, 54, 1, id="before-the-margin"),
        pytest.param(3600, 56, 2, id="within-five-minutes-of-its-end"),
        pytest.param("3600", 54, 1, id="life-as-text"),
        pytest.param(None, 54, 1, id="life-not-said"),
        pytest.param(240, 1, 1, id="short-life-first-half"),
        pytest.param(240, 3, 2, id="short-life-second-half"),
    ],
)
def test_a_token_is_used_until_five_minutes_before_its_end(
    world: World, life: Any, minutes: int, requests: int
) -> None:
    world.service.life = life
    world.token(world.mailbox())
    world.wait(minutes=minutes)
    world.token(world.mailbox())
    assert len(world.service.forms) == requests


def test_a_token_that_a_server_refused_is_replaced_once_for_all(world: World) -> None:
    first = world.token(world.mailbox())
    with ThreadPoolExecutor(20) as pool:
        again = set(pool.map(lambda _n: world.token(world.mailbox(), refused=first), range(20)))
    assert again == {world.service.issued[1]}
    assert len(world.service.forms) == 2


# --- refresh tokens that rotate ---


def test_a_rotated_refresh_token_is_kept_and_serves_the_next_process(world: World) -> None:
    mailbox = world.consented()
    world.token(mailbox)
    ((name, kept),) = world.kept.puts
    assert (name, kept) == ("refresh", world.kept.values["refresh"])
    assert kept != "refresh-0"
    world.tokens = world.another()
    assert world.token(mailbox)
    assert len(world.kept.puts) == 2


@pytest.mark.fault(15)
def test_no_token_is_used_before_the_rotated_one_is_kept(world: World) -> None:
    def fails() -> None:
        raise Transient("the table does not answer")

    world.kept.on_put = fails
    with pytest.raises(Transient) as caught:
        world.token(world.consented())
    assert caught.value.step == "login"
    world.kept.on_put = None
    with pytest.raises((Transient, LoginRefused)):  # nothing was cached as if it had worked
        world.token(world.consented())


@pytest.mark.fault(15)
def test_a_refresh_token_that_comes_late_does_not_overwrite_the_one_of_a_new_consent(world: World) -> None:
    mailbox = world.consented()
    refresh = world.service._refresh

    def meanwhile(form: dict[str, str], *, rotated: bool) -> Reply:
        world.kept.values["refresh"] = "consented-anew"  # a person, or another function, was faster
        return refresh(form, rotated=rotated)

    world.service._refresh = meanwhile  # type: ignore[method-assign]
    assert world.token(mailbox)
    assert world.kept.values["refresh"] == "consented-anew"


@pytest.mark.fault(15)
def test_a_refusal_of_what_was_replaced_meanwhile_is_no_refusal(world: World) -> None:
    mailbox = world.consented()
    world.service.refresh_tokens = {"consented-anew"}
    refresh = world.service._refresh

    def meanwhile(form: dict[str, str], *, rotated: bool) -> Reply:
        world.kept.values["refresh"] = "consented-anew"
        return refresh(form, rotated=rotated)

    world.service._refresh = meanwhile  # type: ignore[method-assign]
    assert world.token(mailbox)
    assert [form["refresh_token"] for form in world.service.forms] == ["refresh-0", "consented-anew"]


def test_a_refresh_token_that_stays_the_same_is_not_written_again(world: World) -> None:
    world.service.script.append(as_json(200, {"access_token": "a", "refresh_token": "refresh-0"}))
    world.token(world.consented())
    assert world.kept.puts == []


def test_the_key_of_a_service_account_is_never_replaced(world: World) -> None:
    _private, pem, _certificate = _key()
    document = {"client_email": "svc@p.example", "private_key": pem}
    world.kept.values["app"] = as_json(200, document).body.decode()
    world.service.script.append(as_json(200, {"access_token": "a", "refresh_token": "new"}))
    world.token(world.google(password={"secret": "app"}))
    assert world.kept.puts == []
