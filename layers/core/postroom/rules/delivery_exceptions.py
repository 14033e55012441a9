"""Delivery exceptions: phrases in the subject or the sender's local part that call a mail undeliverable (C13, C14).

Taken at their word, the predefined phrases call 6.9 % of ordinary mail a failure ("Admin", "system", "vacation"). So
by default a phrase diverts a mail only where its structure agrees (X07); else it leaves a hint. `strict` gives the
behaviour of the reference system: the phrase alone decides.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from pathlib import Path

from postroom.mail import PhraseIndex

LONGEST_PHRASE = 255
_PREDEFINED = Path(__file__).parent / "data" / "delivery_exceptions.csv"
_SCANNED = 2_000  # characters of a subject or local part; a longer one has said what it is by then


class ExceptionType(StrEnum):
    """Where a phrase is looked for."""

    ADDRESS = "address"  # the local part of From, never its domain
    SUBJECT = "subject"


class Failure(StrEnum):
    """What a match means for the address that was written to."""

    PERMANENT = "permanent"
    TEMPORARY = "temporary"


@dataclass(frozen=True, slots=True)
class DeliveryException:
    """One phrase, compared without regard to case. Raises ValueError for a phrase that could never be right."""

    name: str
    type: ExceptionType
    phrase: str
    failure: Failure
    predefined: bool = False
    folded: str = field(init=False, repr=False, compare=False, default="")  # as it is looked for

    def __post_init__(self) -> None:
        problem = problem_with(self.phrase)
        if problem:
            raise ValueError(problem)
        object.__setattr__(self, "folded", _folded(self.phrase))


@dataclass(frozen=True, slots=True)
class Match:
    """The phrase that matched; `diverts` says whether it changes the mail's subtype or is only a hint on it."""

    exception: DeliveryException
    diverts: bool
    why: str


def problem_with(phrase: str) -> str | None:
    """Return what is wrong with a phrase and what to do, or None."""
    if not phrase.strip():
        return "The phrase is empty: give the words to look for."
    if "@" in phrase:
        return f"The phrase {phrase!r} contains '@': give the part before it, phrases are compared with that only."
    if len(phrase) > LONGEST_PHRASE:
        return f"The phrase has {len(phrase)} characters: use at most {LONGEST_PHRASE}."
    return None


@cache
def predefined() -> tuple[DeliveryException, ...]:
    """Return the 127 phrases of the reference system, in its order; its inventory is C13's."""
    import csv  # late: a function that never looks at phrases need not import it

    with _PREDEFINED.open(encoding="utf-8", newline="") as rows:
        return tuple(
            DeliveryException(
                name=row["name"],
                type=ExceptionType(row["type"]),
                phrase=row["phrase"],
                failure=Failure(row["failure"]),
                predefined=True,
            )
            for row in csv.DictReader(rows)
        )


class PhraseTable(tuple[DeliveryException, ...]):
    """Ordered phrases, filed by where they are looked for: each mail is compared with all of them."""

    _index: dict[ExceptionType, PhraseIndex]
    _first: dict[tuple[ExceptionType, str], DeliveryException]

    @staticmethod
    def of(rows: Iterable[DeliveryException]) -> PhraseTable:
        """File the rows, unless they are filed already."""
        if isinstance(rows, PhraseTable):
            return rows
        table = PhraseTable(rows)
        table._index = {kind: PhraseIndex(row.folded for row in table if row.type is kind) for kind in ExceptionType}
        table._first = {(row.type, row.folded): row for row in reversed(table)}
        return table

    def first(self, kind: ExceptionType, text: str) -> DeliveryException | None:
        """Return the first phrase of a kind that occurs in a folded text."""
        found = [self._first[kind, phrase] for phrase in self._index[kind].within(text)]
        return min(found, key=self.index) if found else None


def evaluate(
    from_address: str,
    subject: str,
    *,
    table: Iterable[DeliveryException],
    corroborated: bool,
    strict: bool = False,
) -> Match | None:
    """Return the first phrase of the table that occurs, or None; see the module for what `corroborated` changes."""
    filed = PhraseTable.of(table)
    found = [row for row in occurring(from_address, subject, table=filed) if row is not None]
    if not found:
        return None
    return matched(min(found, key=filed.index), corroborated=corroborated, strict=strict)


def occurring(
    from_address: str, subject: str, *, table: PhraseTable
) -> tuple[DeliveryException | None, DeliveryException | None]:
    """Return the first phrase that occurs in the sender's local part, and the first in the subject."""
    local = _folded(from_address[:_SCANNED].rpartition("@")[0] or from_address[:_SCANNED])
    words = _folded(subject[:_SCANNED])
    return table.first(ExceptionType.ADDRESS, local), table.first(ExceptionType.SUBJECT, words)


def matched(exception: DeliveryException, *, corroborated: bool, strict: bool = False) -> Match:
    """Say what it means that a phrase occurs."""
    return Match(exception, diverts=strict or corroborated, why=_why(exception, corroborated, strict))


def _why(exception: DeliveryException, corroborated: bool, strict: bool) -> str:
    place = "sender's name" if exception.type is ExceptionType.ADDRESS else "subject"
    if corroborated:
        ground = "and the mail is built like one of a mail system or an answering machine"
    elif strict:
        ground = "and phrases alone decide here (delivery-exceptions: strict)"
    else:
        ground = "but nothing in the mail's structure agrees: only a hint"
    return f"the {place} contains {exception.phrase!r}, {ground}"


def _folded(text: str) -> str:
    # Subjects come composed and decomposed, and folded at any place: "Réponse  automatique" is one phrase.
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())
