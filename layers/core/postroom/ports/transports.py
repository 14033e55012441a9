"""Mail servers that mail is sent by."""

from __future__ import annotations

from typing import Protocol

from postroom.model import Envelope, Sent
from postroom.model.configuration import OutboundServer


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
