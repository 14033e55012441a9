"""Walk the way to a mail server without credentials: name, connection, TLS, greeting."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from postroom.adapters.net import Network, Reader, Rules, check_greets, client_context, open_stream, resolve
from postroom.adapters.oauth import graph_of
from postroom.errors import Permanent
from postroom.model.configuration import Mailbox, Security, Type, behaviour

_LONGEST_GREETING = 8 * 1024


@dataclass(frozen=True, slots=True)
class NetworkProbe:
    """Implements services.test_connection.Probe."""

    allowed_networks: Sequence[Network] = ()

    def __call__(self, mailbox: Mailbox, *, deadline: float, passed: Callable[[str], None]) -> None:
        """Walk; the connection is dropped in the end. Raises as adapters.network and adapters.stream do."""
        host, port = _endpoint(mailbox)
        resolve(host, port, until=deadline, on=f"{host}:{port}")
        passed("dns")
        stream = open_stream(
            host,
            port,
            deadline=deadline,
            timeout=mailbox.connect_timeout.total_seconds(),
            allowed=self.allowed_networks,
        )
        try:
            passed("connect")
            talks_first = mailbox.type in (Type.IMAP, Type.POP3)
            if not talks_first or mailbox.security is Security.SSL_TLS:
                stream.start_tls(client_context(mailbox.ca_certificate, behaviour(mailbox).tls_versions), host)
                passed("tls")
            elif talks_first:
                check_greets(mailbox, stream, rules=Rules(self.allowed_networks))
            if talks_first:
                stream.step = "greeting"
                Reader(stream).line(_LONGEST_GREETING)
                passed("greeting")
        finally:
            stream.close()


def _endpoint(mailbox: Mailbox) -> tuple[str, int]:
    if mailbox.type is Type.GRAPH:
        graph = urlsplit(graph_of(mailbox))
        return graph.hostname or "", graph.port or 443
    url = urlsplit(mailbox.server or "") if mailbox.type is Type.EWS else None
    host = (url.hostname if url else mailbox.server) or ""
    if not host:
        raise Permanent("The mailbox has no server", on=mailbox.name, step="dns", remedy="Set `server`.")
    return host, (url.port if url else None) or mailbox.effective_port
