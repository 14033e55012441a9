"""Exchange Online behind Microsoft Graph, as far as a mail reader needs it: it refuses what the real one refuses."""

from __future__ import annotations

import itertools
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Container, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from postroom_cli.mailservers.certificates import Certificate
from postroom_cli.mailservers.graph_calls import AT_ONCE, Call, answer_parts, error, read_batch, user_of
from postroom_cli.mailservers.https import HttpsServer, Reply, Request
from postroom_cli.mailservers.tokens import as_json

MESSAGE_OPTIONS = {"$select", "$orderby", "$top", "$count", "$expand", "$filter", "$skip"}
FOLDER_OPTIONS = {"$select", "$top", "$filter", "$skip"}
FIELDS = {
    "id",
    "isRead",
    "receivedDateTime",
    "subject",
    "parentFolderId",
    "internetMessageHeaders",
    "internetMessageId",
}
_MESSAGE_ID = re.compile(rb"^message-id:\s*(<[^>]*>)", re.IGNORECASE | re.MULTILINE)
WITH_SIZE = "singleValueExtendedProperties($filter=id eq 'Integer 0x0E08')"
CHUNKED = {"Content-Type": "text/plain", "Transfer-Encoding": "chunked"}
USER = "box0@example.com"


@dataclass
class Message:
    """One message; `size` is what the store says, which is not the length of its MIME."""

    id: str
    raw: bytes
    user: str  # whose mailbox it lies in
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
    user: str = ""  # only this mailbox's


