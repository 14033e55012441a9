"""What the API reads beyond the ports that processing needs: lists and histories."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from postroom import ports
from postroom.model import Event, Outbound, OutboxState

MOST_ROWS = 200
"""Rows of a list in one answer; older ones are reached by narrowing the question."""


class Interactions(ports.Interactions, Protocol):
    """Interactions with their lists and history."""

    def history(self, interaction_id: str) -> list[Event]: ...

    def list_queue(self, queue: str, *, newest_first: bool = True) -> Iterable[Mapping[str, Any]]: ...

    def list_outbox(self, state: OutboxState, *, newest_first: bool = True) -> Iterable[Mapping[str, Any]]: ...


class Outbox(ports.Outbox, Protocol):
    """The outbox with its history."""

    def history(self, outbound_id: str) -> list[Event]: ...

    def read(self, ids: Sequence[str]) -> Mapping[str, Outbound]: ...
