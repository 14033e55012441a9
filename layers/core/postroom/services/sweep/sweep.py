"""Repair what no retry will, every five minutes: lost events, dead claims, due retries, dead letters.

Nothing here decides anew: it queues again what the other functions would have done, and they are repeatable.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from postroom.errors import Conflict, NotFound, Permanent, PostroomError
from postroom.model import (
    Delivery,
    Event,
    EventKind,
    HealthState,
    Outbound,
    OutboxState,
    parse_raw_key,
    send_request,
    stored_event,
    stored_keys,
)
from postroom.ports import (
    Clock,
    Configurations,
    DeadLetters,
    Interactions,
    MailboxStates,
    Mark,
    Outbox,
    Queue,
    RawMessages,
)
from postroom.rules.polling import unacknowledged
from postroom.services.inbound import Ingest
from postroom.services.outbound import CLAIM_LASTS

logger = logging.getLogger(__name__)

SETTLED = timedelta(minutes=10)
"""A raw message this old should be an interaction; younger ones are still on their way."""

NEW_WAITS = timedelta(minutes=2)
"""An outbox entry this old has lost its queue message."""

LOOK_BACK = timedelta(hours=48)
_MOST_DEAD_LETTERS = 50  # a run
_MOST_SENDS = 2_000  # a run, of each state
_READ_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Swept:
    """What a run found and repaired; counts."""

    raw_looked_at: int = 0
    raw_queued_again: int = 0
    wrapped_from_dead_letters: int = 0
    sends_queued_again: int = 0
    uncertain: int = 0
    mailboxes_failing: int = 0
    mails_not_fetched: int = 0


@dataclass(frozen=True, slots=True)
class Sweep:
    """The use case with what it needs."""

    raw: RawMessages
    raw_bucket: str
    interactions: Interactions
    outbox: Outbox
    states: MailboxStates
    configurations: Configurations
    inbound_queue: Queue
    outbound_queue: Queue
    dead_letters: DeadLetters
    ingest: Ingest
    mark: Mark
    clock: Clock

    def __call__(self) -> Swept:
        """Sweep once. What one part fails at keeps no other from its turn; raises the first such error at the end."""
        now = self.clock()
        failed: list[Exception] = []
        parts: tuple[Callable[[], dict[str, int] | None], ...] = (
            lambda: self._raw_messages(now),
            lambda: {"wrapped_from_dead_letters": self._dead_letters()},
            lambda: {"uncertain": self._died_sending(now)},
            lambda: self._reported_meanwhile(now),
            lambda: {"sends_queued_again": self._sends(now)},
            self._mailboxes,
        )
        counts: dict[str, int] = {}
        for part in parts:
            try:
                counts |= part() or {}
            except PostroomError as error:
                logger.warning("part_of_sweep_failed", extra={"code": error.code, "what": error.what})
                failed.append(error)
            except Exception as error:  # a defect of ours: what the other parts repair must not wait for its mending
                logger.exception("part_of_sweep_failed")
                failed.append(error)
        if failed:
            logger.info("swept_in_part", extra=counts)
            raise failed[0]
        return Swept(**counts)

    def _raw_messages(self, now: datetime) -> dict[str, int]:
        """Queue again every raw message that should be an interaction and is none (fault 43)."""
        earliest = now - LOOK_BACK
        start = max(self.mark.load() or earliest, earliest).replace(minute=0, second=0, microsecond=0)
        looked = queued = 0
        clean = hour = start
        while hour <= now:
            following = hour + timedelta(hours=1)
            settled = [key for key, stored in self.raw.keys_of_hour(hour) if now - stored >= SETTLED]
            missing = self._without_interaction(settled)
            for key in missing:
                self.inbound_queue.send(stored_event(self.raw_bucket, key))
            looked += len(settled)
            queued += len(missing)
            if not missing and clean == hour and following + SETTLED < now:
                clean = following
            hour = following
        if clean > start:
            self.mark.save(clean)
        return {"raw_looked_at": looked, "raw_queued_again": queued}

    def _without_interaction(self, keys: list[str]) -> list[str]:
        ids = {key: parse_raw_key(key).interaction_id for key in keys}
        present = self.interactions.present(list(ids.values())) if ids else frozenset()
        return [key for key, interaction_id in ids.items() if interaction_id not in present]

    def _dead_letters(self) -> int:
        """Make wrapping interactions of what processing failed at five times (fault 48).

        One that even this fails at keeps neither the others nor the rest of the sweep from their turn: it stays.
        """
        seen = wrapped = 0
        while seen < _MOST_DEAD_LETTERS:
            messages = self.dead_letters.receive()
            if not messages:
                break
            for receipt, content in messages:
                seen += 1
                try:
                    wrapped += self._wrapped(content)
                except Exception:  # also a defect of ours: what waits to be sent must not wait for its mending
                    logger.exception("dead_letter_failed", extra={"content": str(content)[:1000]})
                    continue
                self.dead_letters.delete(receipt)
        return wrapped

    def _wrapped(self, content: Mapping[str, Any]) -> int:
        keys = stored_keys(content)
        for key in keys:
            try:
                self.ingest.wrap(key, "processing failed or crashed five times; see the log of process_inbound")
            except NotFound:
                logger.error("raw_message_missing", extra={"key": key})
        return len(keys)

    def _sends(self, now: datetime) -> int:
        """Queue again what is to be sent: message lost, time come, or its sender died before the content went out."""
        due = [
            (OutboxState.NEW, now - NEW_WAITS),
            (OutboxState.DEFERRED, now),
            (OutboxState.CLAIMED, now - CLAIM_LASTS),
        ]
        queued = 0
        for state, before in due:
            # The oldest first. More would not leave before the next run, and what is queued twice costs its sender.
            for outbound_id in islice(self.outbox.waiting(state, before=before), _MOST_SENDS):
                self.outbound_queue.send(send_request(outbound_id))
                queued += 1
        return queued

    def _died_sending(self, now: datetime) -> int:
        """Settle what a sender died with: UNCERTAIN, unless a report has told already (faults 70, 71)."""
        uncertain = 0
        for outbound_id in self.outbox.waiting(OutboxState.DATA, before=now - CLAIM_LASTS):
            outbound = self.outbox.get(outbound_id)
            if outbound is None or self._reported(outbound, now, was=OutboxState.DATA):
                continue
            event = Event(at=now, what=EventKind.UNCERTAIN, detail="the sender died while the content went out")
            uncertain += self._settled(outbound_id, was=OutboxState.DATA, state=OutboxState.UNCERTAIN, event=event)
        return uncertain

    def _reported_meanwhile(self, now: datetime) -> None:
        """Settle what is UNCERTAIN though a report has told: it came while the sender still waited (fault 78)."""
        waiting = self.outbox.waiting(OutboxState.UNCERTAIN, before=now)
        while ids := list(islice(waiting, _READ_AT_ONCE)):  # those that nobody decides about grow to many
            for outbound in self.outbox.read(ids).values():
                self._reported(outbound, now, was=OutboxState.UNCERTAIN)

    def _reported(self, outbound: Outbound, now: datetime, *, was: OutboxState) -> bool:
        """Say whether a report shows that the mail has left, and record that it is SENT."""
        # Where some recipients are left, the report may be about those who have the mail.
        if outbound.delivery is Delivery.UNKNOWN or outbound.remaining:
            return False
        event = Event(at=now, what=EventKind.SETTLED, detail=f"reported {outbound.delivery.value}")
        self._settled(outbound.id, was=was, state=OutboxState.SENT, event=event)
        return True

    def _settled(self, outbound_id: str, *, was: OutboxState, state: OutboxState, event: Event) -> bool:
        try:
            self.outbox.settle(outbound_id, was=was, state=state, event=event)
        except Conflict:
            return False  # its sender was alive after all, or a person was faster
        except Permanent as error:  # of this mail alone: the others must not wait for it
            logger.error("settling_failed", extra={"outbound": outbound_id, "code": error.code})
            return False
        return True

    def _mailboxes(self) -> dict[str, int]:
        """Count and log the enabled mailboxes that are not well, and the mails given up that nobody has seen to."""
        enabled = [mailbox.name for mailbox in self.configurations.current().mailboxes if mailbox.enabled]
        states = self.states.load(enabled) if enabled else {}
        failing = unfetched = 0
        for name in enabled:
            if count := len(unacknowledged(states[name].position)):
                unfetched += count
                logger.warning("mails_not_fetched", extra={"mailbox": name, "count": count})
            health = states[name].health
            if health.state in (HealthState.RETRYING, HealthState.NEEDS_ATTENTION):
                failing += 1
                logger.warning("mailbox_failing", extra={"mailbox": name, "step": health.step, "code": health.code})
        return {"mailboxes_failing": failing, "mails_not_fetched": unfetched}
