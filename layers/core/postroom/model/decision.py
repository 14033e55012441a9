"""One step of 'what happened to this mail, and why'."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Decision:
    """The named `rule` that decided, its `outcome` (one word of a vocabulary), and the `detail` a person wants."""

    rule: str
    outcome: str
    detail: str = ""
