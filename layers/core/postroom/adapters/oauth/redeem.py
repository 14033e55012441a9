"""Redeem the code of a person's consent for tokens: one POST of a form, as for every other token (RFC 6749 §4.1.3)."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from postroom.adapters.net.connect import Network
from postroom.adapters.net.http import retry_after
from postroom.adapters.oauth import requests, tokens
from postroom.adapters.oauth.answers import refusal
from postroom.adapters.oauth.requests import ASSERTION_TYPE, Held
from postroom.errors import LoginRefused, Transient
from postroom.model.configuration.oauth import OAuthApplication, Provider


def redeem(
    application: OAuthApplication,
    code: str,
    *,
    verifier: str,
    redirect_uri: str,
    scope: str,
    secret: str,
    now: datetime,
    allowed_networks: Sequence[Network] = (),
    ca_pem: str | None = None,
) -> Mapping[str, Any]:
    """Return the fields of the answer; `secret` is the application's, or its key and certificate, or empty.

    Raises LoginRefused when the code or the application is refused, and the errors of a mail server's connection.
    """
    held = Held(application=secret)
    google = application.provider is Provider.GOOGLE
    endpoint = (
        requests.GOOGLE_ENDPOINT if google else f"{application.authority}/{application.tenant_id}/oauth2/v2.0/token"
    )
    fields = {
        "client_id": application.client_id,
        "grant_type": "authorization_code",
        "code": code,
        "code_verifier": verifier,
        "redirect_uri": redirect_uri,
    }
    if not google:
        fields["scope"] = scope
    if held.is_certificate:
        from postroom.adapters.oauth.assertions import certificate_assertion

        assertion = certificate_assertion(secret, client_id=application.client_id, endpoint=endpoint, now=now)
        fields |= {"client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}
    elif secret:
        fields["client_secret"] = secret
    try:
        return _ask(endpoint, fields, now=now, allowed_networks=allowed_networks, ca_pem=ca_pem)
    except Transient as error:
        error.remedy = "Run the command again: nothing repeats a consent by itself."
        raise


def _ask(
    endpoint: str, fields: Mapping[str, str], *, now: datetime, allowed_networks: Sequence[Network], ca_pem: str | None
) -> Mapping[str, Any]:
    answer = tokens.post(
        endpoint, fields, deadline=time.monotonic() + tokens.TIMEOUT, allowed_networks=allowed_networks, ca_pem=ca_pem
    )
    found = answer.json()
    if answer.status == 200:
        return found
    on = urlsplit(endpoint).netloc
    error = refusal(answer.status, found, on=on, wait=retry_after(answer.headers, now=now))
    if error.code in (
        "consent_revoked",
        "consent_expired",
    ):  # invalid_grant, of a code: used twice, too old, or of another request
        raise LoginRefused(
            "The code of this consent was refused: used already, expired, or changed on its way",
            on=on,
            code="code_refused",
            remedy="Run the command again; a code lasts some minutes and serves once.",
        ) from error
    raise error
