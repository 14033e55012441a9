"""What the demonstration configures, and how it reads the result: the product's own services and stores."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime

from postroom.bootstrap import Stores
from postroom.environment import SETTINGS
from postroom.model import Interaction, Outbound, OutboxState, interaction_id
from postroom.model.configuration import Configuration
from postroom.services.outbound import Replied, Reply, reply

from postroom_cli.local import example
from postroom_cli.local.stack import Aws


class Installation(Stores):
    """The running stack as an operator's tools see it: the stores that its environment names."""

    def __init__(self, aws: Aws, environment: Mapping[str, str]) -> None:
        super().__init__(lambda name: environment[SETTINGS[name].variable], aws)

    def set_up(self, wanted: Configuration, secrets: Mapping[str, str]) -> None:
        """Enter the secrets and apply the configuration, as `postroom secret set` and `config apply` do."""
        example.set_up(
            wanted, secrets, configurations=self.configurations, writer=self.secrets, author="demo", now=utc_now()
        )

    def reply(self, interaction: Interaction, text: str, *, key: str) -> Replied:
        """Answer an interaction as an agent, as `postroom reply` does."""
        return reply(
            interaction.id,
            Reply(text=text, idempotency_key=key, agent="demo"),
            interactions=self.interactions,
            outbox=self.outbox,
            configurations=self.configurations,
            outbound_queue=self.queue("outbound_queue"),
            clock=utc_now,
        )

    def not_looked_at(self) -> list[str]:
        """Return the mailboxes that no poll has looked at yet."""
        names = [mailbox.name for mailbox in example.MAILBOXES]
        return [name for name, state in self.states.load(names, consistent=True).items() if state.position is None]

    def in_queues(self) -> list[str]:
        """Return the id of every interaction there is, as often as it is there."""
        queues = [queue.name for queue in self.configurations.current().queues]
        return [str(row["id"]) for queue in queues for row in self.interactions.list_queue(queue)]

    def sent_and_unsent(self) -> list[Outbound]:
        """Return every outbound mail, whatever its state, in the order of writing."""
        rows = [row for state in OutboxState for row in self.interactions.list_outbox(state)]
        found = [self.outbox.get(row["id"]) for row in rows]
        return sorted((one for one in found if one is not None), key=lambda one: (one.created, one.id))


def expected_id(mailbox: str, raw: bytes) -> str:
    """Return the id that the interaction of these bytes has, or will have."""
    return interaction_id(mailbox, hashlib.sha256(raw).hexdigest())


def utc_now() -> datetime:
    """Return now."""
    return datetime.now(UTC)
