"""A mail whose bytes are here already makes no second interaction: the first one says that it came again (X02, X04)."""

from __future__ import annotations

from urllib.parse import unquote

from postroom.model import SERVER_ID, Event, EventKind, Interaction
from postroom.ports import Interactions
from postroom.services.inbound.facts import Facts


def seen_again(facts: Facts) -> Event:
    """Tell of this raw message what is recorded should its bytes be an interaction already."""
    server_id = unquote(facts.stored.metadata.get(SERVER_ID, ""))
    on_server = f"under the id {server_id} on the server, " if server_id else ""
    return Event(at=facts.now, what=EventKind.SEEN_AGAIN, detail=f"{on_server}stored as {facts.stored.key}")


def note_repetition(there: Interaction | None, raw_key: str, event: Event, *, interactions: Interactions) -> None:
    """Record a second raw message of the same bytes; nothing for the one that the interaction was made of.

    The same raw message may be processed any number of times and is told once.
    """
    if there is None or there.raw_key == raw_key:
        return
    told = (one.detail for one in interactions.history(there.id) if one.what == EventKind.SEEN_AGAIN)
    if not any(detail.endswith(raw_key) for detail in told):
        interactions.add_event(there.id, event)
