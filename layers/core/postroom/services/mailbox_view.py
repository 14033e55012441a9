"""What people see of a mailbox: how it is and why, when it is tried next, what its polls found, what to see to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from postroom.model.mailbox import Mailbox
from postroom.model.polling import Balance, Health, MailboxState
from postroom.services import forecast
from postroom.services.forecast import Concern
from postroom.services.health import is_well, shown


class SecretDates(Protocol):
    """Knows when secrets expire, and nothing else of them."""

    def valid_until(self, names: Sequence[str]) -> Mapping[str, date]:
        """Return the last day of those secrets for which one was entered."""
        ...


@dataclass(frozen=True, slots=True)
class View:
    """One mailbox as it is now.

    `waiting_since`: mail may lie on the server unfetched since then, because it cannot be looked at, or because the
    polls since then left some; `lag` is the same in seconds. `looked_at`: False until the first look has worked.
    """

    health: Health
    looked_at: bool
    waiting_since: datetime | None
    lag: float
    polls: tuple[tuple[datetime, Balance], ...]
    warnings: tuple[Concern, ...]


def view(mailbox: Mailbox, state: MailboxState, *, now: datetime, valid_until: Mapping[str, date]) -> View:
    """See a mailbox (as it is polled: `Configuration.effective`) with its state."""
    since = _waiting_since(state) if mailbox.enabled else None
    return View(
        health=shown(state.health, mailbox),
        looked_at=state.position is not None,
        waiting_since=since,
        lag=max(0.0, (now - since).total_seconds()) if since else 0.0,
        polls=state.balances,
        warnings=forecast.warnings(mailbox, today=now.date(), valid_until=valid_until),
    )


def _waiting_since(state: MailboxState) -> datetime | None:
    unseen = None if is_well(state.health) else state.health.since
    left: datetime | None = None
    for at, balance in reversed(state.balances):
        if not balance.left:
            break
        left = at
    return min((at for at in (unseen, left) if at), default=None)


def secrets_of(mailboxes: Sequence[Mailbox]) -> list[str]:
    """List the secrets in our own store that these mailboxes use."""
    references = (reference for mailbox in mailboxes for reference in (mailbox.password, mailbox.client_secret))
    return sorted({reference.secret for reference in references if reference and reference.secret})
