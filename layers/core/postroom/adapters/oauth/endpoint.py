"""Post a form to a token endpoint over checked connections, and read its answer (RFC 6749 §5)."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

from postroom.adapters.net import Answer, HttpClient, Network, Trace, retry_after
from postroom.adapters.oauth.answers import refusal
from postroom.errors import PostroomError, ServerMisbehaved

TIMEOUT = 30.0  # seconds for one request
_FORM = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}


@dataclass(frozen=True, slots=True)
class TokenEndpoint:
    """Where tokens are asked for, and how it is reached; `deadline` is of `time.monotonic()`."""

    url: str
    deadline: float
    now: datetime  # when Retry-After counts from
    allowed_networks: Sequence[Network] = ()
    ca_pem: str | None = None  # joins the public authorities
    trace: Trace | None = None

    @property
    def host(self) -> str:
        """Name it in errors."""
        return urlsplit(self.url).netloc

    def ask(self, form: Mapping[str, str], *, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Post a form; return the fields of the answer, or raise what a refusal or a broken connection means."""
        answer = self._post(form, headers or {})
        fields = answer.json()
        if answer.status != 200:
            wait = retry_after(answer.headers, now=self.now)
            raise refusal(answer.status, fields, on=self.host, wait=wait)
        token = fields.get("access_token")
        if not isinstance(token, str) or not token or not token.isascii() or not token.isprintable():
            raise ServerMisbehaved("The token service sent no token", on=self.host, step="login", code="no_token")
        return fields

    def _post(self, form: Mapping[str, str], headers: Mapping[str, str]) -> Answer:
        client = HttpClient(
            deadline=min(self.deadline, time.monotonic() + TIMEOUT),
            connect_timeout=TIMEOUT,
            timeout=TIMEOUT,
            allowed_networks=self.allowed_networks,
            ca_pem=self.ca_pem,
            public_too=True,
            trace=self.trace,
        )
        shown = f"{self.host}, grant {form.get('grant_type', '')}"
        try:
            return client.ask(
                "POST", self.url, step="login", headers={**headers, **_FORM},
                body=urlencode(form).encode("ascii"), shown=shown,
            )  # fmt: skip
        except PostroomError as error:
            error.step = "login"  # the token service's dns, connect and tls are not the mail server's
            raise
        finally:
            client.close()
