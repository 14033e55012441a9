"""SMTP: one attempt to hand a mail to the next server, with a clear word on whether it can have left.

smtplib speaks the protocol over our own stream, so that host checks, verified TLS and the wall-clock deadline hold.
Nothing can have been sent before the content goes on the wire; from then until the final reply nobody knows.
"""

from __future__ import annotations

import logging
import smtplib
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from postroom.adapters.net import Network, client_context, open_stream
from postroom.adapters.transports.smtp_client import SmtpClient
from postroom.adapters.transports.smtp_transaction import hand_over, session_error
from postroom.errors import PostroomError, SendDeferred
from postroom.model import Envelope, Sent
from postroom.model.configuration import Authentication, OutboundServer, SmtpSecurity
from postroom.ports import BeforeData

logger = logging.getLogger(__name__)

_LONGEST_EXCHANGE = 240.0  # seconds; what lasts longer would die with its function, and nobody would know of what


class SmtpTransport:
    """Implements ports.Transport for one outbound server; `password` is the secret in plain text.

    `token` answers with an access token for `user`, given the deadline and the token that was refused, if any.
    """

    def __init__(
        self,
        server: OutboundServer,
        *,
        password: str,
        allowed_networks: Sequence[Network] = (),
        allow_plaintext_credentials: bool = False,
        user: str = "",
        token: Callable[[float, str], str] | None = None,
    ) -> None:
        self._server = server
        self._user = user or server.user or ""
        self._token = token
        self._password = password
        self._shown = [password]  # to the server
        self._allowed = allowed_networks
        self._plaintext = allow_plaintext_credentials

    def send(self, content: bytes, envelope: Envelope, *, outbound_id: str, before_data: BeforeData) -> Sent:
        """Make one attempt; raises SendRefused, SendDeferred or SendUncertain."""
        deadline = time.monotonic() + min(self._server.timeout.total_seconds(), _LONGEST_EXCHANGE)
        try:
            client = self._open(deadline, helo=envelope.sender.rpartition("@")[2] or "localhost")
        except (smtplib.SMTPException, PostroomError) as error:
            refused = session_error(error, on=self._server.name)
            for secret in self._shown:
                refused.hide(secret)
            raise refused from None  # the library's error quotes the server, which may repeat the password
        try:
            sent = hand_over(client, content, envelope, before_data, on=self._server.name, outbound_id=outbound_id)
            return replace(sent, warning=_without_login(client.without_login)) if client.without_login else sent
        finally:
            client.leave()

    def _open(self, deadline: float, *, helo: str) -> SmtpClient:
        server = self._server
        host = server.host or ""
        stream = open_stream(host, server.effective_port, deadline=deadline, allowed=self._allowed)
        context = client_context(server.ca_certificate)
        if server.security is SmtpSecurity.SSL_TLS:
            stream.start_tls(context, host)
        client = SmtpClient(stream, helo=helo, on=server.name)
        try:
            client.greet()
            if server.security in (SmtpSecurity.START_TLS, SmtpSecurity.START_TLS_REQUIRED):
                client.upgrade(context, host, required=server.security is SmtpSecurity.START_TLS_REQUIRED)
            if server.authentication is not Authentication.ANONYMOUS and self._user:
                if not stream.encrypted and not self._plaintext:
                    raise SendDeferred(
                        "The connection is not encrypted, so no password was sent",
                        on=server.name,
                        step="login",
                        code="plaintext_refused",
                        remedy="Set `security` to start-tls-required or ssl-tls; the mail waits.",
                    )
                stream.step = "login"
                self._authenticate(client, deadline)
        except BaseException:
            stream.close()
            raise
        return client

    def _authenticate(self, client: SmtpClient, deadline: float) -> None:
        """Log in; where the server refuses that and the configuration says so, go on without (C03: when it fails)."""
        try:
            self._log_in(client, deadline)
        except (smtplib.SMTPAuthenticationError, smtplib.SMTPNotSupportedError) as error:
            later = isinstance(error, smtplib.SMTPAuthenticationError) and error.smtp_code < 500
            if later or not self._server.unauthenticated_fallback:
                raise
            why = session_error(error, on=self._server.name)
            for secret in self._shown:
                why.hide(secret)
            client.without_login = why.what
            logger.warning("sent_without_login", extra={"server": self._server.name})

    def _log_in(self, client: SmtpClient, deadline: float) -> None:
        if self._token is None:
            client.login(self._user, self._password)
            return
        token = self._token(deadline, "")
        self._shown.append(token)
        try:
            client.login_with_token(self._user, token)
        except smtplib.SMTPAuthenticationError:  # void before its time: one more, and no third
            token = self._token(deadline, token)
            self._shown.append(token)
            client.login_with_token(self._user, token)


def _without_login(why: str) -> str:
    return (
        f"sent without login, as `unauthenticated_fallback` says, since it was refused ({why}): "
        "enter the right user and password"
    )
