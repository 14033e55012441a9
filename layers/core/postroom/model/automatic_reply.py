"""What must hold when an automatic reply is written, and what became of one that may not be."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Cap:
    """One cap on automatic replies that must hold when one is written (docs/threat-model.md 7)."""

    name: str  # said in the decision when it is reached
    key: str  # what is counted
    limit: int
    expires: datetime  # when the count may be forgotten
    shared: bool = False  # mail of many people counts here: all, or that of a domain


@dataclass(frozen=True, slots=True)
class Withheld:
    """Nothing was written, since the automatic reply may not be: the caps reached; none: it was written before."""

    reached: tuple[Cap, ...] = ()
