"""What the API answers about outbound mail."""

from __future__ import annotations

from dataclasses import dataclass, fields
from itertools import islice
from typing import Any

from postroom.errors import Invalid, Problem, no_such
from postroom.model import AGENT_ID, Outbound, OutboxState
from postroom.model.access import Block, Level, Principal, Scope
from postroom.ports import InteractionLists as InteractionLists
from postroom.ports import OutboxHistory as OutboxHistory
from postroom.rules.access import require, visible
from postroom.services.api.answers import EventShown, OutboundRow, OutboundShown
from postroom.services.api.stores import MOST_ROWS
from postroom.services.outbound import view as outbox_view

MOST_READ = 2_000
"""Mails that one list looks at for those that its caller may see."""


@dataclass(frozen=True, slots=True)
class OutboxQueries:
    """Questions about outbound mail."""

    interactions: InteractionLists
    outbox: OutboxHistory

    def in_state(self, state: str, *, principal: Principal) -> list[OutboundRow]:
        """List the newest outbound mails in a state that the principal may see, of at most MOST_READ."""
        try:
            wanted = OutboxState(state.upper())
        except ValueError as error:
            states = ", ".join(known.value for known in OutboxState)
            raise Invalid([Problem("state", f"{state!r} is no state.", f"Use one of {states}.")]) from error
        seen = visible(principal, Block.OUTBOX)
        listed = islice(self.interactions.list_outbox(wanted), MOST_READ)
        shown: list[OutboundRow] = []
        while len(shown) < MOST_ROWS and (rows := list(islice(listed, MOST_ROWS))):
            # The index carries neither why nor whose: written there, it would cost every mail a write unit more.
            found = self.outbox.read([row["id"] for row in rows])
            for row in rows:
                mail = found.get(row["id"])
                if mail is not None and seen.admits(scope_of(mail)):
                    shown.append(OutboundRow.model_validate({**row, **outbox_view.told(mail)}))
        return shown[:MOST_ROWS]

    def show(self, outbound_id: str, *, principal: Principal) -> OutboundShown:
        """Show one outbound mail with its history."""
        outbound = self.outbox.get(outbound_id)
        if outbound is None:
            raise no_such("outbound mail", on=outbound_id)
        require(principal, scope_of(outbound), (Block.OUTBOX, Level.VIEW), on=outbound_id, noun="outbound mail")
        own: dict[str, Any] = {field.name: getattr(outbound, field.name) for field in fields(Outbound)}
        own["parent_id"] = own.pop("answers")
        own["recipients"] = tuple(outbox_view.by_recipient(outbound))
        del own["deliveries"]
        events = tuple(EventShown.model_validate(one) for one in self.outbox.history(outbound_id))
        return OutboundShown.model_validate({**own, **outbox_view.told(outbound), "events": events})


def scope_of(outbound: Outbound) -> Scope:
    """Return where an outbound mail belongs, and whose it is."""
    return Scope(outbound.department, owner=outbound.attributes.get(AGENT_ID))
