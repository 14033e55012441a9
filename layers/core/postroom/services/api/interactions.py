"""What the API answers about interactions, and the replies that it takes."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

from postroom.errors import NotFound
from postroom.model import Interaction
from postroom.ports import Clock, Configurations, Queue
from postroom.ports import InteractionLists as InteractionLists
from postroom.ports import OutboxHistory as OutboxHistory
from postroom.services.api.answers import (
    BodyShown,
    DecisionShown,
    EventShown,
    InteractionHistory,
    InteractionRow,
    InteractionShown,
    InteractionWithBody,
    ReplyRequest,
    ReplyTaken,
)
from postroom.services.api.stores import MOST_ROWS


@dataclass(frozen=True, slots=True)
class InteractionQueries:
    """Questions about inbound interactions."""

    interactions: InteractionLists

    def in_queue(self, queue: str) -> list[InteractionRow]:
        """List the newest interactions of a queue."""
        return [InteractionRow.model_validate(row) for row in islice(self.interactions.list_queue(queue), MOST_ROWS)]

    def show(self, interaction_id: str) -> InteractionWithBody:
        """Show one inbound interaction with what people read of it."""
        interaction = self._get(interaction_id)
        body = self.interactions.body(interaction_id)
        shown = InteractionShown.model_validate(interaction)
        return InteractionWithBody(
            **{name: getattr(shown, name) for name in InteractionShown.model_fields},
            body=BodyShown.model_validate(body) if body else None,
        )

    def history(self, interaction_id: str) -> InteractionHistory:
        """Tell what was decided on an interaction when it came, and what happened to it since."""
        interaction = self._get(interaction_id)
        return InteractionHistory(
            decisions=tuple(DecisionShown.model_validate(one) for one in interaction.decisions),
            events=tuple(EventShown.model_validate(one) for one in self.interactions.history(interaction_id)),
        )

    def _get(self, interaction_id: str) -> Interaction:
        interaction = self.interactions.get(interaction_id)
        if interaction is None:
            raise NotFound("there is no such interaction", on=interaction_id)
        return interaction


@dataclass(frozen=True, slots=True)
class Replies:
    """Takes agents' replies into the outbox."""

    interactions: InteractionLists
    outbox: OutboxHistory
    configurations: Configurations
    outbound_queue: Queue
    clock: Clock

    def add(self, interaction_id: str, wanted: ReplyRequest, *, key: str, agent: str) -> ReplyTaken:
        """Put a reply into the outbox; the same key again answers with the same mail."""
        # Imported when the first reply is sent: it brings masking and the threading of mail, which no reader waits for.
        from postroom.services.outbound import write_reply

        replied = write_reply.reply(
            interaction_id,
            write_reply.Reply(**wanted.model_dump(), idempotency_key=key, agent=agent),
            interactions=self.interactions,
            outbox=self.outbox,
            configurations=self.configurations,
            outbound_queue=self.outbound_queue,
            clock=self.clock,
        )
        return ReplyTaken(id=replied.outbound.id, state=replied.outbound.state, created=replied.created)
