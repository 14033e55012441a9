"""What starts, stops and pauses the clocks of a case, pure (L02-L06).

The first response is measured from the server date of the first mail to the first answer that was *sent*; the next one
from a customer's mail after that; the resolution from the first mail until the case is closed. Acknowledgements, notes,
automatic mail, answers that failed or bounced move nothing: whoever calls does not tell of them here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from postroom.model import Clock, ClockEvent, ClockKind, Clocks, Mark
from postroom.model.configuration import Calendar, ServiceLevel
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


def mail_received(clocks: Clocks, moment: datetime, targets: Targets | None) -> Clocks:
    """A customer wrote, at the server's date: begin what is not running and waits for us."""
    found = dict(clocks.of)
    if ClockKind.FIRST_RESPONSE not in found:
        found[ClockKind.FIRST_RESPONSE] = Clock(moment)
    elif found[ClockKind.FIRST_RESPONSE].stopped is not None:
        following = found.get(ClockKind.NEXT_RESPONSE)
        if following is None or following.stopped is not None:
            found[ClockKind.NEXT_RESPONSE] = Clock(moment)
    resolution = found.get(ClockKind.RESOLUTION)
    if resolution is None or resolution.stopped is not None:
        found[ClockKind.RESOLUTION] = Clock(moment)
    elif resolution.paused_since is not None:
        found[ClockKind.RESOLUTION] = _resumed(resolution, moment, targets)
    return _aimed(replace(clocks, of=found), targets)


def answer_sent(clocks: Clocks, moment: datetime) -> tuple[Clocks, tuple[ClockEvent, ...]]:
    """An answer reached the customer's server: the response clocks stop; returns those that met their target."""
    return _stopped(clocks, (ClockKind.FIRST_RESPONSE, ClockKind.NEXT_RESPONSE), moment)


def closed(clocks: Clocks, moment: datetime) -> tuple[Clocks, tuple[ClockEvent, ...]]:
    """The case is closed: everything stops. A clock that stood still counts what it had until then."""
    return _stopped(clocks, tuple(ClockKind), moment)


def paused(clocks: Clocks, moment: datetime) -> Clocks:
    """The case waits (L03): its resolution stands still."""
    found = clocks.of.get(ClockKind.RESOLUTION)
    if found is None or not found.runs:
        return clocks
    still = replace(found, paused_since=moment, warns=None, due=None)
    return replace(clocks, of={**clocks.of, ClockKind.RESOLUTION: still})


def resumed(clocks: Clocks, moment: datetime, targets: Targets | None) -> Clocks:
    """The case goes on."""
    found = clocks.of.get(ClockKind.RESOLUTION)
    if found is None or found.paused_since is None or found.stopped is not None:
        return clocks
    goes_on = {**clocks.of, ClockKind.RESOLUTION: _resumed(found, moment, targets)}
    return _aimed(replace(clocks, of=goes_on), targets)


def aim(clocks: Clocks, targets: Targets | None) -> Clocks:
    """Take the targets of another service level, or a changed calendar (L04): starts and paused time are kept.

    A clock that the new level has no target for has none any more; one that it adds counts from where it began. What
    was said of a clock is not said again.
    """
    return _aimed(clocks, targets)


def next_moment(clocks: Clocks) -> datetime | None:
    """Return when something is to be said next."""
    moments = [
        moment
        for clock in clocks.of.values()
        if clock.runs
        for moment, said in ((clock.warns, clock.warned), (clock.due, clock.breached))
        if moment is not None and said is None
    ]
    return min(moments, default=None)


def fire(clocks: Clocks, now: datetime) -> tuple[Clocks, tuple[ClockEvent, ...]]:
    """Say what is due by `now`, once each, however late (L05)."""
    found: dict[ClockKind, Clock] = {}
    events: list[ClockEvent] = []
    for kind, clock in clocks.of.items():
        due = clock.due
        if clock.runs and due is not None:
            if clock.warned is None and clock.warns is not None and clock.warns <= now:
                clock = replace(clock, warned=now)
                events.append(ClockEvent(kind, Mark.WARNING, due))
            if clock.breached is None and due <= now:
                clock = replace(clock, breached=now)
                events.append(ClockEvent(kind, Mark.BREACHED, due))
        found[kind] = clock
    return replace(clocks, of=found), tuple(events)


def _stopped(clocks: Clocks, kinds: tuple[ClockKind, ...], moment: datetime) -> tuple[Clocks, tuple[ClockEvent, ...]]:
    found: Mapping[ClockKind, Clock] = clocks.of
    events: list[ClockEvent] = []
    for kind in kinds:
        clock = found.get(kind)
        if clock is None or clock.stopped is not None:
            continue
        found = {**found, kind: replace(clock, stopped=moment, paused_since=None)}
        if clock.due is None or clock.breached is not None:
            continue
        if moment <= clock.due:
            events.append(ClockEvent(kind, Mark.MET, clock.due))
        else:  # it was over before anybody looked
            found = {**found, kind: replace(found[kind], breached=moment)}
            events.append(ClockEvent(kind, Mark.BREACHED, clock.due))
    return replace(clocks, of=found), tuple(events)


def _resumed(clock: Clock, moment: datetime, targets: Targets | None) -> Clock:
    stood = timedelta()
    if targets is not None and clock.paused_since is not None:
        stood = business_time(targets.calendar, clock.paused_since, moment)
    return replace(clock, paused_since=None, paused=clock.paused + stood.total_seconds() / 60)


def _aimed(clocks: Clocks, targets: Targets | None) -> Clocks:
    found = {kind: _clock_aimed(kind, clock, targets) for kind, clock in clocks.of.items()}
    return replace(clocks, level=targets.level.name if targets else None, of=found)


def _clock_aimed(kind: ClockKind, clock: Clock, targets: Targets | None) -> Clock:
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
