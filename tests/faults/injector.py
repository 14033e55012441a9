"""Sees every AWS call and mail command of the path, and lets one of them go wrong.

AWS calls are seen on the wire (botocore's `before-send`), below the client's own repetitions: a throttled call is
throttled at each of its attempts, and a lost answer makes the client repeat what has already taken effect. Mail
commands are seen where bytes go into the connection. A process that dies does nothing more until it is started anew.
"""

from __future__ import annotations

import json
import select
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError
from moto.core.botocore_stubber import BotocoreStubber, MockRawResponse
from postroom.adapters.net.stream import Stream
from postroom.errors import ConnectFailed, DeadlineExceeded

from tests.faults.points import Kind, Place, Point

_ANSWER_SECONDS = 5.0


class Died(BaseException):
    """The process ends here. No `except Exception` may stop it."""


class Injector:
    """Counts what the path does; strikes once, at `point`."""

    def __init__(self, point: Point | None = None) -> None:
        self.point = point
        self.places: list[Place] = []
        self.struck = False
        self.dead = False
        self.refuse: dict[str, Callable[[str, Kind], bool]] = {}  # family → tells its server to refuse a command
        self.on_aws: list[Callable[[str, AWSPreparedRequest, AWSResponse], None]] = []
        self._counts: Counter[str] = Counter()
        self._inside = 0
        self._invocation: bytes | str | None = None  # of the call that goes wrong
        self._lock = threading.RLock()

    def begin(self, places: Iterable[Place]) -> None:
        """Go on where a run without faults has come by these places."""
        self.places = list(places)
        self._counts = Counter(place.target for place in self.places)

    @contextmanager
    def installed(self) -> Iterator[None]:
        """See and strike while entered."""
        call_moto = BotocoreStubber.__call__
        send = Stream.send

        def aws(stubber: BotocoreStubber, event_name: str, request: AWSPreparedRequest, **kwargs: Any) -> Any:
            return self._aws(event_name, request, lambda: call_moto(stubber, event_name, request, **kwargs))

        def command(stream: Stream, data: bytes) -> None:
            self._command(stream, bytes(data), lambda: send(stream, data))

        with (
            patch.object(BotocoreStubber, "__call__", aws),
            patch.object(Stream, "send", command),
            patch("postroom.adapters.net.connect.connect_any", self._connecting()),
            patch("botocore.endpoint.time", _NoSleep()),
        ):
            yield

    @contextmanager
    def process(self) -> Iterator[None]:
        """What happens inside belongs to one process of the path."""
        self._inside += 1
        self.dead = False
        try:
            yield
        finally:
            self._inside -= 1

    def event(self, function: str) -> Kind | None:
        """Count a delivery to a function; tell what goes wrong with it."""
        return self._strikes(f"event {function}")

    # --- counting ---

    def _strikes(self, target: str) -> Kind | None:
        with self._lock:
            self._counts[target] += 1
            place = Place(target, self._counts[target])
            self.places.append(place)
            if self.point is None or self.struck or place != self.point.place:
                return None
            self.struck = True
            return self.point.kind

    def _die(self, where: str) -> None:
        self.dead = True
        raise Died(where)

    # --- AWS ---

    def _aws(self, event_name: str, request: AWSPreparedRequest, call_moto: Callable[[], Any]) -> Any:
        if not self._inside:
            return call_moto()
        _event, service, operation = event_name.split(".")
        if self.dead:
            raise Died(event_name)
        invocation = request.headers.get("amz-sdk-invocation-id")
        kind = self._again(invocation)
        if kind is None:
            kind = self._strikes(f"aws {service}.{operation}")
            if kind is not None:
                self._invocation = invocation
        elif kind is Kind.LOST_ANSWER:  # the repetition of a call whose first answer was lost
            kind = None
        if kind is None:
            return self._called(event_name, request, call_moto)
        if kind is Kind.DIES_BEFORE:
            self._die(event_name)
        if kind is Kind.TIMED_OUT:
            raise ReadTimeoutError(endpoint_url=request.url)
        if kind in (Kind.THROTTLED, Kind.ERROR_500):
            return _refusal(service, request, throttled=kind is Kind.THROTTLED)
        self._called(event_name, request, call_moto)
        if kind is Kind.DIES_AFTER:
            self._die(event_name)
        if kind is Kind.NO_ANSWER:
            raise ReadTimeoutError(endpoint_url=request.url)
        raise ConnectionClosedError(endpoint_url=request.url)

    def _again(self, invocation: Any) -> Kind | None:
        """Tell what goes wrong with a repetition of the call that was struck."""
        if self.point is None or self._invocation is None or invocation != self._invocation:
            return None
        return self.point.kind

    def _called(self, event_name: str, request: AWSPreparedRequest, call_moto: Callable[[], Any]) -> Any:
        answer = call_moto()
        for listener in self.on_aws:
            listener(event_name, request, answer)
        return answer

    # --- mail servers ---

    def _command(self, stream: Stream, data: bytes, send: Callable[[], None]) -> None:
        if not self._inside:
            send()
            return
        if self.dead:
            stream.close()
            raise Died(stream.step)
        family, name = _name_of(stream, data)
        kind = self._strikes(f"{family} {name}")
        if kind is None:
            send()
        elif kind is Kind.DIES_BEFORE:
            stream.close()
            self._die(name)
        elif kind is Kind.TIMED_OUT:
            raise DeadlineExceeded("The server did not answer in time", on=stream.on, step=stream.step)
        elif kind in (Kind.THROTTLED, Kind.ERROR_500):
            if not self.refuse[family](name, kind):
                stream.close()  # a server that cannot refuse this command drops the connection
            send()
        else:
            send()
            _wait_for_answer(stream)
            stream.close()
            if kind is Kind.DIES_AFTER:
                self._die(name)

    def _connecting(self) -> Callable[..., Any]:
        from postroom.adapters.net.happy_eyeballs import connect_any as connect

        def connecting(addresses: Any, port: int, *, until: float, on: str) -> Any:
            if not self._inside:
                return connect(addresses, port, until=until, on=on)
            if self.dead:
                raise Died("CONNECT")
            kind = self._strikes("tcp CONNECT")
            if kind is Kind.DIES_BEFORE:
                self._die("CONNECT")
            if kind is Kind.ERROR_500:
                raise ConnectFailed("The server refused the connection", on=on, step="connect")
            if kind is Kind.TIMED_OUT:
                raise DeadlineExceeded("The server did not answer in time", on=on, step="connect")
            sock = connect(addresses, port, until=until, on=on)
            if kind is Kind.DIES_AFTER:
                sock.close()
                self._die("CONNECT")
            return sock

        return connecting


