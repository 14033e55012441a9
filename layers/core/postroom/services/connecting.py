"""Open a mailbox with the secret it names."""

from __future__ import annotations

from collections.abc import Mapping

from postroom.errors import LoginRefused, Permanent, PostroomError
from postroom.model.mailbox import Mailbox, SecretReference, Type
from postroom.model.polling import Position
from postroom.ports import Connector, Secrets, Session


def open_mailbox(
    mailbox: Mailbox,
    *,
    connectors: Mapping[Type, Connector],
    secrets: Secrets,
    deadline: float,
    ask: Position | None = None,
) -> Session:
    """Log in and select the folder (ports.Connector); a refused password is read anew once, in case of rotation."""
    connector = connectors.get(mailbox.type)
    if connector is None:
        raise Permanent(
            f"This function has no connector for {mailbox.type.value}",
            on=mailbox.name,
            code="no_connector",
            step="connect",
            remedy="Mailboxes of this type have a queue and a function of their own; poll it there.",
        )
    reference = mailbox.password or mailbox.client_secret
    if reference is None:
        return connector.open(mailbox, secret="", deadline=deadline, ask=ask)
    secret = _reveal(secrets, reference)
    try:
        return connector.open(mailbox, secret=secret, deadline=deadline, ask=ask)
    except LoginRefused:
        rotated = _reveal(secrets, reference, fresh=True)
        if rotated == secret:
            raise
    return connector.open(mailbox, secret=rotated, deadline=deadline, ask=ask)


def _reveal(secrets: Secrets, reference: SecretReference, *, fresh: bool = False) -> str:
    try:
        return secrets.reveal(reference, fresh=fresh)
    except PostroomError as error:
        error.step = "login"
        raise
