"""What starts, stops and pauses the clocks of a case, pure (L02-L06).

The first response is measured from the server date of the first mail to the first answer that was *sent*; the next one
from a customer's mail after that; the resolution from the first mail until the case is closed. Acknowledgements, notes,
automatic mail, answers that failed or bounced move nothing: whoever calls does not tell of them here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from postroom.model.configuration import Calendar, ServiceLevel
from postroom.model.work import CaseClock, CaseClocks, ClockEvent, ClockKind, ClockMark
from postroom.rules.service_levels.business_hours import add_business_time, business_time


@dataclass(frozen=True, slots=True)
class Targets:
    """A service level with the calendar it counts by; None for cases without one."""

    level: ServiceLevel
    calendar: Calendar

    def minutes(self, kind: ClockKind) -> int | None:
        """Return how many business minutes a clock has."""
        period: timedelta | None = getattr(self.level, kind.value)
        return None if period is None else int(period.total_seconds() // 60)


def mail_received(clocks: CaseClocks, moment: datetime, targets: Targets | None) -> CaseClocks:
    """Begin what is not running and waits for us: a customer wrote, at the server's date `moment`."""
    found = dict(clocks.of)
    if ClockKind.FIRST_RESPONSE not in found:
        found[ClockKind.FIRST_RESPONSE] = CaseClock(moment)
    elif found[ClockKind.FIRST_RESPONSE].stopped is not None:
        following = found.get(ClockKind.NEXT_RESPONSE)
        if following is None or following.stopped is not None:
            found[ClockKind.NEXT_RESPONSE] = CaseClock(moment)
    resolution = found.get(ClockKind.RESOLUTION)
    if resolution is None or resolution.stopped is not None:
        found[ClockKind.RESOLUTION] = CaseClock(moment)
    elif resolution.paused_since is not None:
        found[ClockKind.RESOLUTION] = _resumed(resolution, moment, targets)
    return _aimed(replace(clocks, of=found), targets)


def answer_sent(clocks: CaseClocks, moment: datetime) -> tuple[CaseClocks, tuple[ClockEvent, ...]]:
    """Stop the response clocks, since an answer reached the customer's server; returns what is to be told of them."""
    return _stopped(clocks, (ClockKind.FIRST_RESPONSE, ClockKind.NEXT_RESPONSE), moment)


def closed(clocks: CaseClocks, moment: datetime) -> tuple[CaseClocks, tuple[ClockEvent, ...]]:
    """Stop everything, since the case is closed; a clock that stood still counts what it had until then."""
    return _stopped(clocks, tuple(ClockKind), moment)


def paused(clocks: CaseClocks, moment: datetime) -> CaseClocks:
    """Let the resolution stand still while the case waits (L03)."""
    found = clocks.of.get(ClockKind.RESOLUTION)
    if found is None or not found.runs:
        return clocks
    still = replace(found, paused_since=moment, warns=None, due=None)
    return replace(clocks, of={**clocks.of, ClockKind.RESOLUTION: still})


def resumed(clocks: CaseClocks, moment: datetime, targets: Targets | None) -> CaseClocks:
    """Let the resolution run again."""
    found = clocks.of.get(ClockKind.RESOLUTION)
    if found is None or found.paused_since is None or found.stopped is not None:
        return clocks
    goes_on = {**clocks.of, ClockKind.RESOLUTION: _resumed(found, moment, targets)}
    return _aimed(replace(clocks, of=goes_on), targets)


def aim(clocks: CaseClocks, targets: Targets | None) -> CaseClocks:
    """Take the targets of another service level, or a changed calendar (L04): starts and paused time are kept.

    A clock that the new level has no target for has none any more; one that it adds counts from where it began. What
    was said of a clock is not said again.
    """
    return _aimed(clocks, targets)


def next_moment(clocks: CaseClocks) -> datetime | None:
    """Return when something is to be said next."""
    moments = [
        moment
        for clock in clocks.of.values()
        if clock.runs
        for moment, said in ((clock.warns, clock.warned), (clock.due, clock.breached))
        if moment is not None and said is None
    ]
    return min(moments, default=None)


def fire(clocks: CaseClocks, now: datetime) -> tuple[CaseClocks, tuple[ClockEvent, ...]]:
    """Say what is due by `now`, once each, however late (L05)."""
    found: dict[ClockKind, CaseClock] = {}
    events: list[ClockEvent] = []
    for kind, clock in clocks.of.items():
        due = clock.due
        if clock.runs and due is not None:
            if clock.warned is None and clock.warns is not None and clock.warns <= now:
                clock = replace(clock, warned=now)
                events.append(ClockEvent(kind, ClockMark.WARNING, due))
            if clock.breached is None and due <= now:
                clock = replace(clock, breached=now)
                events.append(ClockEvent(kind, ClockMark.BREACHED, due))
        found[kind] = clock
    return replace(clocks, of=found), tuple(events)


def _stopped(
    clocks: CaseClocks, kinds: tuple[ClockKind, ...], moment: datetime
) -> tuple[CaseClocks, tuple[ClockEvent, ...]]:
    found: Mapping[ClockKind, CaseClock] = clocks.of
    events: list[ClockEvent] = []
    for kind in kinds:
        clock = found.get(kind)
        if clock is None or clock.stopped is not None:
            continue
        found = {**found, kind: replace(clock, stopped=moment, paused_since=None)}
        if clock.due is None or clock.breached is not None:
            continue
        if moment <= clock.due:
            events.append(ClockEvent(kind, ClockMark.MET, clock.due))
        else:  # it was over before anybody looked
            found = {**found, kind: replace(found[kind], breached=moment)}
            events.append(ClockEvent(kind, ClockMark.BREACHED, clock.due))
    return replace(clocks, of=found), tuple(events)


def _resumed(clock: CaseClock, moment: datetime, targets: Targets | None) -> CaseClock:
    stood = timedelta()
    if targets is not None and clock.paused_since is not None:
        stood = business_time(targets.calendar, clock.paused_since, moment)
    return replace(clock, paused_since=None, paused=clock.paused + stood.total_seconds() / 60)


def _aimed(clocks: CaseClocks, targets: Targets | None) -> CaseClocks:
    found = {kind: _clock_aimed(kind, clock, targets) for kind, clock in clocks.of.items()}
    return replace(clocks, level=targets.level.name if targets else None, of=found)


def _clock_aimed(kind: ClockKind, clock: CaseClock, targets: Targets | None) -> CaseClock:
    if clock.stopped is not None:
        return clock
    target = targets.minutes(kind) if targets else None
    if targets is None or target is None:
        return replace(clock, target=None, warns=None, due=None)
    if clock.paused_since is not None:
        return replace(clock, target=target, warns=None, due=None)
    calendar = targets.calendar
    warns = add_business_time(calendar, clock.started, clock.paused + target * targets.level.warn_at / 100)
    due = add_business_time(calendar, clock.started, clock.paused + target)
    return replace(clock, target=target, warns=warns, due=due)