class _NoSleep:
    """`time` for botocore: repetitions come at once."""

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)

    @staticmethod
    def sleep(_seconds: float) -> None:
        return None


def _name_of(stream: Stream, data: bytes) -> tuple[str, str]:
    """Tell protocol and command of what is being sent; what is no command is content or a continuation."""
    line = data.split(b"\r\n", 1)[0]
    words = line.split(b" ")
    # IMAP commands carry a tag of ours (letters and digits, imaplib's style); SMTP's are bare verbs.
    if len(words) >= 2 and len(words[0]) >= 4 and words[0][-1:].isdigit():
        verb = words[1].upper()
        return "imap", (b"UID " + words[2].upper() if verb == b"UID" else verb).decode("ascii", "replace")
    verb = words[0].upper()
    if verb in _SMTP_VERBS:
        return "smtp", verb.decode("ascii")
    if data == b".\r\n":
        return "smtp", "END OF DATA"
    return "smtp", "CONTENT"


_SMTP_VERBS = frozenset({b"EHLO", b"HELO", b"STARTTLS", b"AUTH", b"MAIL", b"RCPT", b"DATA", b"RSET", b"QUIT", b"NOOP"})


def _wait_for_answer(stream: Stream) -> None:
    """Wait until the server has answered, that is: until what was sent has taken effect."""
    sock = stream._sock
    if not getattr(sock, "pending", lambda: 0)():
        select.select([sock], [], [], _ANSWER_SECONDS)


def _refusal(service: str, request: AWSPreparedRequest, *, throttled: bool) -> AWSResponse:
    """Make the answer of a service that is busy, or broken, in its own protocol."""
    status, code = _BUSY.get(service, (400, "ThrottlingException")) if throttled else (500, _BROKEN.get(service, ""))
    code = code or "InternalServerError"
    if service == "s3":
        body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>injected</Message></Error>"
        headers = {"content-type": "application/xml"}
    else:
        body = json.dumps({"__type": code, "message": "injected"})
        headers = {"content-type": "application/x-amz-json-1.0", "x-amzn-errortype": code}
    return AWSResponse(request.url, status, headers, MockRawResponse(body))  # type: ignore[arg-type]


_BUSY = {
    "dynamodb": (400, "ProvisionedThroughputExceededException"),
    "s3": (503, "SlowDown"),
    "sesv2": (429, "TooManyRequestsException"),
    "sqs": (400, "RequestThrottled"),
}
_BROKEN = {"s3": "InternalError", "sqs": "InternalError", "kms": "KMSInternalException"}