@dataclass
class GraphService:
    """One tenant: its mailboxes, whose folders have the same ids, and their messages."""

    users: set[str] = field(default_factory=lambda: {USER})
    tokens: Container[str] = field(default_factory=lambda: {"token-1"})
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
    batches: list[list[str]] = field(default_factory=list)  # the mailboxes that were asked in each
    forgets: set[str] = field(default_factory=set)  # mailboxes whose part is missing in answers to batches
    most_at_once: int = 0
    _running: Counter[str] = field(default_factory=Counter)
    _numbers: Any = field(default_factory=lambda: itertools.count(1))
    _lock: Any = field(default_factory=threading.RLock)

    # --- for those who run it

    def server(self, certificate: Certificate | None = None) -> HttpsServer:
        """Serve it; `base` is its address then."""
        server = HttpsServer(self, certificate)
        self.base = server.url
        return server

    def deliver(self, *raws: bytes, user: str = USER, folder: str = "F-inbox", **options: Any) -> list[str]:
        """Put mails into a folder; return their ids."""
        ids = []
        for raw in raws:
            number = next(self._numbers)
            one = f"AAkALg/x+{number:04d}=="  # real ids hold what must be escaped in a path
            received = options.get("received") or datetime(2026, 11, 21, 12, tzinfo=UTC) + timedelta(seconds=number)
            given = {"received": received, "size": len(raw), **options}
            self.messages[one] = Message(one, raw, user, folder, **given)
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

    def fail(
        self, method: str, path: str, reply: Callable[[], Reply] | Reply, times: int = 1, *, user: str = ""
    ) -> None:
        """Let requests go wrong; `path` is a regular expression for what follows the mailbox, or is `/$batch`."""
        make = reply if callable(reply) else (lambda: reply)
        self.faults.append(Fault(method, path, make, times, user))

    # --- the service

    def __call__(self, request: Request) -> Reply:
        """Answer one request."""
        with self._lock:
            stranger = self._refuse_stranger(request)
        if stranger is not None:
            return stranger
        if request.path == "/v1.0/$batch":
            return self._fault(request.method, "/$batch", "") or self._batch(request)
        match = re.fullmatch(r"/v1\.0/users/([^/]+)(/.*)", request.path)
        if match is None:
            return error(404, "ResourceNotFound")
        self.seen.append(f"{request.method} {match[2]}")
        return self.ask(Call(request.method, match[1], match[2], request.query, request.headers, request.body))

    def _batch(self, request: Request) -> Reply:
        parts = read_batch(request)
        if isinstance(parts, str):
            self.violations.append(f"batch: {parts}")
            return error(400, "BadRequest")
        self.batches.append([user_of(part) for part in parts])
        answers = answer_parts([part for part in parts if user_of(part) not in self.forgets], self.ask)
        return as_json(200, {"responses": answers[::-1]})  # in any order

    def ask(self, call: Call) -> Reply:
        """Answer for one mailbox, which is served no more than four requests at once."""
        with self._at_once(call.user) as too_many:
            if self.delay:
                time.sleep(self.delay)
            if too_many:
                return error(429, "ApplicationThrottled", retry_after="1")
            return self._fault(call.method, call.path, call.user) or self._answer(call)

    @contextmanager
    def _at_once(self, user: str) -> Iterator[bool]:
        """Count what a mailbox is asked at the same time; tell whether that is too much."""
        with self._lock:
            self._running[user] += 1
            self.most_at_once = max(self.most_at_once, self._running[user])
            too_many = self._running[user] > AT_ONCE
        try:
            yield too_many
        finally:
            with self._lock:
                self._running[user] -= 1

    def _refuse_stranger(self, request: Request) -> Reply | None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme == "Bearer" and token in self.tokens:
            return None
        self.seen.append(f"{request.method} refused")
        return error(401, "InvalidAuthenticationToken")

    def _fault(self, method: str, path: str, user: str) -> Reply | None:
        with self._lock:
            for fault in self.faults:
                if fault.method == method and fault.user in ("", user) and re.fullmatch(fault.path, path):
                    fault.times -= 1
                    if not fault.times:
                        self.faults.remove(fault)
                    break
            else:
                return None
        return fault.reply()

    def _answer(self, call: Call) -> Reply:
        with self._lock:
            if call.user in self.forbidden:
                return error(403, "ErrorAccessDenied")
            if call.user not in self.users:
                return error(404, "ErrorInvalidUser")
            if call.headers.get("prefer") != 'IdType="ImmutableId"':
                self.violations.append(f"{call.method} {call.path} without immutable ids")
            for method, pattern, serve in self._routes():
                if method == call.method and (found := re.fullmatch(pattern, call.path)):
                    return serve(call, *found.groups())
            self.violations.append(f"{call.method} {call.path} does not exist")
            return error(405, "Request_BadRequest")

    def _routes(self) -> list[tuple[str, str, Callable[..., Reply]]]:
        one = r"(AAkALg/x\+\d{4}==|[^/]+)"
        folder = r"(F/\d+==|[^/]+)"
        return [
            ("GET", "/mailFolders", lambda call: self._children(call, "")),
            ("GET", f"/mailFolders/{folder}/childFolders", self._children),
            ("POST", "/mailFolders", lambda call: self._make(call, "")),
            ("POST", f"/mailFolders/{folder}/childFolders", self._make),
            ("GET", f"/mailFolders/{folder}/messages", self._list),
            ("GET", f"/mailFolders/{folder}", self._folder),
            ("GET", rf"/messages/{one}/\$value", self._value),
            ("GET", f"/messages/{one}", self._show),
            ("PATCH", f"/messages/{one}", self._patch),
            ("DELETE", f"/messages/{one}", self._delete),
            ("POST", f"/messages/{one}/move", self._move),
        ]

    def _find_folder(self, one: str) -> str | None:
        return "F-inbox" if one == "inbox" else one if one in self.folders else None

    def _folder(self, call: Call, one: str) -> Reply:
        found = self._find_folder(one)
        if found is None:
            return error(404, "ErrorItemNotFound")
        if call.query.keys() != {"$select"} or not set(call.query["$select"].split(",")) <= {"id", "totalItemCount"}:
            return error(400, "ErrorInvalidUrlQuery")
        there = [one for one in self.messages.values() if one.user == call.user and one.folder == found]
        total = {"totalItemCount": len(there)} if "totalItemCount" in call.query["$select"] else {}
        return as_json(200, {"id": found, **total})

    def _children(self, call: Call, parent: str) -> Reply:
        parent = self._find_folder(parent) or "" if parent else ""
        if (wrong := _unknown(call.query, FOLDER_OPTIONS)) is not None:
            return wrong
        name = re.fullmatch(r"displayName eq '((?:[^']|'')*)'", call.query.get("$filter", ""))
        if name is None:
            return error(400, "ErrorInvalidUrlQueryFilter")
        wanted = name[1].replace("''", "'").casefold()
        rows = [
            {"id": one, "displayName": called}
            for one, (above, called) in self.folders.items()
            if above == parent and called.casefold() == wanted
        ]
        return as_json(200, {"value": rows})

    def _make(self, call: Call, parent: str) -> Reply:
        content = call.content
        if content is None or not isinstance(content.get("displayName"), str):
            return error(400, "RequestBodyRead")
        parent = self._find_folder(parent) or "" if parent else ""
        if (parent, content["displayName"]) in self.folders.values():
            return error(409, "ErrorFolderExists")
        one = self.make(content["displayName"], parent)
        return as_json(201, {"id": one, "displayName": content["displayName"]})

    def _list(self, call: Call, folder: str) -> Reply:
        query = call.query
        found = self._find_folder(folder)
        if found is None:
            return error(404, "ErrorItemNotFound")
        if (wrong := _unknown(query, MESSAGE_OPTIONS)) is not None:
            return wrong
        expand = query.get("$expand", "")
        sized = expand == WITH_SIZE
        fields = set(query.get("$select", "").split(",")) - {""}
        top = query.get("$top", "10")
        if (expand and not sized) or not fields <= FIELDS or not top.isdigit() or not 1 <= int(top) <= 1000:
            return error(400, "ErrorInvalidUrlQuery")
        order = query.get("$orderby", "receivedDateTime desc")
        if order not in ("receivedDateTime", "receivedDateTime asc", "receivedDateTime desc"):
            return error(400, "ErrorInvalidUrlQuery")
        since = re.fullmatch(r"receivedDateTime ge (\S+)", query.get("$filter", "receivedDateTime ge 0"))
        if since is None or (query.get("$filter") and "receivedDateTime" not in order):
            return error(400, "ErrorInvalidUrlQueryFilter")
        begin = int(query.get("$skip", "0"))
        if self.on_page:
            self.on_page(begin)
        rows = sorted(
            (
                message
                for message in self.messages.values()
                if message.user == call.user and message.folder == found and _written(message.received) >= since[1]
            ),
            key=lambda message: message.received,
            reverse=order.endswith("desc"),
        )
        end = begin + min(int(top), self.page)
        answer: dict[str, Any] = {"value": [_row(message, fields, sized=sized) for message in rows[begin:end]]}
        if query.get("$count") == "true":
            answer["@odata.count"] = len(rows)
        if end < len(rows):
            more = "&".join(f"{name}={quote(value)}" for name, value in {**query, "$skip": str(end)}.items())
            answer["@odata.nextLink"] = f"{self.base}/v1.0/users/{quote(call.user, safe='@')}{quote(call.path)}?{more}"
        return as_json(200, answer)

    def _message(self, call: Call, one: str) -> Message | None:
        found = self.messages.get(one)
        return found if found and found.user == call.user else None

    def _value(self, call: Call, one: str) -> Reply:
        message = self._message(call, one)
        if message is None:
            return error(404, "ErrorItemNotFound")
        # The real one sends MIME in chunks, without saying its length.
        return Reply(200, headers=CHUNKED, pieces=chunks(message.raw))

    def _show(self, call: Call, one: str) -> Reply:
        fields = set(call.query.get("$select", "").split(","))
        if call.query.keys() - {"$select", "$expand"} or not fields <= FIELDS:
            return error(400, "ErrorInvalidUrlQuery")
        message = self._message(call, one)
        if message is None:
            return error(404, "ErrorItemNotFound")
        return as_json(200, _row(message, fields, sized=call.query.get("$expand", "") == WITH_SIZE))

    def _patch(self, call: Call, one: str) -> Reply:
        content = call.content
        if content is None or content.keys() != {"isRead"}:
            return error(400, "RequestBodyRead")
        message = self._message(call, one)
        if message is None:
            return error(404, "ErrorItemNotFound")
        message.is_read = bool(content["isRead"])
        return as_json(200, {"id": one})

    def _delete(self, call: Call, one: str) -> Reply:
        if self._message(call, one) is None:
            return error(404, "ErrorItemNotFound")
        del self.messages[one]
        return Reply(204)

    def _move(self, call: Call, one: str) -> Reply:
        content = call.content
        if content is None or content.keys() != {"destinationId"}:
            return error(400, "RequestBodyRead")
        folder = self._find_folder(content["destinationId"])
        message = self._message(call, one)
        if message is None or folder is None:
            return error(404, "ErrorItemNotFound")
        message.folder = folder
        message.moves += 1
        return as_json(201, {"id": one})


