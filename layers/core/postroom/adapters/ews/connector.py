"""The EWS connector (G24). exchangelib, which only the layer of one function holds, is imported when one is opened."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from postroom.adapters import utc_now
from postroom.adapters.net import Network
from postroom.errors import Permanent
from postroom.model import Position
from postroom.model.configuration import Mailbox

if TYPE_CHECKING:
    from postroom.adapters.ews.session import EwsSession


@dataclass(frozen=True, slots=True)
class EwsConnector:
    """Opens mailboxes of on-premises Exchange. `secret` is the password, or the access token with a `client_id`."""

    allowed_networks: Sequence[Network] = ()
    clock: Callable[[], datetime] = utc_now
    _folders: dict[Hashable, str] = field(default_factory=dict)  # found before

    def open(self, mailbox: Mailbox, *, secret: str, deadline: float, ask: Position | None = None) -> EwsSession:
        """Connect, log in and find the folder (ports.Connector); with `ask`, one request does that and looks."""
        try:
            from postroom.adapters.ews.session import EwsSession
        except ImportError as error:
            raise Permanent(
                "This function has no connector for EWS",
                on=mailbox.name,
                code="no_connector",
                step="connect",
                remedy="Mailboxes of this type have a queue and a function of their own; poll it there.",
            ) from error
        return EwsSession(
            mailbox,
            secret=secret,
            deadline=deadline,
            allowed_networks=tuple(self.allowed_networks),
            clock=self.clock,
            ask=ask,
            folders=self._folders,
        )
