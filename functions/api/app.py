"""The HTTP API: each route is one question to the desk; every error says what failed and what to do."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Header
from postroom import bootstrap, observe
from postroom.errors import Conflict, Invalid, NotFound, PostroomError, Transient
from postroom.services.api.desk import ReplyRequest, caller

STATUS = {NotFound: 404, Conflict: 409, Invalid: 422, Transient: 503}


@functools.cache
def application() -> APIGatewayHttpResolver:
    """Build the application, once for each warm function."""
    app = APIGatewayHttpResolver(enable_validation=True)
    desk = bootstrap.api()
    routes: dict[str, Callable[..., Any]] = {
        "/health": desk.health,
        "/mailboxes": desk.mailboxes,
        "/mailboxes/<name>": desk.mailbox,
        "/interactions": desk.in_queue,
        "/interactions/<interaction_id>": desk.interaction,
        "/interactions/<interaction_id>/history": desk.history,
        "/outbox": desk.in_outbox,
        "/outbox/<outbound_id>": desk.outbound,
    }
    for path, answer in routes.items():
        app.get(path)(answer)

    @app.post("/interactions/<interaction_id>/reply")
    def reply(
        interaction_id: str, wanted: ReplyRequest, idempotency_key: Annotated[str, Header(alias="Idempotency-Key")]
    ) -> dict[str, Any]:
        return desk.reply(interaction_id, wanted, key=idempotency_key, agent=caller(app.current_event.raw_event))

    @app.exception_handler(PostroomError)  # type: ignore[untyped-decorator]
    def refused(error: PostroomError) -> Response[str]:
        status = next((code for kind, code in STATUS.items() if isinstance(error, kind)), 500)
        said = {"error": error.code, "what": error.what, "on": error.on, "remedy": error.remedy}
        return Response(status_code=status, content_type="application/json", body=json.dumps(said))

    return app


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer one request of the HTTP API (format 2.0)."""
    observe.begin()
    answer: dict[str, Any] = application().resolve(event, context)
    return answer
