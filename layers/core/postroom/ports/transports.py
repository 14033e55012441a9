"""Mail servers that mail is sent by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from postroom.model import AtRecipient, Envelope, Sent
from postroom.model.configuration import OutboundServer


class Transport(Protocol):
    """One way out. Makes ONE attempt."""

    def send(self, content: bytes, envelope: Envelope, *, outbound_id: str, before_data: BeforeData) -> Sent:
        """Send; calls `before_data` once, right before the point after which the outcome can be unknown.

        Raises SendRefused, SendDeferred (certainly not sent) or SendUncertain where that is so for every recipient;
        else what is returned says which of them has it, and what became of it at the others.
        """
        ...


class BeforeData(Protocol):
    """Records that the content is about to go on the wire; raises LeaseLost when the claim is no longer ours.

    `known`: what is certain already of recipients that this content is not for. Called again for each further content.
    """

    def __call__(self, known: Mapping[str, AtRecipient] = ...) -> None: ...


class Transports(Protocol):
    """Finds the way out for a configured server."""

    def for_server(self, server: OutboundServer) -> Transport: ...
