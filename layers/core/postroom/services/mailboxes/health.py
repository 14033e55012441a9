"""How a mailbox is: pure transitions from what happened to what an administrator reads and when it is tried next.

Three failed connects are enough to stop asking every cycle; a probe every ten minutes finds out when the fault has
passed. What only a person can mend stops at once: a wrong password asked for again locks accounts.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from postroom.errors import (
    AccessRefused,
    FolderMissing,
    LoginRefused,
    LoginUnclear,
    MailboxLocked,
    NotFound,
    Permanent,
    PostroomError,
    TlsFailed,
    Transient,
)
from postroom.model import Health, HealthState
from postroom.model.configuration import Mailbox
from postroom.ports import MailboxStates

PROBE = timedelta(minutes=10)
SLOW_PROBE = timedelta(hours=1)
FIRST_PAUSE = timedelta(minutes=2)  # of those that grow, up to an hour: five logins in the first one
PATIENCE = 3  # failures in a row before the probe
LONGEST_WAIT = timedelta(hours=24)  # a server that asks for more is asked after a day
TELLING = "act"  # the step after safe storage: new mail is fetched whether it works or not
_LONGEST = 300  # characters of a reason or remedy that are kept: the item stays small


@dataclass(frozen=True, slots=True)
class Rule:
    """What one kind of error means; the first rule whose `error` fits wins."""

    error: type[PostroomError]
    state: HealthState
    counts: bool  # whether it is a failure that patience counts
    probe: timedelta | None  # wait until the next try; None: not tried again before something is changed
    at_once: bool  # whether the wait holds from the first time
    grows: bool = False  # whether each failure doubles the wait, from FIRST_PAUSE up to `probe`


RULES: tuple[Rule, ...] = (
    # A right that is given takes effect by itself, and late: an hourly look sees it.
    Rule(AccessRefused, HealthState.NEEDS_ATTENTION, counts=True, probe=SLOW_PROBE, at_once=True),
    # Trying a refused password again locks accounts, and revoked consent does not come back by itself.
    Rule(LoginRefused, HealthState.NEEDS_ATTENTION, counts=True, probe=None, at_once=True),
    # It may be the password all the same: the pauses keep an account from being locked.
    Rule(LoginUnclear, HealthState.RETRYING, counts=True, probe=SLOW_PROBE, at_once=True, grows=True),
    # No credentials travel before these fail, so an hourly look harms nobody and sees a renewed certificate.
    Rule(TlsFailed, HealthState.NEEDS_ATTENTION, counts=True, probe=SLOW_PROBE, at_once=True),
    Rule(FolderMissing, HealthState.NEEDS_ATTENTION, counts=True, probe=SLOW_PROBE, at_once=True),
    # Somebody else is at work in it: no fault of the mailbox, but asking each cycle keeps the lock busy.
    Rule(MailboxLocked, HealthState.RETRYING, counts=False, probe=PROBE, at_once=True),
    # A secret that nobody has entered.
    Rule(NotFound, HealthState.NEEDS_ATTENTION, counts=True, probe=PROBE, at_once=True),
    Rule(Permanent, HealthState.NEEDS_ATTENTION, counts=True, probe=SLOW_PROBE, at_once=True),
    Rule(PostroomError, HealthState.RETRYING, counts=True, probe=PROBE, at_once=False),
)


def failed(health: Health, error: PostroomError, *, now: datetime, step: str = "") -> Health:
    """Say how a mailbox is after a failure; `step` is used where the error names none."""
    rule = next(rule for rule in RULES if isinstance(error, rule.error))
    until = _asked_to_wait(error, now)
    failures = health.failures + (rule.counts and until is None)
    wait = _wait(rule, failures)
    asked = f": the server asks to wait until {until:%Y-%m-%d %H:%M:%S} UTC" if until else ""
    return Health(
        state=rule.state,
        step=error.step or step,
        code=error.code,
        reason=error.what[: _LONGEST - len(asked)] + asked,
        remedy=error.remedy[:_LONGEST],
        since=health.since if health.state is rule.state and health.since else now,
        failures=failures,
        next_try=until or (now + wait if wait is not None else None),
        last_success=health.last_success,
    )


def _wait(rule: Rule, failures: int) -> timedelta | None:
    """Return the pause after so many failures in a row; None: the next cycle, or nothing before something changes."""
    if rule.probe is None or not (rule.at_once or failures >= PATIENCE):
        return None
    doubled = FIRST_PAUSE * 2 ** min(max(failures, 1) - 1, 10)
    return min(doubled, rule.probe) if rule.grows else rule.probe


def _asked_to_wait(error: PostroomError, now: datetime) -> datetime | None:
    """Return the moment that the other side has asked us to come back at; what only a person can mend does not pass."""
    if error.retry_after is None or not isinstance(error, Transient):
        return None
    return now + timedelta(seconds=min(max(error.retry_after, 0.0), LONGEST_WAIT.total_seconds()))


def untold(health: Health, error: PostroomError, *, now: datetime) -> Health:
    """Say how a mailbox is whose mail is fetched, but whose server does not let itself be told of it (a full folder).

    That is tried again at every cycle, unless the server asks to wait, and puts off no new mail; the same refusal again
    changes nothing, so that it is not written again. What failed before the telling (a new connection) would hinder
    fetching too, and is a failure like any other.
    """
    after = failed(health, error, now=now)
    if after.step != TELLING:
        return after
    return replace(after, failures=min(after.failures, PATIENCE), next_try=_asked_to_wait(error, now))


def sees(health: Health) -> bool:
    """Tell whether new mail is found and fetched, whatever else is wrong."""
    return is_well(health) or (health.step == TELLING and health.next_try is None)


def succeeded(health: Health, *, now: datetime) -> Health:
    """Say how a mailbox is after it worked: the very same object when it was well before, so nothing is written."""
    if is_well(health):
        return health
    return Health(last_success=now)


def fetched(health: Health, *, now: datetime) -> Health:
    """Note a success that is written anyway, together with what was fetched."""
    return replace(succeeded(health, now=now), last_success=now)


def may_be_tried(health: Health, *, now: datetime, same_settings: bool) -> bool:
    """Tell whether to look at the mailbox now; changed settings are tried at once.

    A moment further off than any wait was written by a clock that went wrong.
    """
    if not same_settings:
        return True
    if health.next_try is not None:
        return not now < health.next_try <= now + LONGEST_WAIT
    return health.state is not HealthState.NEEDS_ATTENTION or health.step == TELLING


def shown(health: Health, mailbox: Mailbox) -> Health:
    """Say what people see: a mailbox that is switched off is inactive, whatever happened before."""
    return health if mailbox.enabled else replace(health, state=HealthState.INACTIVE, next_try=None)


def is_well(health: Health) -> bool:
    """Tell whether nothing is known against a mailbox."""
    return health.state is HealthState.ACTIVE and not health.failures


def forgive(mailbox: Mailbox, *, states: MailboxStates, known: Health | None = None) -> None:
    """Let a mailbox be tried again at the next cycle: it was enabled again, or its password was entered anew.

    `known` is its health until now, of which the last success stays.
    """
    fresh = Health(last_success=known.last_success if known else None)
    states.save_health(mailbox.identity, fresh, config_digest=settings_digest(mailbox))


def settings_digest(mailbox: Mailbox) -> str:
    """Digest of the settings that a health was judged by."""
    written = mailbox.model_dump_json(exclude={"renamed_from"})  # which says nothing of how it is polled
    return hashlib.sha256(written.encode("utf-8")).hexdigest()[:16]
