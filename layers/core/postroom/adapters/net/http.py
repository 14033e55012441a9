"""HTTPS by requests, over connections that adapters/net/connect.py has checked and that a wall-clock deadline bounds.

requests by itself would resolve the name again behind our check, take proxies and passwords from the environment,
follow redirects with the token in hand, and wait for a dripping server for ever. Here a connection is a Stream like
those of IMAP and POP3, so that host checks, certificates, deadlines and their errors are the very same.
"""

from __future__ import annotations

import http.client
import io
import json
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, ClassVar

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPSConnection

from postroom.adapters.net import connect as network
from postroom.adapters.net.connect import Network
from postroom.adapters.net.stream import Stream, Trace
from postroom.adapters.net.tls import client_context
from postroom.errors import PostroomError, ServerMisbehaved

AT_A_TIME = 4  # connections; Exchange Online serves a mailbox no more than four requests at once
ANSWER_LIMIT = 32 * 1024 * 1024
_CHUNK = 64 * 1024
_REQUEST_ID = re.compile(r"[0-9a-fA-F-]{1,40}")


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> dict[str, Any]:
        """Read the body as a JSON object; an empty one when it is something else."""
        try:
            found = json.loads(self.body)
        except (ValueError, RecursionError):  # the latter: a million brackets
            return {}
        return found if isinstance(found, dict) else {}


class HttpClient:
    """Speaks https; `deadline` (`time.monotonic()`) bounds whatever is asked next. Raises the mail-server errors."""

    def __init__(
        self,
        *,
        deadline: float,
        connect_timeout: float,
        timeout: float,
        allowed_networks: Sequence[Network] = (),
        ca_pem: str | None = None,
        public_too: bool = False,
        trace: Trace | None = None,
    ) -> None:
        self.deadline = deadline
        self.connect_timeout = connect_timeout
        self.timeout = timeout
        self.allowed_networks = tuple(allowed_networks)
        self.ca_pem = ca_pem
        self.public_too = public_too
        self.trace = trace
        self.asking = threading.local()  # step: what the errors of this thread's request belong to
        self._session = requests.Session()
        self._session.trust_env = False  # neither proxies nor ~/.netrc, which would replace the token
        self._session.headers.clear()
        self._session.headers["User-Agent"] = "postroom"
        self._session.headers["Accept-Encoding"] = "identity"
        self._session.adapters.clear()  # https only
        self._session.mount("https://", _Adapter(self))

    def ask(
        self,
        method: str,
        url: str,
        *,
        step: str,
        headers: Mapping[str, str],
        body: bytes | None = None,
        shown: str = "",
    ) -> Answer:
        """Ask and read the whole answer; `shown` is what a trace says of the request."""
        with self.stream(method, url, step=step, headers=headers, body=body, shown=shown) as streamed:
            data = bytearray()
            while piece := streamed.read(_CHUNK):
                data += piece
                if len(data) > ANSWER_LIMIT:
                    raise ServerMisbehaved(
                        f"The server sent more than {ANSWER_LIMIT:,} bytes", on=streamed.on, step=step
                    )
            return Answer(streamed.status, streamed.headers, bytes(data))

    def stream(
        self,
        method: str,
        url: str,
        *,
        step: str,
        headers: Mapping[str, str],
        body: bytes | None = None,
        shown: str = "",
    ) -> Streamed:
        """Ask and leave the body to be read."""
        self.asking.step = step
        on = requests.compat.urlsplit(url).netloc
        began = time.monotonic()
        self.note(step, ">", f"{method} {shown or on}, {len(body or b''):,} bytes")
        try:
            response = self._session.request(
                method, url, headers=dict(headers), data=body, stream=True, allow_redirects=False
            )
        except requests.RequestException as error:
            broken = _broken(error, on=on, step=step)
            self.note(step, "<", broken.what)
            raise broken from error
        except PostroomError as error:
            self.note(error.step or step, "<", error.code)
            raise
        if response.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
            response.close()  # what stands in between packs it unasked, and a mail would be stored as it came
            raise ServerMisbehaved(
                "The answer is compressed, which was not asked for",
                on=on,
                step=step,
                code="answer_compressed",
                remedy="Let the gateway or proxy in between leave answers as they are; it is tried again by itself.",
            )
        told = f"{response.status_code} in {time.monotonic() - began:.3f} s{_request_id(response.headers)}"
        return Streamed(response, on=on, step=step, ended=lambda size: self.note(step, "<", f"{told}, {size:,} bytes"))

    def note(self, step: str, direction: str, line: str) -> None:
        """Tell the trace, if there is one; what a line holds may be shown to whoever reads logs (G10)."""
        if self.trace is not None:
            self.trace(step, direction, line.encode("utf-8", "backslashreplace"))

    def until(self) -> float:
        """Return when the request that begins now must have ended."""
        return min(self.deadline, time.monotonic() + self.timeout)

    def close(self) -> None:
        """Drop all connections."""
        self._session.close()


