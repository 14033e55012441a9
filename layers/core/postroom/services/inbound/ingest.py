"""Turn a stored raw message into an interaction, or a wrapping interaction; never neither.

The way of one mail: read the raw message → understand (pure) → find its thread (look-ups) → plan (pure) → store. All
that makes up the interaction is written at once under an id that its bytes decide: the same mail again, from a repeated
event, a second download or a redrive, finds itself there and changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from postroom.errors import TooLarge
from postroom.model import RawMessage, Understanding, parse_raw_key
from postroom.ports import Clock, Interactions, RawMessages
from postroom.services.inbound.facts import Facts
from postroom.services.inbound.find_thread import find_thread
from postroom.services.inbound.plan import plan_inbound
from postroom.services.inbound.store import Store, Stored
from postroom.services.inbound.understand_mail import understand, wrap
from postroom.services.policy import Policies, Policy


@dataclass(frozen=True, slots=True)
class Ingest:
    """The use case with what it needs; one for each warm function."""

    raw: RawMessages
    interactions: Interactions
    policies: Policies
    store: Store
    clock: Clock

    def __call__(self, key: str) -> Stored:
        """Process the raw message under `key`; raises Transient when it must be tried again."""
        raw = self.raw.get(key)
        try:
            return self._make(raw, lambda policy: understand(raw.content, policy=policy))
        except TooLarge as error:
            # No later try would do better, and the wrapping one is small whatever the mail is.
            return self._wrap(raw, error.what)

    def wrap(self, key: str, reason: str) -> Stored:
        """Make a wrapping interaction of a raw message that processing failed at again and again."""
        return self._wrap(self.raw.get(key), reason)

    def _wrap(self, raw: RawMessage, reason: str) -> Stored:
        return self._make(raw, lambda policy: wrap(raw.content, reason, policy=policy, raw_key=raw.key))

    def _make(self, raw: RawMessage, read: Callable[[Policy], Understanding]) -> Stored:
        name = parse_raw_key(raw.key).mailbox
        policy, mailbox = self.policies.of_mailbox(name)
        mail = read(policy)
        thread = find_thread(mail, interactions=self.interactions, policy=policy, mailbox=name)
        return self.store(plan_inbound(mail, thread, policy, Facts(raw, name, mailbox, self.clock())))
