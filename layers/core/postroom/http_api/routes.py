"""The routes of the HTTP API: each is one question to a service; every error is application/problem+json.

docs/openapi.json is made from them by `scripts/openapi`, and served under /openapi.json.
"""

from __future__ import annotations

import functools
import json
import logging
from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import ServiceError
from aws_lambda_powertools.event_handler.openapi.exceptions import (
    RequestUnsupportedContentType,
    RequestValidationError,
    ResponseValidationError,
)
from aws_lambda_powertools.event_handler.openapi.params import Header, Path, Query
from aws_lambda_powertools.event_handler.openapi.types import OpenAPIResponse

from postroom.errors import PostroomError
from postroom.services.api import (
    MOST_MAILBOXES,
    InteractionHistory,
    InteractionRow,
    InteractionWithBody,
    MailboxPage,
    MailboxShown,
    OutboundRow,
    OutboundShown,
    ProblemDetails,
    Queries,
    ReplyRequest,
    ReplyTaken,
    Service,
    caller,
    check_readable,
    problems,
)

logger = logging.getLogger(__name__)

_Route = TypeVar("_Route", bound=Callable[..., Any])
_NAME: dict[str, Any] = {"min_length": 1, "max_length": 200}  # every name and id is shorter; a key ends at 1 KB
Name = Annotated[str, Path(**_NAME)]
Asked = Annotated[str, Query(**_NAME)]


def _error(description: str) -> OpenAPIResponse:
    return {"description": description, "content": {problems.CONTENT_TYPE: {"model": ProblemDetails}}}


OF_QUESTIONS: dict[int, OpenAPIResponse] = {
    400: _error("The request is no text."),
    404: _error("There is no such object."),
    422: _error("Values were refused."),
    500: _error("Something failed that nobody foresaw."),
    503: _error("Try again: something that is needed does not work now."),
}
OF_CHANGES: dict[int, OpenAPIResponse] = {
    **OF_QUESTIONS,
    400: _error("The request is no text, or no JSON."),
    409: _error("It was changed meanwhile, or exists already."),
    413: _error("The body is too large."),
    415: _error("The body is no JSON by its content type."),
    422: _error("Values were refused; nothing was changed."),
}


def answer(event: dict[str, Any], context: Any, queries: Callable[[], Queries]) -> dict[str, Any]:
    """Answer one request of the HTTP API (format 2.0); `queries` is called when the first route is asked."""
    try:
        check_readable(event)
    except PostroomError as error:
        said = problems.problem_of(error)
        return {
            "statusCode": said.status,
            "headers": {"Content-Type": problems.CONTENT_TYPE},
            "body": said.model_dump_json(),
            "isBase64Encoded": False,
        }
    found: dict[str, Any] = application(queries).resolve(event, context)
    return found


def openapi() -> str:
    """Describe the API in OpenAPI 3.1, as JSON."""
    return described(application(_nothing_to_ask))


def described(app: APIGatewayHttpResolver) -> str:
    """Describe an application's routes in OpenAPI 3.1."""
    text: str = app.get_openapi_json_schema(
        title="Postroom",
        version="1",
        openapi_version="3.1.0",
        description="The e-mail channel of a contact centre: mailboxes, interactions, outbound mail.",
    )
    document = json.loads(text)
    for unused in ("HTTPValidationError", "ResponseValidationError", "ValidationError"):  # the framework's own errors
        document["components"]["schemas"].pop(unused, None)
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