class Streamed:
    """An answer whose body is still to be read; leaving it drops the connection if something is unread."""

    def __init__(
        self, response: requests.Response, *, on: str, step: str, ended: Callable[[int], None] = lambda _size: None
    ) -> None:
        self._response = response
        self._ended = ended
        self._size = 0
        self.on = on
        self._step = step
        self.status = response.status_code
        self.headers = {name.lower(): value for name, value in response.headers.items()}

    def read(self, most: int = _CHUNK) -> bytes:
        """Read at most so many bytes; empty at the end. Raises when the body is shorter than announced."""
        try:
            piece: bytes = self._response.raw.read(most)
        except (urllib3.exceptions.HTTPError, http.client.HTTPException) as error:
            raise _broken(error, on=self.on, step=self._step) from error
        self._size += len(piece)
        return piece

    def __enter__(self) -> Streamed:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._ended(self._size)
        self._response.close()


def retry_after(headers: Mapping[str, str], *, now: datetime) -> float | None:
    """Read Retry-After (RFC 9110 §10.2.3), seconds or a date, as seconds from now; None when there is none."""
    text = headers.get("retry-after", "").strip()
    if text.isdecimal():
        return float(text[:9])
    try:
        return max(0.0, (parsedate_to_datetime(text) - now).total_seconds())
    except (TypeError, ValueError, OverflowError):
        return None


def _request_id(headers: Mapping[str, str]) -> str:
    """Say under which number Microsoft's support finds a request."""
    found = headers.get("request-id") or headers.get("x-ms-request-id") or ""
    return f", request-id {found}" if _REQUEST_ID.fullmatch(found) else ""


def _broken(error: Exception, *, on: str, step: str) -> ServerMisbehaved:
    # The library's text may hold the URL, and with it names of mailboxes: only its kind is told.
    return ServerMisbehaved(f"The connection broke ({type(error).__name__})", on=on, step=step, code="connection_lost")


class _Adapter(HTTPAdapter):
    """Gives requests a pool of our connections."""

    def __init__(self, client: HttpClient) -> None:
        self._client = client
        super().__init__(pool_connections=2, pool_maxsize=AT_A_TIME, pool_block=True)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **_kwargs: Any) -> None:
        connection = type("Connection", (_Connection,), {"client": self._client})
        pool = type("Pool", (urllib3.HTTPSConnectionPool,), {"ConnectionCls": connection})
        self.poolmanager = urllib3.PoolManager(num_pools=connections, maxsize=maxsize, block=block)
        self.poolmanager.pool_classes_by_scheme = {"https": pool}

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Leave it to Stream.start_tls, which always verifies."""


class _Connection(HTTPSConnection):
    """A connection that is a Stream."""

    client: ClassVar[HttpClient]
    stream: Stream | None = None

    def connect(self) -> None:
        client = self.client
        until = client.until()
        stream = network.open_stream(
            self.host, self.port, deadline=until, timeout=client.connect_timeout, allowed=client.allowed_networks
        )
        try:
            stream.start_tls(client_context(client.ca_pem, public_too=client.public_too), self.host)
        except BaseException:
            stream.close()
            raise
        self.stream = stream
        self.sock = _Socket(stream)  # what http.client and urllib3 use of a socket
        self.is_verified = True

    def request(self, *args: Any, **kwargs: Any) -> None:
        """Send a request; whatever happens until the next one belongs to its step and its deadline."""
        if self.sock is None:
            self.connect()
        if self.stream is not None:
            self.stream.step = self.client.asking.step
            self.stream.deadline = self.client.until()
        super().request(*args, **kwargs)


class _Socket:
    """What http.client and urllib3 ask of a socket, over a Stream: timeouts are the stream's deadline."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    def makefile(self, _mode: str, *_args: Any, **_kwargs: Any) -> io.BufferedReader:
        return io.BufferedReader(_Incoming(self._stream), _CHUNK)

    def sendall(self, data: bytes) -> None:
        self._stream.send(data)

    def settimeout(self, _seconds: float | None) -> None:
        """Leave it: the deadline holds."""

    def fileno(self) -> int:
        return self._stream._sock.fileno()

    def shutdown(self, _how: int) -> None:
        self._stream.close()

    def close(self) -> None:
        self._stream.close()


class _Incoming(io.RawIOBase):
    """The bytes that a Stream receives; its regular end is an end of file, which http.client judges."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            return self._stream.receive_into(memoryview(buffer))
        except ServerMisbehaved as error:
            if error.__cause__ is None:
                return 0
            raise
