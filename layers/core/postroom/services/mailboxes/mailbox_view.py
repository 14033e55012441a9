"""What people see of a mailbox: how it is and why, when it is tried next, what its polls found, what to see to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from postroom.model import Balance, Health, MailboxState
from postroom.model.configuration import Mailbox, Type
from postroom.rules.polling import unacknowledged
from postroom.services.mailboxes import forecast
from postroom.services.mailboxes.forecast import Concern
from postroom.services.mailboxes.health import sees, shown

TOLD_FOR = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class View:
    """One mailbox as it is now.

    `waiting_since`: when the oldest mail came that is not fetched yet; `lag` is the same in seconds, 0 when none waits.
    Where `lag_exact` is False it is the most that it can be: the mailbox cannot be looked at since then, or its server
    does not say when mail came, so that it counts from the poll that met it first. `looked_at`: False until the first
    look has worked. `problems`: mails given up or set aside that nobody has seen to.
    """

    health: Health
    looked_at: bool
    waiting_since: datetime | None
    lag: float
    lag_exact: bool
    polls: tuple[tuple[datetime, Balance], ...]
    problems: int
    warnings: tuple[Concern, ...]


def view(mailbox: Mailbox, state: MailboxState, *, now: datetime, valid_until: Mapping[str, date]) -> View:
    """See a mailbox (as it is polled: `Configuration.effective`) with its state."""
    since = _waiting_since(state) if mailbox.enabled else None
    return View(
        health=shown(state.health, mailbox),
        looked_at=state.position is not None,
        waiting_since=since,
        lag=max(0.0, (now - since).total_seconds()) if since else 0.0,
        lag_exact=mailbox.enabled and state.position is not None and _sees_all(mailbox, state),
        polls=state.balances,
        problems=len(unacknowledged(state.position)),
        warnings=(
            *_problems(mailbox, state),
            *_memory(state, now=now),
            *forecast.warnings(mailbox, today=now.date(), valid_until=valid_until),
        ),
    )


def _problems(mailbox: Mailbox, state: MailboxState) -> Iterator[Concern]:
    """Tell of mails that no poll asks for any more, until somebody has seen to them."""
    if count := len(unacknowledged(state.position)):
        yield Concern(
            "mails-not-fetched",
            f"{count} mail{'s were' if count > 1 else ' was'} given up or set aside.",
            f"`postroom mailbox problems {mailbox.name}` says why; `retry` and `release` there see to them.",
        )


def _memory(state: MailboxState, *, now: datetime) -> Iterator[Concern]:
    """Tell what became of our memory of the mails on the server, for a month."""
    if state.lost:
        yield Concern(
            "memory-lost",
            f"What was remembered of the mails in this folder is lost. {state.lost}.",
            "The next poll compares all that lies there: what was stored before makes no second interaction.",
        )
    elif state.begun_anew is not None and now - state.begun_anew[0] < TOLD_FOR:
        at, why = state.begun_anew
        yield Concern(
            "compared-anew",
            f"All that lies in the folder was compared anew at {at:%Y-%m-%d %H:%M} UTC. {why}.",
            "What was stored before makes no second interaction; see to it if it happens again.",
        )


def _waiting_since(state: MailboxState) -> datetime | None:
    unseen = None if sees(state.health) else state.health.since
    return min((at for at in (unseen, state.waiting) if at), default=None)


def _sees_all(mailbox: Mailbox, state: MailboxState) -> bool:
    return sees(state.health) and (state.waiting is None or mailbox.type is not Type.POP3)


def secrets_of(mailboxes: Sequence[Mailbox]) -> list[str]:
    """List the secrets in our own store that these mailboxes use."""
    references = (reference for mailbox in mailboxes for reference in (mailbox.password, mailbox.client_secret))
    return sorted({reference.secret for reference in references if reference and reference.secret})
