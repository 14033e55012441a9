"""What people see of a mailbox: how it is and why, when it is tried next, what its polls found, what to see to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from postroom.model import Balance, Health, HealthState, MailboxState
from postroom.model.configuration import Mailbox, Type
from postroom.rules.polling import unacknowledged
from postroom.services.mailboxes import forecast
from postroom.services.mailboxes.forecast import Concern
from postroom.services.mailboxes.health import is_well, may_be_tried, sees, shown

TOLD_FOR = timedelta(days=30)
MISSED_CYCLES = 3
MISSED_SLACK = timedelta(minutes=2)
"""Beyond those cycles: a tick fires up to a minute late, and polls are noted when the slowest of them is through."""
NOT_POLLED = "not-polled"


@dataclass(frozen=True, slots=True)
class Polls:
    """When a mailbox was last polled, whatever that found, and since when it is surely to be polled.

    `last` None: no poll of it is known. `due_since`: when the configuration in force was applied.
    """

    last: datetime | None
    due_since: datetime | None

    def missing_since(self, mailbox: Mailbox, *, now: datetime) -> datetime | None:
        """Return since when the mailbox is not polled any more; None while it is, or need not be."""
        since = max((at for at in (self.last, self.due_since) if at), default=None)
        if not mailbox.enabled or since is None or now - since <= MISSED_CYCLES * mailbox.cycle_time + MISSED_SLACK:
            return None
        return self.last or since


@dataclass(frozen=True, slots=True)
class View:
    """One mailbox as it is now.

    `waiting_since`: when the oldest mail came that is not fetched yet; `lag` is the same in seconds, 0 when none waits.
    Where `lag_exact` is False it is the most that it can be: the mailbox cannot be looked at since then, or its server
    does not say when mail came, so that it counts from the poll that met it first. `looked_at`: False until the first
    look has worked. `last_look`: the last one, whatever it found; None while its health lets the mailbox wait, or where
    none is known. `problems`: mails given up or set aside that nobody has seen to.
    """

    health: Health
    looked_at: bool
    last_look: datetime | None
    waiting_since: datetime | None
    lag: float
    lag_exact: bool
    polls: tuple[tuple[datetime, Balance], ...]
    problems: int
    warnings: tuple[Concern, ...]


def view(
    mailbox: Mailbox,
    state: MailboxState,
    *,
    now: datetime,
    valid_until: Mapping[str, date],
    polls: Polls | None = None,
) -> View:
    """See a mailbox (as it is polled: `Configuration.effective`) with its state; `polls` None: nobody has asked."""
    missing = polls.missing_since(mailbox, now=now) if polls else None
    since = _waiting_since(state, missing) if mailbox.enabled else None
    health = shown(state.health, mailbox)
    tried = may_be_tried(state.health, now=now, same_settings=True)
    return View(
        health=health if missing is None else _not_polled(health, polls, missing),
        looked_at=state.position is not None,
        last_look=polls.last if polls and tried else None,
        waiting_since=since,
        lag=max(0.0, (now - since).total_seconds()) if since else 0.0,
        lag_exact=mailbox.enabled and missing is None and state.position is not None and _sees_all(mailbox, state),
        polls=state.balances,
        problems=len(unacknowledged(state.position)),
        warnings=(
            *_missing(polls, missing),
            *_problems(mailbox, state),
            *_memory(state, now=now),
            *forecast.warnings(mailbox, today=now.date(), valid_until=valid_until),
        ),
    )


def _missed(polls: Polls | None, since: datetime) -> str:
    if polls is not None and polls.last is None:
        return f"No look at it is known, and it is to be polled since {since:%Y-%m-%d %H:%M:%S} UTC"
    return f"It was not looked at since {since:%Y-%m-%d %H:%M:%S} UTC"


_SEE_TO_POLLING = (
    "Nothing is wrong with the mailbox: see to the functions that poll, `schedule_polls` and `fetch_mailboxes` (or "
    "`fetch_ews`), by their alarms, their logs and `postroom dlq list`."
)


def _not_polled(health: Health, polls: Polls | None, since: datetime) -> Health:
    """Say how a mailbox is that is not polled: what was well when it was last seen is not known to be."""
    if not is_well(health):
        return health
    return replace(
        health,
        state=HealthState.NEEDS_ATTENTION,
        step="look",
        code="not_polled",
        reason=_missed(polls, since),
        remedy=_SEE_TO_POLLING,
        since=since,
    )


def _missing(polls: Polls | None, since: datetime | None) -> Iterator[Concern]:
    """Tell that nobody polls a mailbox that should be."""
    if since is not None:
        yield Concern(NOT_POLLED, f"{_missed(polls, since)}.", _SEE_TO_POLLING)


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


def _waiting_since(state: MailboxState, missing: datetime | None) -> datetime | None:
    unseen = None if sees(state.health) else state.health.since
    return min((at for at in (unseen, missing, state.waiting) if at), default=None)


def _sees_all(mailbox: Mailbox, state: MailboxState) -> bool:
    return sees(state.health) and (state.waiting is None or mailbox.type is not Type.POP3)


def secrets_of(mailboxes: Sequence[Mailbox]) -> list[str]:
    """List the secrets in our own store that these mailboxes use."""
    references = (reference for mailbox in mailboxes for reference in (mailbox.password, mailbox.client_secret))
    return sorted({reference.secret for reference in references if reference and reference.secret})
