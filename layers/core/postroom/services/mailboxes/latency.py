"""How long mail takes from its server to its queue: told when it comes, and summed up for each mailbox (X14)."""

from __future__ import annotations

import logging
import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from postroom.model import Interaction, MailboxState, Subtype
from postroom.model.configuration import Configuration, Mailbox
from postroom.ports import Arrivals
from postroom.rules import route
from postroom.rules.polling import OLD_MARGIN

logger = logging.getLogger(__name__)

RECENT = 50  # mails of a mailbox that are summed up, where few are asked about
LEAST = 3  # where very many are
IN_ALL = 1_000  # mails that are read for one list
SEEN = 200  # of the newest of a queue
QUEUES = 25  # of a list that leads to more, only single mailboxes are told of: each costs a query


@dataclass(frozen=True, slots=True)
class Delay:
    """From the server's date to the queue, in seconds, of the newest mails of a mailbox."""

    mails: int
    median: float
    longest: float


def note_arrival(interaction: Interaction, *, old: bool) -> None:
    """Log how long a mail took to its queue; what lay there before the first connection tells nothing."""
    if interaction.server_date is None or old:
        return
    seconds = max(0.0, (interaction.created - interaction.server_date).total_seconds())
    logger.info("queued", extra={"mailbox": interaction.mailbox, "id": interaction.id, "to_queue": round(seconds, 3)})


def delays(
    mailboxes: Sequence[Mailbox],
    states: Mapping[str, MailboxState],
    *,
    configuration: Configuration,
    arrivals: Arrivals,
) -> dict[str, Delay]:
    """Sum up the newest mails of mailboxes, by identity; one without any among the newest of its queue is left out.

    The more mailboxes, the fewer mails of each; none at all where they lead to very many queues.
    """
    queues = {route(configuration, mailbox, Subtype.INBOUND_NEW).queue for mailbox in mailboxes}
    names = [mailbox.identity for mailbox in mailboxes]
    if not names or len(queues) > QUEUES:
        return {}
    of_each = min(RECENT, max(LEAST, IN_ALL // len(names)))
    seconds: dict[str, list[float]] = defaultdict(list)
    for arrival in arrivals.newest(sorted(queues), mailboxes=names, seen=SEEN, of_each=of_each):
        position = states[arrival.mailbox].position
        if position is None or position.connected is None or arrival.received >= position.connected - OLD_MARGIN:
            # Server dates have whole seconds, and other clocks.
            seconds[arrival.mailbox].append(max(0.0, (arrival.queued - arrival.received) / timedelta(seconds=1)))
    return {
        name: Delay(len(of_it), round(statistics.median(of_it), 1), round(max(of_it), 1))
        for name, of_it in seconds.items()
    }
