"""Mails that were given up or set aside: try them again, or say that somebody has seen to them (G07, fault 104).

They are counted in lists, warnings and an alarm until then: nothing else ends that but their leaving the server.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime, timedelta

from postroom.errors import Invalid, Problem, Transient
from postroom.model import Position
from postroom.model.configuration import Mailbox
from postroom.ports import MailboxStates
from postroom.rules.polling import set_aside

HOLD = timedelta(seconds=60)  # longest time that one write takes; another poller waits so long


def retry_problems(mailbox: Mailbox, ids: Collection[str], *, states: MailboxStates, now: datetime) -> tuple[str, ...]:
    """Have the next poll ask for these once more; without ids, for all. Returns those that are tried again."""
    return _change(mailbox, ids, set_aside.tried_again, states=states, now=now)


def release_problems(
    mailbox: Mailbox, ids: Collection[str], *, states: MailboxStates, now: datetime
) -> tuple[str, ...]:
    """Count these no longer, as somebody has seen to them; they stay as they are. Without ids, all."""

    def acknowledged(position: Position, chosen: Collection[str]) -> Position:
        return replace(position, acknowledged=position.acknowledged | frozenset(chosen))

    return _change(mailbox, ids, acknowledged, states=states, now=now)


def _change(
    mailbox: Mailbox,
    ids: Collection[str],
    change: Callable[[Position, Collection[str]], Position],
    *,
    states: MailboxStates,
    now: datetime,
) -> tuple[str, ...]:
    """Change the position under the lease, so that no poller overwrites it, nor is overwritten."""
    name = mailbox.name
    state = states.load([mailbox.identity], consistent=True)[mailbox.identity]
    if state.trouble is not None:
        raise state.trouble
    position = state.position
    there = set_aside.unfetched(position)
    if strange := [one for one in ids if one not in there]:
        remedy = f"`postroom mailbox problems {name}` lists them."
        raise Invalid([Problem(f"{name}/{one}", "is not on the problem list.", remedy) for one in strange])
    chosen = tuple(ids) or there
    if position is None or not chosen:
        return ()
    lease = states.take_lease(state, owner=uuid.uuid4().hex[:16], now=now, expires=now + HOLD)
    if lease is None:
        raise Transient(
            "The mailbox is being polled now", on=name, code="mailbox_busy", remedy="Try again in a minute."
        )
    states.save(lease, replace(state, position=change(position, chosen)), release=True)
    return chosen
