"""Bring threads together whose mails came in the wrong order (fault 58).

A reply that comes before what it answers leaves a note under the Message-ID it waits for; whoever brings that mail in
finds the note. Only a reply whose sender is proven leaves one: nothing joins later that could not have joined at once.
"""

from __future__ import annotations

from datetime import datetime

from postroom.mail.headers import address_key
from postroom.model import Event, EventKind, Interaction
from postroom.ports import Interactions
from postroom.services.desk import IncomingCases


def heal_threads(
    interaction: Interaction,
    waits_for: str | None,
    *,
    interactions: Interactions,
    cases: IncomingCases,
    now: datetime,
) -> None:
    """Join the replies that waited for this mail, and leave a note when this mail itself waits for another."""
    if interaction.message_id is not None:
        for waiting in interactions.waiting_for(interaction.message_id):
            _join(waiting.interaction_id, waiting.sender, interaction, interactions, cases, now)
    if waits_for is None or interaction.sender is None:
        return
    sender = address_key(interaction.sender.address)
    interactions.wait_for(waits_for, interaction_id=interaction.id, sender=sender, now=now)
    # It may have come in between our look-up and the note.
    for hit in interactions.by_message_ids([waits_for]):
        found = interactions.get(hit.interaction_id)
        if found is not None:
            _join(interaction.id, sender, found, interactions, cases, now)


def _join(
    child: str, sender: str, parent: Interaction, interactions: Interactions, cases: IncomingCases, now: datetime
) -> None:
    took_part = {address_key(address.address) for address in (*parent.to, *parent.cc, *parent.reply_to)}
    took_part |= {address_key(parent.sender.address)} if parent.sender else set()
    if sender not in took_part or child == parent.id:
        return
    found = interactions.find(child)
    if found is None or found.thread_id != child or not cases.join_late(child, parent.thread_id, now=now):
        return  # it is in a thread already, or people of ours work on both
    if interactions.join_thread(child, thread_id=parent.thread_id, parent_id=parent.id):
        detail = f"what it answers came in later: {parent.id}"
        interactions.add_event(child, Event(at=now, what=EventKind.THREAD_HEALED, detail=detail))
        follow_parent(child, parent.id, was=parent.thread_id, interactions=interactions, now=now)


def follow_parent(
    child: str, parent: str, *, was: str, interactions: Interactions, now: datetime, also: str | None = None
) -> None:
    """Go along with a parent that was moved to another thread while this mail joined the one `was` (fault 124).

    Whoever moves a thread lists it once more at the end: a mail that is written before its parent moves is seen there,
    and one that is written later sees here where its parent is. `also`: a mail of ours that goes where this one does.
    """
    there = interactions.find(parent)
    if there is None or there.thread_id == was:
        return
    for one in filter(None, (child, also)):
        if interactions.follow(one, was=was, thread_id=there.thread_id):
            detail = f"the thread of {parent} was moved meanwhile"
            interactions.add_event(one, Event(at=now, what=EventKind.THREAD_HEALED, detail=detail))
