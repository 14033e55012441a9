"""Bring what failed five times back once, and wrap what failed again by its own fault (faults 48, 86, 87).

A message may have failed with everything else: an hour of throttling, a deployment, a missing permission. So it is
queued once more, marked with the time. What comes back marked, while healthy mail is processed and was all that time,
failed alone: it becomes a wrapping interaction. In trouble that all mail has, letters are left where they lie.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime

from postroom.errors import NotFound
from postroom.model import parse_raw_key, repeated_at, stored_event, stored_keys
from postroom.ports import BatchQueue, DeadLetters, Interactions, SweepMemory
from postroom.services.sweep.raw_messages import AGAIN_AFTER, print_of

logger = logging.getLogger(__name__)

MOST_LETTERS = 500  # a run
REASON = "processing failed or crashed five times, and as often when it was tried once more; see process_inbound's log"


@dataclass(frozen=True, slots=True)
class Letters:
    """What one run needs to settle dead letters."""

    letters: DeadLetters
    interactions: Interactions
    wrap: Callable[[str, str], object]
    bucket: str
    queue: BatchQueue
    memory: SweepMemory
    trouble: datetime | None  # when processing last failed for healthy mail too
    now: datetime

    def settle(self) -> dict[str, int]:
        """Settle up to MOST_LETTERS; one that even this fails at keeps no other from its turn: it stays."""
        counts = {"wrapped_from_dead_letters": 0, "dead_letters_queued_again": 0}
        seen = 0
        while seen < MOST_LETTERS and (received := self.letters.receive()):
            for receipt, content in received:
                seen += 1
                try:
                    for key in stored_keys(content):
                        done = self._settle(key, repeated_at(content))
                        counts[done] = counts.get(done, 0) + 1
                except Exception:  # also a defect of ours: what waits to be sent must not wait for its mending
                    logger.exception("dead_letter_failed", extra={"content": str(content)[:1000]})
                    continue
                self.letters.delete(receipt)
        return {name: counts[name] for name in ("wrapped_from_dead_letters", "dead_letters_queued_again")}

    def _settle(self, key: str, repeated: datetime | None) -> str:
        parsed = parse_raw_key(key)
        if self.interactions.present([parsed.interaction_id]):
            return "there"
        its_own_fault = repeated is not None and (self.trouble is None or repeated > self.trouble)
        if its_own_fault:
            return self._wrapped(key)
        known: Collection[str] = self.memory.repeated(parsed.stored, since=self.now - AGAIN_AFTER)
        if repeated is None and print_of(key) in known:
            return "repeated"  # another message of this mail is on its way
        self.queue.send_many([(stored_event(self.bucket, key, repeated=self.now), 0)])
        self.memory.remember(parsed.stored, [print_of(key)], at=self.now)
        return "dead_letters_queued_again"

    def _wrapped(self, key: str) -> str:
        try:
            self.wrap(key, REASON)
        except NotFound:
            logger.error("raw_message_missing", extra={"key": key})
        return "wrapped_from_dead_letters"
