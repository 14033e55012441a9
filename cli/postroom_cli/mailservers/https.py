"""An https server on 127.0.0.1 that a function answers for: Microsoft Graph, a token service, or a test's own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from postroom_cli.mailservers.certificates import Certificate, local_authority, local_certificate


@dataclass(frozen=True)
class Request:
    """What came in; header names in lower case."""

    method: str
    path: str  # decoded, without the query
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Reply:
    """What goes out; `cut`: the connection breaks after so many bytes of the body; `pieces` replaces the body."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int | None = None
    pieces: Callable[[Callable[[bytes], Any]], None] | None = None


class HttpsServer:
    """Serves until it is left; `answer` is called in a thread of each connection.

    Without a certificate it shows one of this process's own authority, which clients trust by `ca_pem`.
    """

    def __init__(self, answer: Callable[[Request], Reply], certificate: Certificate | None = None) -> None:
        outer = self
        self.requests: list[Request] = []
        self.ca_pem = local_authority().pem if certificate is None else certificate.certificate_pem

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def handle_one_request(self) -> None:
                try:
                    super().handle_one_request()
                except (OSError, ValueError):
                    self.close_connection = True

            def _serve(self) -> None:
                parts = urlsplit(self.path)
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                request = Request(
                    self.command,
                    unquote(parts.path),
                    dict(parse_qsl(parts.query, keep_blank_values=True)),
                    {name.lower(): value for name, value in self.headers.items()},
                    body,
                )
                outer.requests.append(request)
                reply = answer(request)
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                if "Content-Length" not in reply.headers and reply.pieces is None:
                    self.send_header("Content-Length", str(len(reply.body)))
                self.end_headers()
                if reply.pieces is not None:
                    reply.pieces(self.wfile.write)
                    self.close_connection = "Transfer-Encoding" not in reply.headers or reply.cut is not None
                    return
                self.wfile.write(reply.body if reply.cut is None else reply.body[: reply.cut])
                self.close_connection = reply.cut is not None

            do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = _serve  # noqa: N815 - http.server's names

            def log_message(self, *_args: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_args: Any) -> None:
                pass

        self._server = Server(("127.0.0.1", 0), Handler)
        context = (certificate or local_certificate()).server_context()
        # The handshake belongs to the connection's thread: a client that fails it must not stop the server.
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        """Return where it is."""
        return f"https://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> HttpsServer:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
