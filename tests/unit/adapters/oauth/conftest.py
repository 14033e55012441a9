"""A token service, secrets in memory, and what asks for tokens with them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from postroom.adapters.net.tls import client_context
from postroom.adapters.oauth.tokens import OAuthTokens
from postroom.model.configuration.mailbox import Mailbox, SecretReference
from postroom_cli.mailservers.tokens import CLIENT, SECRET, TENANT, TokenService

from tests.support import certificates

LOOPBACK = (ip_network("127.0.0.0/8"),)


@dataclass
class Kept:
    """Implements ports.Secrets and ports.SecretStore."""

    values: dict[str, str] = field(default_factory=lambda: {"app": SECRET})
    puts: list[tuple[str, str]] = field(default_factory=list)
    on_put: Any = None

    def reveal(self, reference: SecretReference, *, fresh: bool = False) -> str:
        return self.values[str(reference.secret or reference.secretsmanager)]

    def put(self, name: str, value: str, *, now: datetime) -> None:
        if self.on_put:
            self.on_put()
        self.puts.append((name, value))
        self.values[name] = value


@dataclass
class World:
    """Everything a test of tokens asks for."""

    service: TokenService
    url: str
    kept: Kept = field(default_factory=Kept)
    now: datetime = datetime(2026, 11, 21, 12, tzinfo=UTC)
    tokens: OAuthTokens = field(init=False)

    def __post_init__(self) -> None:
        self.tokens = self.another()

    def another(self) -> OAuthTokens:
        """Another process, which knows nothing yet."""
        return OAuthTokens(
            secrets=self.kept,
            store=self.kept,
            clock=lambda: self.now,
            allowed_networks=LOOPBACK,
            google_endpoint=f"{self.url}/token",
        )

    def mailbox(self, name: str = "box", **options: Any) -> Mailbox:
        """A mailbox of the tenant that logs in by client credentials, unless told otherwise."""
        given = {
            "name": name,
            "address": f"{name}@example.com",
            "server": "outlook.office365.com",
            "client_id": CLIENT,
            "directory_id": TENANT,
            "tenant_authority": self.url,
            "client_secret": {"secret": "app"},
            "grant": "client_credentials",
            **options,
        }
        return Mailbox.model_validate(given)

    def google(self, **options: Any) -> Mailbox:
        """A mailbox at Google with a refresh token."""
        self.kept.values.setdefault("refresh", "refresh-0")
        self.service.refresh_tokens.add("refresh-0")
        given = {"grant": "", "directory_id": None, "password": {"secret": "refresh"}}
        return self.mailbox(tenant_authority="https://accounts.GOOGLE.com/o/oauth2", **given | options)

    def consented(self, **options: Any) -> Mailbox:
        """A mailbox that a person has consented to; each refresh token works once."""
        self.kept.values["refresh"] = "refresh-0"
        self.service.refresh_tokens.add("refresh-0")
        self.service.rotates = True
        return self.mailbox(grant="refresh_token", password={"secret": "refresh"}, **options)

    def token(self, mailbox: Mailbox, *, refused: str = "", seconds: float = 10) -> str:
        """Ask for a token."""
        return self.tokens.access_token(mailbox, deadline=time.monotonic() + seconds, refused=refused)

    def wait(self, **period: float) -> None:
        """Turn the clock."""
        self.now += timedelta(**period)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A service whose authority this machine trusts, and nothing known yet."""
    trusted = tmp_path / "trusted.pem"
    trusted.write_text(certificates.authority().pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    client_context.cache_clear()
    service = TokenService()
    with service.server(certificates.good()) as server:
        yield World(service, server.url)
    client_context.cache_clear()
