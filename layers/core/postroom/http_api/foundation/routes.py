"""Routes and what stands before each: who may call it, how often, with which parameters, against which version.

A module of routes has a function `add_routes(api)` that declares them. A route without rights cannot be declared.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from email.utils import format_datetime
from typing import Any, Generic, TypeVar

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from aws_lambda_powertools.event_handler.openapi.dependant import get_dependant
from aws_lambda_powertools.event_handler.openapi.types import OpenAPIResponse

from postroom.errors import Invalid, PostroomError, Problem
from postroom.http_api.foundation.asked import Asked
from postroom.http_api.foundation.refusals import response_of, tell_errors, unforeseen
from postroom.http_api.foundation.signed_in import sign_in_of
from postroom.http_api.foundation.versions import wanted_version
from postroom.model.access import Block, Level
from postroom.rules.access import least_role, require_somewhere
from postroom.services.api import ProblemDetails, UnreadableRequest, check_readable, problems
from postroom.services.requests import Door

_Route = TypeVar("_Route", bound=Callable[..., Any])
_Behind = TypeVar("_Behind")

VERSION = "/v1"


@dataclass(frozen=True, slots=True)
class Needs:
    """The right without which a route is refused at the door; what it needs on the object, the service judges."""

    block: Block
    level: Level

    def __str__(self) -> str:
        return f"{self.block}:{self.level}"


SIGNED_IN = None
"""In place of a right: everybody who is signed in may call."""


@dataclass(frozen=True, slots=True)
class Declared:
    """One route as the door knows it."""

    method: str
    path: str  # with <name> for what varies
    pattern: re.Pattern[str]
    needs: Needs | None
    function: Callable[..., Any]
    versioned: bool  # If-Match is needed
    keyed: bool  # Idempotency-Key is needed
    status: int
    sunset: date | None
    tells_current: bool  # with 409 too: what the object is now


def _error(description: str) -> OpenAPIResponse:
    return {"description": description, "content": {problems.CONTENT_TYPE: {"model": ProblemDetails}}}


_ERRORS: Mapping[int, OpenAPIResponse] = {
    400: _error("The request is no text, or has a parameter that the route does not know."),
    403: _error("No role of the caller allows it."),
    404: _error("There is no such object, or it belongs to a department where the caller has no role."),
    422: _error("Values were refused; nothing was changed."),
    429: _error("Too many requests; Retry-After says when to go on."),
    500: _error("Something failed that nobody foresaw."),
    503: _error("Try again: something that is needed does not work now."),
}
_OF_CHANGES: Mapping[int, OpenAPIResponse] = {
    409: _error("It exists already, or is in use, or another request had this Idempotency-Key."),
    413: _error("The body is too large."),
    415: _error("The body is no JSON by its content type."),
}
_OF_VERSIONS: Mapping[int, OpenAPIResponse] = {
    412: _error("It has another version; `current` is what it is now."),
    428: _error("If-Match is missing."),
}


class Routes(Generic[_Behind]):
    """The routes of one function, and the door before them.

    `behind` returns what the routes ask, and is called when the first of them is; `door` likewise.
    """

    def __init__(self, *, door: Callable[[], Door], behind: Callable[[], _Behind]) -> None:
        self.behind = behind
        self.app = APIGatewayHttpResolver(enable_validation=True)
        self.declared: list[Declared] = []
        self._door = door
        self._asked: Asked | None = None
        tell_errors(self.app)

    @property
    def asked(self) -> Asked:
        """Return the request that is being answered."""
        if self._asked is None:
            raise RuntimeError("no request is being answered")
        return self._asked

    def get(self, path: str, tag: str, needs: Needs | None, *, described: bool = True) -> Callable[[_Route], _Route]:
        """Declare a question; `described=False` leaves it out of the OpenAPI document."""
        return self._add("GET", path, tag, needs, described=described)

    def post(
        self,
        path: str,
        tag: str,
        needs: Needs | None,
        *,
        status: int = 200,
        versioned: bool = False,
        keyed: bool = False,
        sunset: date | None = None,
        tells_current: bool = False,
    ) -> Callable[[_Route], _Route]:
        """Declare an act. `keyed`: refused without an Idempotency-Key, since a repetition would do it twice.

        Any other POST takes the key as well. `versioned`: refused without If-Match. `tells_current`: a refusal by the
        object's state (409) says what the object is now.
        """
        return self._add(
            "POST",
            path,
            tag,
            needs,
            status=status,
            versioned=versioned,
            keyed=keyed,
            sunset=sunset,
            tells_current=tells_current,
        )

    def put(
        self, path: str, tag: str, needs: Needs | None, *, status: int = 200, versioned: bool = True
    ) -> Callable[[_Route], _Route]:
        """Declare a replacement; `versioned=False`: for what has no version, such as a secret."""
        return self._add("PUT", path, tag, needs, status=status, versioned=versioned)

    def patch(self, path: str, tag: str, needs: Needs | None) -> Callable[[_Route], _Route]:
        """Declare a merge patch (RFC 7396)."""
        return self._add("PATCH", path, tag, needs, versioned=True)

    def delete(self, path: str, tag: str, needs: Needs | None, *, versioned: bool = True) -> Callable[[_Route], _Route]:
        """Declare a removal; it answers 204."""
        return self._add("DELETE", path, tag, needs, status=204, versioned=versioned)

    def answer(self, event: dict[str, Any], context: Any) -> dict[str, Any]:
        """Answer one request of the HTTP API (payload format 2.0)."""
        try:
            check_readable(event)
            method, path = _asked_for(event)
            route = self._find(method, path)
            if route is None:
                return self._resolve(event, context)  # refused in the framework's way
            return self._pass(route, event, context)
        except PostroomError as error:
            return response_of(error)
        except Exception as error:  # noqa: BLE001  # the edge of the handler: the runtime would print its text
            return unforeseen(error)

    def _pass(self, route: Declared, event: dict[str, Any], context: Any) -> dict[str, Any]:
        """Let a request through the door."""
        query = event.get("queryStringParameters") or {}
        if unknown := sorted(set(query) - _parameters(route)):
            raise UnreadableRequest(
                [Problem(name, "is no parameter of this route.", _known(route)) for name in unknown[:20]]
            )
        door, sign_in = self._door(), sign_in_of(event)
        principal = door.principals.of(sign_in)
        headers = door.rates.count(principal.subject)
        given = {str(name).lower(): str(value) for name, value in (event.get("headers") or {}).items()}
        asked = Asked(
            principal,
            sign_in,
            door.cursors,
            route.path,
            _asked_for(event)[1],
            query,
            if_match=given.get("if-match"),
            key=given.get("idempotency-key", "") if route.method == "POST" else "",
            headers={**headers, **_sunset(route.sunset)},
        )
        try:
            if route.needs is not None:
                require_somewhere(principal, route.needs.block, route.needs.level, on=f"{route.method} {route.path}")
            if route.versioned:
                wanted_version(asked.if_match, on=route.path)
            _check_key(route, asked.key)
            answer = self._once(door, route, asked, event, context)
        except PostroomError as error:
            answer = response_of(error)
        finally:
            self._asked = None
        return {**answer, "headers": {**_headers(answer), **asked.headers}}

    def _once(self, door: Door, route: Declared, asked: Asked, event: dict[str, Any], context: Any) -> dict[str, Any]:
        def act() -> dict[str, Any]:
            self._asked = asked
            answer = self._resolve(_as_json(event), context)
            if answer["statusCode"] == 412 or (answer["statusCode"] == 409 and route.tells_current):
                return self._with_current(answer, event, context)
            return _finished(answer, route.status)

        if not asked.key:
            return act()
        request = (route.method, str(event.get("rawPath")), str(event.get("body") or ""))
        answer, repeated = door.repeats.once(asked.principal.subject, asked.key, request, act)
        if repeated:
            asked.headers["Idempotent-Replayed"] = "true"
        return answer

    def _with_current(self, refusal: dict[str, Any], event: dict[str, Any], context: Any) -> dict[str, Any]:
        """Show with a refusal what the object is now, as its own GET does."""
        path = str(event.get("rawPath"))
        while path.count("/") > 1:
            shown_by = self._find("GET", path)
            if shown_by is not None and "<" in shown_by.path:
                http = {**event["requestContext"]["http"], "method": "GET", "path": path}
                question = {**event, "rawPath": path, "body": None, "queryStringParameters": {}}
                question["requestContext"] = {**event["requestContext"], "http": http}
                current = self._resolve(question, context)
                if current["statusCode"] == 200:
                    body = {**json.loads(refusal["body"]), "current": json.loads(current["body"])}
                    return {**refusal, "body": json.dumps(body, ensure_ascii=False)}
                break
            path = path.rpartition("/")[0]
        return refusal

    def _resolve(self, event: dict[str, Any], context: Any) -> dict[str, Any]:
        found: dict[str, Any] = self.app.resolve(event, context)
        return found

    def _find(self, method: str, path: str) -> Declared | None:
        fitting = [one for one in self.declared if one.method == method and one.pattern.fullmatch(path)]
        return min(fitting, key=lambda one: one.path.count("<"), default=None)

    def _add(
        self,
        method: str,
        path: str,
        tag: str,
        needs: Needs | None,
        *,
        status: int = 200,
        versioned: bool = False,
        keyed: bool = False,
        sunset: date | None = None,
        described: bool = True,
        tells_current: bool = False,
    ) -> Callable[[_Route], _Route]:
        def add(route: _Route) -> _Route:
            whole = VERSION + path
            changes = method != "GET"
            responses: dict[int, OpenAPIResponse] = {
                status: {"description": "What was asked for." if not changes else "It is done."},
                **_ERRORS,
                **(_OF_CHANGES if changes else {}),
                **(_OF_VERSIONS if versioned else {}),
            }
            extensions: dict[str, Any] = {
                "x-right": str(needs) if needs else "signed in",
                "x-least-role": least_role(needs.block, needs.level) if needs else "any",
                **({"x-if-match": True} if versioned else {}),
                **({"x-idempotency-key": "required" if keyed else "taken"} if method == "POST" else {}),
            }
            register = getattr(self.app, method.lower())
            summary = (route.__doc__ or "").strip().partition("\n")[0].removesuffix(".")
            register(
                whole,
                tags=[tag],
                summary=summary,
                responses=responses,
                openapi_extensions=extensions,
                deprecated=sunset is not None,
                include_in_schema=described,
            )(route)
            found = Declared(
                method, whole, _pattern(whole), needs, route, versioned, keyed, status, sunset, tells_current
            )
            self.declared.append(found)
            return route

        return add


_PRINTABLE = re.compile(r"[ -~]{1,200}")


def _check_key(route: Declared, key: str) -> None:
    """Refuse an Idempotency-Key that is none; raises Invalid."""
    if not key and not route.keyed:
        return
    if not key:
        told = ("is missing or empty.", "Send one, new for each thing that you mean: the same key acts once.")
    elif not _PRINTABLE.fullmatch(key):
        told = ("has characters that are not taken, or more than 200.", "Use printable ASCII characters.")
    else:
        return
    raise Invalid([Problem("Idempotency-Key", *told)])


def _asked_for(event: Mapping[str, Any]) -> tuple[str, str]:
    http = event.get("requestContext", {}).get("http", {})
    return str(http.get("method", "GET")).upper(), str(event.get("rawPath", ""))


def _as_json(event: dict[str, Any]) -> dict[str, Any]:
    """Let the framework read a merge patch, which it does not know, as the JSON that it is."""
    headers = {
        name: "application/json" if str(value).startswith("application/merge-patch+json") else value
        for name, value in (event.get("headers") or {}).items()
    }
    return {**event, "headers": headers}


def _finished(answer: dict[str, Any], status: int) -> dict[str, Any]:
    """Give an answer its own status; nothing to say is 204."""
    if answer["statusCode"] != 200:
        return answer
    if status == 204 or answer.get("body") in (None, "", "null"):
        return {"statusCode": 204, "headers": {}, "body": "", "isBase64Encoded": False}
    return {**answer, "statusCode": status}


def _headers(answer: Mapping[str, Any]) -> dict[str, str]:
    """Return the headers of an answer, be they those of one value or of many."""
    many = {name: ", ".join(values) for name, values in (answer.get("multiValueHeaders") or {}).items()}
    return {**many, **(answer.get("headers") or {})}


def _sunset(day: date | None) -> dict[str, str]:
    """Tell the day from which on a route may be gone (RFC 8594)."""
    if day is None:
        return {}
    return {"Sunset": format_datetime(datetime.combine(day, time(), UTC), usegmt=True)}


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile("/".join("[^/]+" if part.startswith("<") else re.escape(part) for part in path.split("/")))


@functools.cache
def _parameters(route: Declared) -> frozenset[str]:
    """Name the parameters that a route takes in its query."""
    return frozenset(one.alias for one in get_dependant(path=route.path, call=route.function).query_params)


def _known(route: Declared) -> str:
    names = ", ".join(sorted(_parameters(route)))
    return f"It takes {names}." if names else "It takes none."
