"""Take stored raw mail in that is no interaction: of lost events, of a restored table, of what was taken for another.

Each mail is asked for as S3 would announce it. Nothing is doubled: an interaction's id is derived from the bytes, what
is there is counted and left alone, and asking again is no harm.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from postroom.errors import Invalid, NotFound, Problem
from postroom.model import Event, EventKind, parse_raw_key, stored_event
from postroom.ports import BatchQueue, Clock, Duplicates, Interactions, RawMessages

_ASKED_AT_ONCE = 100
_PREFIX = "raw/"


@dataclass(slots=True)
class TakenIn:
    """What was found under a key or prefix; counts, and the keys that were asked for, or would be."""

    looked_at: int = 0
    there: int = 0  # interactions already, of these bytes
    duplicates: int = 0  # the same mail as an interaction, in other bytes
    repeated: int = 0  # the same bytes under a second key
    foreign: list[str] = field(default_factory=list)  # keys that are none of ours
    wanted: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class TakeIn:
    """The use case with what it needs. `bucket`: of the raw messages, as events name it."""

    raw: RawMessages
    interactions: Interactions
    duplicates: Duplicates
    queue: BatchQueue
    bucket: str
    clock: Clock

    def __call__(self, name: str, *, apply: bool, apart: bool, who: str) -> TakenIn:
        """Look at all keys that begin with `name`; with `apply`, ask for those that are no interaction.

        `apart`: also for what was taken for the same mail as an interaction; it becomes one of its own.
        """
        if not name.startswith(_PREFIX):
            raise Invalid([Problem("KEY", f"{name[:200]!r} is no raw key.", f"It begins with {_PREFIX}.")])
        done, seen = TakenIn(), set[str]()
        ours = self._ours(name, done)
        while keys := list(islice(ours, _ASKED_AT_ONCE)):
            self._take(keys, seen, done, apply=apply, apart=apart, who=who)
        if not done.looked_at:
            raise NotFound(
                "There is no raw message under this key, or none whose key begins so",
                on=name[:200],
                remedy="Keys are raw/YEAR/MONTH/DAY/HOUR/MAILBOX/…, by the hour (UTC) in which the mail was stored.",
            )
        return done

    def _ours(self, name: str, done: TakenIn) -> Iterator[str]:
        for key, _stored in self.raw.keys(name):
            done.looked_at += 1
            try:
                parse_raw_key(key)
            except ValueError:
                done.foreign.append(key)
            else:
                yield key

    def _take(self, keys: Sequence[str], seen: set[str], done: TakenIn, *, apply: bool, apart: bool, who: str) -> None:
        ids = {key: parse_raw_key(key).interaction_id for key in keys}
        present = self.interactions.present(list(ids.values()))
        wanted: list[str] = []
        for key, one in ids.items():
            duplicate = self.duplicates.find(one) if one in present else None
            if one in seen:
                done.repeated += 1
            elif duplicate is not None and not apart:
                done.duplicates += 1
            elif one in present and duplicate is None:
                done.there += 1
            else:
                wanted.append(key)
                if apply and duplicate is not None:
                    detail = f"{duplicate.raw_key}, which becomes {one}"
                    self.duplicates.take_apart(duplicate, event=self._event(EventKind.TAKEN_APART, detail, who))
            seen.add(one)
        done.wanted += wanted
        if apply and wanted:
            self.queue.send_many([(stored_event(self.bucket, key), 0) for key in wanted])
            for key in wanted:
                self.interactions.add_event(ids[key], self._event(EventKind.TAKEN_IN, key, who))

    def _event(self, what: EventKind, detail: str, who: str) -> Event:
        now: datetime = self.clock()
        return Event(at=now, what=what, detail=detail, who=who)
