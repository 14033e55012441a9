"""A person's consent by the authorisation-code flow: what the browser is sent to, and what its answers mean. Pure.

RFC 6749 §4.1 (the flow), RFC 7636 (PKCE), RFC 8252 (the redirect to loopback), and the two providers' own spellings.
Nothing of an answer but codes and numbers is told: its text names tenants, users and applications.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from postroom.errors import Conflict, LoginRefused, NotFound, PostroomError, Transient
from postroom.mail.headers import address_key
from postroom.model.configuration import AccountServerType, Configuration, EmailAccount, OAuthApplication, Provider
from postroom.ports import MailboxStates, SecretStore
from postroom.services.mailboxes import after_secret

_NUMBER = re.compile(r"AADSTS(\d{4,8})")
_CODE = re.compile(r"[a-z_]{1,40}")
_AGAIN = "Run the command again."
_ADMINISTRATOR = "Let an administrator of the tenant grant consent to the application's permissions, then run it again."
_PERMISSIONS = {
    AccountServerType.IMAP_AND_SMTP: "IMAP.AccessAsUser.All",
    AccountServerType.POP3_AND_SMTP: "POP.AccessAsUser.All",
}


@dataclass(frozen=True, slots=True)
class ConsentRequest:
    """What is kept between sending a browser away and its return; the URL holds nothing that redeems the code."""

    url: str
    redirect_uri: str
    scope: str
    state: str = field(repr=False)
    verifier: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Granted:
    """What consent gave; `consented` is who gave it, as far as the provider told, else empty."""

    refresh_token: str = field(repr=False)
    consented: str = ""
    warnings: tuple[str, ...] = ()


def redirect_uri(application: OAuthApplication, port: int) -> str:
    """Write the redirect to loopback, without a path.

    Entra takes any port for `http://localhost` only: the portal does not let 127.0.0.1 be registered. Google documents
    the literal, as RFC 8252 §7.3 does.
    """
    return f"http://{'localhost' if application.provider is Provider.MICROSOFT else '127.0.0.1'}:{port}"


def consentable(configuration: Configuration, name: str) -> tuple[EmailAccount, OAuthApplication]:
    """Find an account and its application; refuses before anybody is bothered what could not be kept or asked for."""
    account = configuration.account(name)
    application = configuration.application(account.application) if account else None
    if account is None or application is None:
        raise NotFound(
            "There is no such e-mail account", on=name, remedy="Name one of `accounts` in the configuration."
        )
    if account.token_reference.secret is None:
        raise PostroomError(
            "The account's refresh token lies in Secrets Manager, where Postroom only reads",
            on=name,
            code="token_not_writable",
            remedy="Let `refresh_token` name a secret of Postroom's own, or leave it out.",
        )
    if application.provider is Provider.MICROSOFT and not application.tenant_id:
        raise PostroomError(
            "The application has no tenant", on=application.name, code="oauth_incomplete", remedy="Give `tenant_id`."
        )
    return account, application


def begin(
    account: EmailAccount,
    application: OAuthApplication,
    *,
    redirect_uri: str,
    random: Callable[[int], str] = secrets.token_urlsafe,
) -> ConsentRequest:
    """Write the URL that a person opens; `random` makes URL-safe text of so many random bytes."""
    state, verifier = random(32), random(48)  # RFC 7636 §4.1: 43 to 128 characters; 48 bytes make 64
    fields = {
        "client_id": application.client_id,
        "response_type": "code",
        "redirect_uri": redirect_uri,
        "response_mode": "query",
        "state": state,
        "code_challenge": challenge(verifier),
        "code_challenge_method": "S256",
        "login_hint": account.address,
    }
    if application.provider is Provider.GOOGLE:
        # Google gives a refresh token at the first consent only, unless the person is asked once more.
        scope = f"{application.mail_scope} openid email"
        fields |= {"access_type": "offline", "prompt": "consent"}
        where = f"{application.authority}/o/oauth2/v2/auth"
    else:
        scope = f"{application.mail_scope} offline_access openid profile email"
        fields |= {"prompt": "select_account"}
        where = f"{application.authority}/{application.tenant_id}/oauth2/v2.0/authorize"
    fields["scope"] = scope
    return ConsentRequest(f"{where}?{urlencode(fields)}", redirect_uri, scope, state, verifier)


def challenge(verifier: str) -> str:
    """Make the challenge of a verifier (S256, RFC 7636 §4.2)."""
    return base64.urlsafe_b64encode(sha256(verifier.encode("ascii")).digest()).rstrip(b"=").decode("ascii")


@dataclass(frozen=True, slots=True)
class _Meaning:
    code: str
    what: str
    remedy: str
    errors: frozenset[str] = frozenset()
    numbers: frozenset[int] = frozenset()
    kind: type[PostroomError] = LoginRefused


_MEANINGS: tuple[_Meaning, ...] = (
    _Meaning(
        "account_not_assigned",
        "The account may not use the application",
        "Let an administrator assign the account to the enterprise application, then run it again.",
        numbers=frozenset({50105}),
    ),
    _Meaning(
        "permission_missing",
        "The application's registration lacks permissions",
        "Add the delegated permissions for mail to the registration, then run it again.",
        numbers=frozenset({650053, 650056, 650057}),
    ),
    _Meaning(
        "consent_required",
        "Only an administrator may consent to this application",
        _ADMINISTRATOR,
        frozenset({"consent_required", "interaction_required", "login_required"}),
        frozenset({65001, 90094, 90095}),
    ),
    _Meaning(
        "access_blocked",
        "The domain's rules forbid it",
        "Let the administrator trust the application, then run it again.",
        frozenset({"admin_policy_enforced", "org_internal"}),
    ),
    _Meaning(
        "consent_denied",
        "The person did not consent",
        "Run the command again, and accept what the application asks for.",
        frozenset({"access_denied"}),
        frozenset({65004}),
    ),
    _Meaning(
        "application_unknown",
        "The provider does not let this application ask for consent",
        "Correct `client_id` and `tenant_id`; the application must be registered in this tenant.",
        frozenset({"unauthorized_client", "invalid_client"}),
    ),
    _Meaning("scope_wrong", "The scope is not known", "Correct the application's cloud.", frozenset({"invalid_scope"})),
    _Meaning(
        "token_service_unavailable",
        "The provider does not work now",
        "Run the command again in some minutes.",
        frozenset({"server_error", "temporarily_unavailable"}),
        kind=Transient,
    ),
)
"""What an error in a redirect means (RFC 6749 §4.1.2.1): numbers first, then names; the first row that fits wins."""


def read_redirect(text: str, request: ConsentRequest, *, on: str) -> str:
    """Return the code that a redirect brings: its URL, or what of it came to the server. Checks the state first."""
    try:
        fields = parse_qs(urlsplit(text.strip()).query, keep_blank_values=True, max_num_fields=50)
    except ValueError:
        fields = {}
    if not fields.keys() & {"code", "error"} or any(len(values) > 1 for values in fields.values()):
        raise PostroomError(
            "This is no answer of the provider",
            on=on,
            code="redirect_unreadable",
            remedy="Paste the whole address that the browser was sent to, with `code=` and `state=` in it.",
        )
    given = {name: values[0] for name, values in fields.items()}
    if not hmac.compare_digest(given.get("state", "").encode("utf-8", "replace"), request.state.encode()):
        raise PostroomError(
            "The answer does not belong to this request (wrong state); it was not used",
            on=on,
            code="wrong_state",
            remedy="Run the command again, and use the address it prints, not an older one.",
        )
    if "error" in given:
        raise _refused(given, on=on)
    if not given["code"] or not given["code"].isascii():  # RFC 6749 §A.11
        raise PostroomError("The answer brings no code", on=on, code="redirect_unreadable", remedy=_AGAIN)
    return given["code"]


def _refused(given: Mapping[str, str], *, on: str) -> PostroomError:
    error = given["error"] if _CODE.fullmatch(given["error"]) else ""
    numbers = {int(one) for one in _NUMBER.findall(given.get("error_description", "")[:4096])}
    told = ", ".join([*([error] if error else []), *(f"AADSTS{one}" for one in sorted(numbers))]) or "no reason"
    fitting = [row for row in _MEANINGS if row.numbers & numbers] + [row for row in _MEANINGS if error in row.errors]
    if fitting:
        row = fitting[0]
        return row.kind(f"{row.what} ({told})", on=on, code=row.code, remedy=row.remedy)
    return LoginRefused(
        f"The provider refused to ask for consent ({told})",
        on=on,
        code="consent_refused",
        remedy="Look the reason up at the provider's, correct the application's registration, then run it again.",
    )


def accept(
    account: EmailAccount, application: OAuthApplication, answer: Mapping[str, Any], *, any_account: bool = False
) -> Granted:
    """Check what the code was redeemed for; nothing that fails here is kept.

    `id_token` is not verified: it came over TLS from the token endpoint (OpenID Connect Core §3.1.3.7), and is a hint.
    """
    warnings = []
    told = _who(answer.get("id_token"))
    if not told:
        warnings.append(f"The provider did not tell who consented; it must have been {account.address}.")
    elif address_key(account.address) not in {address_key(name) for name in told}:
        if not any_account:
            raise LoginRefused(
                f"Consent was given by {told[0]}, not by {account.address}; nothing was stored",
                on=account.name,
                code="wrong_account",
                remedy="Run it again and choose the account's own address (a private window helps); `--any-account` if "
                "both are the same mailbox.",
            )
        warnings.append(f"Consent was given by {told[0]}; the account's address is {account.address}.")
    _check_permission(account, application, answer.get("scope"))
    token = answer.get("refresh_token")
    if not isinstance(token, str) or not token:
        raise PostroomError(
            "The provider gave no refresh token; nothing was stored",
            on=account.name,
            code="no_refresh_token",
            remedy="Remove the application's access at myaccount.google.com/connections, then run it again "
            "(prompt=consent, access_type=offline)."
            if application.provider is Provider.GOOGLE
            else "Add the delegated permission `offline_access` to the application's registration, then run it again.",
        )
    return Granted(token, told[0] if told else "", tuple(warnings))


def _check_permission(account: EmailAccount, application: OAuthApplication, scope: object) -> None:
    """Refuse what opens no mail: Google lets a person untick it, Microsoft gives what the registration names."""
    granted = scope.casefold().split() if isinstance(scope, str) else []
    if not granted:  # RFC 6749 §5.1: left out when it is what was asked for
        return
    google = application.provider is Provider.GOOGLE
    wanted = application.mail_scope if google else _PERMISSIONS[account.server_type]
    if wanted.casefold() in (one if google else one.rpartition("/")[2] for one in granted):
        return
    raise LoginRefused(
        f"Consent does not include {wanted}; nothing was stored",
        on=account.name,
        code="consent_incomplete",
        remedy="Run it again, and tick the box for mail."
        if google
        else f"Add the delegated permission `{wanted}` to the application's registration, then run it again.",
    )


def _who(token: object) -> tuple[str, ...]:
    """Read the addresses that an id_token names, without repetitions; empty when it tells none."""
    try:
        body = str(token).split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    except (IndexError, binascii.Error, ValueError):
        return ()
    if not isinstance(claims, dict):
        return ()
    named = (claims.get(name) for name in ("email", "preferred_username", "upn"))
    found = (one for one in named if isinstance(one, str) and "@" in one and one.isprintable() and len(one) <= 320)
    return tuple(dict.fromkeys(found))


def keep(
    account: EmailAccount, granted: Granted, configuration: Configuration, *,
    store: SecretStore, states: MailboxStates, now: datetime,
) -> tuple[str, ...]:  # fmt: skip
    """Store the refresh token and let its mailboxes try again; returns those that were ill.

    `configuration` is the one in force now: the account may have been changed while the person was thinking.
    """
    name = account.token_reference.secret
    if name is None or configuration.account(account.name) != account:
        raise Conflict("The account was changed meanwhile; nothing was stored", on=account.name, remedy=_AGAIN)
    store.put(name, granted.refresh_token, now=now)
    return after_secret(configuration, name, states=states)
