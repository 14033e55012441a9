"""Split and merge threads, with undo (X06): members move one by one, each move is recorded on the member itself.

A change that died in the middle is completed by asking for it again; undo reads the record and moves back what has not
been moved elsewhere since.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from postroom.errors import Conflict, Invalid, NotFound, Problem
from postroom.model import Event, EventKind
from postroom.ports import Clock, ThreadMembers, ThreadMoves


@dataclass(frozen=True, slots=True)
class Rethreaded:
    """A change: its id (what undo takes), the thread the members went to, and who they are."""

    change: str
    thread_id: str
    moved: tuple[str, ...]


def merge(source: str, into: str, *, threads: ThreadMembers, moves: ThreadMoves, who: str, clock: Clock) -> Rethreaded:
    """Move all members of the thread of `source` into the thread of `into` (any member names its thread)."""
    from_thread, to_thread = moves.thread_of(source)[0], moves.thread_of(into)[0]
    if from_thread == to_thread:
        raise Invalid([Problem("into", "is in the same thread already.", "Name a mail of another thread.")])
    return _move(threads.thread(from_thread), from_thread, to_thread, EventKind.MERGED, moves, who, clock)


def split(interaction_id: str, *, threads: ThreadMembers, moves: ThreadMoves, who: str, clock: Clock) -> Rethreaded:
    """Make an interaction the root of a thread of its own; what answers it goes along."""
    thread_id, _parent, _created = moves.thread_of(interaction_id)
    if thread_id == interaction_id:
        raise Invalid([Problem("interaction", "is the root of its thread.", "Split at a later mail of it.")])
    children: dict[str | None, list[str]] = {}
    for member in threads.thread(thread_id):
        children.setdefault(moves.thread_of(member)[1], []).append(member)
    # Each behind what it answers, in whatever order they came; a mail that answers itself is there already.
    going = {interaction_id: None}
    waiting = [interaction_id]
    while waiting:
        fresh = [child for child in children.get(waiting.pop(), ()) if child not in going]
        going.update(dict.fromkeys(fresh))
        waiting += fresh
    return _move(list(going), thread_id, interaction_id, EventKind.SPLIT, moves, who, clock)


def undo(change: str, *, threads: ThreadMembers, moves: ThreadMoves, who: str, clock: Clock) -> Rethreaded:
    """Take a split or merge back; `change` is what it answered."""
    kind, _separator, member = change.partition(".")
    if kind not in ("merged", "split") or not member:
        raise Invalid([Problem("change", f"{change[:80]!r} is no change of threads.", "Give what the command said.")])
    record = _recorded(threads.history(member), kind, member)
    if record is None:
        raise NotFound("this change is not recorded", on=change[:80])
    for member in record.members:
        if moves.thread_of(member)[0] not in (record.target, record.source):
            raise Conflict("a member has been moved elsewhere since", on=member, remedy="Undo that change first.")
    return _move(record.members, record.target, record.source, EventKind.UNDONE, moves, who, clock)


def _move(
    members: Sequence[str], source: str, target: str, what: EventKind, moves: ThreadMoves, who: str, clock: Clock
) -> Rethreaded:
    now = clock()
    detail = json.dumps({"from": source, "to": target, "members": list(members)})
    # The first one, by which the change is asked for again, comes last, and each behind what answers it.
    for member in reversed(members):
        moves.move(member, was=source, thread_id=target, event=Event(at=now, what=what, detail=detail, who=who))
    return Rethreaded(f"{what}.{members[0]}", target, tuple(members))


@dataclass(frozen=True, slots=True)
class _Record:
    """What a move wrote into the history of every member."""

    source: str
    target: str
    members: tuple[str, ...]


def _recorded(history: Sequence[Event], kind: str, first: str) -> _Record | None:
    """Read the newest change of a kind that was named after this mail: others only took it along."""
    for event in reversed(history):
        if event.what == kind:
            values = json.loads(event.detail)
            if values["members"][0] == first:
                return _Record(values["from"], values["to"], tuple(values["members"]))
    return None
