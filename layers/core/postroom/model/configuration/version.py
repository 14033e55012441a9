"""One configuration that was put in force."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Version:
    """One applied configuration: number, when, by whom, why, and the SHA-256 of its document."""

    version: int
    at: datetime
    author: str
    note: str
    digest: str
