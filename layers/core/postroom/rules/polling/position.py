"""Positions, pure: what to do with a listing, and how far the mailbox is dealt with afterwards.

Nothing may pass out of sight: an id is either known, on the problem list, or will be listed as news again. IMAP ids are
numbers that only grow, so a cursor says where to look; ids past it that are stored, because an earlier one could not be
fetched, are kept in `known` until the cursor has passed them. What lies before it and was never stored is found by
comparing the folder as a whole (ADR 0018).
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from postroom.model import FAILED_ONCE, Item, LeftAlone, Listing, MailboxState, Position, Problem, is_left_alone
from postroom.model.configuration import FirstConnection, Mailbox, Type
from postroom.rules.polling.tries import failed as failed_again
from postroom.rules.polling.tries import is_due

MEGABYTE = 1024 * 1024
SET_MESSAGES = 100
SET_BYTES = 32 * MEGABYTE

JUDGED = 1_000
JUDGED_CYCLES = 5
"""Connectors size the first thousand news, or five cycles' worth; a missing size further on means nothing yet."""

OLD_MARGIN = timedelta(minutes=10)
"""Mail that the server received this long before the first look counts as new: clocks differ, INTERNALDATE has whole
seconds, and whoever has just connected a mailbox and writes to it expects an answer."""


COMPARED_EVERY = timedelta(hours=24)
COMPARED_SPREAD = 4 * 3600  # seconds

MOST_REASONS = 50
MOST_REASON = 300  # characters


@dataclass(frozen=True, slots=True)
class Plan:
    """What one poll does with a listing."""

    take: tuple[Item, ...]  # fetched together, oldest first; over-size ones as headers
    again: tuple[Item, ...]  # failed before: each alone, so that it costs the others nothing
    unfinished: tuple[str, ...]  # stored before; the server is told (again)
    aside: Mapping[str, Problem] = field(default_factory=dict)  # left alone from now on, and why
    bad_size: int = 0
    known: int = 0
    left: int = 0  # for the next cycle
    more: bool = False  # whether that should follow at once
    oldest: datetime | None = None


def place(mailbox: Mailbox) -> str:
    """Return a digest of what a server's ids belong to; the way there (port, TLS, password, token) is no part of it."""
    parts = place_parts(mailbox).values()
    return hashlib.sha256("\x00".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:12]


def place_parts(mailbox: Mailbox) -> Mapping[str, str]:
    """Map the options that say where a mailbox lies to what decides of each: a login that is its address is no news."""
    return {
        "type": mailbox.type.value,
        "server": (mailbox.server or "").casefold(),
        "login": mailbox.user.casefold(),
        "folder_path": mailbox.folder_path,
    }


def in_place(state: MailboxState, mailbox: Mailbox) -> MailboxState:
    """Return the state as far as it holds for the mailbox as it is configured now.

    Ids of another place may mean other mail: `Position.moved` says that the server has to show which it is. Where it
    does not, all that lies there is looked at; what was stored before is known by its content. Which mail is old stays
    as it was decided at the first look.
    """
    position = state.position
    if position is None:
        return state
    if position.place not in ("", place(mailbox)):
        return replace(state, position=replace(position, moved=True))
    wanted = _reconsidered(position, mailbox)
    return state if wanted is position else replace(state, position=wanted)


def recognized(position: Position, mailbox: Mailbox) -> Position:
    """Return the position of a mailbox that moved, and that its server has shown to be the same (docs/adr/0024)."""
    by_date = mailbox.type in (Type.GRAPH, Type.EWS)  # the folder may be another one, with mail that is old
    return replace(
        position,
        moved=False,
        origin=position.origin or position.place,
        catching_up=position.catching_up or by_date,
    )


def series(position: Position, mailbox: Mailbox) -> str:
    """Name what ids mean one and the same mail in: the place, the epoch, and the restores in it."""
    return f"{position.origin or place(mailbox)}-{position.epoch}" + (
        f"-{position.restored}" if position.restored else ""
    )


def comparison_due(position: Position | None, mailbox: Mailbox, *, now: datetime) -> bool:
    """Tell whether all that lies there is to be compared with what is stored: once a day, where mail stays by IMAP."""
    if mailbox.type is not Type.IMAP or position is None or not is_settled(position):
        return False
    if not mailbox.stays and not position.kept:
        return False
    # Spread over hours, or ten thousand mailboxes that were upgraded together would stay together.
    spread = int.from_bytes(hashlib.sha256(mailbox.name.encode("utf-8")).digest()[:4], "big") % COMPARED_SPREAD
    every = COMPARED_EVERY - timedelta(seconds=spread)
    return position.compared is None or not now - every < position.compared <= now