def _written(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _row(message: Message, fields: set[str], *, sized: bool) -> dict[str, Any]:
    row: dict[str, Any] = {
        "@odata.etag": 'W/"x"',
        "id": message.id,
        "isRead": message.is_read,
        "receivedDateTime": _written(message.received),
    }
    if found := _MESSAGE_ID.search(message.raw.partition(b"\r\n\r\n")[0]):
        row["internetMessageId"] = found[1].decode("utf-8", "replace")
    row = {name: value for name, value in row.items() if name in fields | {"id", "@odata.etag"}}
    if sized and message.size is not None:
        row["singleValueExtendedProperties"] = [{"id": "Integer 0xe08", "value": str(message.size)}]
    return row


def chunks(raw: bytes, *, cut: bool = False) -> Callable[[Callable[[bytes], Any]], None]:
    """Write a body in chunks (RFC 9112 §7.1); `cut`: the connection breaks in the middle of it."""

    def pieces(write: Callable[[bytes], Any]) -> None:
        for begin in range(0, len(raw), 50_000):
            piece = raw[begin : begin + 50_000]
            write(b"%x\r\n%b\r\n" % (len(piece), piece[: len(piece) // 2] if cut else piece))
            if cut:
                return
        write(b"0\r\n\r\n")

    return pieces


def _unknown(query: Mapping[str, str], known: set[str]) -> Reply | None:
    return error(400, "BadRequest") if query.keys() - known else None
