"""Split and merge threads, with undo (X06): members move one by one, each move is recorded on the member itself.

A change that died in the middle is completed by asking for it again; undo reads the record and moves back what has not
been moved elsewhere since.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from postroom.errors import Conflict, Invalid, NotFound, Problem
from postroom.model import Event, EventKind
from postroom.ports import Clock, ThreadMembers, ThreadMoves

_MOST_LOOKS = 3


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

    def left() -> list[str]:
        """List who is in the thread still: also what came in while the others moved (fault 124)."""
        return [one for one in threads.thread(from_thread) if moves.thread_of(one)[0] == from_thread]

    return _move_all(threads.thread(from_thread), left, from_thread, to_thread, EventKind.MERGED, moves, who, clock)


def split(interaction_id: str, *, threads: ThreadMembers, moves: ThreadMoves, who: str, clock: Clock) -> Rethreaded:
    """Make an interaction the root of a thread of its own; what answers it goes along."""
    thread_id, _parent, _created = moves.thread_of(interaction_id)
    if thread_id == interaction_id:
        raise Invalid([Problem("interaction", "is the root of its thread.", "Split at a later mail of it.")])
    going = _with_answers([interaction_id], thread_id, threads, moves)

    def left() -> list[str]:
        """List what has come in to answer those that moved, and is where they were (fault 124)."""
        found = _with_answers(going, thread_id, threads, moves)
        return [one for one in found if moves.thread_of(one)[0] == thread_id]

    return _move_all(going, left, thread_id, interaction_id, EventKind.SPLIT, moves, who, clock)


def undo(change: str, *, threads: ThreadMembers, moves: ThreadMoves, who: str, clock: Clock) -> Rethreaded:
    """Take a split or merge back; `change` is what it answered."""
    kind, _separator, member = change.partition(".")
    if kind not in ("merged", "split") or not member:
        raise Invalid([Problem("change", f"{change[:80]!r} is no change of threads.", "Give what the command said.")])
    record = _recorded(threads.history(member), kind, member)
    if record is None:
        raise NotFound("this change is not recorded", on=change[:80])
    for moved in record.members:
        if moves.thread_of(moved)[0] not in (record.target, record.source):
            raise Conflict("a member has been moved elsewhere since", on=moved, remedy="Undo that change first.")

    def came_later(one: str) -> bool:
        """Tell whether a mail has answered them since, or while they moved: it goes back with them."""
        return moves.thread_of(one)[2] > record.at or _recorded(threads.history(one), kind, member) is not None

    going = _with_answers(record.members, record.target, threads, moves, only=came_later)
    return _move(going, record.target, record.source, EventKind.UNDONE, moves, who, clock)


def _with_answers(
    first: Sequence[str],
    thread_id: str,
    threads: ThreadMembers,
    moves: ThreadMoves,
    *,
    only: Callable[[str], bool] = lambda _member: True,
) -> list[str]:
    """List these and all of a thread that answers them, each behind what it answers, in whatever order they came."""
    children: dict[str | None, list[str]] = {}
    for member in threads.thread(thread_id):
        if member in first or not only(member):
            continue
        children.setdefault(moves.thread_of(member)[1], []).append(member)
    going = dict.fromkeys(first)  # a mail that answers itself is there already
    waiting = list(going)
    while waiting:
        fresh = [child for child in children.get(waiting.pop(), ()) if child not in going]
        going.update(dict.fromkeys(fresh))
        waiting += fresh
    return list(going)


def _move_all(
    members: Sequence[str],
    left: Callable[[], list[str]],
    source: str,
    target: str,
    what: EventKind,
    moves: ThreadMoves,
    who: str,
    clock: Clock,
) -> Rethreaded:
    """Move members, and then what has come in meanwhile; what comes in later sees where they are."""
    done = _move(members, source, target, what, moves, who, clock)
    for _time in range(_MOST_LOOKS):
        late = left()
        if not late:
            break
        done = _move([*done.moved, *late], source, target, what, moves, who, clock)
    return done


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
    at: datetime


def _recorded(history: Sequence[Event], kind: str, first: str) -> _Record | None:
    """Read the newest change of a kind that was named after this mail: others only took it along."""
    for event in reversed(history):
        if event.what == kind:
            values = json.loads(event.detail)
            if values["members"][0] == first:
                return _Record(values["from"], values["to"], tuple(values["members"]), event.at)
    return None
