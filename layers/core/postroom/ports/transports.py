"""Mail servers that mail is sent by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from postroom.model.configuration.document import OutboundServer


@dataclass(frozen=True, slots=True)
class Envelope:
    """Who sends and who receives, as the next server is told (RFC 5321)."""

    sender: str  # "" for the null path
    recipients: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sent:
    """What the next server said. `refused` and `deferred`: recipients it did not take (yet), with its answers.

    `message_id`: the Message-ID it wrote over ours, if it does that (SES does).
    """

    provider_id: str = ""
    message_id: str = ""
    refused: Mapping[str, str] = field(default_factory=dict)
    deferred: Mapping[str, str] = field(default_factory=dict)


class Transport(Protocol):
    """One way out. Makes ONE attempt."""

    def send(self, content: bytes, envelope: Envelope, *, outbound_id: str, before_data: BeforeData) -> Sent:
        """Send; calls `before_data` once, right before the point after which the outcome can be unknown.

        Raises SendRefused, SendDeferred (certainly not sent) or SendUncertain.
        """
        ...


class BeforeData(Protocol):
    """Records that the content is about to go on the wire; raises LeaseLost when the claim is no longer ours."""

    def __call__(self) -> None: ...


class Transports(Protocol):
    """Finds the way out for a configured server."""

    def for_server(self, server: OutboundServer) -> Transport: ...
