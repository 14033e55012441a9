"""Where and how a fault strikes: one call or command of the path, and what goes wrong with it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What goes wrong with one call or command."""

    DIES_BEFORE = "dies-before"  # the process ends right before it
    DIES_AFTER = "dies-after"  # it takes effect, and the process ends before it learns so
    THROTTLED = "throttled"  # refused for now, every time the client repeats it
    ERROR_500 = "error-500"  # the other side fails, every time; mail servers: refused
    TIMED_OUT = "timed-out"  # nothing arrives there, nothing comes back
    LOST_ANSWER = "lost-answer"  # it takes effect, the answer is lost; what repeats by itself repeats
    NO_ANSWER = "no-answer"  # it takes effect, and so does every repetition, and no answer ever comes
    EVENT_LOST = "event-lost"  # the message never comes
    EVENT_TWICE = "event-twice"  # the message comes again after it was dealt with


AWS_KINDS = (
    Kind.DIES_BEFORE,
    Kind.DIES_AFTER,
    Kind.THROTTLED,
    Kind.ERROR_500,
    Kind.TIMED_OUT,
    Kind.LOST_ANSWER,
    Kind.NO_ANSWER,
)
MAIL_KINDS = (
    Kind.DIES_BEFORE,
    Kind.DIES_AFTER,
    Kind.THROTTLED,
    Kind.ERROR_500,
    Kind.TIMED_OUT,
    Kind.LOST_ANSWER,
)
CONNECT_KINDS = (Kind.DIES_BEFORE, Kind.DIES_AFTER, Kind.ERROR_500, Kind.TIMED_OUT)
EVENT_KINDS = (Kind.EVENT_LOST, Kind.EVENT_TWICE)


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """One step of the path: what is called (`aws dynamodb.PutItem`, `imap UID FETCH`), and for the how-manyth time."""

    target: str
    occurrence: int

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """What can go wrong here."""
        family, _space, name = self.target.partition(" ")
        if family == "aws":
            return AWS_KINDS
        if family == "event":
            # SES tells once: a report that is lost stays unknown, which is what the page shows.
            return (Kind.EVENT_TWICE,) if name == "track_delivery" else EVENT_KINDS
        return CONNECT_KINDS if name == "CONNECT" else MAIL_KINDS

    def __str__(self) -> str:
        return f"{self.target} #{self.occurrence}"


@dataclass(frozen=True, slots=True, order=True)
class Point:
    """One fault of the sweep."""

    place: Place
    kind: Kind

    def __str__(self) -> str:
        return f"{self.place} {self.kind}"


def points_of(places: Iterable[Place]) -> list[Point]:
    """Return every fault of these places."""
    return [Point(place, kind) for place in places for kind in place.kinds]
