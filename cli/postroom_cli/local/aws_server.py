"""The local AWS: moto's server in a process of its own, on a free port of 127.0.0.1.

Run as a module it prints its port and serves until its standard input is closed, so that it never outlives whoever
started it, not even one that was killed. It answers requests that are signed in the name of the run's own key, and no
pages of web sites (guard.py). Two things are added to moto. Requests are answered one at a time: moto checks
a condition and writes in two steps, and two requests at once could both pass. And SES is given what moto leaves out:
every sender counts as verified, sent mails can be read back byte for byte, and their events go to EventBridge.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from email.utils import parseaddr
from io import BytesIO
from types import TracebackType
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

from postroom.errors import Transient

from postroom_cli.local.guard import foreign, has_bearer, is_signed, new_key
from postroom_cli.local.ses_events import Accepted, accepted, events
from postroom_cli.local.template import ACCOUNT, REGION

_KEY = "POSTROOM_LOCAL_KEY"
SENT_MAIL_PATH = "/postroom/sent-mail"
_SEND_PATH = "/v2/email/outbound-emails"

StartResponse = Callable[..., Any]
Application = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]


class LocalAwsFailed(Transient):
    """The local AWS did not come up."""

    code = "local_aws"
    remedy = "Run it again; `python -m postroom_cli.local.aws_server` shows what it says by itself."


class LocalAws:
    """A moto server as a child process; `with LocalAws() as aws:` gives its endpoint."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self.endpoint_url = ""
        self.key = new_key()

    def __enter__(self) -> LocalAws:
        # The child answers for AWS; it needs neither our credentials nor our endpoint.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        environment[_KEY] = self.key
        self._process = subprocess.Popen(
            [sys.executable, "-m", "postroom_cli.local.aws_server"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            start_new_session=True,  # Ctrl-C is for the runner, which stops it in order
        )
        line = self._process.stdout.readline() if self._process.stdout else b""
        if not line.strip().isdigit():
            self.__exit__(None, None, None)
            raise LocalAwsFailed("The local AWS (moto) did not start")
        self.endpoint_url = f"http://127.0.0.1:{int(line)}"
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin:
            process.stdin.close()
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout:
            process.stdout.close()

    def check(self) -> None:
        """Raise LocalAwsFailed when the process is gone."""
        if self._process is None or self._process.poll() is not None:
            raise LocalAwsFailed("The local AWS (moto) has stopped")

    def sent_mail(self) -> list[dict[str, Any]]:
        """Return the mails that SES took, oldest first, in the shape of `Accepted.as_json`."""
        try:
            asked = Request(  # noqa: S310 - our own child
                self.endpoint_url + SENT_MAIL_PATH, headers={"Authorization": f"Bearer {self.key}"}
            )
            with urlopen(asked, timeout=10) as answer:  # noqa: S310
                mails: list[dict[str, Any]] = json.load(answer)
        except URLError as error:
            raise LocalAwsFailed("The local AWS (moto) does not answer any more") from error
        return mails


class Guarded:
    """Lets through to an application what may ask it."""

    def __init__(self, application: Application, key: str) -> None:
        self._application = application
        self._key = key

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        headers = {
            name.removeprefix("HTTP_").replace("_", "-").lower(): str(value)
            for name, value in environ.items()
            if name.startswith("HTTP_")
        }
        known = has_bearer(headers, self._key) or is_signed(headers, environ.get("QUERY_STRING", ""), self._key)
        complaint = foreign(headers) or (None if known else "The request is not signed in the name of this run's key.")
        if complaint is None:
            return self._application(environ, start_response)
        start_response("403 Forbidden", [("Content-Type", "application/json"), ("Connection", "close")])
        return [json.dumps({"__type": "AccessDeniedException", "message": complaint}).encode()]


class LocalSes:
    """What SES does and moto does not, around moto's own application."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._lock = threading.Lock()
        self._sent: list[Accepted] = []

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        with self._lock:
            if path == SENT_MAIL_PATH:
                start_response("200 OK", [("Content-Type", "application/json")])
                return [json.dumps([mail.as_json() for mail in self._sent]).encode()]
            if path == _SEND_PATH and environ.get("REQUEST_METHOD") == "POST":
                return self._send(environ, start_response)
            return list(self._application(environ, start_response))

    def _send(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        request = json.loads(body)
        verify_sender(request.get("FromEmailAddress") or "")
        # moto reads the content as UTF-8 text and fails on any other octets; what it keeps of it is not used.
        shown = {**request, "Content": {"Raw": {"Data": "RnJvbTogYUBsb2NhbC5pbnZhbGlkDQoNCg=="}}}
        replaced = json.dumps(shown if "Raw" in request.get("Content", {}) else request).encode()
        environ |= {"wsgi.input": BytesIO(replaced), "CONTENT_LENGTH": str(len(replaced))}
        answer = b"".join(self._application(environ, start_response))
        try:
            message_id = json.loads(answer).get("MessageId")
        except ValueError:
            message_id = None
        if message_id:
            mail = accepted(request, message_id=message_id, at=datetime.now(UTC))
            self._sent.append(mail)
            publish_events(mail)
        return [answer]


def _backend(service: str) -> Any:
    from moto.backends import get_backend

    return get_backend(service)[ACCOUNT][REGION]  # type: ignore[call-overload]


def verify_sender(sender: str) -> None:
    """Let moto's SES (of this process) take mail from this sender's domain."""
    domain = parseaddr(sender)[1].rpartition("@")[2]
    if domain:
        _backend("ses").verify_domain(domain)


def publish_events(mail: Accepted) -> None:
    """Tell moto's EventBridge (of this process) what SES would tell of the mail."""
    destination = _backend("ses").config_set_event_destination.get(mail.configuration_set)
    if destination:
        entries = list(events(mail, matching=destination.get("MatchingEventTypes", ())))
        if entries:
            _backend("events").put_events(entries)


def serve() -> None:
    """Serve until standard input is closed; print the port first."""
    import logging

    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
    from werkzeug.serving import make_server

    class KeepAlive(MotoRequestHandler):
        protocol_version = "HTTP/1.1"

    given = os.environ.pop(_KEY, "")
    key = given or new_key()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server(
        "127.0.0.1",
        0,
        Guarded(LocalSes(DomainDispatcherApplication(create_backend_app)), key),
        threaded=True,
        request_handler=KeepAlive,
    )
    server.daemon_threads = True  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
    thread.start()
    # Who runs it by hand needs the key: as AWS_ACCESS_KEY_ID, with any AWS_SECRET_ACCESS_KEY.
    sys.stdout.write(f"{server.server_port}\n" if given else f"{server.server_port} {key}\n")
    sys.stdout.flush()
    sys.stdin.buffer.read()
    server.shutdown()


if __name__ == "__main__":
    serve()
