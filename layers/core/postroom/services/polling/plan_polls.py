"""Decide which mailboxes are looked at in the next minute, and when in it; nothing is read or remembered for it.

Mailboxes with the same cycle time are cut into groups of up to a hundred, in the order of a hash of their names, and
the groups are spread evenly over the cycle: messages are full, load is even, and a mailbox is looked at exactly once a
cycle. Adding mailboxes can move a group once, by less than a cycle.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from postroom.model import MOST_MAILBOXES, poll_request
from postroom.model.configuration import Configuration, Mailbox, Type
from postroom.ports import BatchQueue, Configurations

TICK = 60  # seconds between two runs of the schedule


@dataclass(frozen=True, slots=True)
class Poll:
    """One message to send: the mailboxes to look at, in seconds from now, on the queue of their connector."""

    mailboxes: tuple[str, ...]
    delay: int
    ews: bool

    def message(self) -> Mapping[str, Any]:
        """Write the poll request."""
        return poll_request(self.mailboxes)


@dataclass(frozen=True, slots=True)
class Scheduled:
    """What a tick came to."""

    mailboxes: int
    looks: int
    messages: int


def schedule(
    *, configurations: Configurations, queue: BatchQueue, ews_queue: BatchQueue, tick: datetime, now: datetime
) -> Scheduled:
    """Queue all looks of the minute that begins with `tick`; a tick that comes late sends what is overdue at once."""
    polls = plan(configurations.current(), tick=tick, now=now)
    for target, of_ews in ((queue, False), (ews_queue, True)):
        messages = [(poll.message(), poll.delay) for poll in polls if poll.ews is of_ews]
        if messages:
            target.send_many(messages)
    return Scheduled(
        mailboxes=len({name for poll in polls for name in poll.mailboxes}),
        looks=sum(len(poll.mailboxes) for poll in polls),
        messages=len(polls),
    )


def plan(configuration: Configuration, *, tick: datetime, now: datetime) -> list[Poll]:
    """List the polls of the minute that begins with `tick` (rounded down to the minute)."""
    start = int(tick.timestamp()) // TICK * TICK
    elapsed = max(0, int(now.timestamp()) - start)
    polls: list[Poll] = []
    for of_ews in (False, True):
        mailboxes = [m for m in configuration.mailboxes if m.enabled and (m.type is Type.EWS) is of_ews]
        slots: dict[int, list[str]] = defaultdict(list)
        for name, offset in _due(mailboxes, start):
            slots[offset].append(name)
        for offset, names in sorted(slots.items()):
            delay = max(0, offset - elapsed)
            polls += [
                Poll(tuple(names[first : first + MOST_MAILBOXES]), delay=delay, ews=of_ews)
                for first in range(0, len(names), MOST_MAILBOXES)
            ]
    return polls


def _due(mailboxes: Sequence[Mailbox], start: int) -> list[tuple[str, int]]:
    """List (name, seconds into the minute), as often as a mailbox is due in it."""
    cycles: dict[int, list[str]] = defaultdict(list)
    for mailbox in mailboxes:
        cycles[max(1, int(mailbox.cycle_time / timedelta(seconds=1)))].append(mailbox.name)
    due: list[tuple[str, int]] = []
    for cycle, names in sorted(cycles.items()):
        groups = -(-len(names) // MOST_MAILBOXES)
        # A tick that was lost takes the looks of its minute with it. Cycles of up to a minute are due again in the
        # next one anyway; longer ones are looked at once more a minute later, which is how the next tick catches up.
        back = TICK if cycle > TICK else 0
        for rank, name in enumerate(sorted(names, key=_order)):
            phase = rank * groups // len(names) * cycle // groups
            first = start - back + (phase - (start - back)) % cycle
            due += [(name, (at - start) % TICK) for at in range(first, start + TICK, cycle)]
    return due


def _order(name: str) -> bytes:
    return hashlib.sha256(name.encode("utf-8")).digest()
