"""The audit log: the one way to write it, and to read it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from postroom.model.access import AuditEntry


class Audit(Protocol):
    """Entries, by time, by object and by person; none is ever changed."""

    def add(self, entry: AuditEntry) -> None:
        """Write an entry; what it tells of must not happen where this fails."""
        ...

    def page(
        self, *, since: datetime, until: datetime, about: str = "", actor: str = "", after: str = "", most: int = 100
    ) -> tuple[Sequence[AuditEntry], str]:
        """List entries, newest first: all, or of an object or a person; and the place of the last (empty: the end)."""
        ...
