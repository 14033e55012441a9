"""Refusals: every error of a route in one shape, application/problem+json."""

from __future__ import annotations

import logging
import math
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import ServiceError
from aws_lambda_powertools.event_handler.openapi.exceptions import (
    RequestUnsupportedContentType,
    RequestValidationError,
    ResponseValidationError,
)

from postroom.errors import PostroomError
from postroom.services.api import ProblemDetails, problems

logger = logging.getLogger(__name__)


def response_of(error: PostroomError) -> dict[str, Any]:
    """Answer with an error of ours, outside the framework."""
    said = _told(error)
    return _raw(said, _when(error))


def unforeseen(error: Exception) -> dict[str, Any]:
    """Answer with what nobody foresaw, outside the framework."""
    _log(error)
    return _raw(problems.unexpected(), {})


def tell_errors(app: APIGatewayHttpResolver) -> None:
    """Give every error of the routes the one shape; the handler of the most special kind is taken."""

    @app.exception_handler(PostroomError)  # type: ignore[untyped-decorator]
    def ours(error: PostroomError) -> Response[str]:
        return _response(_told(error), _when(error))

    @app.exception_handler(RequestValidationError)  # type: ignore[untyped-decorator]
    def refused(error: RequestValidationError) -> Response[str]:
        return _response(problems.problem_of(problems.refused_values(error.errors())))

    @app.exception_handler(RequestUnsupportedContentType)  # type: ignore[untyped-decorator]
    def other_content(_error: RequestUnsupportedContentType) -> Response[str]:
        return _response(problems.refused_by_framework(415))

    @app.exception_handler(ServiceError)  # type: ignore[untyped-decorator]
    def by_framework(error: ServiceError) -> Response[str]:
        return _response(problems.refused_by_framework(error.status_code))

    @app.exception_handler([Exception, ResponseValidationError])  # type: ignore[untyped-decorator]
    def unknown(error: Exception) -> Response[str]:
        _log(error)
        return _response(problems.unexpected())


def _told(error: PostroomError) -> ProblemDetails:
    said = problems.problem_of(error)
    if said.status >= 500:
        logger.warning("api_failed", extra={"code": error.code, "step": error.step})
    return said


def _log(error: Exception) -> None:
    # The edge of the handler. Let out, the runtime would print the text, and with it whatever it holds.
    logger.error("api_failed", exc_info=(type(error), error, error.__traceback__), extra={"code": "unexpected"})


def _when(error: PostroomError) -> dict[str, str]:
    return {"Retry-After": str(math.ceil(error.retry_after))} if error.retry_after else {}


def _raw(said: ProblemDetails, headers: dict[str, str]) -> dict[str, Any]:
    return {
        "statusCode": said.status,
        "headers": {"Content-Type": problems.CONTENT_TYPE, **headers},
        "body": said.model_dump_json(exclude_none=True),
        "isBase64Encoded": False,
    }


def _response(said: ProblemDetails, headers: dict[str, str] | None = None) -> Response[str]:
    body = said.model_dump_json(exclude_none=True)
    return Response(said.status, problems.CONTENT_TYPE, body, headers=dict(headers or {}))
