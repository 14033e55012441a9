"""What a check finds wrong, and where."""

from __future__ import annotations

from dataclasses import dataclass

Path = tuple[str | int, ...]
"""Where a value stands: names of fields, and places in lists."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong with the value at `path`: the problem and the remedy, as sentences."""

    path: Path
    problem: str
    remedy: str
