"""Routes about the audit log."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from postroom.errors import Invalid, Problem
from postroom.http_api.foundation import Cursor, Limit, Needs, Routes
from postroom.model.access import Block, Level
from postroom.services.api import Administration, AuditPage, audit_shown
from postroom.services.people import Period

_VIEW = Needs(Block.AUDIT, Level.VIEW)
_EXPORT = Needs(Block.AUDIT_EXPORTS, Level.VIEW)

About = Annotated[str, Query(alias="object", max_length=300, description="kind/id, as `user/7f…`.")]
Actor = Annotated[str, Query(max_length=200, description="The id of a user, or `operator`.")]
Since = Annotated[str, Query(alias="from", max_length=40, description="RFC 3339; 30 days before `to` by default.")]
Until = Annotated[str, Query(alias="to", max_length=40, description="RFC 3339; now by default.")]


def add_routes(api: Routes[Administration]) -> None:
    """Declare them."""

    @api.get("/audit", "audit", _VIEW)
    def audit(
        about: About = "",
        actor: Actor = "",
        since: Since = "",
        until: Until = "",
        limit: Limit = 100,
        cursor: Cursor = "",
    ) -> AuditPage:
        """List who did what, newest first: all, or of an object, or of a person."""
        log, asked = api.behind().audit, api.asked
        found, place = log.page(
            asked.principal,
            _period(since, until),
            about=about,
            actor=actor,
            after=asked.resume(cursor) or "",
            most=limit,
        )
        return AuditPage(items=tuple(map(audit_shown, found)), next=asked.cursor(place), as_of=log.clock())

    @api.get("/audit/export", "audit", _EXPORT, described=False)
    def export(
        about: About = "", actor: Actor = "", since: Since = "", until: Until = "", cursor: Cursor = ""
    ) -> Response[str]:
        """Return the log as JSON lines, up to 5,000; Postroom-Next is the cursor of what follows."""
        asked = api.asked
        found, place = api.behind().audit.export(
            asked.principal, _period(since, until), about=about, actor=actor, after=asked.resume(cursor) or ""
        )
        if following := asked.cursor(place):
            asked.headers["Postroom-Next"] = following
        lines = "".join(audit_shown(one).model_dump_json() + "\n" for one in found)
        return Response(200, "application/x-ndjson", lines)


def _period(since: str, until: str) -> Period:
    return Period(_moment("from", since), _moment("to", until))


def _moment(name: str, text: str) -> datetime | None:
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise Invalid([Problem(name, "is no moment with its offset.", "Write it as 2026-11-30T12:00:00Z.")])
    return found
