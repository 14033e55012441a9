"""Queues that hold mail: none goes with mail that waits in it, and what went before is listed still.

A queue is a name that interactions are listed under, and nothing lists the names: mail in a queue that no configuration
names would be in no overview. So the names of earlier configurations are noted, once from their history, and from then
on with each change that takes one out.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from itertools import islice

from postroom.errors import Invalid, Problem, Transient
from postroom.model import Status
from postroom.model.configuration import Configuration
from postroom.ports import ConfigurationHistory
from postroom.ports import InteractionLists as InteractionLists
from postroom.services.configuration import load

MOST_COUNTED = 10_000


def queues_of(configuration: Configuration) -> tuple[str, ...]:
    """List the queues of a configuration, with those that its settings name and that exist by it."""
    settings = configuration.settings
    names = [queue.name for queue in configuration.queues]
    return tuple(dict.fromkeys([*names, settings.default_inbound_queue, settings.exception_queue]))


def past_queues(store: ConfigurationHistory) -> tuple[str, ...]:
    """List the queues of earlier configurations that the one in force does not name; some may hold mail.

    The first time their names are gathered from every version, and noted.
    """
    noted = store.past_queues()
    if noted is None:
        noted = frozenset(name for one in store.history() for name in queues_of(load(store, one.version)))
        with contextlib.suppress(Transient):  # who may only read gathers them again
            store.note_queues(noted)
    return tuple(sorted(noted.difference(queues_of(store.current()))))


def keep_queues_with_mail(old: Configuration, new: Configuration, *, interactions: InteractionLists) -> None:
    """Raise Invalid, naming every queue that `new` does not name any more, and the mails that wait in it."""
    if problems := list(_with_mail(old, new, interactions)):
        raise Invalid(problems)


def note_queues(old: Configuration, new: Configuration, *, store: ConfigurationHistory) -> None:
    """Note the queues that a change takes out, before it does: mail may still be on its way to them."""
    if gone := set(queues_of(old)).difference(queues_of(new)):
        past_queues(store)  # those of earlier versions are gathered before the first is noted
        store.note_queues(gone)


def _with_mail(old: Configuration, new: Configuration, interactions: InteractionLists) -> Iterator[Problem]:
    kept = queues_of(new)
    for name in queues_of(old):
        if name in kept:
            continue
        waiting = (row for row in interactions.list_queue(name) if row.get("status") != Status.DONE)
        count = sum(1 for _row in islice(waiting, MOST_COUNTED))
        if count:
            least = "at least " if count == MOST_COUNTED else ""
            mails = f"{count:,} mails wait" if count > 1 else "1 mail waits"
            yield Problem(
                f"queues[name={name}]",
                f"cannot be removed or renamed: {least}{mails} in it.",
                f"Keep it, and lead its mailboxes to another queue; `postroom replay --queue {name} --apply` moves "
                "what waits there, and then it can go.",
            )
