"""What the API answers about interactions, and the replies that it takes."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

from postroom.errors import no_such
from postroom.model import Interaction
from postroom.model.access import Block, Level, Principal
from postroom.ports import Clock, Configurations, Contents, Queue
from postroom.ports import InteractionLists as InteractionLists
from postroom.ports import OutboxHistory as OutboxHistory
from postroom.rules.access import require, scope_of_queue
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
    configurations: Configurations

    def in_queue(self, queue: str, *, principal: Principal) -> list[InteractionRow]:
        """List the newest interactions of a queue."""
        scope = scope_of_queue(self.configurations.current(), queue)
        require(principal, scope, (Block.CASES, Level.VIEW), on=queue, noun="queue")
        return [InteractionRow.model_validate(row) for row in islice(self.interactions.list_queue(queue), MOST_ROWS)]

    def show(self, interaction_id: str, *, principal: Principal) -> InteractionWithBody:
        """Show one inbound interaction with what people read of it."""
        interaction = self._get(interaction_id, principal)
        body = self.interactions.body(interaction_id)
        shown = InteractionShown.model_validate(interaction)
        return InteractionWithBody(
            **{name: getattr(shown, name) for name in InteractionShown.model_fields},
            body=BodyShown.model_validate(body) if body else None,
        )

    def history(self, interaction_id: str, *, principal: Principal) -> InteractionHistory:
        """Tell what was decided on an interaction when it came, and what happened to it since."""
        interaction = self._get(interaction_id, principal)
        return InteractionHistory(
            decisions=tuple(DecisionShown.model_validate(one) for one in interaction.decisions),
            events=tuple(EventShown.model_validate(one) for one in self.interactions.history(interaction_id)),
        )

    def _get(self, interaction_id: str, principal: Principal) -> Interaction:
        return permitted(interaction_id, (Block.CASES, Level.VIEW), principal, self.interactions, self.configurations)


def permitted(
    interaction_id: str,
    right: tuple[Block, Level],
    principal: Principal,
    interactions: InteractionLists,
    configurations: Configurations,
) -> Interaction:
    """Return an interaction that the principal may view and do this to; raises NotFound or Forbidden."""
    interaction = interactions.get(interaction_id)
    if interaction is None:
        raise no_such("interaction", on=interaction_id)
    scope = scope_of_queue(configurations.current(), interaction.queue, department=interaction.department)
    require(principal, scope, (Block.CASES, Level.VIEW), right, on=interaction_id, noun="interaction")
    return interaction


@dataclass(frozen=True, slots=True)
class Replies:
    """Takes agents' replies into the outbox."""

    interactions: InteractionLists
    outbox: OutboxHistory
    configurations: Configurations
    outbound_queue: Queue
    clock: Clock
    contents: Contents | None = None  # None: no files are attached

    def add(self, interaction_id: str, wanted: ReplyRequest, *, key: str, principal: Principal) -> ReplyTaken:
        """Put a reply into the outbox; the same key again answers with the same mail."""
        permitted(interaction_id, (Block.REPLIES, Level.MODIFY), principal, self.interactions, self.configurations)
        # Imported when the first reply is sent: it brings masking and the threading of mail, which no reader waits for.
        from postroom.services.outbound import FileWanted, write_reply

        files = tuple(FileWanted(**one.model_dump()) for one in wanted.files)
        replied = write_reply.reply(
            interaction_id,
            write_reply.Reply(
                **wanted.model_dump(exclude={"files"}),
                files=files,
                idempotency_key=key,
                agent=principal.name,
                agent_id=principal.subject,
            ),
            interactions=self.interactions,
            outbox=self.outbox,
            configurations=self.configurations,
            outbound_queue=self.outbound_queue,
            clock=self.clock,
            contents=self.contents,
        )
        outbound = replied.outbound
        return ReplyTaken(id=outbound.id, state=outbound.state, created=replied.created, warnings=replied.warnings)
