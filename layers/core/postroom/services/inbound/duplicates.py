"""A mail whose bytes are here already makes no second interaction: the first one says that it came again (X02, X04)."""

from __future__ import annotations

from urllib.parse import unquote

from postroom.model.interaction import Event
from postroom.model.raw_message import SERVER_ID
from postroom.ports import Interactions
from postroom.services.inbound.facts import Facts

SEEN_AGAIN = "seen_again"


def note_repetition(interaction_id: str, facts: Facts, *, interactions: Interactions) -> None:
    """Record a second raw message of the same bytes; nothing for the one that the interaction was made of.

    The same raw message may be processed any number of times and is told once.
    """
    key = facts.stored.key
    stored = interactions.get(interaction_id)
    if stored is None or stored.raw_key == key:
        return
    if any(event.what == SEEN_AGAIN and event.detail.endswith(key) for event in interactions.history(interaction_id)):
        return
    server_id = unquote(facts.stored.metadata.get(SERVER_ID, ""))
    on_server = f"under the id {server_id} on the server, " if server_id else ""
    detail = f"{on_server}stored as {key}"
    interactions.add_event(interaction_id, Event(at=facts.now, what=SEEN_AGAIN, detail=detail))