class BelowCursor:
    """What a position of an earlier version takes for stored: its cursor's word, for what need not be fetched."""

    def __init__(self, position: Position) -> None:
        self._cursor = int(position.cursor or position.floor or 0)
        self._known = position.known

    def __contains__(self, one: object) -> bool:
        return isinstance(one, str) and (int(one) <= self._cursor or one in self._known)


def is_settled(position: Position | None) -> bool:
    """Tell whether anything was ever noted at this place; until then the first look at it is to be noted."""
    return position is not None and bool(position.place or not position.catching_up)


def _reconsidered(position: Position, mailbox: Mailbox) -> Position:
    """Try messages whose size the server cannot say, now that the mailbox allows them (G02)."""
    if not mailbox.allow_bad_msg_size or LeftAlone.BAD_SIZE not in position.problems.values():
        return position
    problems = {one: FAILED_ONCE if why == LeftAlone.BAD_SIZE else why for one, why in position.problems.items()}
    return replace(position, problems=problems)


def begin(known: Position | None, listing: Listing, now: datetime) -> Position:
    """Take the position that a connector lists against; a first look notes its moment.

    What a connector leaves alone by its own reading of the first connection stands in `known` of a new epoch; it goes
    to the ids left alone for good, since `known` is what is stored and may be removed.
    """
    position = listing.position
    if known is None or listing.resynced:
        aside = dict.fromkeys(position.known, LeftAlone.OLD)
        position = replace(position, known=frozenset(), problems={**position.problems, **aside})
        position = replace(position, compared=now)  # everything that lies there is listed
    if known is None:
        return replace(position, connected=now, catching_up=True)
    return replace(
        position,
        connected=known.connected,
        catching_up=known.catching_up or listing.resynced,
        restored=known.restored + (listing.resynced and position.epoch == known.epoch),
        origin="" if listing.resynced else position.origin,
    )


def in_series(position: Position, known: Position | None, listing: Listing, mailbox: Mailbox) -> Position:
    """Return the position in another series of ids where all that were known are gone, and others are there.

    So it is when the mail of a POP3 server moves to another under the old name. It may also be that all was taken away
    and other mail came: nothing follows from it but that stored mail may come again under other ids.
    """
    if mailbox.type is Type.IMAP or not mailbox.stays or known is None or listing.resynced:
        return position
    renewed = bool(known.known and listing.news) and known.known.isdisjoint(listing.position.known)
    return replace(position, restored=position.restored + renewed)