@functools.cache
def application(queries: Callable[[], Queries]) -> APIGatewayHttpResolver:
    """Build the application; nothing is asked of `queries` until a request comes."""
    app = APIGatewayHttpResolver(enable_validation=True)

    def get(path: str, tag: str) -> Callable[[_Route], _Route]:
        def add(route: _Route) -> _Route:
            responses: dict[int, OpenAPIResponse] = {200: {"description": "What was asked for."}, **OF_QUESTIONS}
            app.get(path, tags=[tag], summary=_summary(route), responses=responses)(route)
            return route

        return add

    @get("/health", "service")
    def health() -> Service:
        """Tell that the API and its table answer."""
        return queries().mailboxes.service()

    @get("/mailboxes", "mailboxes")
    def mailboxes(
        limit: Annotated[int, Query(ge=1, le=MOST_MAILBOXES, description="At most so many.")] = MOST_MAILBOXES,
        cursor: Annotated[str, Query(max_length=200, description="`next` of the page before.")] = "",
    ) -> MailboxPage:
        """List mailboxes with their health, by pages of at most 100 KB."""
        return queries().mailboxes.page(after=cursor, most=limit)

    @get("/mailboxes/<name>", "mailboxes")
    def mailbox(name: Name) -> MailboxShown:
        """Show one mailbox: settings, health, what to see to."""
        return queries().mailboxes.show(name)

    @get("/interactions", "interactions")
    def in_queue(queue: Asked) -> list[InteractionRow]:
        """List the newest interactions of a queue, at most 200."""
        return queries().interactions.in_queue(queue)

    @get("/interactions/<interaction_id>", "interactions")
    def interaction(interaction_id: Name) -> InteractionWithBody:
        """Show one inbound interaction with its text."""
        return queries().interactions.show(interaction_id)

    @get("/interactions/<interaction_id>/history", "interactions")
    def history(interaction_id: Name) -> InteractionHistory:
        """Tell what was decided on an interaction, and what happened since."""
        return queries().interactions.history(interaction_id)

    @get("/outbox", "outbox")
    def in_outbox(state: Asked) -> list[OutboundRow]:
        """List the newest outbound mails in a state, at most 200."""
        return queries().outbox.in_state(state)

    @get("/outbox/<outbound_id>", "outbox")
    def outbound(outbound_id: Name) -> OutboundShown:
        """Show one outbound mail with its history."""
        return queries().outbox.show(outbound_id)

    @app.post(
        "/interactions/<interaction_id>/reply",
        tags=["interactions"],
        summary="Answer an interaction",
        responses={200: {"description": "The reply is in the outbox."}, **OF_CHANGES},
    )
    def reply(
        interaction_id: Name,
        wanted: ReplyRequest,
        idempotency_key: Annotated[
            str,
            Header(
                alias="Idempotency-Key",
                pattern=r"^[ -~]+$",
                description="The same key sends once, however often it is posted.",
                **_NAME,
            ),
        ],
    ) -> ReplyTaken:
        """Answer an interaction."""
        agent = caller(app.current_event.raw_event)
        return queries().replies.add(interaction_id, wanted, key=idempotency_key, agent=agent)

    @app.get("/openapi.json", include_in_schema=False)
    def description() -> Response[str]:
        return Response(200, "application/json", described(app))

    _tell_errors(app)
    return app


def _tell_errors(app: APIGatewayHttpResolver) -> None:
    """Give every error the one shape; the handler of the most special kind is taken."""

    @app.exception_handler(PostroomError)  # type: ignore[untyped-decorator]
    def ours(error: PostroomError) -> Response[str]:
        if (said := problems.problem_of(error)).status >= 500:
            logger.warning("api_failed", extra={"code": error.code, "step": error.step})
        return _response(said)

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
    def unforeseen(error: Exception) -> Response[str]:
        # The edge of the handler. Let out, the runtime would print the text, and with it whatever it holds.
        logger.error("api_failed", exc_info=(type(error), error, error.__traceback__), extra={"code": "unexpected"})
        return _response(problems.unexpected())


def _response(said: ProblemDetails) -> Response[str]:
    return Response(said.status, problems.CONTENT_TYPE, said.model_dump_json())


def _summary(route: Callable[..., Any]) -> str:
    """Take a route's docstring for its summary."""
    return (route.__doc__ or "").strip().removesuffix(".")


def _nothing_to_ask() -> Queries:
    raise AssertionError("a description asks nothing")
