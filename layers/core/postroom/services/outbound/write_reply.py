"""Put a person's mail into the outbox: an answer, a forward, a new mail; once, however often it is asked for."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

from postroom.errors import Conflict, NotFound, Transient
from postroom.model import Added, Body, Interaction, Outbound, send_request
from postroom.ports import Clock, Configurations, Contents, Interactions, Outbox, Queue
from postroom.services.outbound.prepare import Prepared, Shelf, prepare_new, prepare_reply
from postroom.services.outbound.wanted import MARK, FileWanted, Mode, NewMail, Reply

__all__ = ["FileWanted", "Mode", "NewMail", "Replied", "Reply", "preview_new", "preview_reply", "reply", "write_new"]


@dataclass(frozen=True, slots=True)
class Replied:
    """The outbound mail, and whether this call made it (else an earlier one with the same key had)."""

    outbound: Outbound
    created: bool
    warnings: tuple[str, ...] = ()


def reply(
    interaction_id: str,
    wanted: Reply,
    *,
    interactions: Interactions,
    outbox: Outbox,
    configurations: Configurations,
    outbound_queue: Queue,
    clock: Clock,
    contents: Contents | None = None,
) -> Replied:
    """Write an answer or a forward to the outbox and queue it; raises NotFound, or Invalid with every problem."""
    prepared = preview_reply(
        interaction_id,
        wanted,
        interactions=interactions,
        configurations=configurations,
        clock=clock,
        contents=contents,
    )
    return _added(prepared, on=interaction_id, outbox=outbox, outbound_queue=outbound_queue, contents=contents)


def write_new(
    wanted: NewMail,
    *,
    interactions: Interactions,
    outbox: Outbox,
    configurations: Configurations,
    outbound_queue: Queue,
    clock: Clock,
    contents: Contents | None = None,
) -> Replied:
    """Write a mail that begins a thread to the outbox and queue it; raises Invalid with every problem."""
    prepared = preview_new(
        wanted, interactions=interactions, configurations=configurations, clock=clock, contents=contents
    )
    return _added(prepared, on=prepared.outbound.id, outbox=outbox, outbound_queue=outbound_queue, contents=contents)


def preview_reply(
    interaction_id: str,
    wanted: Reply,
    *,
    interactions: Interactions,
    configurations: Configurations,
    clock: Clock,
    contents: Contents | None = None,
) -> Prepared:
    """Show what an answer or a forward would be: sender, recipients, text, files, warnings; nothing is written."""
    interaction, body = _read(interaction_id, interactions)
    return prepare_reply(
        interaction,
        wanted,
        body=body,
        configuration=configurations.current(),
        now=clock(),
        shelf=Shelf(interactions, contents) if contents is not None else None,
    )


def preview_new(
    wanted: NewMail,
    *,
    interactions: Interactions,
    configurations: Configurations,
    clock: Clock,
    contents: Contents | None = None,
) -> Prepared:
    """Show what a new mail would be; nothing is written."""
    shelf = Shelf(interactions, contents) if contents is not None else None
    return prepare_new(wanted, configuration=configurations.current(), now=clock(), shelf=shelf)


def _read(interaction_id: str, interactions: Interactions) -> tuple[Interaction, Body | None]:
    interaction = interactions.get(interaction_id)
    if interaction is None:
        raise NotFound("there is no such interaction", on=interaction_id)
    return interaction, interactions.body(interaction_id)


def _added(prepared: Prepared, *, on: str, outbox: Outbox, outbound_queue: Queue, contents: Contents | None) -> Replied:
    outbound = prepared.outbound
    if prepared.to_store and contents is None:
        raise TypeError("files are attached where contents can be written")
    for one in prepared.to_store:  # before the mail that names them; the same bytes have the same key
        if contents is not None:
            contents.put(one.key, one.data, content_type=one.content_type)
    if outbox.add(outbound) is not Added.CREATED:
        stored = outbox.get(outbound.id)
        if stored is not None and not _is_same(stored, outbound):
            raise Conflict(
                "another mail was sent with this idempotency key", on=on, remedy="Use a new key for a new mail."
            )
        return Replied(stored or outbound, created=False, warnings=prepared.warnings)
    with contextlib.suppress(Transient):  # it lies in the outbox: the sweeper queues it again within minutes
        outbound_queue.send(send_request(outbound.id))
    return Replied(outbound, created=True, warnings=prepared.warnings)


def _is_same(stored: Outbound, outbound: Outbound) -> bool:
    if MARK in stored.attributes:
        return stored.attributes[MARK] == outbound.attributes[MARK]
    return (stored.text, stored.to) == (outbound.text, outbound.to)  # written before there were marks
