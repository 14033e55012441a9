"""A token endpoint like Microsoft's and Google's: it checks what it is sent, and refuses as they do."""

from __future__ import annotations

import base64
import itertools
import json
import re
import threading
from collections import deque
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from postroom_cli.mailservers.certificates import Certificate
from postroom_cli.mailservers.https import HttpsServer, Reply, Request

TENANT = "11111111-2222-3333-4444-555555555555"
CLIENT = "99999999-8888-7777-6666-555555555555"
SECRET = "app-secret-value"  # noqa: S105 - a simulator's
LEAK = "user ann@contoso.example of tenant Contoso"  # what the real one tells in its text


@dataclass
class TokenService:
    """The endpoint; `script` holds answers that are given before it thinks for itself."""

    passwords: dict[str, str] = field(default_factory=dict)
    refresh_tokens: set[str] = field(default_factory=set)
    tenant: str = TENANT
    client: str = CLIENT
    secrets: set[str] = field(default_factory=lambda: {SECRET})
    rotates: bool = False  # a refresh token is void once it was used
    life: Any = 3600
    script: deque[Reply] = field(default_factory=deque)
    issued: list[str] = field(default_factory=list)
    forms: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)  # of every request, whatever it was
    _numbers: Any = field(default_factory=lambda: itertools.count(1))
    _lock: Any = field(default_factory=threading.Lock)

    def __call__(self, request: Request) -> Reply:
        """Answer one request."""
        with self._lock:
            self.paths.append(request.path)
            if request.method != "POST":
                return Reply(405)
            if request.headers.get("content-type") != "application/x-www-form-urlencoded":
                return refusal(400, "invalid_request", 900144)
            form = {name: values[0] for name, values in parse_qs(request.body.decode("ascii")).items()}
            self.forms.append(form)
            if self.script:
                return self.script.popleft()
            if request.path == "/token":
                return self._google(form)
            match = re.fullmatch(r"/([^/]+)/oauth2/v2\.0/token", request.path)
            if match is None:
                return Reply(404)
            return refusal(400, "invalid_request", 90002) if match[1] != self.tenant else self._microsoft(form)

    def _microsoft(self, form: dict[str, str]) -> Reply:
        if form.get("client_id") != self.client:
            return refusal(400, "unauthorized_client", 700016)
        if "client_assertion" in form:
            if form.get("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer":
                return refusal(400, "invalid_request", 900144)
        elif "client_secret" in form and form["client_secret"] not in self.secrets:
            return refusal(401, "invalid_client", 7000215)
        grant = form.get("grant_type")
        if "scope" not in form:
            return refusal(400, "invalid_request", 900144)
        if grant == "client_credentials":
            if not {"client_secret", "client_assertion"} & form.keys():
                return refusal(401, "invalid_client", 7000218)
            if not re.fullmatch(r"https://\S+/\.default", form["scope"]):
                return refusal(400, "invalid_scope", 1002012)
            return self._issue()
        if grant == "password":
            good = self.passwords.get(form.get("username", ""))
            return self._issue() if good == form.get("password") else refusal(400, "invalid_grant", 50126)
        if grant == "refresh_token":
            return self._refresh(form, rotated="offline_access" in form["scope"].split())
        return refusal(400, "unsupported_grant_type", 70003)

    def _google(self, form: dict[str, str]) -> Reply:
        if form.get("grant_type") == "urn:ietf:params:oauth:grant-type:jwt-bearer":
            return self._issue() if form.get("assertion", "").count(".") == 2 else refusal(400, "invalid_grant")
        if form.get("client_secret") not in self.secrets:
            return refusal(401, "invalid_client")
        return self._refresh(form, rotated=False)

    def _refresh(self, form: dict[str, str], *, rotated: bool) -> Reply:
        if form.get("refresh_token") not in self.refresh_tokens:
            return refusal(400, "invalid_grant", 50173)
        if not rotated:
            return self._issue()
        if self.rotates:
            self.refresh_tokens.discard(form["refresh_token"])
        new = f"refresh-{next(self._numbers)}"
        self.refresh_tokens.add(new)
        return self._issue(refresh_token=new)

    def _issue(self, **more: str) -> Reply:
        token = f"access-{next(self._numbers)}"
        self.issued.append(token)
        return as_json(200, {"token_type": "Bearer", "expires_in": self.life, "access_token": token, **more})

    def server(self, certificate: Certificate | None = None) -> HttpsServer:
        """Serve it; the server's URL is the authority of its mailboxes."""
        return HttpsServer(self, certificate)


def as_json(status: int, content: Any, **headers: str) -> Reply:
    """Write an answer in JSON."""
    return Reply(status, json.dumps(content).encode(), {"Content-Type": "application/json", **headers})


def refusal(status: int, error: str, number: int | None = None, text: str = "", retry_after: str = "") -> Reply:
    """Write a refusal as Microsoft (with a number) or Google (without) writes it."""
    content: dict[str, Any] = {"error": error, "error_description": text or f"No: {LEAK}"}
    if number is not None:
        content |= {"error_codes": [number], "error_description": f"AADSTS{number}: {text} {LEAK} Trace ID: x"}
    return as_json(status, content, **({"Retry-After": retry_after} if retry_after else {}))


def claims(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read header and claims of a JWT."""
    header, body, _signature = token.split(".")
    return tuple(json.loads(base64.urlsafe_b64decode(part + "==")) for part in (header, body))
