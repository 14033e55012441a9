"""Exchange Online behind Microsoft Graph, as far as a mail reader needs it: it refuses what the real one refuses."""

from __future__ import annotations

import itertools
import json
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from tests.support.fake_tokens import as_json
from tests.support.https_server import HttpsServer, Reply, Request

MESSAGE_OPTIONS = {"$select", "$orderby", "$top", "$count", "$expand", "$filter", "$skip"}
FOLDER_OPTIONS = {"$select", "$top", "$filter", "$skip"}
FIELDS = {"id", "isRead", "receivedDateTime", "subject", "parentFolderId", "internetMessageHeaders"}
CHUNKED = {"Content-Type": "text/plain", "Transfer-Encoding": "chunked"}
AT_ONCE = 4  # requests that a mailbox is served at the same time


@dataclass
class Message:
    """One message; `size` is what the store says, which is not the length of its MIME."""

    id: str
    raw: bytes
    folder: str
    received: datetime
    is_read: bool = False
    size: int | None = None
    moves: int = 0


@dataclass
class Fault:
    """Goes wrong for requests whose method and path fit, so many times."""

    method: str
    path: str
    reply: Callable[[], Reply]
    times: int = 1


@dataclass
class GraphService:
    """One tenant: its mailboxes, their folders and messages."""

    users: set[str] = field(default_factory=lambda: {"box0@example.com"})
    tokens: set[str] = field(default_factory=lambda: {"token-1"})
    forbidden: set[str] = field(default_factory=set)  # mailboxes that the application may not open
    folders: dict[str, tuple[str, str]] = field(default_factory=lambda: {"F-inbox": ("", "Posteingang")})
    messages: dict[str, Message] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    page: int = 1000  # rows at most on a page, whatever $top says
    delay: float = 0.0  # seconds that a request takes
    on_page: Callable[[int], None] | None = None  # called before a page that begins at this row is given
    base: str = ""
    violations: list[str] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)  # method and path of every request, without the mailbox
    most_at_once: int = 0
    _running: int = 0
    _numbers: Any = field(default_factory=lambda: itertools.count(1))
    _lock: Any = field(default_factory=threading.RLock)

    # --- for tests

    def server(self) -> HttpsServer:
        """Serve it; `base` is its address then."""
        server = HttpsServer(self)
        self.base = server.url
        return server

    def deliver(self, *raws: bytes, folder: str = "F-inbox", **options: Any) -> list[str]:
        """Put mails into a folder; return their ids."""
        ids = []
        for raw in raws:
            number = next(self._numbers)
            one = f"AAkALg/x+{number:04d}=="  # real ids hold what must be escaped in a path
            received = options.get("received") or datetime(2026, 11, 21, 12, tzinfo=UTC) + timedelta(seconds=number)
            given = {"received": received, "size": len(raw), **options}
            self.messages[one] = Message(one, raw, folder, **given)
            ids.append(one)
        return ids

    def make(self, name: str, parent: str = "") -> str:
        """Make a folder; return its id."""
        one = f"F/{next(self._numbers)}=="
        self.folders[one] = (parent, name)
        return one

    def within(self, name: str) -> list[Message]:
        """List what lies in the folders of this name."""
        folders = {one for one, (_parent, called) in self.folders.items() if called == name}
        return [message for message in self.messages.values() if message.folder in folders]

    def fail(self, method: str, path: str, reply: Callable[[], Reply] | Reply, times: int = 1) -> None:
        """Let requests go wrong; `path` is a regular expression for what follows the mailbox."""
        make = reply if callable(reply) else (lambda: reply)
        self.faults.append(Fault(method, path, make, times))

    # --- the service

    def __call__(self, request: Request) -> Reply:
        """Answer one request."""
        with self._lock:
            self._running += 1
            self.most_at_once = max(self.most_at_once, self._running)
            too_many = self._running > AT_ONCE
        try:
            if self.delay:
                time.sleep(self.delay)
            if too_many:
                return error(429, "ApplicationThrottled", retry_after="1")
            with self._lock:
                return self._answer(request)
        finally:
            with self._lock:
                self._running -= 1

    def _answer(self, request: Request) -> Reply:
        match = re.fullmatch(r"/v1\.0/users/([^/]+)(/.*)", request.path)
        if match is None:
            return error(404, "ResourceNotFound")
        user, path = match[1], match[2]
        self.seen.append(f"{request.method} {path}")
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or token not in self.tokens:
            return error(401, "InvalidAuthenticationToken")
        if user in self.forbidden:
            return error(403, "ErrorAccessDenied")
        if user not in self.users:
            return error(404, "ErrorInvalidUser")
        if request.headers.get("prefer") != 'IdType="ImmutableId"':
            self.violations.append(f"{request.method} {path} without immutable ids")
        for fault in self.faults:
            if fault.method == request.method and re.fullmatch(fault.path, path):
                fault.times -= 1
                if not fault.times:
                    self.faults.remove(fault)
                return fault.reply()
        for method, pattern, serve in self._routes():
            if method == request.method and (found := re.fullmatch(pattern, path)):
                return serve(request, *found.groups())
        self.violations.append(f"{request.method} {path} does not exist")
        return error(405, "Request_BadRequest")

    def _routes(self) -> list[tuple[str, str, Callable[..., Reply]]]:
        one = r"(AAkALg/x\+\d{4}==|[^/]+)"
        folder = r"(F/\d+==|[^/]+)"
        return [
            ("GET", "/mailFolders", lambda request: self._children(request, "")),
            ("GET", f"/mailFolders/{folder}/childFolders", self._children),
            ("POST", "/mailFolders", lambda request: self._make(request, "")),
            ("POST", f"/mailFolders/{folder}/childFolders", self._make),
            ("GET", f"/mailFolders/{folder}/messages", self._list),
            ("GET", f"/mailFolders/{folder}", self._folder),
            ("GET", rf"/messages/{one}/\$value", self._value),
            ("PATCH", f"/messages/{one}", self._patch),
            ("DELETE", f"/messages/{one}", self._delete),
            ("POST", f"/messages/{one}/move", self._move),
        ]

    def _find_folder(self, one: str) -> str | None:
        return "F-inbox" if one == "inbox" else one if one in self.folders else None

    def _folder(self, request: Request, one: str) -> Reply:
        found = self._find_folder(one)
        return as_json(200, {"id": found}) if found else error(404, "ErrorItemNotFound")

    def _children(self, request: Request, parent: str) -> Reply:
        parent = self._find_folder(parent) or "" if parent else ""
        if (wrong := _unknown(request.query, FOLDER_OPTIONS)) is not None:
            return wrong
        name = re.fullmatch(r"displayName eq '((?:[^']|'')*)'", request.query.get("$filter", ""))
        if name is None:
            return error(400, "ErrorInvalidUrlQueryFilter")
        wanted = name[1].replace("''", "'").casefold()
        rows = [
            {"id": one, "displayName": called}
            for one, (above, called) in self.folders.items()
            if above == parent and called.casefold() == wanted
        ]
        return as_json(200, {"value": rows})

    def _make(self, request: Request, parent: str) -> Reply:
        content = _json(request)
        if content is None or not isinstance(content.get("displayName"), str):
            return error(400, "RequestBodyRead")
        parent = self._find_folder(parent) or "" if parent else ""
        if (parent, content["displayName"]) in self.folders.values():
            return error(409, "ErrorFolderExists")
        one = self.make(content["displayName"], parent)
        return as_json(201, {"id": one, "displayName": content["displayName"]})

    def _list(self, request: Request, folder: str) -> Reply:
        query = request.query
        found = self._find_folder(folder)
        if found is None:
            return error(404, "ErrorItemNotFound")
        if (wrong := _unknown(query, MESSAGE_OPTIONS)) is not None:
            return wrong
        expand = query.get("$expand", "")
        sized = expand == "singleValueExtendedProperties($filter=id eq 'Integer 0x0E08')"
        fields = set(query.get("$select", "").split(",")) - {""}
        top = query.get("$top", "10")
        if (expand and not sized) or not fields <= FIELDS or not top.isdigit() or not 1 <= int(top) <= 1000:
            return error(400, "ErrorInvalidUrlQuery")
        order = query.get("$orderby", "receivedDateTime desc")
        if order not in ("receivedDateTime", "receivedDateTime asc", "receivedDateTime desc"):
            return error(400, "ErrorInvalidUrlQuery")
        begin = int(query.get("$skip", "0"))
        if self.on_page:
            self.on_page(begin)
        rows = sorted(
            (message for message in self.messages.values() if message.folder == found),
            key=lambda message: message.received,
            reverse=order.endswith("desc"),
        )
        end = begin + min(int(top), self.page)
        answer: dict[str, Any] = {"value": [_row(message, fields, sized=sized) for message in rows[begin:end]]}
        if query.get("$count") == "true":
            answer["@odata.count"] = len(rows)
        if end < len(rows):
            more = "&".join(f"{name}={quote(value)}" for name, value in {**query, "$skip": str(end)}.items())
            answer["@odata.nextLink"] = f"{self.base}{quote(request.path, safe='/@')}?{more}"
        return as_json(200, answer)

    def _value(self, request: Request, one: str) -> Reply:
        message = self.messages.get(one)
        if message is None:
            return error(404, "ErrorItemNotFound")
        # The real one sends MIME in chunks, without saying its length.
        return Reply(200, headers=CHUNKED, pieces=chunks(message.raw))

    def _patch(self, request: Request, one: str) -> Reply:
        content = _json(request)
        if content is None or content.keys() != {"isRead"}:
            return error(400, "RequestBodyRead")
        if one not in self.messages:
            return error(404, "ErrorItemNotFound")
        self.messages[one].is_read = bool(content["isRead"])
        return as_json(200, {"id": one})

    def _delete(self, request: Request, one: str) -> Reply:
        return Reply(204) if self.messages.pop(one, None) else error(404, "ErrorItemNotFound")

    def _move(self, request: Request, one: str) -> Reply:
        content = _json(request)
        if content is None or content.keys() != {"destinationId"}:
            return error(400, "RequestBodyRead")
        folder = self._find_folder(content["destinationId"])
        if one not in self.messages or folder is None:
            return error(404, "ErrorItemNotFound")
        self.messages[one].folder = folder
        self.messages[one].moves += 1
        return as_json(201, {"id": one})


