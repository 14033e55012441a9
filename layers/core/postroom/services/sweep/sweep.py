"""Repair what no retry will, every five minutes: lost events, dead claims, due retries, dead letters.

Nothing here decides anew: it queues again what the other functions would have done, and they are repeatable.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice

from postroom.errors import Conflict, Permanent, PostroomError
from postroom.model import Outbound, OutboxState, send_request
from postroom.ports import (
    BatchQueue,
    Clock,
    DatedConfigurations,
    DeadLetters,
    Interactions,
    Looks,
    MailboxStates,
    Outbox,
    RawMessages,
    SweepMemory,
)
from postroom.services.inbound import Ingest
from postroom.services.outbound import CLAIM_LASTS, died_on_the_wire, left_as_reported
from postroom.services.sweep import gauges, raw_messages
from postroom.services.sweep.dead_letters import Letters
from postroom.services.sweep.raw_messages import works

logger = logging.getLogger(__name__)

NEW_WAITS = timedelta(minutes=2)
"""An outbox entry this old has lost its queue message."""

_MOST_SENDS = 2_000  # a run, of each state
_READ_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Swept:
    """What a run found and repaired; counts."""

    raw_looked_at: int = 0
    raw_queued_again: int = 0
    processing_fails: int = 0  # 1: healthy mail failed too
    dead_letters_queued_again: int = 0
    wrapped_from_dead_letters: int = 0
    sends_queued_again: int = 0
    uncertain: int = 0
    mailboxes_failing: int = 0
    mailboxes_not_polled: int = 0
    mails_not_fetched: int = 0
    mails_uncertain_now: int = 0
    mails_held_now: int = 0
    mails_unarrived_now: int = 0


@dataclass(frozen=True, slots=True)
class Sweep:
    """The use case with what it needs."""

    raw: RawMessages
    raw_bucket: str
    interactions: Interactions
    outbox: Outbox
    states: MailboxStates
    configurations: DatedConfigurations
    looks: Looks
    inbound_queue: BatchQueue
    outbound_queue: BatchQueue
    dead_letters: DeadLetters
    ingest: Ingest
    memory: SweepMemory
    clock: Clock

    def __call__(self) -> Swept:
        """Sweep once. What one part fails at keeps no other from its turn; raises the first such error at the end."""
        now = self.clock()
        failed: list[Exception] = []
        parts: tuple[Callable[[], dict[str, int] | None], ...] = (
            # The cheap ones first: what mail to send waits for must not wait for a day of raw messages.
            lambda: {"uncertain": self._died_sending(now)},
            lambda: self._reported_meanwhile(now),
            lambda: {"sends_queued_again": self._sends(now)},
            lambda: gauges.of_outbox(self.outbox, now=now),
            lambda: gauges.of_mailboxes(self.configurations, self.states, self.looks, now=now),
            lambda: self._inbound(now),
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

    def _inbound(self, now: datetime) -> dict[str, int]:
        """Repair what should be an interaction: raw messages whose events were lost, and what failed five times."""
        progress = self.memory.load()
        found = raw_messages.look(
            raw=self.raw, interactions=self.interactions, progress=progress, now=now, clock=self.clock
        )
        after = found.progress
        healthy = works(after.healthy_key, process=self.ingest, interactions=self.interactions)
        if not healthy:
            after = replace(after, trouble=now)
            logger.warning("processing_fails", extra={"waiting": len(found.missing)})
        if after != progress and (not healthy or after.hour != progress.hour or after.looked_back == now):
            self.memory.save(after)
        counts = {"raw_looked_at": found.looked_at, "processing_fails": int(not healthy)}
        if not healthy:
            return counts  # every message more would fail too; each mail waits with the one that it has
        letters = Letters(
            letters=self.dead_letters,
            interactions=self.interactions,
            wrap=self.ingest.wrap,
            bucket=self.raw_bucket,
            queue=self.inbound_queue,
            memory=self.memory,
            trouble=after.trouble,
            now=now,
        )
        counts |= letters.settle()
        counts["raw_queued_again"] = raw_messages.queue_again(
            found.missing, bucket=self.raw_bucket, queue=self.inbound_queue, memory=self.memory, now=now
        )
        return counts

    def _sends(self, now: datetime) -> int:
        """Queue again what is to be sent: message lost, time come, or its sender died before the content went out."""
        due = [
            (OutboxState.NEW, now - NEW_WAITS),
            (OutboxState.DEFERRED, now),
            (OutboxState.CLAIMED, now - CLAIM_LASTS),
        ]
        # The oldest first. More would not leave before the next run, and what is queued twice costs its sender.
        waiting = [
            one for state, before in due for one in islice(self.outbox.waiting(state, before=before), _MOST_SENDS)
        ]
        self.outbound_queue.send_many([(send_request(one), 0) for one in waiting])
        return len(waiting)

    def _died_sending(self, now: datetime) -> int:
        """Settle what a sender died with: UNCERTAIN, unless a report has told already (faults 70, 71)."""
        uncertain = 0
        for outbound_id in self.outbox.waiting(OutboxState.DATA, before=now - CLAIM_LASTS):
            outbound = self.outbox.get(outbound_id)
            if outbound is not None and not self._settled(left_as_reported, outbound, now):
                uncertain += self._settled(died_on_the_wire, outbound, now)
        return uncertain

    def _reported_meanwhile(self, now: datetime) -> None:
        """Settle what is UNCERTAIN though a report has told: it came while the sender still waited (fault 78)."""
        waiting = self.outbox.waiting(OutboxState.UNCERTAIN, before=now)
        while ids := list(islice(waiting, _READ_AT_ONCE)):  # those that nobody decides about grow to many
            for outbound in self.outbox.read(ids).values():
                self._settled(left_as_reported, outbound, now)

    def _settled(self, settle: Callable[..., bool], outbound: Outbound, now: datetime) -> bool:
        try:
            return settle(outbound, outbox=self.outbox, now=now)
        except Conflict:
            return False  # its sender was alive after all, or a person was faster
        except Permanent as error:  # of this mail alone: the others must not wait for it
            logger.error("settling_failed", extra={"outbound": outbound.id, "code": error.code})
            return False
