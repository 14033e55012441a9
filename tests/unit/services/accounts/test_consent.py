"""A person's consent without a browser: what is asked for, and what the answers mean (C07)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from postroom.errors import Conflict, LoginRefused, NotFound, PostroomError, Transient
from postroom.model.configuration.document import Configuration
from postroom.model.configuration.oauth import EmailAccount, OAuthApplication
from postroom.services.accounts import consent

from tests.support.fake_consent import GOOGLE_MAIL, MAIL, id_token
from tests.unit.adapters.oauth.conftest import Kept

MICROSOFT = OAuthApplication(name="app", client_id="c", tenant_id="t")
GOOGLE = OAuthApplication.model_validate({"name": "app", "client_id": "c", "provider": "google"})
ACCOUNT = EmailAccount(name="support", application="app", address="support@example.com")
REQUEST = consent.ConsentRequest("https://x.example", "http://localhost:1", "s", state="st", verifier="v")
NOW = datetime(2026, 11, 21, tzinfo=UTC)


def asked(application: OAuthApplication) -> tuple[str, dict[str, str]]:
    where = consent.redirect_uri(application, 8123)
    url = consent.begin(ACCOUNT, application, redirect_uri=where, random=lambda size: "r" * size).url
    return url.partition("?")[0], dict(parse_qsl(urlsplit(url).query, strict_parsing=True))


def test_the_challenge_is_that_of_the_standard() -> None:
    # RFC 7636, appendix B
    assert consent.challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") == (
        "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    )


def test_microsoft_is_asked_in_the_tenant_for_everything_registered_and_a_refresh_token() -> None:
    where, fields = asked(MICROSOFT)
    assert where == "https://login.microsoftonline.com/t/oauth2/v2.0/authorize"
    assert fields == {
        "client_id": "c",
        "response_type": "code",
        "redirect_uri": "http://localhost:8123",
        "response_mode": "query",
        "state": "r" * 32,
        "code_challenge": consent.challenge("r" * 48),
        "code_challenge_method": "S256",
        "login_hint": "support@example.com",
        "prompt": "select_account",
        "scope": "https://outlook.office.com/.default offline_access openid profile email",
    }


def test_google_is_asked_for_a_refresh_token_every_time() -> None:
    where, fields = asked(GOOGLE)
    assert where == "https://accounts.google.com/o/oauth2/v2/auth"
    assert fields["redirect_uri"] == "http://127.0.0.1:8123"
    assert (fields["access_type"], fields["prompt"]) == ("offline", "consent")
    assert fields["scope"] == "https://mail.google.com/ openid email"


@pytest.mark.parametrize(
    ("cloud", "host", "scope"),
    [
        ("us-government", "login.microsoftonline.us", "https://outlook.office365.us/.default"),
        ("china", "login.partner.microsoftonline.cn", "https://partner.outlook.cn/.default"),
    ],
)
def test_another_cloud_has_its_own_authority_and_scope_also_for_refreshes(cloud: str, host: str, scope: str) -> None:
    application = {"name": "app", "client_id": "c", "tenant_id": "t", "endpoint": cloud}
    where, fields = asked(OAuthApplication.model_validate(application))
    assert urlsplit(where).netloc == host
    assert fields["scope"].split()[0] == scope
    configuration = Configuration.model_validate(
        {
            "oauth_applications": [application],
            "accounts": [ACCOUNT],
            "mailboxes": [{"name": "m", "address": "support@example.com", "account": "support"}],
        }
    )
    assert configuration.effective(configuration.mailboxes[0]).scope == scope


def test_state_and_verifier_differ_each_time_and_stay_out_of_what_is_logged() -> None:
    first, second = (consent.begin(ACCOUNT, MICROSOFT, redirect_uri="http://localhost:1") for _ in range(2))
    assert first.state != second.state
    assert first.verifier != second.verifier
    assert 43 <= len(first.verifier) <= 128
    assert first.verifier not in first.url
    assert first.verifier not in repr(first)
    assert "secret" not in repr(consent.Granted("secret"))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("/?code=c%2F1&state=st", id="what came to the server"),
        pytest.param("  http://localhost:1/?state=st&code=c%2F1&session_state=x#\n", id="pasted"),
    ],
)
def test_the_code_is_read_from_the_redirect(text: str) -> None:
    assert consent.read_redirect(text, REQUEST, on="support") == "c/1"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "redirect_unreadable"),
        ("c/1", "redirect_unreadable"),
        ("http://[", "redirect_unreadable"),
        ("/?state=st", "redirect_unreadable"),
        ("/?code=&state=st", "redirect_unreadable"),
        ("/?code=%C3%A4&state=st", "redirect_unreadable"),
        ("/?code=a&code=b&state=st", "redirect_unreadable"),
        ("/?code=a&state=st&" + "&".join(f"a{n}=1" for n in range(60)), "redirect_unreadable"),
        ("/?code=a", "wrong_state"),
        ("/?code=a&state=", "wrong_state"),
        ("/?code=a&state=other", "wrong_state"),
        ("/?code=a&state=\udcff", "wrong_state"),
        ("/?error=access_denied&state=other", "wrong_state"),
    ],
)
def test_a_redirect_that_is_none_or_of_another_request_is_not_used(text: str, code: str) -> None:
    with pytest.raises(PostroomError) as caught:
        consent.read_redirect(text, REQUEST, on="support")
    assert caught.value.code == code
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("error", "text", "code", "kind"),
    [
        ("access_denied", "", "consent_denied", LoginRefused),
        ("access_denied", "AADSTS65004: declined", "consent_denied", LoginRefused),
        ("access_denied", "AADSTS90094: admin", "consent_required", LoginRefused),
        ("consent_required", "AADSTS65001: x", "consent_required", LoginRefused),
        ("interaction_required", "", "consent_required", LoginRefused),
        ("access_denied", "AADSTS50105: x", "account_not_assigned", LoginRefused),
        ("invalid_client", "AADSTS650056: x", "permission_missing", LoginRefused),
        ("admin_policy_enforced", "", "access_blocked", LoginRefused),
        ("unauthorized_client", "", "application_unknown", LoginRefused),
        ("invalid_scope", "", "scope_wrong", LoginRefused),
        ("server_error", "", "token_service_unavailable", Transient),
        ("something_new", "", "consent_refused", LoginRefused),
        ("<b>Ann</b>", "", "consent_refused", LoginRefused),
    ],
)
def test_each_refusal_has_its_code_and_tells_no_text(
    error: str, text: str, code: str, kind: type[PostroomError]
) -> None:
    query = urlencode({"error": error, "error_description": f"{text} Ann", "state": "st"})
    with pytest.raises(kind) as caught:
        consent.read_redirect(f"/?{query}", REQUEST, on="support")
    assert caught.value.code == code
    assert caught.value.remedy
    assert "Ann" not in str(caught.value)


def answer(**more: Any) -> dict[str, Any]:
    claims = {"preferred_username": "Support@Example.com"}
    return {"refresh_token": "rt", "scope": MAIL, "id_token": id_token(claims), **more}


def test_the_right_consent_gives_the_refresh_token() -> None:
    assert consent.accept(ACCOUNT, MICROSOFT, answer()) == consent.Granted("rt", "Support@Example.com")


@pytest.mark.parametrize("token", [None, "", "x", "a.b.c", "a.W10.c", "a.ä.c", id_token({"email": 5}), id_token({})])
def test_an_answer_that_does_not_tell_who_consented_is_taken_with_a_warning(token: object) -> None:
    granted = consent.accept(ACCOUNT, MICROSOFT, answer(id_token=token))
    assert granted.refresh_token == "rt"
    assert "support@example.com" in granted.warnings[0]


def test_another_account_is_refused_unless_it_is_wanted() -> None:
    other = answer(id_token=id_token({"preferred_username": "ann@example.com"}))
    with pytest.raises(LoginRefused, match=r"ann@example\.com") as caught:
        consent.accept(ACCOUNT, MICROSOFT, other)
    assert caught.value.code == "wrong_account"
    granted = consent.accept(ACCOUNT, MICROSOFT, other, any_account=True)
    assert (granted.refresh_token, granted.consented) == ("rt", "ann@example.com")
    assert granted.warnings


def test_the_account_is_known_by_any_of_its_names() -> None:
    both = id_token({"preferred_username": "u123@example.com", "email": "support@example.com"})
    assert not consent.accept(ACCOUNT, MICROSOFT, answer(id_token=both)).warnings


@pytest.mark.parametrize(
    ("application", "more", "code", "remedy"),
    [
        (MICROSOFT, {"refresh_token": None}, "no_refresh_token", "offline_access"),
        (GOOGLE, {"refresh_token": "", "scope": GOOGLE_MAIL}, "no_refresh_token", "prompt=consent"),
        (MICROSOFT, {"scope": "https://outlook.office.com/SMTP.Send"}, "consent_incomplete", "IMAP.AccessAsUser.All"),
        (GOOGLE, {"scope": "openid email"}, "consent_incomplete", "tick"),
    ],
    ids=["Microsoft without token", "Google without token", "Microsoft without IMAP", "Google unticked"],
)
def test_a_consent_that_would_open_no_mail_is_refused(
    application: OAuthApplication, more: dict[str, Any], code: str, remedy: str
) -> None:
    with pytest.raises(PostroomError) as caught:
        consent.accept(ACCOUNT, application, answer(**more))
    assert caught.value.code == code
    assert remedy in caught.value.remedy


def test_a_scope_that_is_left_out_is_what_was_asked_for() -> None:
    assert consent.accept(ACCOUNT, MICROSOFT, answer(scope=None)).refresh_token == "rt"


def test_nobody_is_asked_for_what_could_not_be_kept() -> None:
    managed = {"secretsmanager": "arn:aws:secretsmanager:eu-central-1:1:secret:x"}
    accounts = [ACCOUNT, EmailAccount.model_validate({**ACCOUNT.model_dump(), "name": "b", "refresh_token": managed})]
    configuration = Configuration(oauth_applications=(MICROSOFT,), accounts=tuple(accounts))
    assert consent.consentable(configuration, "support") == (ACCOUNT, MICROSOFT)
    with pytest.raises(NotFound):
        consent.consentable(configuration, "nobody")
    with pytest.raises(PostroomError) as caught:
        consent.consentable(configuration, "b")
    assert caught.value.code == "token_not_writable"
    bare = MICROSOFT.model_copy(update={"tenant_id": None})
    without_tenant = configuration.model_copy(update={"oauth_applications": (bare,)})
    with pytest.raises(PostroomError) as caught:
        consent.consentable(without_tenant, "support")
    assert caught.value.code == "oauth_incomplete"


def test_a_consent_for_an_account_that_changed_meanwhile_is_not_kept() -> None:
    kept, states = Kept(), object()
    changed = ACCOUNT.model_copy(update={"address": "new@example.com"})
    granted = replace(consent.Granted("rt"), consented="support@example.com")
    for accounts in ((changed,), ()):
        with pytest.raises(Conflict):
            consent.keep(ACCOUNT, granted, Configuration(accounts=accounts), store=kept, states=states, now=NOW)  # type: ignore[arg-type]
    assert kept.puts == []