def _row(message: Message, fields: set[str], *, sized: bool) -> dict[str, Any]:
    row: dict[str, Any] = {
        "@odata.etag": 'W/"x"',
        "id": message.id,
        "isRead": message.is_read,
        "receivedDateTime": message.received.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    row = {name: value for name, value in row.items() if name in fields | {"id", "@odata.etag"}}
    if sized and message.size is not None:
        row["singleValueExtendedProperties"] = [{"id": "Integer 0xe08", "value": str(message.size)}]
    return row


def chunks(raw: bytes, *, cut: bool = False) -> Callable[[Callable[[bytes], Any]], None]:
    """A body in chunks (RFC 9112 §7.1); `cut`: the connection breaks in the middle of it."""

    def pieces(write: Callable[[bytes], Any]) -> None:
        for begin in range(0, len(raw), 50_000):
            piece = raw[begin : begin + 50_000]
            write(b"%x\r\n%b\r\n" % (len(piece), piece[: len(piece) // 2] if cut else piece))
            if cut:
                return
        write(b"0\r\n\r\n")

    return pieces


def _json(request: Request) -> dict[str, Any] | None:
    if request.headers.get("content-type", "").partition(";")[0] != "application/json":
        return None
    try:
        content = json.loads(request.body)
    except ValueError:
        return None
    return content if isinstance(content, dict) else None


def _unknown(query: Mapping[str, str], known: set[str]) -> Reply | None:
    return error(400, "BadRequest") if query.keys() - known else None


def error(status: int, code: str, *, retry_after: str = "") -> Reply:
    """An error as Graph writes it; its text tells what must not be told on."""
    content = {"error": {"code": code, "message": f"No: box0@example.com in tenant Contoso ({code})"}}
    return as_json(status, content, **({"Retry-After": retry_after} if retry_after else {}))
