"""Routes about single mails, in and out of their queues."""

from __future__ import annotations

from postroom.http_api.foundation import Asking, Name, Needs, Routes
from postroom.model.access import Block, Level
from postroom.services.api import (
    Desk,
    InteractionHistory,
    InteractionRow,
    InteractionWithBody,
    ReplyRequest,
    ReplyTaken,
)

_VIEW = Needs(Block.CASES, Level.VIEW)
_REPLY = Needs(Block.REPLIES, Level.MODIFY)


def add_routes(api: Routes[Desk]) -> None:
    """Declare them."""

    @api.get("/interactions", "interactions", _VIEW)
    def in_queue(queue: Asking) -> list[InteractionRow]:
        """List the newest interactions of a queue, at most 200."""
        return api.behind().interactions.in_queue(queue, principal=api.asked.principal)

    @api.get("/interactions/<interaction_id>", "interactions", _VIEW)
    def interaction(interaction_id: Name) -> InteractionWithBody:
        """Show one inbound interaction with its text."""
        return api.behind().interactions.show(interaction_id, principal=api.asked.principal)

    @api.get("/interactions/<interaction_id>/history", "interactions", _VIEW)
    def history(interaction_id: Name) -> InteractionHistory:
        """Tell what was decided on an interaction, and what happened since."""
        return api.behind().interactions.history(interaction_id, principal=api.asked.principal)

    @api.post("/interactions/<interaction_id>/reply", "interactions", _REPLY, keyed=True)
    def reply(interaction_id: Name, wanted: ReplyRequest) -> ReplyTaken:
        """Answer an interaction; the same Idempotency-Key sends once, however often it is posted."""
        asked = api.asked
        return api.behind().replies.add(interaction_id, wanted, key=asked.key, principal=asked.principal)
