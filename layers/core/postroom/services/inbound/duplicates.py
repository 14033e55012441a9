"""A mail that is here already makes no second interaction: the first one says that it came again (X02, X04).

The same bytes are the same mail, by their content key. Other bytes are it only by the stable digest with the server's
date, and on evidence that a server wrote them anew (design, 'Identities and order', 4): the mail was fetched under the
same id, its mailbox has changed place or ids, or Exchange lists the delivery under another id. Whatever is taken for
the same mail is kept, linked and told, and a person can make it an interaction of its own.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from urllib.parse import unquote

from postroom.errors import NotFound
from postroom.mail.origin import stable_digest
from postroom.mail.reader import Unreadable, read
from postroom.model import (
    DEAD_LEASE,
    SERVER_ID,
    Duplicate,
    Event,
    EventKind,
    Interaction,
    SameMail,
    Understanding,
    in_place_of_id,
    interaction_id,
    parse_raw_key,
    raw_prefix,
)
from postroom.model.configuration import Type
from postroom.ports import Duplicates, Interactions, RawMessages
from postroom.services.inbound.facts import Facts

LONGEST_LEASE = timedelta(minutes=16)  # an invocation lasts 15 minutes at most
_MOST_ASKED = 10  # interactions that may be the same mail: anybody can write many under one Message-ID

TOLD: dict[SameMail, str] = {
    SameMail.SAME_ID: "fetched again under the same id of the server, which had written its bytes anew",
    SameMail.MOVED: "fetched again after its mailbox had changed place or ids",
    SameMail.SAME_DELIVERY: "fetched again under another id, with the Message-ID and time of this delivery",
}


def seen_again(facts: Facts) -> Event:
    """Tell of this raw message what is recorded should its bytes be an interaction already."""
    return Event(at=facts.now, what=EventKind.SEEN_AGAIN, detail=f"{_on_server(facts)}stored as {facts.stored.key}")


def note_repetition(there: Interaction | None, raw_key: str, event: Event, *, interactions: Interactions) -> None:
    """Record a second raw message of the same bytes; nothing for the one that the interaction was made of.

    The same raw message may be processed any number of times and is told once.
    """
    if there is None or there.raw_key == raw_key:
        return
    told = (one.detail for one in interactions.history(there.id) if one.what == EventKind.SEEN_AGAIN)
    if not any(detail.endswith(raw_key) for detail in told):
        interactions.add_event(there.id, event)


def same_mail(duplicate: Duplicate, facts: Facts) -> Event:
    """Tell of this raw message that it is the same mail in other bytes."""
    detail = f"{TOLD[duplicate.evidence]}; {_on_server(facts)}kept as {duplicate.raw_key}"
    return Event(at=facts.now, what=EventKind.SAME_MAIL, detail=detail)


def stored_by_a_dead_poll(facts: Facts, raw: RawMessages) -> list[str]:
    """List, oldest first, what a poll that died has stored under the same id before this raw message was.

    It may not be an interaction yet, nor an index know it. Reads nothing where no poll died.
    """
    text = facts.stored.metadata.get(DEAD_LEASE, "")
    if not text:
        return []
    try:
        ended = datetime.fromisoformat(text)
    except ValueError:
        return []
    own = parse_raw_key(facts.stored.key)
    hours = {
        own.stored,
        *(moment.replace(minute=0, second=0, microsecond=0) for moment in (ended - LONGEST_LEASE, ended)),
    }
    found = [
        (stored, key)
        for hour in sorted(hours)
        for key, stored in raw.keys(f"{raw_prefix(hour)}{own.mailbox}/{own.server}-")
    ]
    here = next((one for one in found if one[1] == facts.stored.key), None)
    return [one[1] for one in sorted(found) if here is None or one < here]


def candidates(
    mail: Understanding, facts: Facts, before: Sequence[str], *, interactions: Interactions, duplicates: Duplicates
) -> Iterator[Interaction]:
    """Find the interactions of this mailbox that may be this mail; `before`: raw keys of a poll that died."""
    own = interaction_id(facts.mailbox_name, mail.sha256)
    ids = []
    for key in before:
        one = parse_raw_key(key).interaction_id
        known = duplicates.find(one)
        ids.append(known.of if known and not known.apart else one)
    hits = interactions.by_message_ids([mail.message_id or in_place_of_id(mail.stable_digest())])
    ids += [hit.interaction_id for hit in hits if hit.mailbox == facts.mailbox_name and not hit.outbound]
    for one in list(dict.fromkeys(ids))[:_MOST_ASKED]:
        found = interactions.get(one) if one != own else None
        # Copies for further recipients are not what a raw message becomes itself.
        if found is not None and parse_raw_key(found.raw_key).interaction_id == found.id:
            yield found


def claims(
    mail: Understanding,
    facts: Facts,
    among: Iterator[Interaction],
    *,
    duplicates: Duplicates,
    raw: RawMessages,
) -> Iterator[Duplicate]:
    """Yield what this raw message may be a duplicate of, the best evidence first; nothing for a mail of its own."""
    own = interaction_id(facts.mailbox_name, mail.sha256)
    for there in among:
        if there.server_date != facts.server_date or _digest(there, raw) != mail.stable_digest():
            continue
        recorded = duplicates.of(there.id)
        if any(one.id == own and one.apart for one in recorded):
            return
        for evidence, claim in _evidence(mail, facts, there, recorded, own):
            yield Duplicate(own, there.id, there.mailbox, facts.stored.key, evidence, claim, facts.now)


def _evidence(
    mail: Understanding, facts: Facts, there: Interaction, recorded: Sequence[Duplicate], own: str
) -> Iterator[tuple[SameMail, str]]:
    ids = {parse_raw_key(key).server for key in (there.raw_key, *(one.raw_key for one in recorded))}
    if parse_raw_key(facts.stored.key).server in ids:
        yield SameMail.SAME_ID, own
    elif facts.series and facts.series != there.series:
        # What lay there n times is listed n times at the new place: each absorbs one.
        yield SameMail.MOVED, facts.series
    if (
        facts.mailbox is not None
        and facts.mailbox.type in (Type.GRAPH, Type.EWS)
        and mail.message_id is not None
        and facts.server_date is not None
    ):
        yield SameMail.SAME_DELIVERY, own


def _digest(there: Interaction, raw: RawMessages) -> str:
    """Return an interaction's stable digest; of one that an earlier version made, by its raw message if it is there."""
    if there.stable_digest or there.wrap_reason is not None:
        return there.stable_digest or "unknown"
    with contextlib.suppress(NotFound, Unreadable, RecursionError, MemoryError):
        return stable_digest(read(raw.get(there.raw_key).content))
    return "unknown"


def _on_server(facts: Facts) -> str:
    server_id = unquote(facts.stored.metadata.get(SERVER_ID, ""))
    return f"under the id {server_id} on the server, " if server_id else ""
