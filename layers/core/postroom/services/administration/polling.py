"""Look at mailboxes now instead of at their next cycle."""

from __future__ import annotations

from collections.abc import Sequence

from postroom.errors import Invalid, Problem
from postroom.model import MOST_MAILBOXES, poll_request
from postroom.model.configuration import Configuration, Type
from postroom.ports import Queue
from postroom.services.mailboxes import existing


def poll_now(names: Sequence[str], configuration: Configuration, *, queue: Queue, ews_queue: Queue) -> None:
    """Queue polls of mailboxes; raises NotFound or Invalid, naming each that is not enabled, before any is queued."""
    wanted = [existing(configuration, name) for name in names]
    disabled = [mailbox.name for mailbox in wanted if not mailbox.enabled]
    if disabled:
        raise Invalid(
            [Problem(name, "is not enabled.", f"Enable it: `postroom mailbox enable {name}`.") for name in disabled]
        )
    for target, of_ews in ((queue, False), (ews_queue, True)):
        some = [mailbox.name for mailbox in wanted if (mailbox.type is Type.EWS) is of_ews]
        for start in range(0, len(some), MOST_MAILBOXES):
            target.send(poll_request(some[start : start + MOST_MAILBOXES]))
