"""Decide which mailboxes are looked at in the next minute, and when in it.

Mailboxes with the same cycle time are cut into groups of up to a hundred, in the order of a hash of their names, and
the groups are spread evenly over the cycle: messages are full, load is even, and a mailbox is looked at exactly once a
cycle. Adding mailboxes can move a group once, by less than a cycle.

A look's moment does not depend on the tick: EventBridge Scheduler fires up to a minute after the time that it names, at
any second of the minute. So each tick plans the minute that begins a minute after its time, and is early however late
it comes. The last tick is remembered: one that comes twice plans nothing, and after one that was lost its minute, too.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from postroom.errors import Transient
from postroom.model import MOST_MAILBOXES, poll_request
from postroom.model.configuration import Configuration, Mailbox, Type
from postroom.ports import BatchQueue, Configurations, Ticks

TICK = 60  # seconds between two runs of the schedule
MINUTE = timedelta(seconds=TICK)
AHEAD = timedelta(seconds=60)
"""How long before its first look a minute is planned: as late as EventBridge Scheduler may fire (its user guide)."""
LOST = timedelta(minutes=15)
"""How far back the looks of lost ticks are made up for; nobody waits longer for a look without being alarmed."""


@dataclass(frozen=True, slots=True)
class Poll:
    """One message to send: the mailboxes to look at, in seconds from now, on the queue of their connector."""

    mailboxes: tuple[str, ...]
    delay: int
    ews: bool
    planned: datetime

    def message(self) -> Mapping[str, Any]:
        """Write the poll request."""
        return poll_request(self.mailboxes, planned=self.planned)


@dataclass(frozen=True, slots=True)
class Scheduled:
    """What a tick came to."""

    mailboxes: int
    looks: int
    messages: int


def schedule(
    *,
    configurations: Configurations,
    queue: BatchQueue,
    ews_queue: BatchQueue,
    now: datetime,
    scheduled: datetime | None = None,
    ticks: Ticks | None = None,
) -> Scheduled:
    """Queue the looks of one tick.

    `scheduled`: the time that the schedule names; None: somebody asks by hand, so that each mailbox is looked at now,
    and in its cycle for a minute.
    """
    begin, end = now, now + MINUTE
    if scheduled is not None:
        begin, end = scheduled + AHEAD, scheduled + AHEAD + MINUTE
        last = _last(ticks, now=now)
        if last is not None and last >= scheduled:
            return Scheduled(0, 0, 0)
        if last is not None:  # the minutes of ticks that were lost, as far as they are worth it
            begin = max(last + AHEAD + MINUTE, begin - LOST)
    polls = plan(configurations.current(), tick=begin, now=now, until=end, at_once=scheduled is None)
    for target, of_ews in ((queue, False), (ews_queue, True)):
        messages = [(poll.message(), poll.delay) for poll in polls if poll.ews is of_ews]
        if messages:
            target.send_many(messages)
    if ticks is not None and scheduled is not None:
        with contextlib.suppress(Transient):  # the next tick plans this minute once more
            ticks.save(scheduled)
    return Scheduled(
        mailboxes=len({name for poll in polls for name in poll.mailboxes}),
        looks=sum(len(poll.mailboxes) for poll in polls),
        messages=len(polls),
    )


def _last(ticks: Ticks | None, *, now: datetime) -> datetime | None:
    """Read the last tick; None where it is not known, as a moment in the future is not: no tick fires before its time.

    A clock or a caller that was wrong would else stop all polling until then.
    """
    with contextlib.suppress(Transient):  # polling does not wait for what only repairs it
        last = ticks.last() if ticks is not None else None
        return last if last is not None and last <= now + MINUTE else None
    return None


def scheduled_time(event: Mapping[str, Any]) -> datetime | None:
    """Read the time that a tick was scheduled for; None for one that somebody asks for by hand."""
    try:
        return datetime.fromisoformat(str(event.get("scheduled"))).astimezone(UTC)
    except ValueError:
        return None


def plan(
    configuration: Configuration,
    *,
    tick: datetime,
    now: datetime,
    until: datetime | None = None,
    at_once: bool = False,
) -> list[Poll]:
    """List the looks from `tick` until a minute later, or `until`; what is overdue is looked at once, and now.

    `at_once`: cycles begin at `tick`, whatever the moments are that they have by the schedule.
    """
    begin = _seconds(tick)
    end = begin + TICK if until is None else _seconds(until)
    elapsed = _seconds(now)
    polls: list[Poll] = []
    for of_ews in (False, True):
        mailboxes = [m for m in configuration.mailboxes if m.enabled and (m.type is Type.EWS) is of_ews]
        slots: dict[int, list[str]] = defaultdict(list)
        for name, moments in _due(mailboxes, begin, end, at_once=at_once):
            ahead = [at for at in moments if at >= elapsed]
            for at in ahead if len(ahead) == len(moments) else [elapsed, *ahead]:
                slots[at].append(name)
        polls += [
            Poll(
                tuple(names[first : first + MOST_MAILBOXES]),
                delay=at - elapsed,
                ews=of_ews,
                planned=datetime.fromtimestamp(at, UTC),
            )
            for at, names in sorted(slots.items())
            for first in range(0, len(names), MOST_MAILBOXES)
        ]
    return polls


def _due(mailboxes: Sequence[Mailbox], begin: int, end: int, *, at_once: bool) -> Iterator[tuple[str, range]]:
    """List each mailbox with its moments from `begin` until before `end`, in seconds."""
    cycles: dict[int, list[str]] = defaultdict(list)
    for mailbox in mailboxes:
        cycles[max(1, int(mailbox.cycle_time / timedelta(seconds=1)))].append(mailbox.name)
    for cycle, names in sorted(cycles.items()):
        groups = -(-len(names) // MOST_MAILBOXES)
        for rank, name in enumerate(sorted(names, key=_order)):
            phase = rank * groups // len(names) * cycle // groups
            moments = range(begin if at_once else begin + (phase - begin) % cycle, end, cycle)
            if moments:
                yield name, moments


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())


def _order(name: str) -> bytes:
    return hashlib.sha256(name.encode("utf-8")).digest()
