"""Queue again every raw message that should be an interaction and is none (faults 43, 86, 101).

A raw message is queued again once a day at most: what was queued is remembered by the hour that its key names. The
mark moves on over hours that were looked at and found whole, and by nothing else: no cap or age takes it further.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from postroom.errors import NotFound
from postroom.model import SweepProgress, parse_raw_key, stored_event
from postroom.ports import BatchQueue, Clock, Interactions, RawMessages, SweepMemory

SETTLED = timedelta(minutes=10)
"""A raw message this old should be an interaction; younger ones are still on their way."""

NAMED_EARLIER = timedelta(minutes=30)
"""A key names the hour in which its storing began: an invocation lasts 15 minutes, and clocks differ."""

LOOK_BACK = timedelta(hours=48)
"""How far the first run of all looks, and once a day every other: a clock that was wrong names hours of the past."""

FULL_LOOK = timedelta(hours=24)
AGAIN_AFTER = timedelta(hours=24)
MOST_QUEUED = 1_000  # a run; the oldest first
LISTING_TIME = timedelta(seconds=120)  # of the 240 that the sweep has


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look at the raw messages found; `missing` in the order of age."""

    progress: SweepProgress
    looked_at: int = 0
    missing: tuple[str, ...] = ()


def look(
    *, raw: RawMessages, interactions: Interactions, progress: SweepProgress, now: datetime, clock: Clock
) -> Looked:
    """List what is stored and no interaction, from the mark on; and how far the mark may move."""
    hour_now = now.replace(minute=0, second=0, microsecond=0)
    first = hour_now - LOOK_BACK
    start = progress.hour or first
    full = progress.looked_back is None or now - progress.looked_back >= FULL_LOOK
    begin = min(start, first) if full else start
    began, complete, looked, healthy = clock(), True, 0, progress.healthy_key
    missing: list[str] = []
    clean = hour = begin
    while hour <= hour_now + timedelta(hours=1):  # a clock ahead names the next hour
        if clock() - began > LISTING_TIME:
            complete = False  # the next run goes on from the mark
            break
        following = hour + timedelta(hours=1)
        keys = list(raw.keys_of_hour(hour))
        settled = [key for key, stored in keys if now - stored >= SETTLED]
        absent = _without_interaction(settled, interactions)
        missing += absent
        looked += len(settled)
        present = set(settled).difference(absent)
        healthy = next((key for key in reversed(settled) if key in present), healthy)
        whole = len(settled) == len(keys) and not absent
        if whole and clean == hour and now >= following + NAMED_EARLIER:
            clean = following
        hour = following
    return Looked(
        progress=replace(
            progress,
            hour=max(start, clean) if clean >= start else start,
            looked_back=now if full and complete else progress.looked_back,
            healthy_key=healthy,
        ),
        looked_at=looked,
        missing=tuple(missing),
    )


def queue_again(missing: Collection[str], *, bucket: str, queue: BatchQueue, memory: SweepMemory, now: datetime) -> int:
    """Queue the first so many that were not queued again within a day; returns how many."""
    queued = 0
    for hour, keys in _by_hour(missing):
        if queued >= MOST_QUEUED:
            break
        known = memory.repeated(hour, since=now - AGAIN_AFTER)
        fresh = [key for key in keys if print_of(key) not in known][: MOST_QUEUED - queued]
        if not fresh:
            continue
        # First the message: what is remembered and was not queued would wait for a day.
        queue.send_many([(stored_event(bucket, key, repeated=now), 0) for key in fresh])
        memory.remember(hour, [print_of(key) for key in fresh], at=now)
        queued += len(fresh)
    return queued


def print_of(key: str) -> str:
    """Return 12 hex digits that stand for a raw key: tens of thousands of an hour are to fit one item."""
    return hashlib.sha256(key.encode()).hexdigest()[:12]


def works(key: str, *, process: Callable[[str], object], interactions: Interactions) -> bool:
    """Try processing with a mail that is an interaction already; True where there is none.

    Nothing that is there changes; what this repeats all the same is listed in docs/adr/0017. A wrapped one may have
    ended a process, and is left alone.
    """
    there = interactions.get(parse_raw_key(key).interaction_id) if key else None
    if there is None or there.wrap_reason is not None:
        return True
    try:
        process(key)
    except NotFound as error:
        return error.on == key  # its raw message was removed when its time was over: it shows nothing any more
    except Exception:  # noqa: BLE001 - whatever fails for a healthy mail is no fault of the others
        return False
    return True


def _without_interaction(keys: list[str], interactions: Interactions) -> list[str]:
    ids = {key: parse_raw_key(key).interaction_id for key in keys}
    present = interactions.present(list(ids.values())) if ids else frozenset()
    return [key for key, interaction_id in ids.items() if interaction_id not in present]


def _by_hour(keys: Collection[str]) -> Iterator[tuple[datetime, list[str]]]:
    hours: dict[datetime, list[str]] = {}
    for key in keys:
        hours.setdefault(parse_raw_key(key).stored, []).append(key)
    yield from sorted(hours.items())
