"""Somebody who calls the HTTP API of a stack: through the template's routes, with claims as API Gateway passes them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from postroom.model.access.user import user_id

from tests.support.aws_stack import AwsStack

ISSUER = "https://id.example.com"


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer: status, headers, and the body read as JSON (None for none)."""

    status: int
    headers: Mapping[str, str]
    body: Any
    text: str = ""

    @property
    def etag(self) -> str:
        return self.headers.get("ETag", "")


@dataclass(frozen=True, slots=True)
class Caller:
    """A caller, by the subject of a token, or (`signed`) by the ARN of AWS credentials."""

    stack: AwsStack
    subject: str
    address: str = ""
    verified: bool = True
    groups: str = ""
    signed: bool = False

    @classmethod
    def appointed(
        cls,
        stack: AwsStack,
        subject: str,
        roles: Mapping[str, tuple[str, ...]],
        *,
        queues: tuple[str, ...] = (),
        aliases: tuple[str, ...] = (),
        name: str = "",
        address: str = "",
    ) -> Caller:
        """Somebody whom the table knows already."""
        stack.appoint(ISSUER, subject, name or subject, roles, queues=queues, aliases=aliases, address=address)
        return cls(stack, subject)

    @property
    def id(self) -> str:
        return user_id(ISSUER, self.subject)

    def get(self, path: str, **query: str) -> Answered:
        return self.call("GET", path, query=query)

    def post(self, path: str, body: Any, *, version: str = "", key: str = "") -> Answered:
        return self.call("POST", path, body=body, version=version, key=key)

    def put(self, path: str, body: Any, *, version: str = "") -> Answered:
        return self.call("PUT", path, body=body, version=version)

    def patch(self, path: str, body: Any, *, version: str = "") -> Answered:
        return self.call("PATCH", path, body=body, version=version)

    def delete(self, path: str, *, version: str = "") -> Answered:
        return self.call("DELETE", path, version=version)

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        version: str = "",
        key: str = "",
        raw: Mapping[str, Any] | None = None,
    ) -> Answered:
        """Call a route below /v1; `raw` replaces parts of the event."""
        headers = {"content-type": "application/json", "host": "api.example.com"}
        headers |= {"if-match": version} if version else {}
        headers |= {"idempotency-key": key} if key else {}
        whole = f"/v1{path}"
        event: dict[str, Any] = {
            "version": "2.0",
            "routeKey": "ANY /{proxy+}",
            "rawPath": whole,
            "rawQueryString": "",
            "headers": headers,
            "queryStringParameters": dict(query or {}),
            "requestContext": {
                "accountId": "123456789012",
                "authorizer": self._authorizer(),
                "http": {"method": method, "path": whole, "sourceIp": "192.0.2.1", "userAgent": "test"},
                "requestId": "1",
                "stage": "$default",
            },
            "body": None if body is None else json.dumps(body),
            "isBase64Encoded": False,
            **(raw or {}),
        }
        answer = self.stack.invoke(self.stack.function_of(event), event)
        text = answer.get("body") or ""
        headers = answer.get("headers") or {}
        is_json = "json" in str(headers.get("Content-Type", "")) and "ndjson" not in str(
            headers.get("Content-Type", "")
        )
        return Answered(int(answer["statusCode"]), headers, json.loads(text) if text and is_json else None, text)

    def _authorizer(self) -> dict[str, Any]:
        if self.signed:
            return {"iam": {"userArn": self.subject, "accountId": "123456789012"}}
        claims = {"iss": ISSUER, "sub": self.subject, "name": self.subject}
        if self.address:
            claims |= {"email": self.address, "email_verified": str(self.verified).lower()}
        if self.groups:
            claims |= {"cognito:groups": self.groups}
        return {"jwt": {"claims": claims, "scopes": None}}
