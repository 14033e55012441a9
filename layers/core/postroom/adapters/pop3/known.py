"""Whether ids of POP3 messages still stand for the messages that were stored under them; their headers tell.

RFC 1939 §7 wants ids unique, lasting and never used again. Servers were seen that give the id of a deleted message to a
new one, the message's number for an id, or new ids in every session.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import replace

from postroom.adapters.pop3.connection import Link
from postroom.adapters.pop3.headers import headers
from postroom.adapters.pop3.ids import Ids
from postroom.adapters.pop3.wire import print_of
from postroom.errors import Permanent
from postroom.model import LeftAlone, Position, Problem, is_left_alone

RENEWED = "ids-renewed"
"""Stands in the cursor of a position whose ids were all new once, while the messages were not."""

_ASKED = 3  # messages whose headers tell whether a mailbox without any known id is the same as before
_REMEDY = (
    "Let mail be deleted after it is stored (`leave_msg_on_server: false`), or fetch by IMAP; "
    "the mail that lies there is stored here already."
)


def not_certainly(link: Link, remembered: Collection[str], found: Ids, prints: Mapping[str, str]) -> set[str]:
    """Name the ids that do not certainly stand for the messages any more that were stored under them.

    A header that the server makes anew whenever it is asked (its date, its boundary) is no other message.
    """
    doubted = sorted(one for one in remembered if one not in found.by_content)
    asked = [one for one in doubted if one in prints]
    shown = _prints(link, found, asked)
    others = {one for one in doubted if not shown.get(one) or shown[one] != prints[one]}
    again = sorted(one for one in others if shown.get(one))
    second = _prints(link, found, again)
    return others - {one for one in again if second[one] and second[one] != shown[one]}


def has_moved_up(link: Link, found: Ids, position: Position) -> bool:
    """Tell whether ids that are message numbers stand for other messages: the highest that is known shows it.

    Whatever is deleted before a message gives it a lower number.
    """
    if not found.counted:
        return False
    known = max((int(one) for one in position.known if one.isdigit()), default=0)
    if not known or str(known) not in position.prints:
        return False
    if str(known) not in found.numbers:
        return True
    return _prints(link, found, [str(known)])[str(known)] != position.prints[str(known)]


def as_it_is_now(link: Link, found: Ids, position: Position) -> Position:
    """Bring what is known of a mailbox whose mail is left there to the ids of this session.

    Raises Permanent for a server whose ids do not last, the second time that shows: all mail would be fetched again and
    again.
    """
    if has_moved_up(link, found, position):
        return _moved_up(link, found, position)
    if not position.known or not found.numbers or not position.known.isdisjoint(found.numbers):
        return replace(position, cursor="") if position.cursor == RENEWED and position.known else position
    begin = list(found.numbers)[:_ASKED]
    if found.counted or found.by_content or set(_prints(link, found, begin).values()).isdisjoint(_known(position)):
        return position  # other mail, and none of what was there
    if position.cursor == RENEWED:
        raise Permanent(
            "The server gives its messages new ids (UIDL) in every session, so mail that is left there cannot be known",
            on=link.mailbox.name,
            step="list",
            code="ids_renewed",
            remedy=_REMEDY,
        )
    return replace(position, cursor=RENEWED)


def is_same(link: Link, found: Ids, position: Position) -> bool:
    """Tell whether known messages lie there: by ids of their content, or the headers of the newest three."""
    if not position.known.isdisjoint(found.by_content):
        return True
    there = [one for one in found.numbers if one in position.known and one in position.prints][-_ASKED:]
    shown = _prints(link, found, there)
    return bool(there) and all(shown[one] == position.prints[one] for one in there)


def _moved_up(link: Link, found: Ids, position: Position) -> Position:
    """Find by their headers what ids that are message numbers stand for now.

    A header that stands twice, here or among what is known, says nothing: its messages are fetched, and known by their
    content then. What was left alone from the beginning lies before all that is known.
    """
    shown = _prints(link, found, list(found.numbers))
    here, known = Counter(shown.values()), Counter(position.prints.values())
    same = {one: mark for one, mark in shown.items() if mark and here[mark] == known[mark] == 1}
    old = {one for one, why in position.problems.items() if why == LeftAlone.OLD}
    if not same and old & found.numbers.keys():
        raise Permanent(
            "The server's ids (UIDL) are message numbers, and mail was deleted: which mail was old, nobody knows",
            on=link.mailbox.name,
            step="list",
            code="ids_are_numbers",
            remedy=_REMEDY,
        )
    first = min((found.numbers[one] for one in same), default=0)
    problems: dict[str, Problem] = {one: LeftAlone.OLD for one in old if int(one) < first and one in found.numbers}
    given_up = any(is_left_alone(why) and why != LeftAlone.OLD for why in position.problems.values())
    kept = position.reasons if given_up else {}
    return replace(position, known=frozenset(same), prints=same, problems=problems, asides={}, reasons=kept)


def _prints(link: Link, found: Ids, asked: Collection[str]) -> dict[str, str]:
    """Ask for headers; id → print, "" where the server shows none."""
    ids = list(asked)
    shown = headers(link, [found.numbers[one] for one in ids])
    return {one: print_of(header) if header else "" for one, header in zip(ids, shown, strict=True)}


def _known(position: Position) -> set[str]:
    return set(position.prints.values()) - {""}
