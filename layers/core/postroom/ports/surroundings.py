"""What a function finds around it: configuration, secrets, queues, the time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from postroom.model import Tried
from postroom.model.configuration import Configuration, SecretReference


class Configurations(Protocol):
    """The configuration, versioned."""

    def current(self) -> Configuration:
        """Return the configuration in force; at most one small read when it is warm."""
        ...


class Secrets(Protocol):
    """Reveals secrets to those functions that may."""

    def reveal(self, reference: SecretReference, *, fresh: bool = False) -> str:
        """Return the secret, cached for the life of the process; `fresh` reads it again (it may have been rotated)."""
        ...


class SecretStore(Protocol):
    """Keeps a secret under its name."""

    def put(self, name: str, value: str, *, now: datetime) -> None: ...


class Queue(Protocol):
    """One SQS queue."""

    def send(self, message: Mapping[str, Any], *, delay: int = 0) -> None:
        """Queue a JSON message; delay in seconds, 0–900."""
        ...


class BatchQueue(Protocol):
    """An SQS queue that many messages go to at once."""

    def send_many(self, messages: Sequence[tuple[Mapping[str, Any], int]]) -> None:
        """Queue JSON messages, each with its delay in seconds, ten to a request."""
        ...


class Trial(Protocol):
    """Runs work where it may end its process without ending ours; the work is pure, and says something short."""

    def __call__(self, work: Callable[[], str], *, seconds: float) -> Tried: ...


class Clock(Protocol):
    """Now, UTC, aware."""

    def __call__(self) -> datetime: ...
