"""Microsoft's tokens by msal, over our checked connections (ADR 0021).

msal writes the forms and signs the assertions. It never opens a connection: the client it is given posts through
TokenEndpoint, which raises for every answer that is no token, and answers discovery from what the configuration says.
It remembers nothing either: an application object lives for one request, and tokens.py keeps what came of it.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import msal

from postroom.adapters.oauth.assertions import certificate_and_key
from postroom.adapters.oauth.endpoint import TokenEndpoint
from postroom.adapters.oauth.requests import TOKEN_PATH, Held, Wanted
from postroom.model.configuration import Grant

# Reserved by msal, which adds them itself; what is sent is the scope as it is configured.
_RESERVED = frozenset({"openid", "profile", "offline_access"})
_ASSERTION = re.compile(r"eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+")  # a JWT in compact form (RFC 7515 §3.1): both parts are JSON

logging.getLogger("msal").setLevel(logging.WARNING)  # its debug lines tell tenants, users and the text of refusals


def ask(asked: Wanted, held: Held, endpoint: TokenEndpoint) -> dict[str, Any]:
    """Ask for a mailbox's token; return the fields of the answer. Raises what TokenEndpoint raises."""
    scopes = _scopes(asked.scope)
    match asked.grant:
        case Grant.CLIENT_CREDENTIALS:
            return _run(asked.client_id, held, endpoint, asked.scope, lambda app: app.acquire_token_for_client(scopes))
        case Grant.REFRESH_TOKEN:
            return _run(
                asked.client_id,
                held,
                endpoint,
                with_offline_access(asked.scope),
                lambda app: app.acquire_token_by_refresh_token(held.credential, scopes),
            )
        case Grant.PASSWORD:
            return _run(
                asked.client_id,
                held,
                endpoint,
                asked.scope,
                lambda app: app.acquire_token_by_username_password(asked.account, held.credential, scopes),
            )


def redeem(
    client_id: str,
    held: Held,
    endpoint: TokenEndpoint,
    *,
    code: str,
    verifier: str,
    redirect_uri: str,
    scope: str,
) -> dict[str, Any]:
    """Redeem the code of a person's consent (RFC 6749 §4.1.3); `state` was compared when the browser came back."""
    flow = {"state": "compared", "redirect_uri": redirect_uri, "scope": _scopes(scope), "code_verifier": verifier}
    came = {"state": "compared", "code": code}
    return _run(client_id, held, endpoint, scope, lambda app: app.acquire_token_by_auth_code_flow(flow, came))


def with_offline_access(scope: str) -> str:
    """Ask for the next refresh token too: without this scope Microsoft sends none."""
    return scope if "offline_access" in scope.split() else f"{scope} offline_access"


def _run(
    client_id: str, held: Held, endpoint: TokenEndpoint, scope: str, acquire: Callable[[_Application], object]
) -> dict[str, Any]:
    carrier = _Carrier(endpoint, scope)
    application = msal.ConfidentialClientApplication(  # for public clients too: msal's own class warns of the password
        client_id,
        client_credential=_credential(held),
        authority=carrier.authority,
        http_client=carrier,
        instance_discovery=False,
        azure_region=False,  # else the environment's MSAL_FORCE_REGION would choose another host
    )
    acquire(application)
    return carrier.fields


class _Application(Protocol):
    """What is called of msal's application; each answers with what the carrier has seen before."""

    def acquire_token_for_client(self, scopes: list[str], /) -> object: ...

    def acquire_token_by_refresh_token(self, refresh_token: str, scopes: list[str], /) -> object: ...

    def acquire_token_by_username_password(self, username: str, password: str, scopes: list[str], /) -> object: ...

    def acquire_token_by_auth_code_flow(self, flow: dict[str, Any], answer: dict[str, str], /) -> object: ...


class _Carrier:
    """Implements msal's `http_client`; `fields` are those of the answer to the one form that is posted."""

    def __init__(self, endpoint: TokenEndpoint, scope: str) -> None:
        self._endpoint = endpoint
        self._scope = scope
        self.authority = endpoint.url.removesuffix(TOKEN_PATH)
        self.fields: dict[str, Any] = {}

    def get(self, url: str, **_kwargs: object) -> _Reply:
        """Answer discovery without asking: the endpoints of an authority are what the configuration makes of it."""
        if "/common/userrealm/" in url:  # the password goes to the authority, never on to another host that it names
            return _Reply(json.dumps({"account_type": "Managed"}))
        return _Reply(
            json.dumps(
                {
                    "issuer": self.authority,
                    "token_endpoint": self._endpoint.url,
                    "authorization_endpoint": self.authority + TOKEN_PATH.replace("token", "authorize"),
                }
            )
        )

    def post(self, _url: str, *, data: Mapping[str, Any], headers: Mapping[str, str], **_kwargs: object) -> _Reply:
        """Post the form; msal is told of the token only, so that nothing else of an answer can disturb it."""
        # msal adds openid, which a person need not have consented to, and which brings an id_token that nobody reads.
        form = {name: value.decode("ascii") if isinstance(value, bytes) else str(value) for name, value in data.items()}
        self.fields = self._endpoint.ask({**form, "scope": self._scope}, headers=headers)
        return _Reply(json.dumps({"access_token": self.fields["access_token"], "token_type": "Bearer"}))

    def close(self) -> None:
        """Leave it: each request closes its own connection."""


class _Reply:
    """What msal reads of an answer."""

    status_code = 200

    def __init__(self, text: str) -> None:
        self.text = text
        self.headers: dict[str, str] = {}

    def raise_for_status(self) -> None:
        """Never: what is no success was raised already."""


def _credential(held: Held) -> str | dict[str, Any] | None:
    """Say how the application proves itself: by nothing, a secret, a key with its certificate, or an assertion."""
    if held.is_certificate:
        certificate, key = certificate_and_key(held.application)
        return {"private_key": key, "public_certificate": certificate}
    if _ASSERTION.fullmatch(held.application.strip()):
        return {"client_assertion": held.application.strip}
    return held.application or None


def _scopes(scope: str) -> list[str]:
    return [one for one in scope.split() if one not in _RESERVED]
