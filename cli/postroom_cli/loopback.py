"""Wait on loopback for the one request that a browser is redirected with (RFC 8252 §7.3)."""

from __future__ import annotations

import os
import queue
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, urlsplit

from postroom.errors import PostroomError

_PAGE = b"""<!doctype html><html lang="en"><meta charset="utf-8"><title>Postroom</title>
<p>Postroom has the answer. Close this window: the command says whether it worked.</p></html>
"""
_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'",
    "X-Content-Type-Options": "nosniff",
}


class Loopback:
    """Listens on 127.0.0.1 until it is left; port 0 takes a free one."""

    def __init__(self, port: int = 0) -> None:
        self._came: queue.Queue[str] = queue.Queue(maxsize=1)  # the first answer counts
        came, first = self._came, threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            timeout = 10  # seconds; browsers open connections that they then leave silent
            server_version, sys_version = "postroom", ""

            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                ours = self.headers.get("Host", "").rpartition(":")[0] in ("127.0.0.1", "localhost")
                if not ours or parts.path != "/" or not parse_qs(parts.query).keys() & {"code", "error"}:
                    self.send_error(404)
                    return
                # Told when the page is out, since the server is left then; a second request must not overtake it there.
                is_first = first.acquire(blocking=False)
                try:
                    self.send_response(200)
                    for name, value in {**_HEADERS, "Content-Length": str(len(_PAGE))}.items():
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(_PAGE)
                    self.wfile.flush()
                finally:
                    if is_first:
                        came.put_nowait(self.path)

            def log_message(self, *_args: Any) -> None:
                """Write no log: the request holds the code."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            # Elsewhere than on POSIX systems it would let another program listen on the same port.
            allow_reuse_address = os.name == "posix"

            def handle_error(self, *_args: Any) -> None:
                """Leave a connection that breaks alone: the browser tries again."""

        try:
            self._server = Server(("127.0.0.1", port), Handler)
        except OSError as error:
            raise PostroomError(
                f"Port {port} cannot be listened on ({error.strerror})",
                code="port_in_use",
                remedy="Give another `--port`, or none.",
            ) from error
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def port(self) -> int:
        """Return where it listens."""
        return self._server.server_address[1]

    def wait(self, seconds: float) -> str:
        """Return path and query of the answer; raises after so many seconds."""
        try:
            return self._came.get(timeout=seconds)
        except queue.Empty:
            raise PostroomError(
                f"No answer came from the browser within {seconds:,.0f} seconds",
                code="consent_timeout",
                remedy="Run the command again; where the browser is on another machine, use `--no-browser`. If the "
                "browser showed an error about the redirect, register the redirect address.",
            ) from None

    def __enter__(self) -> Loopback:
        self._thread.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
