"""What the answers of a token endpoint mean: one ordered table, the first row that fits wins. Pure.

Only the error's code and number are told. The text that comes with it names tenants, users and applications.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from postroom.errors import LoginRefused, MailboxLocked, Permanent, PostroomError, ServerMisbehaved, Transient

_NUMBER = re.compile(r"AADSTS(\d{4,8})")
_CODE = re.compile(r"[a-z_]{1,40}")

_AUTHORISE = (
    "Authorise again: `postroom oauth login ACCOUNT` for an e-mail account, else enter the new refresh token; "
    "then it is tried again."
)

# Microsoft's own words for "later" (reference-error-codes, seen 2026). They come as invalid_grant, too, and say nothing
# of the login. 80001 and what follows: the domain's agents that check passwords do not answer.
_LATER = frozenset({50033, 90006, 90012, 90024, 90033, 80001, 80002, 80005, 80007, 80014})
_TOO_MUCH = frozenset({90055, 50196})
_ADMIN_CONSENT = "Let an administrator of the tenant grant consent to the application's permissions."


@dataclass(frozen=True, slots=True)
class Rule:
    """One meaning; `numbers`: Microsoft's AADSTS, `error`: RFC 6749 §5.2, `text`: found in the description."""

    code: str
    what: str
    remedy: str
    numbers: frozenset[int] = frozenset()
    error: str = ""
    text: str = ""
    kind: type[PostroomError] = LoginRefused

    def fits(self, error: str, numbers: frozenset[int], description: str) -> bool:
        """Tell whether the answer is this one."""
        if self.numbers:
            return bool(self.numbers & numbers)
        if numbers and error == "invalid_grant":  # Microsoft's, and of no number that is known here
            return False
        return error == self.error and self.text in description


def _row(code: str, what: str, remedy: str, *numbers: int, error: str = "", text: str = "") -> Rule:
    return Rule(code, what, remedy, frozenset(numbers), error, text)


RULES: tuple[Rule, ...] = (
    _row(
        "wrong_tenant",
        "The application is not known in this tenant",
        "Correct `client_id` and `directory_id`; the application must be registered, or consented to, in this tenant.",
        700016,
        700011,
        7000229,
    ),
    _row(
        "wrong_cloud",
        "The tenant lies in another of Microsoft's clouds",
        "Set `tenant_authority` (an application: `endpoint`) to that of the tenant's cloud.",
        90038,
        900382,
        900432,
    ),
    _row("tenant_unknown", "The tenant does not exist", "Correct `directory_id`.", 90002, 900023),
    _row("consent_missing", "Nobody has consented to what the application asks for", _ADMIN_CONSENT, 65001, 65004),
    _row(
        "client_secret_expired",
        "The application's secret has expired",
        "Make a new client secret in the application's registration, and enter it: `postroom secret set NAME`.",
        7000222,
    ),
    _row(
        "client_secret_wrong",
        "The application's secret is wrong",
        "Enter the VALUE of the client secret, not its id: `postroom secret set NAME`.",
        7000215,
    ),
    _row(
        "assertion_refused",
        "The application's certificate was refused",
        "Upload the certificate to the application's registration, or enter the key that belongs to it.",
        700027,
        7000272,
        700023,
        700024,
        700030,
        50012,
        50027,
    ),
    _row(
        "client_secret_missing",
        "The application has to prove itself",
        "Give `client_secret`, or register the application as a public client.",
        7000218,
        7000216,
    ),
    _row(
        "client_secret_unwanted",
        "The application is a public client, and must not prove itself",
        "Remove `client_secret`, or register the redirect under the platform Web.",
        700025,
    ),
    _row("application_disabled", "The application is switched off", "Enable it in the tenant.", 7000112, 7000113),
    _row(
        "consent_expired",
        "The refresh token lasted a day only, as a single-page application's does",
        "Register the redirect under Web, or Mobile and desktop applications, and not as that of a single-page "
        "application; then authorise again.",
        700084,
    ),
    _row("consent_expired", "The refresh token has expired", _AUTHORISE, 700082, 70008, 70043, 50089),
    _row("consent_revoked", "The refresh token was revoked", _AUTHORISE, 50173, 70000, 50132, 50133),
    _row("consent_revoked", "The code of a consent is void", _AUTHORISE, 54005, 501481),
    _row(
        "mfa_required",
        "The account needs a second factor, which nobody is there to give",
        "With a refresh token: let the person authorise again, and give it then. The password grant cannot give it: "
        "use a refresh token or client credentials instead.",
        50072,
        50074,
        50076,
        50078,
        50079,
        50158,
        53004,
    ),
    _row(
        "access_blocked",
        "A rule of conditional access forbids it",
        "Let an administrator of the tenant exclude this application from the rule.",
        50005,
        50097,
        50131,
        53000,
        53001,
        53002,
        53003,
        53011,
        530003,
        530032,
        530034,
    ),
    _row(
        "account_not_assigned",
        "The account may not use the application",
        "Let an administrator assign the account to the enterprise application.",
        50105,
    ),
    _row("password_wrong", "User name or password is wrong", "Enter the right password.", 50126, 50056),
    _row(
        "account_unknown",
        "The account does not exist in this tenant",
        "Correct the account.",
        50014,
        50020,
        50034,
        51004,
        500341,
    ),
    _row("account_locked", "The account is locked", "Unlock it, then enable the mailbox.", 50053),
    _row("account_disabled", "The account is disabled", "Enable it in the tenant.", 50057),
    _row("password_expired", "The account's password has expired", "Set and enter a new one.", 50055, 50144),
    _row("scope_wrong", "The scope is not known", "Correct `scope`, or leave it empty.", 70011, 500011, 28002, 1002012),
    # Google has no numbers, only texts (developers.google.com/identity/protocols/oauth2, seen 2026).
    _row(
        "assertion_refused",
        "The service account's key was refused",
        "Enter a valid key.",
        error="invalid_grant",
        text="invalid jwt",
    ),
    _row(
        "account_unknown",
        "The account does not exist",
        "Correct the account.",
        error="invalid_grant",
        text="email or user id",
    ),
    _row(
        "assertion_refused",
        "The service account does not exist",
        "Enter the key of a service account that exists.",
        error="invalid_grant",
        text="account not found",
    ),
    _row(
        "consent_expired",
        "The domain lets a sign-in to Google Cloud end after some hours, and with it this consent",
        "Let the domain's administrator trust the application, or exempt it from Google Cloud session control; then "
        "authorise again.",
        error="invalid_grant",
        text="rapt",
    ),
    _row(
        "consent_revoked",
        "Consent was revoked, or has expired",
        f"{_AUTHORISE} Every seven days again: the application's consent screen stands on Testing; publish it.",
        error="invalid_grant",
    ),
    _row("application_unknown", "The application does not exist", "Correct `client_id`.", error="deleted_client"),
    _row("application_disabled", "The application is switched off", "Enable it.", error="disabled_client"),
    _row(
        "access_blocked",
        "The domain's rules forbid it",
        "Let the administrator trust the application.",
        error="admin_policy_enforced",
    ),
    _row(
        "access_blocked",
        "The domain's rules forbid it",
        "Let the administrator trust the application.",
        error="org_internal",
    ),
    _row(
        "client_secret_wrong",
        "The application's id or secret is wrong",
        "Correct `client_id`, and enter the right secret.",
        error="invalid_client",
    ),
    _row(
        "consent_missing",
        "The application may not do this",
        "Grant it the permission; a Google service account needs domain-wide delegation for the scope.",
        error="unauthorized_client",
    ),
    _row("consent_missing", "The application may not do this", _ADMIN_CONSENT, error="access_denied"),
    _row("consent_missing", "A person has to sign in", _AUTHORISE, error="interaction_required"),
    _row("scope_wrong", "The scope is not known", "Correct `scope`, or leave it empty.", error="invalid_scope"),
    _row(
        "grant_refused",
        "The provider does not serve this grant",
        "Use another `grant`.",
        error="unsupported_grant_type",
    ),
)


