"""An Exchange server's web services on loopback: https, three ways to log in, and requests checked against the schema.

It answers as the EWS reference says, and refuses what Exchange refuses. Faults are planted by operation or by item.
"""

from __future__ import annotations

import base64
import os
import ssl
import sys
import tempfile
import threading
import time
import traceback
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from postroom_cli.mailservers.certificates import Certificate, local_authority, local_certificate
from postroom_cli.mailservers.ews_answers import Answering
from postroom_cli.mailservers.ews_schema import OPERATIONS
from postroom_cli.mailservers.ews_store import Cut, Drip, Mailbox, Planted, Status, Told

PATH = "/EWS/Exchange.asmx"


class EwsServer:
    """The server. `users`: name → password; a user owns the mailbox of that address.

    `url` and `ca_pem` are what a mailbox needs. Logging in by NTLM is known to one such server of a process at a time.
    """

    def __init__(
        self,
        users: dict[str, str],
        *,
        offers: tuple[str, ...] = ("NTLM", "Basic"),
        schema: str = "Exchange2016",
        certificate: Certificate | None = None,
    ) -> None:
        self.users = users
        self.tokens: dict[str, str] = {}  # access token → application or user
        self.token_owner: Callable[[str], str | None] = self.tokens.get
        self.offers = offers
        self.schema = schema
        self.mailboxes: dict[str, Mailbox] = defaultdict(Mailbox, {user: Mailbox() for user in users})
        self.told: dict[str, Told] = {}  # by synchronisation state; what is cleared here is a state that was lost
        self.may_open: set[tuple[str, str]] = set()  # user, mailbox
        self.may_impersonate: set[tuple[str, str]] = set()
        self.read_only = False
        self.planted: dict[str, deque[Planted]] = defaultdict(deque)
        self.asked: list[str] = []  # operations, in order
        self.versions: set[str] = set()
        self.authorizations: list[str] = []  # the scheme of each request, "" for none
        self.violations: list[str] = []
        self.crashes: list[str] = []  # faults of this server itself
        self.receipts = 0  # read receipts that were sent
        self.connections = 0
        self.lock = threading.RLock()
        self._certificate = certificate or local_certificate()
        self.ca_pem = certificate.certificate_pem if certificate else local_authority().pem
        self._context = self._certificate.server_context()
        self._closing = ExitStack()
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}{PATH}"

    def plant(self, operation: str, *answers: Planted) -> None:
        """Let the next requests for an operation be answered so."""
        if operation not in OPERATIONS:
            raise ValueError(operation)
        self.planted[operation].extend(answers)

    def wrap(self, sock: Any) -> ssl.SSLSocket:
        return self._context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)

    def __enter__(self) -> EwsServer:
        with ExitStack() as opening:
            if "NTLM" in self.offers:
                opening.enter_context(_ntlm_users(self.users))
            self._thread.start()
            self._closing = opening.pop_all()
        return self

    def close(self) -> None:
        """Give the port back."""
        self._server.server_close()

    def __exit__(self, *_exception: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self.close()
        self._closing.close()


@contextmanager
def _ntlm_users(users: Mapping[str, str]) -> Iterator[None]:
    """Tell the NTLM acceptor its users: it reads them from a file that the environment names."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "users"
        path.write_text("".join(f":{name}:{password}\n" for name, password in users.items()))
        os.environ["NTLM_USER_FILE"] = str(path)
        try:
            yield
        finally:
            os.environ.pop("NTLM_USER_FILE", None)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, ews: EwsServer) -> None:
        self.ews = ews
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Keep what went wrong here; clients that hang up are part of the tests."""
        if not isinstance(sys.exception(), OSError):
            self.ews.crashes.append(traceback.format_exc())


class _Handler(BaseHTTPRequestHandler):
    """One connection: NTLM logs a connection in, not a request."""

    protocol_version = "HTTP/1.1"
    timeout = 30
    server: _Server

    def setup(self) -> None:
        self.request = self.server.ews.wrap(self.request)
        self.request.settimeout(self.timeout)
        try:
            self.request.do_handshake()
        except OSError:
            self.request.close()
            raise
        super().setup()
        self.ews = self.server.ews
        self.ews.connections += 1
        self._user = ""
        self._ntlm: Any = None

    def finish(self) -> None:
        try:
            super().finish()
        finally:
            self.request.close()

    def log_message(self, format: str, *args: Any) -> None:
        """Stay quiet."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        user = self._log_in()
        if user is None:
            return
        if self.path.lower() != PATH.lower():
            self._answer(404, b"no such page", "text/html")
        elif not body or not self.headers.get("Content-Type", "").lower().startswith("text/xml; charset=utf-8"):
            self._answer(415 if body else 400, b"", "text/html")
        else:
            self._serve(body, user)

    def _serve(self, body: bytes, user: str) -> None:
        with self.ews.lock:
            status, answer, planted = Answering(self.ews, user).answer(body)
        if isinstance(planted, Status):
            self._answer(planted.status, b"<html>no</html>", "text/html", planted.headers)
        else:
            self._answer(status, answer, "text/xml; charset=utf-8", planted=planted)

    def do_GET(self) -> None:
        self._answer(405, b"", "text/html")

    def _answer(
        self,
        status: int,
        body: bytes,
        content_type: str,
        headers: dict[str, str] | None = None,
        *,
        challenges: tuple[str, ...] = (),
        planted: Planted | None = None,
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        for challenge in challenges:
            self.send_header("WWW-Authenticate", challenge)
        self.end_headers()
        if isinstance(planted, Drip):
            for byte in body:
                self.wfile.write(bytes([byte]))
                time.sleep(planted.seconds)
            return
        if isinstance(planted, Cut):
            body = body[: int(len(body) * planted.share)]
            self.close_connection = True
        self.wfile.write(body)

    def _log_in(self) -> str | None:
        """Return who asks; None when an answer with status 401 has gone out."""
        scheme, _, value = self.headers.get("Authorization", "").partition(" ")
        self.ews.authorizations.append(scheme)
        if not scheme and self._user:
            return self._user
        if scheme == "Bearer":
            return self.ews.token_owner(value) or self._refuse()
        if scheme == "Basic" and "Basic" in self.ews.offers:
            name, _, password = base64.b64decode(value).decode("utf-8").partition(":")
            return name if self.ews.users.get(name) == password else self._refuse()
        if scheme == "NTLM" and "NTLM" in self.ews.offers:
            return self._log_in_by_ntlm(base64.b64decode(value))
        return self._refuse()

    def _log_in_by_ntlm(self, message: bytes) -> str | None:
        import spnego  # takes a quarter of a second, and few log in by NTLM

        if message[8] == 1:  # NEGOTIATE_MESSAGE
            binding = spnego.channel_bindings.GssChannelBindings(application_data=self._certificate_hash())
            self._ntlm = spnego.server(
                protocol="ntlm", options=spnego.NegotiateOptions.use_ntlm, channel_bindings=binding
            )
        if self._ntlm is None:
            return self._refuse()
        try:
            token = self._ntlm.step(message)
        except spnego.exceptions.SpnegoError:
            self._ntlm = None
            return self._refuse()
        if not self._ntlm.complete:
            self._answer(401, b"", "text/html", challenges=(f"NTLM {base64.b64encode(token).decode()}",))
            return None
        self._user = self._ntlm.client_principal.rpartition("\\")[2]
        return self._user

    def _certificate_hash(self) -> bytes:
        certificate = x509.load_pem_x509_certificate(self.ews._certificate.certificate_pem.encode())
        return b"tls-server-end-point:" + certificate.fingerprint(hashes.SHA256())

    def _refuse(self) -> str | None:
        offers = tuple(f'{one} realm="localhost"' if one == "Basic" else one for one in self.ews.offers)
        self._answer(401, b"", "text/html", challenges=offers)
        return None
