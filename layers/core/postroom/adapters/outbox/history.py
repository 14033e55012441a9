"""The history in an outbound mail's item: what repeats without end is told some times, then counted.

An item holds 400 KB. Of each kind of entry so many are kept one by one; of those after them the last, and how many
there were in all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from postroom.adapters.dynamo import items, keys
from postroom.model import Event, event_kind

EVENTS = "events"

_MOST: dict[str, int] = {
    "deferred": 30,
    "delivered": 50,  # SES takes a mail for at most 50 recipients
    "bounced": 50,
    "complained": 20,
    "rejected": 20,
    "sent": 5,
    "partly_sent": 5,
    "failed": 5,
    "uncertain": 5,
    "delayed": 3,
    "rate": 1,
    "quota": 5,
    # What only people, programs and time repeat.
    "replied": 20,
    "tried_again": 20,
    "resend_requested": 20,
    "marked_sent": 20,
    "failure_acknowledged": 20,
    "settled": 20,
    "sender_died": 20,
}
_MOST_OF_OTHERS = 1
"""Opened, a receipt, and whatever else SES may come to report, as often as somebody looks at a mail."""

_LONGEST = {
    "deferred": 600,
    "sent": 1000,
    "partly_sent": 1000,
    "failed": 1000,
    "uncertain": 1000,
    "rate": 600,
    "quota": 600,
}
_LONGEST_OF_OTHERS = 400  # bytes


def most(what: str) -> int:
    """Say how many entries of a kind are kept one by one."""
    return _MOST.get(what, _MOST_OF_OTHERS)


def count_of(what: str) -> str:
    """Name the attribute that counts the entries of a kind."""
    return f"n_{what}"


def last_of(what: str) -> str:
    """Name the attribute that holds the last entry of a kind that is counted only."""
    return f"last_{what}"


def entry(event: Event) -> list[str]:
    """Write an entry as the item keeps it."""
    detail = items.shorten(event.detail, _LONGEST.get(event.what, _LONGEST_OF_OTHERS))
    return [keys.moment(event.at), event.what, detail, event.who]


def read_history(item: Mapping[str, Any]) -> list[Event]:
    """Read the entries of an item, oldest first; a counted kind's last one says how many there were."""
    kept: list[list[str]] = items.unmarshal({EVENTS: item.get(EVENTS, {"L": []})})[EVENTS]
    found = [_event(one) for one in kept]
    for event in _counted(item):
        later = [place for place, one in enumerate(found) if one.at > event.at]
        found.insert(later[0] if later else len(found), event)
    return found


def _counted(item: Mapping[str, Any]) -> Iterator[Event]:
    for name, value in item.items():
        if not name.startswith(last_of("")):
            continue
        event = _event(items.unmarshal({name: value})[name])
        count = items.unmarshal({"count": item[count_of(event.what)]})["count"]
        yield Event(event.at, event.what, f"{event.detail} (the last of {count} in all)".lstrip(), event.who)


def _event(one: list[str]) -> Event:
    at, what, detail, who = one
    return Event(at=keys.parse_moment(at), what=event_kind(what), detail=detail, who=who)
