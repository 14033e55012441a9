"""Errors of the API in one shape: what failed, on what, what to do, and each value that was refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from postroom.errors import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    Outdated,
    PostroomError,
    Problem,
    Transient,
    VersionMissing,
)
from postroom.services.api.answers import ProblemDetails, ProblemPart
from postroom.services.requests import BadCursor, TooManyRequests

CONTENT_TYPE = "application/problem+json"


class UnreadableRequest(Invalid):
    """A request that is no text, no JSON, or JSON that nobody means."""

    code = "unreadable"


class BodyTooLarge(Invalid):
    """A request body beyond the limit."""

    code = "body_too_large"


STATUS: tuple[tuple[type[PostroomError], int], ...] = (
    (UnreadableRequest, 400),
    (BadCursor, 400),
    (TooManyRequests, 429),
    (VersionMissing, 428),
    (Outdated, 412),
    (BodyTooLarge, 413),
    (Forbidden, 403),
    (NotFound, 404),
    (Conflict, 409),
    (Invalid, 422),
    (Transient, 503),
)
"""The first kind that fits; what fits none is 500."""

_HTTP: Mapping[int, tuple[str, str, str]] = {
    404: ("no_such_route", "There is no such route", "See docs/openapi.json for the routes that there are."),
    405: ("no_such_method", "The route does not take this method", "See docs/openapi.json for what it takes."),
    415: ("content_type", "The content type is not taken", "Send JSON as application/json."),
}
"""What the framework refuses by itself: code, text, remedy."""

# pydantic's own type of an error → what is wrong, what to do. Its texts are not used: some quote the value.
_REFUSED: Mapping[str, tuple[str, str]] = {
    "missing": ("is missing.", "Give it."),
    "extra_forbidden": ("is no field of this request.", "Leave it out; docs/openapi.json names the fields."),
    "string_type": ("is no text.", "Give a JSON string."),
    "string_too_long": ("is too long.", "Shorten it."),
    "string_too_short": ("is empty.", "Give a value."),
    "string_pattern_mismatch": ("has characters that are not taken.", "Use printable ASCII characters."),
    "tuple_type": ("is no list.", "Give a JSON array."),
    "int_parsing": ("is no whole number.", "Give a whole number."),
    "greater_than_equal": ("is too small.", "Give a larger number."),
    "less_than_equal": ("is too large.", "Give a smaller number."),
    "model_attributes_type": ("is no JSON object.", "Send a JSON object."),
    "model_type": ("is no JSON object.", "Send a JSON object."),
}

_INVALID = ("is not valid.", "See docs/openapi.json for what it takes.")


def problem_of(error: PostroomError) -> ProblemDetails:
    """Describe an error of ours."""
    parts = error.problems if isinstance(error, Invalid) else ()
    return ProblemDetails(
        status=next((status for kind, status in STATUS if isinstance(error, kind)), 500),
        code=error.code,
        what="The request was refused" if parts else error.what,
        on=error.on,
        remedy=error.remedy,
        problems=tuple(ProblemPart.model_validate(one) for one in parts),
    )


def refused_values(errors: Sequence[Mapping[str, Any]]) -> Invalid:
    """Describe what the request's models refused; `errors` as pydantic lists them (`loc`, `type`)."""
    return Invalid([_refused(one) for one in errors])


def refused_by_framework(status: int) -> ProblemDetails:
    """Describe a refusal that never reached a route."""
    code, what, remedy = _HTTP.get(status, ("refused", "The request was refused", "See docs/openapi.json."))
    return ProblemDetails(status=status, code=code, what=what, on="", remedy=remedy, problems=())


def unexpected() -> ProblemDetails:
    """Describe what nobody foresaw, without a word of it: its text may hold anything."""
    return ProblemDetails(
        status=500,
        code="unexpected",
        on="",
        problems=(),
        what="Something failed that nobody foresaw",
        remedy="Look at the log of the API's function for the moment of the error.",
    )


def _refused(error: Mapping[str, Any]) -> Problem:
    place = [str(one) for one in error.get("loc", ())]
    # The framework names the part of the request first; a query parameter or a header is told by its own name.
    path = ".".join(place[1:] if place[:1] in (["query"], ["path"], ["header"]) else place) or "request"
    problem, remedy = _REFUSED.get(str(error.get("type")), _INVALID)
    return Problem(path, problem, remedy)
