"""Finds the way out for a configured server, with its password."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from postroom.adapters.net import Network
from postroom.adapters.transports.smtp import SmtpTransport
from postroom.errors import SendDeferred
from postroom.model import Envelope, Sent
from postroom.model.configuration import Authentication, Mailbox, OutboundServer, SecretReference, ServerType
from postroom.ports import BeforeData, Configurations, Secrets, Tokens, Transport


class ConfiguredTransports:
    """Implements ports.Transports; SES's client is made when the first mail goes out by it."""

    def __init__(
        self,
        *,
        secrets: Secrets,
        ses: Callable[[], Transport],
        configurations: Configurations,
        tokens: Tokens,
        allowed_networks: Sequence[Network] = (),
        allow_plaintext_credentials: bool = False,
    ) -> None:
        self._secrets = secrets
        self._ses = ses
        self._configurations = configurations
        self._tokens = tokens
        self._allowed = allowed_networks
        self._plaintext = allow_plaintext_credentials

    def for_server(self, server: OutboundServer) -> Transport:
        """Return the transport; raises SendDeferred for a server type that this installation cannot use."""
        if server.type is ServerType.SES:
            return self._ses()
        if server.type is ServerType.SMTP and server.authentication is Authentication.OAUTH_SERVICE and server.account:
            return self._with_account(server, server.account)
        if server.type is ServerType.SMTP and server.password and server.authentication is not Authentication.ANONYMOUS:
            return _WithPassword(server, server.password, self._secrets, self._smtp)
        if server.type is ServerType.SMTP:
            return self._smtp(server, "")
        raise SendDeferred(
            f"Outbound servers of type {server.type.value} are not built yet",
            on=server.name,
            code="server_type_unsupported",
            remedy="Use an outbound server of type smtp or ses; the mail waits.",
        )

    def _smtp(self, server: OutboundServer, password: str) -> SmtpTransport:
        return SmtpTransport(
            server,
            password=password,
            allowed_networks=self._allowed,
            allow_plaintext_credentials=self._plaintext,
        )

    def _with_account(self, server: OutboundServer, name: str) -> Transport:
        """Log in as an e-mail account (C07), with the token that its mailboxes use too."""
        configuration = self._configurations.current()
        account = configuration.account(name)
        if account is None or not account.active or configuration.application(account.application) is None:
            raise SendDeferred(
                f"The e-mail account `{name}` is not there, or not active",
                on=server.name,
                step="login",
                code="account_missing",
                remedy="Correct `account` of the outbound server, or activate the account; the mail waits.",
            )
        plain = Mailbox(name=account.name, address=account.address, account=name, type=account.server_type.mailbox_type)
        opens = configuration.effective(plain)

        def token(deadline: float, refused: str) -> str:
            return self._tokens.access_token(opens, deadline=deadline, refused=refused)

        return SmtpTransport(
            server,
            password="",
            allowed_networks=self._allowed,
            allow_plaintext_credentials=self._plaintext,
            user=server.user or account.address,
            token=token,
        )


@dataclass(frozen=True, slots=True)
class _WithPassword:
    """Implements ports.Transport: a password that is refused is read anew once, in case another was entered since."""

    server: OutboundServer
    reference: SecretReference
    secrets: Secrets
    smtp: Callable[[OutboundServer, str], Transport]

    def send(self, content: bytes, envelope: Envelope, *, outbound_id: str, before_data: BeforeData) -> Sent:
        """Send; a refused login comes before anything of the mail has left."""
        password = self.secrets.reveal(self.reference)
        try:
            return self.smtp(self.server, password).send(
                content, envelope, outbound_id=outbound_id, before_data=before_data
            )
        except SendDeferred as error:
            if error.code != "login_refused":
                raise
            entered = self.secrets.reveal(self.reference, fresh=True)
            if entered == password:
                raise
        return self.smtp(self.server, entered).send(content, envelope, outbound_id=outbound_id, before_data=before_data)