def sort_listing(
    listing: Listing, mailbox: Mailbox, position: Position, *, first: bool, backlog: bool, now: datetime
) -> Plan:
    """Decide what to do; `first`: nothing was known of this mailbox yet, `backlog`: this poll follows one at once."""
    take: list[Item] = []
    again: list[Item] = []
    aside: dict[str, Problem] = {}
    unfinished = [one for one in listing.unfinished if one not in position.problems]
    known = listing.known + len(listing.unfinished)
    bad_size = beyond = later = 0
    unwanted = _unwanted(listing, mailbox, position, first=first)
    judged = max(JUDGED, JUDGED_CYCLES * mailbox.maximum_msg_number)
    for number, item in enumerate(listing.news):
        tries = position.problems.get(item.id, 0)
        if is_left_alone(tries):
            known += 1
        elif item.id in position.known and mailbox.type is not Type.IMAP:  # IMAP's are news for want of a record
            known += 1
            unfinished.append(item.id)
        elif unwanted(item):
            aside[item.id] = LeftAlone.OLD
            known += 1
        elif number >= judged:
            beyond += 1
        elif tries and not is_due(position.trying.get(item.id), now=now):
            later += 1
        elif has_bad_size(item, mailbox):
            if backlog:  # asked again at once, a server says the same again
                later += 1
                continue
            tries, _trying = failed_again(tries, position.trying.get(item.id), now=now)
            aside[item.id] = LeftAlone.BAD_SIZE if is_left_alone(tries) else tries
            bad_size += 1
        else:
            (again if tries else take).append(item)
    # What failed before gets a tenth of the places, and none in a poll that follows another at once: three tries
    # within a second would say nothing. A flood of new mail thus starves neither.
    most = mailbox.maximum_msg_number
    tries_now = 0 if backlog else min(len(again), max(1, most // 10) if most > 1 or not take else 0)
    taken = min(len(take), most - tries_now)
    return Plan(
        take=tuple(take[:taken]),
        again=tuple(again[:tries_now]),
        unfinished=tuple(unfinished),
        aside=aside,
        bad_size=bad_size,
        known=known,
        left=len(take) - taken + len(again) - tries_now + beyond + later,
        more=len(take) + beyond > taken,
        oldest=min((item.date for item in (*take, *again) if item.date), default=None),
    )


def _unwanted(listing: Listing, mailbox: Mailbox, position: Position, *, first: bool) -> Callable[[Item], bool]:
    """Say what the choice of the first connection leaves alone (X13), also where a server begins a new epoch.

    Connectors whose servers can be asked for dates have chosen already; then what they list is wanted.
    """
    if not position.catching_up:
        return lambda _item: False
    begin = position.connected - OLD_MARGIN if position.connected else None
    chosen = bool(int(listing.position.floor) if listing.position.floor.isdigit() else listing.position.floor)
    chosen = chosen or bool(listing.position.known or listing.position.problems)
    match mailbox.first_connection:
        case FirstConnection.ALL:
            return lambda _item: False
        case FirstConnection.FROM_NOW:
            return lambda item: item.date < begin if item.date and begin else first and not chosen
        case FirstConnection.SINCE:
            since = mailbox.first_connection_since
            return lambda item: bool(since and item.date and item.date.date() < since)


def is_old(item: Item, position: Position) -> bool:
    """Tell whether a mail was there before the first connection: it gets no automatic reply (X13)."""
    if position.connected is None or item.date is None:
        return position.catching_up
    return item.date < position.connected - OLD_MARGIN


def has_bad_size(item: Item, mailbox: Mailbox) -> bool:
    """Tell whether the server does not say how large a message is, which the mailbox does not allow (G02)."""
    return (item.size is None or item.size < 0) and not mailbox.allow_bad_msg_size


def is_oversize(item: Item, mailbox: Mailbox) -> bool:
    """Tell whether only the headers are fetched."""
    return item.size is not None and item.size > mailbox.maximum_msg_size * MEGABYTE


def sets(items: Sequence[Item], mailbox: Mailbox) -> Iterator[tuple[Item, ...]]:
    """Cut what is to be fetched into sets; after each, the position is remembered and the server told."""
    current: list[Item] = []
    size = 0
    for item in items:
        weight = 0 if is_oversize(item, mailbox) else (item.size or 0)
        if current and (len(current) == SET_MESSAGES or size + weight > SET_BYTES):
            yield tuple(current)
            current, size = [], 0
        current.append(item)
        size += weight
    if current:
        yield tuple(current)


def advance(
    position: Position,
    mailbox: Mailbox,
    news: Sequence[Item],
    *,
    done: Collection[str],
    gone: Collection[str] = (),
    failed: Mapping[str, Problem],
) -> Position:
    """Move on: `done` are ids dealt with for good, `failed` ids with their tries or the reason they are left alone.

    `gone` are ids that the server did not find. It may list one again (Exchange says so too while a right is missing,
    and of damaged items), and what is done is deleted there: so it counts as a try. IMAP's cursor passes them: one that
    is there again has no record, and is fetched.
    """
    position = replace(position, place=place(mailbox))
    if mailbox.type is not Type.IMAP:
        failed = {**{one: position.problems.get(one, 0) + 1 for one in gone}, **failed}
    over = {*done, *gone} if mailbox.type is Type.IMAP else done
    problems = {one: tries for one, tries in position.problems.items() if one not in over} | dict(failed)
    settled = set(done) | {one for one, problem in problems.items() if is_left_alone(problem)}
    if mailbox.type is not Type.IMAP:
        return replace(position, known=position.known | frozenset(done), problems=problems)
    cursor = int(position.cursor or position.floor or 0)
    known = set(position.known) | settled
    ahead = sorted({uid for uid in (*(int(item.id) for item in news), *map(int, known)) if uid > cursor})
    floor = position.floor
    if cursor == int(floor or 0):
        # What lies there unwanted from before the first connection: one number says it, as far as it is in one piece.
        for uid in itertools.takewhile(lambda uid: problems.get(str(uid)) == LeftAlone.OLD, ahead):
            floor = str(uid)
            del problems[floor]
    for uid in ahead:
        if str(uid) not in known and str(uid) not in gone:
            break
        cursor = uid
    return replace(
        position,
        kept=str(max([cursor, *map(int, known)])) if mailbox.stays else position.kept,
        floor=floor,
        cursor=str(cursor) if cursor else position.cursor,
        known=frozenset(one for one in known if int(one) > cursor and not is_left_alone(problems.get(one, 0))),
        problems=problems,
    )


def reasons(known: Mapping[str, str], failed: Mapping[str, str], problems: Mapping[str, Problem]) -> dict[str, str]:
    """Keep how the last tries ended of what is a problem still: the newest of them, shortened, for people who ask."""
    told = {**{one: why for one, why in known.items() if one not in failed}, **failed}
    kept = [(one, why[:MOST_REASON]) for one, why in told.items() if one in problems]
    return dict(kept[-MOST_REASONS:])