def refusal(status: int, answer: Mapping[str, Any], *, on: str, wait: float | None) -> PostroomError:
    """Say what an answer that is not 200 means; `wait`: seconds of its Retry-After."""
    error = str(answer.get("error", ""))
    error = error if _CODE.fullmatch(error) else ""
    description = str(answer.get("error_description", ""))[:4096]
    numbers = _numbers(answer, description)
    if status == 429 or numbers & _TOO_MUCH:
        return MailboxLocked(
            f"The token service is asked too much ({status})",
            on=on,
            step="login",
            code="throttled",
            remedy="It is tried again by itself.",
            retry_after=wait,
        )
    if status >= 500 or error in ("temporarily_unavailable", "server_error") or numbers & _LATER:
        return Transient(
            f"The token service does not work now ({status})",
            on=on,
            step="login",
            code="token_service_unavailable",
            retry_after=wait,
        )
    told = ", ".join([*([error] if error else []), *(f"AADSTS{one}" for one in sorted(numbers))]) or str(status)
    for rule in RULES:
        if rule.fits(error, numbers, description.lower()):
            return rule.kind(f"{rule.what} ({told})", on=on, step="login", code=rule.code, remedy=rule.remedy)
    if status in (404, 405) or 300 <= status < 400:
        return Permanent(
            f"This is no token service ({status})",
            on=on,
            step="login",
            code="no_token_service",
            remedy="Correct `tenant_authority`.",
        )
    if not error and not numbers:  # RFC 6749 §5.2: a refusal has one; what stands in between refuses nobody's login
        return ServerMisbehaved(
            f"Something else answered instead of the token service ({status})",
            on=on,
            step="login",
            code="no_token_service",
            remedy="Look at what stands between, and at `tenant_authority`; it is tried again by itself.",
            retry_after=wait,
        )
    return LoginRefused(
        f"The token was refused ({told})",
        on=on,
        step="login",
        code="token_not_given",
        remedy="Look the number up at the provider's, correct the application or authorise again, then enable it.",
    )


def _numbers(answer: Mapping[str, Any], description: str) -> frozenset[int]:
    given = answer.get("error_codes")
    listed = given if isinstance(given, list) else []
    return frozenset({one for one in listed if type(one) is int} | {int(one) for one in _NUMBER.findall(description)})
