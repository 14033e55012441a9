"""One configuration that was put in force."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Version:
    """One applied configuration: number, when, by whom, why, the digest of its content, and what it changed.

    `objects` names what changed, as far as there is room; `complete` tells whether those are all. Versions from before
    lists of changes were kept name none, and are not complete.
    """

    version: int
    at: datetime
    author: str
    note: str
    digest: str
    added: int = 0
    changed: int = 0
    removed: int = 0
    objects: tuple[str, ...] = ()
    complete: bool = False
