"""Read the audit log: by time, by object, by person; another department's entries go before a page is cut."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from postroom.errors import Invalid, Problem
from postroom.model.access import AuditAction, AuditEntry, Block, Level, Principal, Scope
from postroom.ports import Audit, Clock
from postroom.rules.access import require_somewhere, visible
from postroom.services.people.audit import entry

USUAL = timedelta(days=30)
LONGEST = timedelta(days=366)
"""Of one question: each day without any act is a read as well."""

MOST_EXPORTED = 5_000
"""Entries of one answer; some 3 MB, and an answer of a function has 6."""


@dataclass(frozen=True, slots=True)
class Period:
    """From when to when; either may be left out."""

    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class AuditLog:
    """Questions about who did what."""

    audit: Audit
    clock: Clock
    client: str = "api"

    def page(
        self,
        principal: Principal,
        period: Period,
        *,
        about: str = "",
        actor: str = "",
        after: str = "",
        most: int = 100,
    ) -> tuple[list[AuditEntry], str]:
        """List entries, newest first: all, or of an object (`user/7f…`), or of a person (the id of a user)."""
        require_somewhere(principal, Block.AUDIT, Level.VIEW, on="the audit log")
        since, until = self._span(period)
        seen = visible(principal, Block.AUDIT)
        found: list[AuditEntry] = []
        place = after
        while len(found) < most:
            # A whole page is read even for its last entry: each read is a request.
            entries, place = self.audit.page(since=since, until=until, about=about, actor=actor, after=place)
            for one in entries:
                if seen.admits(Scope(one.department)) and (not actor or one.actor == actor):
                    found.append(one)
                if len(found) == most:
                    return found, _place(one)
            if not place:
                return found, ""
        return found, place

    def export(
        self, principal: Principal, period: Period, *, about: str = "", actor: str = "", after: str = ""
    ) -> tuple[list[AuditEntry], str]:
        """List up to MOST_EXPORTED entries to be taken away, which is told in the log itself."""
        require_somewhere(principal, Block.AUDIT_EXPORTS, Level.VIEW, on="the audit log")
        if not after:
            now = self.clock()
            self.audit.add(
                entry(
                    principal,
                    AuditAction.AUDIT_EXPORTED,
                    f"audit/{about or actor or 'all'}",
                    now=now,
                    client=self.client,
                )
            )
        return self.page(principal, period, about=about, actor=actor, after=after, most=MOST_EXPORTED)

    def every(self, principal: Principal, period: Period, *, about: str = "", actor: str = "") -> Iterator[AuditEntry]:
        """List all entries, a page at a time."""
        place = ""
        while True:
            found, place = self.export(principal, period, about=about, actor=actor, after=place)
            yield from found
            if not place:
                return

    def _span(self, period: Period) -> tuple[datetime, datetime]:
        until = period.until or self.clock()
        since = period.since or until - USUAL
        if since > until:
            raise Invalid([Problem("from", "is after `to`.", "Give an earlier moment.")])
        if until - since > LONGEST:
            raise Invalid([Problem("from", "is more than 366 days before `to`.", "Ask for a year at a time.")])
        return since, until


def _place(one: AuditEntry) -> str:
    """Return where a list goes on after an entry, as the store writes it."""
    return f"{one.at:%Y-%m-%dT%H:%M:%S.%f}Z#{one.id}"
