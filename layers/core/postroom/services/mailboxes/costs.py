"""Estimate what a mailbox costs a month: its looks from its settings, its mail from what was counted (X14).

An estimate, not a bill: prices of one region, times that are assumed, and what all mailboxes share (schedule, sweeper,
idle queues, alarms, the key) left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from postroom.model import (
    AS_OF,
    MONTH,
    MOST_MAILBOXES,
    REGION,
    USES,
    MailboxState,
    Resource,
    Step,
    Subtype,
    Traffic,
    dollars,
)
from postroom.model.configuration import Configuration, Mailbox, Type
from postroom.rules import route

_GB = 1_000_000_000
_SHORTEST = 3600.0  # seconds: what was counted in less is taken for an hour's mail


@dataclass(frozen=True, slots=True)
class Monthly:
    """How much comes in a month; `since`: counted since then, None where it is assumed."""

    fetches: float
    mails: float
    size: float  # bytes
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an estimate: how many a month, and what that costs in US dollars."""

    what: str
    quantity: float
    dollars: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a mailbox costs a month: `steps` and `calls` are two views of the same sum (storage is in both)."""

    mailbox: str
    dollars: float
    mails: float
    counted_since: datetime | None
    steps: tuple[Line, ...]
    calls: tuple[Line, ...]
    region: str = REGION
    prices_of: str = AS_OF.isoformat()


def counted(traffic: Sequence[Traffic], *, now: datetime) -> Monthly:
    """Project what was counted to a month; nothing counted is no mail."""
    if not traffic:
        return Monthly(0, 0, 0)
    since = traffic[0].since
    scale = MONTH / max(_SHORTEST, (now - since).total_seconds())
    return Monthly(
        fetches=sum(month.fetches for month in traffic) * scale,
        mails=sum(month.mails for month in traffic) * scale,
        size=sum(month.size for month in traffic) * scale,
        since=since,
    )


def assumed(mails: float, like: Monthly) -> Monthly:
    """Say what so many mails a month would be, of the size that was counted, or of 50 KB; each in a poll of its own."""
    size = like.size / like.mails if like.mails else 50_000
    return Monthly(fetches=mails, mails=mails, size=mails * size)


def estimate(
    mailbox: Mailbox, configuration: Configuration, monthly: Monthly, *, shares: Shares | None = None
) -> Estimate:
    """Estimate one mailbox among those of the configuration; a disabled one is not looked at."""
    looks = MONTH / max(1.0, mailbox.cycle_time / timedelta(seconds=1)) if mailbox.enabled else 0.0
    # More mail than looks: several are fetched at a time.
    fetches = min(monthly.fetches, looks) if looks else monthly.fetches
    acknowledged = bool(route(configuration, mailbox, Subtype.INBOUND_NEW).acknowledgement)
    steps: Mapping[Step, float] = {
        Step.POLL: looks * (shares or Shares.of(configuration)).part(mailbox),
        Step.LOOK: looks,
        Step.FETCH: fetches,
        Step.MAIL: monthly.mails,
        # At most: what is automatic, old or beyond the caps gets none.
        Step.ACKNOWLEDGEMENT: monthly.mails if acknowledged else 0.0,
    }
    calls = dict.fromkeys(Resource, 0.0)
    lines = []
    for step, times in steps.items():
        cost = 0.0
        for resource, quantity in USES[step].items():
            calls[resource] += times * quantity
            cost += dollars(resource, times * quantity)
        lines.append(Line(step.value, times, cost))
    calls[Resource.S3_STORAGE] = monthly.size / _GB
    storage = dollars(Resource.S3_STORAGE, calls[Resource.S3_STORAGE])
    lines.append(Line("GB of a month's mail, kept for a month", calls[Resource.S3_STORAGE], storage))
    return Estimate(
        mailbox=mailbox.name,
        dollars=sum(line.dollars for line in lines),
        mails=monthly.mails,
        counted_since=monthly.since,
        steps=tuple(lines),
        calls=tuple(Line(one.value, quantity, dollars(one, quantity)) for one, quantity in calls.items()),
    )


def estimates(
    mailboxes: Sequence[Mailbox],
    configuration: Configuration,
    states: Mapping[str, MailboxState],
    *,
    now: datetime,
    mails: float | None = None,
) -> list[Estimate]:
    """Estimate mailboxes by what was counted, or by so many mails a month."""
    shares = Shares.of(configuration)
    found = []
    for mailbox in mailboxes:
        monthly = counted(states[mailbox.identity].traffic, now=now)
        wanted = monthly if mails is None else assumed(mails, monthly)
        found.append(estimate(mailbox, configuration, wanted, shares=shares))
    return found


@dataclass(frozen=True, slots=True)
class Shares:
    """How many enabled mailboxes share poll requests, by cycle time and whether they are polled by EWS."""

    sharing: Mapping[tuple[timedelta, bool], int]

    @classmethod
    def of(cls, configuration: Configuration) -> Shares:
        """Count once for all mailboxes: asked for each, it would be the square of their number."""
        return cls(Counter(_shared(one) for one in configuration.mailboxes if one.enabled))

    def part(self, mailbox: Mailbox) -> float:
        """Return a mailbox's part of a poll request: those of one cycle time share one, up to a hundred."""
        sharing = self.sharing.get(_shared(mailbox), 0)
        return -(-sharing // MOST_MAILBOXES) / sharing if sharing else 1.0


def _shared(mailbox: Mailbox) -> tuple[timedelta, bool]:
    return mailbox.cycle_time, mailbox.type is Type.EWS
