"""Count what waits for a person now: alarms last as long as it does, not as long as the moment that began it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import islice

from postroom.model import HealthState, Outbound, OutboxState
from postroom.ports import DatedConfigurations, Looks, MailboxStates, Outbox
from postroom.rules.polling import unacknowledged
from postroom.services.mailboxes import Polls, may_be_tried
from postroom.services.outbound import held_for_person, missed

logger = logging.getLogger(__name__)

MOST_COUNTED = 5_000  # of each state, a run
_READ_AT_ONCE = 100
_ANY_TIME = timedelta(days=3650)  # DEFERRED is listed by when it is due


def of_outbox(outbox: Outbox, *, now: datetime) -> dict[str, int]:
    """Count the mails of which nobody knows whether they left, that wait for a person, and that did not arrive."""
    uncertain = sum(1 for _one in islice(outbox.waiting(OutboxState.UNCERTAIN, before=now), MOST_COUNTED))
    deferred = islice(outbox.waiting(OutboxState.DEFERRED, before=now + _ANY_TIME), MOST_COUNTED)
    return {
        "mails_uncertain_now": uncertain,
        "mails_held_now": _count(outbox, deferred, held_for_person),
        "mails_unarrived_now": _count(outbox, islice(outbox.unarrived(), MOST_COUNTED), missed),
    }


def _count(outbox: Outbox, ids: Iterator[str], counted: Callable[[Outbound], bool]) -> int:
    count = 0
    while some := list(islice(ids, _READ_AT_ONCE)):
        count += sum(counted(one) for one in outbox.read(some).values())
    return count


def of_mailboxes(
    configurations: DatedConfigurations, states: MailboxStates, looks: Looks, *, now: datetime
) -> dict[str, int]:
    """Count and log the enabled mailboxes that are not well or not polled, and the mails given up unseen.

    A poller that is dead fails at nothing: only that a mailbox was not looked at for some of its cycles shows it.
    """
    configuration = configurations.current()
    mailboxes = [configuration.effective(mailbox) for mailbox in configuration.mailboxes if mailbox.enabled]
    enabled = {mailbox.identity: mailbox.name for mailbox in mailboxes}
    last = looks.last(list(enabled.values())) if enabled else {}
    since = configurations.in_force_since()
    known = states.load(list(enabled)) if enabled else {}
    failing = unfetched = unpolled = 0
    for identity, name in enabled.items():
        if count := len(unacknowledged(known[identity].position)):
            unfetched += count
            logger.warning("mails_not_fetched", extra={"mailbox": name, "count": count})
        health = known[identity].health
        if health.state in (HealthState.RETRYING, HealthState.NEEDS_ATTENTION):
            failing += 1
            logger.warning("mailbox_failing", extra={"mailbox": name, "step": health.step, "code": health.code})
    for mailbox in mailboxes:
        waits = not may_be_tried(known[mailbox.identity].health, now=now, same_settings=True)
        missing = None if waits else Polls(last.get(mailbox.name), since).missing_since(mailbox, now=now)
        if missing is not None:
            unpolled += 1
            logger.warning("mailbox_not_polled", extra={"mailbox": mailbox.name, "since": missing.isoformat()})
    return {"mailboxes_failing": failing, "mailboxes_not_polled": unpolled, "mails_not_fetched": unfetched}
