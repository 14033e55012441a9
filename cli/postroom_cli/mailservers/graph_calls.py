"""What the Graph simulator is asked and answers: requests to a mailbox, JSON in and out, and batches of requests."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from postroom_cli.mailservers.https import Reply, Request
from postroom_cli.mailservers.tokens import as_json

AT_ONCE = 4  # requests that a mailbox is served at the same time
BATCHED = 20  # requests in a batch
METHODS = {"GET", "POST", "PATCH", "PUT", "DELETE"}
PART = {"id", "method", "url", "headers", "body", "dependsOn"}


@dataclass(frozen=True)
class Call:
    """What one mailbox is asked, alone or in a batch; `path` is what follows the mailbox."""

    method: str
    user: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def content(self) -> dict[str, Any] | None:
        """Return the body as a JSON object; None when it is none, or is not said to be."""
        if self.headers.get("content-type", "").partition(";")[0] != "application/json":
            return None
        return read_object(self.body)


def read_object(data: bytes) -> dict[str, Any] | None:
    """Read a JSON object; None when it is something else."""
    try:
        content = json.loads(data)
    except ValueError:
        return None
    return content if isinstance(content, dict) else None


def error(status: int, code: str, *, retry_after: str = "") -> Reply:
    """Write an error as Graph does; its text tells what must not be told on."""
    content = {"error": {"code": code, "message": f"No: box0@example.com in tenant Contoso ({code})"}}
    return as_json(status, content, **({"Retry-After": retry_after} if retry_after else {}))


def read_batch(request: Request) -> list[dict[str, Any]] | str:
    """Read the parts of a batch; why it is refused, when it is (learn.microsoft.com/graph/json-batching)."""
    if request.method != "POST":
        return "a batch is posted"
    if request.headers.get("content-type", "").partition(";")[0] != "application/json":
        return "a batch is JSON"
    content = read_object(request.body)
    if content is None or content.keys() != {"requests"} or not isinstance(content["requests"], list):
        return "a batch holds requests, and nothing else"
    parts: list[dict[str, Any]] = content["requests"]
    if not 1 <= len(parts) <= BATCHED:
        return f"{len(parts)} requests"
    for part in parts:
        if not isinstance(part, dict) or part.keys() - PART or not {"id", "method", "url"} <= part.keys():
            return "a request has an id, a method and a url"
        if not isinstance(part["id"], str) or part["method"] not in METHODS:
            return f"the id or the method of {part}"
        if not isinstance(part["url"], str) or not re.match(r"/(?!/|v1\.0/|beta/|\$batch)", part["url"]):
            return f"the url {part['url']} is not relative to the version"
        headers = part.get("headers", {})
        if not isinstance(headers, dict) or not all(isinstance(value, str) for value in headers.values()):
            return "headers are texts"
        if "authorization" in map(str.lower, headers):
            return "a request in a batch has the batch's token"
        if "body" in part and "content-type" not in map(str.lower, headers):
            return "a body without Content-Type"
    if len({part["id"].lower() for part in parts}) < len(parts):
        return "an id comes twice"
    return parts


def answer_parts(parts: list[dict[str, Any]], ask: Callable[[Call], Reply]) -> list[dict[str, Any]]:
    """Answer each part as if it had been asked alone; more than four at once are too much for a mailbox."""
    answers: list[dict[str, Any]] = []
    asked: Counter[str] = Counter()
    for part in parts:
        call = _call(part)
        if call is None:
            reply = error(404, "ResourceNotFound")
        else:
            asked[call.user] += 1
            too_many = asked[call.user] > AT_ONCE
            reply = error(429, "ApplicationThrottled", retry_after="1") if too_many else ask(call)
        answer = {"id": part["id"], "status": reply.status, "headers": {"Cache-Control": "private", **reply.headers}}
        content = read_object(reply.body)
        answers.append(answer if content is None else {**answer, "body": content})
    return answers


def user_of(part: Mapping[str, Any]) -> str:
    """Return whose mailbox a part asks."""
    call = _call(part)
    return call.user if call else ""


def _call(part: Mapping[str, Any]) -> Call | None:
    parts = urlsplit(part["url"])
    match = re.fullmatch(r"/users/([^/]+)(/.*)", unquote(parts.path))
    if match is None:
        return None
    headers = {name.lower(): value for name, value in part.get("headers", {}).items()}
    body = json.dumps(part["body"]).encode() if "body" in part else b""
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    return Call(part["method"], match[1], match[2], query, headers, body)
