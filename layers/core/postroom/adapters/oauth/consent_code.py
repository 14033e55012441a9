"""Redeem the code of a person's consent for tokens: one POST of a form, as for every other token (RFC 6749 §4.1.3)."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from postroom.adapters.net import Network
from postroom.adapters.oauth import requests
from postroom.adapters.oauth.endpoint import TIMEOUT, TokenEndpoint
from postroom.adapters.oauth.requests import Held
from postroom.errors import LoginRefused, Transient
from postroom.model.configuration import OAuthApplication, Provider


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
    google = application.provider is Provider.GOOGLE
    endpoint = TokenEndpoint(
        requests.GOOGLE_ENDPOINT if google else f"{application.authority}/{application.tenant_id}{requests.TOKEN_PATH}",
        deadline=time.monotonic() + TIMEOUT,
        now=now,
        allowed_networks=allowed_networks,
        ca_pem=ca_pem,
    )
    try:
        if google:
            return endpoint.ask(
                {
                    "client_id": application.client_id,
                    "grant_type": "authorization_code",
                    "code": code,
                    "code_verifier": verifier,
                    "redirect_uri": redirect_uri,
                    **({"client_secret": secret} if secret else {}),
                }
            )
        from postroom.adapters.oauth import microsoft

        return microsoft.redeem(
            application.client_id,
            Held(application=secret),
            endpoint,
            code=code,
            verifier=verifier,
            redirect_uri=redirect_uri,
            scope=scope,
        )
    except Transient as error:
        error.remedy = "Run the command again: nothing repeats a consent by itself."
        raise
    except LoginRefused as error:
        if error.code not in ("consent_revoked", "consent_expired"):
            raise
        # invalid_grant, of a code: used twice, too old, or of another request
        raise LoginRefused(
            "The code of this consent was refused: used already, expired, or changed on its way",
            on=endpoint.host,
            code="code_refused",
            remedy="Run the command again; a code lasts some minutes and serves once.",
        ) from error
