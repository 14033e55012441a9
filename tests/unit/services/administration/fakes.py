"""An installation in memory, safe for many threads: every call is one step, as one of AWS's is."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from postroom.errors import Conflict, NotFound
from postroom.model.access import INSTALLATION, Principal, PrincipalKind
from postroom.model.configuration import Change, Configuration, RecordedChange, Version, WaitingChange
from postroom.rules.access import BUILT_IN, BuiltIn
from postroom.services.administration import Installation


def person(name: str, role: BuiltIn = BuiltIn.PARTITION_ADMINISTRATOR, department: str = INSTALLATION) -> Principal:
    """Return somebody with one role."""
    return Principal(name, name, PrincipalKind.PERSON, {department: (BUILT_IN[role],)})


ADMIN = person("anna")


@dataclass
class Versions:
    """ports.ConfigurationHistory and ports.WaitingChanges; `puts` counts those that were tried."""

    versions: list[Configuration] = field(default_factory=lambda: [Configuration()])
    lists: list[tuple[RecordedChange, ...]] = field(default_factory=lambda: [()])
    entries: dict[str, tuple[Change, Mapping[str, Any] | None]] = field(default_factory=dict)
    turn: tuple[str, datetime] | None = None
    puts: int = 0
    lock: threading.RLock = field(default_factory=threading.RLock)

    def version(self) -> int:
        return len(self.versions) - 1

    def current(self) -> Configuration:
        return self.versions[-1]

    def in_force(self) -> tuple[int, Configuration]:
        with self.lock:
            return self.version(), self.versions[-1]

    def in_force_since(self) -> datetime | None:
        return None

    def load(self, version: int) -> Configuration:
        return self.versions[version]

    def put(
        self,
        configuration: Configuration,
        *,
        expected_version: int,
        author: str,
        note: str,
        now: datetime,
        changes: Sequence[RecordedChange] = (),
        settled: Sequence[str] = (),
    ) -> int:
        with self.lock:
            self.puts += 1
            if expected_version != self.version():
                raise Conflict("somebody was faster")
            if any(one not in self.entries or self.entries[one][1] is not None for one in settled):
                raise Conflict("one waits no more")
            self.versions.append(configuration)
            self.lists.append(tuple(changes))
            for one in settled:
                self.entries[one] = (self.entries[one][0], {"version": self.version()})
            return self.version()

    def past_queues(self) -> frozenset[str] | None:
        return frozenset()

    def note_queues(self, names: Collection[str]) -> None: ...

    def history(self) -> Sequence[Version]:
        return [
            Version(
                number, datetime.now(UTC), "", "", "", objects=tuple(one.change.object for one in self.lists[number])
            )
            for number in range(self.version(), 0, -1)
        ]

    def changes(self, version: int) -> Sequence[RecordedChange]:
        return self.lists[version]

    def take_turn(self, owner: str, *, now: datetime, until: datetime) -> bool:
        with self.lock:
            if self.turn is not None and self.turn[0] != owner and self.turn[1] >= now:
                return False
            self.turn = (owner, until)
            return True

    def end_turn(self, owner: str) -> None:
        with self.lock:
            if self.turn is not None and self.turn[0] == owner:
                self.turn = None

    def add(self, change_id: str, change: Change, *, now: datetime) -> None:
        with self.lock:
            self.entries[change_id] = (change, None)

    def waiting(self) -> Sequence[WaitingChange]:
        with self.lock:
            return [WaitingChange(one, change) for one, (change, told) in sorted(self.entries.items()) if told is None]

    def refuse(self, change_id: str, outcome: Mapping[str, Any]) -> None:
        with self.lock:
            self.entries[change_id] = (self.entries[change_id][0], outcome)

    def outcome(self, change_id: str) -> Mapping[str, Any] | None:
        with self.lock:
            if change_id not in self.entries:
                raise NotFound("gone")
            return self.entries[change_id][1]

    def forget(self, change_id: str) -> bool:
        with self.lock:
            if self.entries[change_id][1] is not None:
                return False
            del self.entries[change_id]
            return True


def installation(versions: Versions, *, waiting_mail: Mapping[str, int] | None = None) -> Installation:
    """Return an installation with these versions, in which mail waits in these queues."""
    rows = waiting_mail or {}
    interactions: Any = SimpleNamespace(
        list_queue=lambda queue, newest_first=True: [{"status": "new"}] * rows.get(queue, 0)
    )
    states: Any = SimpleNamespace(load=lambda names, consistent=False: dict.fromkeys(names, _WELL))
    outbox: Any = SimpleNamespace(waiting=lambda state, before: iter(()), get=lambda _id: None)
    return Installation(
        configurations=versions,
        waiting=versions,
        interactions=interactions,
        states=states,
        outbox=outbox,
        queue=SimpleNamespace(send=lambda message, delay=0: None),
        clock=lambda: datetime.now(UTC),
        pause=lambda seconds: time.sleep(seconds / 20),
    )


def _well() -> Any:
    from postroom.model import MailboxState

    return MailboxState("any")


_WELL = _well()
