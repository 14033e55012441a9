"""Show what a first connection would take, before it takes it: how many messages, how old, how big (X13)."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from postroom.model import Item, Listing
from postroom.model.configuration import FirstConnection, Mailbox, Type
from postroom.ports import Connector, Secrets, Session, Tokens
from postroom.rules.polling import is_oversize
from postroom.services.mailboxes.open import open_mailbox

IN_ALL = 60.0  # seconds


@dataclass(frozen=True, slots=True)
class Preview:
    """What lies in the folder, and what of it would be taken.

    A large folder is not sized as a whole: `size` and `oversize` are about the `sized` oldest messages.
    """

    messages: int
    wanted: int
    oldest: datetime | None
    newest: datetime | None
    sized: int
    size: int  # bytes
    oversize: int


def preview(
    mailbox: Mailbox,
    *,
    connectors: Mapping[Type, Connector],
    secrets: Secrets,
    tokens: Tokens | None = None,
    monotonic: Callable[[], float] = time.monotonic,
) -> Preview:
    """List the folder and change nothing; raises the mail-server errors."""
    deadline = monotonic() + IN_ALL
    everything = mailbox.model_copy(update={"first_connection": FirstConnection.ALL})
    items = _news(everything, connectors, secrets, tokens, deadline)
    wanted = _wanted(mailbox, items, lambda: _news(mailbox, connectors, secrets, tokens, deadline))
    dates = [item.date for item in items if item.date is not None]
    sizes = [item.size for item in items if item.size is not None]
    return Preview(
        messages=len(items),
        wanted=wanted,
        oldest=min(dates, default=None),
        newest=max(dates, default=None),
        sized=len(sizes),
        size=sum(sizes),
        oversize=sum(is_oversize(item, mailbox) for item in items),
    )


def _news(
    mailbox: Mailbox,
    connectors: Mapping[Type, Connector],
    secrets: Secrets,
    tokens: Tokens | None,
    deadline: float,
) -> tuple[Item, ...]:
    session = open_mailbox(mailbox, connectors=connectors, secrets=secrets, tokens=tokens, deadline=deadline)
    try:
        return list_whole(session).news
    finally:
        session.close()


def list_whole(session: Session) -> Listing:
    """List a folder of which nothing is known, part by part where it is large."""
    listing = first = session.list(None)
    found = {item.id: item for item in first.news}
    while listing.partial:  # what was shown counts as known, so that the next part is shown
        position = replace(listing.position, known=listing.position.known | found.keys())
        listing = session.list(position)
        found |= {item.id: item for item in listing.news}
    return replace(first, news=tuple(found.values()), position=listing.position, partial=False)


def _wanted(mailbox: Mailbox, items: tuple[Item, ...], listed: Callable[[], tuple[Item, ...]]) -> int:
    match mailbox.first_connection:
        case FirstConnection.ALL:
            return len(items)
        case FirstConnection.FROM_NOW:
            return 0
        case FirstConnection.SINCE:
            since = mailbox.first_connection_since
            # The server is asked where it can tell dates by itself; what it lists is counted by the date it gives.
            return sum(not (since and item.date and item.date.date() < since) for item in listed())
