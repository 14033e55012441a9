"""Finds the way out for a configured server, with its password."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from postroom.adapters.network import Network
from postroom.adapters.smtp import SmtpTransport
from postroom.errors import SendDeferred
from postroom.model.configuration import Authentication, OutboundServer, ServerType
from postroom.ports import Secrets, Transport


class ConfiguredTransports:
    """Implements ports.Transports; SES's client is made when the first mail goes out by it."""

    def __init__(
        self,
        *,
        secrets: Secrets,
        ses: Callable[[], Transport],
        allowed_networks: Sequence[Network] = (),
        allow_plaintext_credentials: bool = False,
    ) -> None:
        self._secrets = secrets
        self._ses = ses
        self._allowed = allowed_networks
        self._plaintext = allow_plaintext_credentials

    def for_server(self, server: OutboundServer) -> Transport:
        """Return the transport; raises SendDeferred for a server type that this installation cannot use."""
        if server.type is ServerType.SES:
            return self._ses()
        if server.type is ServerType.SMTP:
            needs_password = server.authentication is not Authentication.ANONYMOUS and server.password is not None
            return SmtpTransport(
                server,
                password=self._secrets.reveal(server.password) if needs_password and server.password else "",
                allowed_networks=self._allowed,
                allow_plaintext_credentials=self._plaintext,
            )
        raise SendDeferred(
            f"Outbound servers of type {server.type.value} are not built yet",
            on=server.name,
            remedy="Use an outbound server of type smtp or ses; the mail waits.",
        )
