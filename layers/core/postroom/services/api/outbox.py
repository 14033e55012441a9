"""What the API answers about outbound mail."""

from __future__ import annotations

from dataclasses import dataclass, fields
from itertools import islice
from typing import Any

from postroom.errors import Invalid, NotFound, Problem
from postroom.model import Outbound, OutboxState
from postroom.ports import InteractionLists as InteractionLists
from postroom.ports import OutboxHistory as OutboxHistory
from postroom.services.api.answers import EventShown, OutboundRow, OutboundShown
from postroom.services.api.stores import MOST_ROWS
from postroom.services.outbound import view as outbox_view


@dataclass(frozen=True, slots=True)
class OutboxQueries:
    """Questions about outbound mail."""

    interactions: InteractionLists
    outbox: OutboxHistory

    def in_state(self, state: str) -> list[OutboundRow]:
        """List the newest outbound mails in a state."""
        try:
            wanted = OutboxState(state.upper())
        except ValueError as error:
            states = ", ".join(known.value for known in OutboxState)
            raise Invalid([Problem("state", f"{state!r} is no state.", f"Use one of {states}.")]) from error
        rows = list(islice(self.interactions.list_outbox(wanted), MOST_ROWS))
        # The index does not carry why: written there, it would cost every mail a write unit more.
        found = self.outbox.read([row["id"] for row in rows])
        return [OutboundRow.model_validate({**row, **outbox_view.told(found.get(row["id"]))}) for row in rows]

    def show(self, outbound_id: str) -> OutboundShown:
        """Show one outbound mail with its history."""
        outbound = self.outbox.get(outbound_id)
        if outbound is None:
            raise NotFound("there is no such outbound mail", on=outbound_id)
        own: dict[str, Any] = {field.name: getattr(outbound, field.name) for field in fields(Outbound)}
        own["parent_id"] = own.pop("answers")
        own["recipients"] = tuple(outbox_view.by_recipient(outbound))
        del own["deliveries"]
        events = tuple(EventShown.model_validate(one) for one in self.outbox.history(outbound_id))
        return OutboundShown.model_validate({**own, **outbox_view.told(outbound), "events": events})
