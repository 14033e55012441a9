"""Routes about cases: queues and their lists, a case, its history."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

from postroom.http_api.foundation import Cursor, Limit, Name, Needs, Routes
from postroom.model.access import Block, Level
from postroom.services.api import (
    CaseHistory,
    CaseListPage,
    CaseShown,
    CaseWithMails,
    Desk,
    NextWanted,
    QueueList,
    QueuePage,
)

_VIEW = Needs(Block.CASES, Level.VIEW)
_WORK = Needs(Block.CASE_WORK, Level.MODIFY)

State = Annotated[QueueList, Query(description="Which of its lists.")]
Month = Annotated[str, Query(max_length=7, description="Of closed cases, as 2026-11; empty: this one.")]


def add_routes(api: Routes[Desk]) -> None:
    """Declare them."""

    @api.get("/queues", "queues", _VIEW)
    def queues(limit: Limit = 25, cursor: Cursor = "") -> QueuePage:
        """List the queues that the caller may see, with what waits in each."""
        cases, asked = api.behind().cases, api.asked
        rows, place = cases.queues(asked.principal, after=asked.resume(cursor) or "", most=limit)
        return QueuePage(items=tuple(rows), next=asked.cursor(place), as_of=cases.clock())

    @api.get("/queues/<queue>/cases", "queues", _VIEW)
    def in_queue(
        queue: Name, state: State = QueueList.WAITING, month: Month = "", limit: Limit = 50, cursor: Cursor = ""
    ) -> CaseListPage:
        """List cases of a queue, the most urgent first; closed ones the newest first."""
        cases, asked = api.behind().cases, api.asked
        after = asked.resume(cursor) or ""
        rows, place = cases.in_queue(queue, state, asked.principal, month=month, after=after, most=limit)
        return CaseListPage(items=tuple(rows), next=asked.cursor(place), as_of=cases.clock())

    @api.post("/queues/claim-next", "queues", _WORK)
    def claim_next(wanted: NextWanted) -> CaseShown | None:
        """Take the most urgent case of queues; 204 when none waits."""
        case = api.behind().cases.claim_next(wanted.queues, api.asked.principal)
        if case is None:
            return None
        api.asked.tag(case.version)
        return CaseShown.model_validate(case)

    @api.get("/cases/<case_id>", "cases", _VIEW)
    def case(case_id: Name) -> CaseWithMails:
        """Show a case with its mails and notes."""
        shown = api.behind().cases.show(case_id, api.asked.principal)
        api.asked.tag(shown.version)
        return shown

    @api.get("/cases/<case_id>/history", "cases", _VIEW)
    def history(case_id: Name) -> CaseHistory:
        """Tell who did what to a case, and when."""
        return api.behind().cases.history(case_id, api.asked.principal)
