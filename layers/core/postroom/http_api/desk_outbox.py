"""Routes about outbound mail."""

from __future__ import annotations

from postroom.http_api.foundation import Asking, Name, Needs, Routes
from postroom.model.access import Block, Level
from postroom.services.api import Desk, OutboundRow, OutboundShown

_VIEW = Needs(Block.OUTBOX, Level.VIEW)


def add_routes(api: Routes[Desk]) -> None:
    """Declare them."""

    @api.get("/outbox", "outbox", _VIEW)
    def in_outbox(state: Asking) -> list[OutboundRow]:
        """List the newest outbound mails in a state, at most 200."""
        return api.behind().outbox.in_state(state, principal=api.asked.principal)

    @api.get("/outbox/<outbound_id>", "outbox", _VIEW)
    def outbound(outbound_id: Name) -> OutboundShown:
        """Show one outbound mail with its history."""
        return api.behind().outbox.show(outbound_id, principal=api.asked.principal)
