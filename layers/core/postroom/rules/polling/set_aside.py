"""Mails set aside, over-size or given up: what their server is asked to do with them, until it has done it. Pure.

A request that is refused is repeated, at first after ten minutes, then after twice as long each time, at most a day.
What is asked is what the mailbox wants now: no refused deletion is repeated after `delete_big_msg` was switched off.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from postroom.model import FAILED_BUT_ONE, FAILED_ONCE, Action, Aside, LeftAlone, Position, is_left_alone
from postroom.model.configuration import Mailbox, Type
from postroom.rules.polling.server_actions import after_doubt, after_giving_up, after_oversize

FIRST_WAIT = timedelta(minutes=10)
LONGEST_WAIT = timedelta(days=1)
GONE = "gone"  # taken away by somebody else, or by a request whose answer was lost
MOST_KEPT = 50  # of what is done, for people who ask
_MOST_REASON = 200  # characters


def unfetched(position: Position | None) -> tuple[str, ...]:
    """Name the mails that were given up or set aside, other than by the choice of the first connection."""
    problems = position.problems if position else {}
    return tuple(one for one, why in problems.items() if is_left_alone(why) and why != LeftAlone.OLD)


def unacknowledged(position: Position | None) -> tuple[str, ...]:
    """Name those of them that nobody has seen to."""
    return tuple(one for one in unfetched(position) if position and one not in position.acknowledged)


def tried_again(position: Position, ids: Collection[str]) -> Position:
    """Return the position by which the next poll asks for these once more, as if they had failed once."""
    return replace(
        position,
        problems={**position.problems, **dict.fromkeys(ids, FAILED_ONCE)},
        trying={one: trying for one, trying in position.trying.items() if one not in ids},
        asides={one: aside for one, aside in position.asides.items() if one not in ids},
        acknowledged=position.acknowledged - frozenset(ids),
    )


def wanted(aside: Aside, mailbox: Mailbox) -> Action | None:
    """Say what the mailbox wants done with such a mail; None: it stays as it is."""
    match aside.why:
        case LeftAlone.OVERSIZE:
            return after_oversize(mailbox)
        case LeftAlone.DOUBTFUL:
            return after_doubt(mailbox)
        case _:
            return after_giving_up(mailbox)


def pending(position: Position | None, mailbox: Mailbox) -> bool:
    """Tell whether the server was asked in vain for something that is wanted still."""
    asides = position.asides.values() if position else ()
    return any(aside.refused and not aside.done and wanted(aside, mailbox) for aside in asides)


def due(position: Position | None, mailbox: Mailbox, *, now: datetime) -> Mapping[Action, list[str]]:
    """List by action what the server is to be asked for now; what is tried again first is not."""
    found: dict[Action, list[str]] = {}
    for one, aside in position.asides.items() if position else ():
        action = None if aside.done or not _is_time(aside, now) else wanted(aside, mailbox)
        if action is not None and position and position.leaves_alone(one):
            found.setdefault(action, []).append(one)
    return found


def reconsidered(position: Position | None, mailbox: Mailbox, *, now: datetime) -> Position | None:
    """Try mails once more whose deletion is due again, where an id may stand for another mail by now (POP3)."""
    if mailbox.type is not Type.POP3 or position is None:
        return position
    again = [one for ids in due(position, mailbox, now=now).values() for one in ids]
    if not again:
        return position
    return replace(position, problems={**position.problems, **dict.fromkeys(again, FAILED_BUT_ONE)})


def listed(position: Position, undone: Collection[str], *, now: datetime) -> Position:
    """Hold what was asked for against a listing, which has dropped from the problem list what is gone.

    `undone`: what it shows waiting although the server said that it was done; it is asked for again. The record of what
    is gone goes too: nothing of such a mail need be stored, and a server that was wrong may list it again. With the
    record and without its entry in the problem list it would be taken for stored, and deleted.
    """
    asides = {}
    for one, aside in position.asides.items():
        there = one in position.problems
        if not there and not aside.done:
            aside = replace(aside, done=GONE, due=None)
        elif there and aside.done and one in undone:
            # Not done after all, or (POP3) another mail under an id that RFC 1939 §7 does not allow to be used again.
            aside = _refused(aside, f"it said that this was done ({aside.done}), and lists it as before", now=now)
        asides[one] = aside
    gone = asides.keys() - position.problems.keys()
    records = {one: record for one, record in position.records.items() if one not in gone}
    return replace(position, asides=asides, records=records)


def entered(
    asides: Mapping[str, Aside],
    *,
    oversize: Iterable[str],
    given_up: Iterable[str],
    doubtful: Iterable[str],
    stored: Iterable[str],
    now: datetime,
) -> dict[str, Aside]:
    """Enter what a poll has set aside; what is stored after all needs no more words."""
    new = dict.fromkeys(sorted(oversize), LeftAlone.OVERSIZE) | dict.fromkeys(given_up, LeftAlone.GIVEN_UP)
    new |= dict.fromkeys(doubtful, LeftAlone.DOUBTFUL)
    gone = {*new, *stored}
    kept = {one: aside for one, aside in asides.items() if one not in gone}
    for one, why in new.items():
        before = asides.get(one)
        kept[one] = Aside(why, due=now, refused=before.refused if before else 0, reason=before.reason if before else "")
    over = sum(bool(aside.done) for aside in kept.values()) - MOST_KEPT
    for one in [one for one, aside in kept.items() if aside.done][: max(0, over)]:
        del kept[one]
    return kept


def answered(
    asides: Mapping[str, Aside], ids: Sequence[str], action: Action, *, refusal: str | None, now: datetime
) -> dict[str, Aside]:
    """Note what came of a request; `refusal`: what the server said against it."""
    new = dict(asides)
    for one in ids:
        if refusal is None:
            new[one] = replace(new[one], done=action.value, due=None)
        else:
            new[one] = _refused(new[one], refusal, now=now)
    return new


def _refused(aside: Aside, reason: str, *, now: datetime) -> Aside:
    wait = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(aside.refused, 10))
    return replace(aside, done="", refused=aside.refused + 1, due=now + wait, reason=reason[:_MOST_REASON])


def _is_time(aside: Aside, now: datetime) -> bool:
    # A moment further off than any wait was written by a clock that went wrong.
    return aside.due is None or not now < aside.due <= now + LONGEST_WAIT
