"""The HTTP API on a port of 127.0.0.1: requests become events of the HTTP API's format 2.0.

The authorizer is this process: who brings the key of the run is the local administrator (guard.py).
"""

from __future__ import annotations

import base64
import json
import logging
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from postroom_cli.local.functions import Function
from postroom_cli.local.guard import foreign, has_bearer
from postroom_cli.local.triggers import RouteTrigger

log = logging.getLogger("postroom.local")

_LARGEST_REQUEST = 10_000_000  # bytes; API Gateway's own limit

LOCAL_CLAIMS = {
    "iss": "https://postroom.local",
    "sub": "local",
    "username": "local",
    "email": "local@localhost",
    "cognito:groups": "[administrators agents]",
    "scope": "postroom/admin postroom/agent",
}
"""The claims of the local administrator, as API Gateway passes a checked token's: values are text."""


class HttpApi:
    """Serves the routes of the template while it is open."""

    def __init__(self, *, key: str, invoke: Callable[[Function, Any], Any], worked: Callable[[], None]) -> None:
        self._key = key
        self._routes: list[RouteTrigger] = []
        self._invoke = invoke
        self._worked = worked
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler_class())
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, name="http-api", daemon=True
        )

    @property
    def url(self) -> str:
        """Return where it answers."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def start(self, routes: Sequence[RouteTrigger]) -> None:
        """Begin to answer."""
        self._routes = list(routes)
        self._thread.start()

    def stop(self) -> None:
        """Stop answering and free the port."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
        """Answer one request in the HTTP API's own response format."""
        if complaint := foreign(headers):
            return _plain(403, complaint)
        if not has_bearer(headers, self._key):
            return _plain(401, "Send `Authorization: Bearer` with the api_key of .postroom/local.json.")
        parts = urlsplit(target)
        route = find_route(self._routes, method, parts.path)
        if route is None:
            return _plain(404, "Not Found")
        try:
            answer = self._invoke(route.function, http_event(route, method, target, headers, body))
        except Exception:
            log.exception("%s failed for %s %s", route.function.name, method, parts.path)
            return _plain(500, "Internal Server Error")
        self._worked()
        if isinstance(answer, dict) and "statusCode" in answer:
            return answer
        return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": json.dumps(answer)}

    def _handler_class(self) -> type[BaseHTTPRequestHandler]:
        api = self

        class RequestHandler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _serve(self) -> None:
                try:
                    length = int(self.headers.get("Content-Length") or 0)
                except ValueError:
                    length = -1
                if not 0 <= length <= _LARGEST_REQUEST:
                    self.close_connection = True
                    self._reply(_plain(413, "Request Too Long"))
                    return
                body = self.rfile.read(length)
                headers = {name.lower(): value for name, value in self.headers.items()}
                self._reply(api.answer(self.command, self.path, headers, body))

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_HEAD = _serve  # noqa: N815

            def _reply(self, answer: Mapping[str, Any]) -> None:
                text = answer.get("body") or ""
                content = base64.b64decode(text) if answer.get("isBase64Encoded") else str(text).encode()
                self.send_response(int(answer["statusCode"]))
                for name, value in (answer.get("headers") or {}).items():
                    self.send_header(name, str(value))
                for cookie in answer.get("cookies") or ():
                    self.send_header("Set-Cookie", cookie)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(content)

            def log_message(self, format: str, *args: Any) -> None:
                log.debug("http %s", format % args)

        return RequestHandler


def find_route(routes: Sequence[RouteTrigger], method: str, path: str) -> RouteTrigger | None:
    """Find the route of a request: an exact path before one with parameters before the rest, as API Gateway does.

    Of several that take a rest, it is the one that names most of what stands before it.
    """
    fitting = [
        route for route in routes if route.method in ("ANY", method) and path_parameters(route.path, path) is not None
    ]
    return min(
        fitting, key=lambda route: ("+}" in route.path, route.path.count("{"), -route.path.count("/")), default=None
    )


def path_parameters(pattern: str, path: str) -> dict[str, str] | None:
    """Match a path against `/a/{b}/{rest+}`; None when it does not fit."""
    if pattern == "$default":
        return {}
    wanted, given = pattern.strip("/").split("/"), path.strip("/").split("/")
    found: dict[str, str] = {}
    for position, part in enumerate(wanted):
        if part.endswith("+}"):
            rest = "/".join(given[position:])
            return {**found, part[1:-2]: unquote(rest)} if rest else None
        if position >= len(given):
            return None
        if part.startswith("{"):
            found[part[1:-1]] = unquote(given[position])
        elif part != given[position]:
            return None
    return found if len(wanted) == len(given) else None


def http_event(
    route: RouteTrigger, method: str, target: str, headers: Mapping[str, str], body: bytes
) -> dict[str, Any]:
    """Return the event that API Gateway makes of a request (payload format 2.0)."""
    parts = urlsplit(target)
    query: dict[str, str] = {}
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        query[name] = f"{query[name]},{value}" if name in query else value
    key = "$default" if route.path == "$default" else f"{route.method} {route.path}"
    text, encoded = _body(body)
    return {
        "version": "2.0",
        "routeKey": key,
        "rawPath": unquote(parts.path),
        "rawQueryString": parts.query,
        "headers": dict(headers),
        "queryStringParameters": query,
        "pathParameters": path_parameters(route.path, parts.path) or {},
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "local",
            "authorizer": {"jwt": {"claims": dict(LOCAL_CLAIMS), "scopes": None}},
            "domainName": headers.get("host", ""),
            "domainPrefix": "local",
            "http": {
                "method": method,
                "path": unquote(parts.path),
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": headers.get("user-agent", ""),
            },
            "requestId": str(uuid.uuid4()),
            "routeKey": key,
            "stage": "$default",
            "time": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime()),
            "timeEpoch": int(time.time() * 1000),
        },
        "body": text,
        "isBase64Encoded": encoded,
    }


def _body(body: bytes) -> tuple[str | None, bool]:
    if not body:
        return None, False
    try:
        return body.decode("utf-8"), False
    except UnicodeDecodeError:
        return base64.b64encode(body).decode("ascii"), True


def _plain(status: int, message: str) -> dict[str, Any]:
    return {
        "statusCode": status,
        "headers": {"content-type": "application/json"},
        "body": json.dumps({"message": message}),
    }
