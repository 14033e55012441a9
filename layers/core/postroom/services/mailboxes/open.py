"""Open a mailbox with the secret it names, or with an access token that stands for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from postroom.errors import LoginRefused, LoginUnclear, Permanent, PostroomError, Transient
from postroom.model import Position
from postroom.model.configuration import Mailbox, SecretReference, Type
from postroom.ports import Connector, Secrets, Session, Tokens


def open_mailbox(
    mailbox: Mailbox,
    *,
    connectors: Mapping[Type, Connector],
    secrets: Secrets,
    deadline: float,
    tokens: Tokens | None = None,
    ask: Position | None = None,
) -> Session:
    """Log in and select the folder (ports.Connector); what is refused is had anew once, in case of rotation."""
    connector = connectors.get(mailbox.type)
    if connector is None:
        raise Permanent(
            f"This function has no connector for {mailbox.type.value}",
            on=mailbox.name,
            code="no_connector",
            step="connect",
            remedy="Mailboxes of this type have a queue and a function of their own; poll it there.",
        )
    if takes_token(mailbox):
        return _open_with_token(mailbox, connector, tokens, deadline=deadline, ask=ask)
    reference = mailbox.password or mailbox.client_secret
    if reference is None:
        return connector.open(mailbox, secret="", deadline=deadline, ask=ask)
    secret = _reveal(secrets, reference)
    try:
        return open_with(connector, mailbox, secret=secret, deadline=deadline, ask=ask)
    except (LoginRefused, LoginUnclear):
        rotated = _reveal(secrets, reference, fresh=True)
        if rotated == secret:
            raise
    return open_with(connector, mailbox, secret=rotated, deadline=deadline, ask=ask)


def open_with(
    connector: Connector, mailbox: Mailbox, *, secret: str, deadline: float, ask: Position | None = None
) -> Session:
    """Log in with this secret; a server that repeats it in its refusal does not get it into our errors (G10)."""
    try:
        return connector.open(mailbox, secret=secret, deadline=deadline, ask=ask)
    except PostroomError as error:
        error.hide(secret)
        raise


def takes_token(mailbox: Mailbox) -> bool:
    """Tell whether the mailbox logs in with an access token; Graph knows nothing else."""
    return bool(mailbox.client_id) or mailbox.type is Type.GRAPH


def _open_with_token(
    mailbox: Mailbox, connector: Connector, tokens: Tokens | None, *, deadline: float, ask: Position | None
) -> Session:
    if tokens is None:
        raise Permanent(
            "Nothing here can ask for access tokens",
            on=mailbox.name,
            code="no_tokens",
            step="login",
            remedy="Poll the mailbox by its function.",
        )
    token = tokens.access_token(mailbox, deadline=deadline)
    try:
        return open_with(connector, mailbox, secret=token, deadline=deadline, ask=ask)
    except LoginRefused:
        # A token can be void before its time: consent given meanwhile, a session revoked. One more, and no third.
        token = tokens.access_token(mailbox, deadline=deadline, refused=token)
    return open_with(connector, mailbox, secret=token, deadline=deadline, ask=ask)


def _reveal(secrets: Secrets, reference: SecretReference, *, fresh: bool = False) -> str:
    try:
        return secrets.reveal(reference, fresh=fresh)
    except PostroomError as error:
        error.step = "login"
        raise


@contextmanager
def at_step(name: str) -> Iterator[None]:
    """Name the step on what a connector raises without one."""
    try:
        yield
    except PostroomError as error:
        error.step = error.step or name
        raise


_ENDED = frozenset({"login_refused", "token_refused"})


@contextmanager
def in_session(name: str) -> Iterator[None]:
    """Name the step, and take a login that is refused in the middle of a session for one that has ended.

    A token does after an hour, and a session may dial again, or show it with each request. Whether password or consent
    are good is seen when the mailbox is opened anew, which asks for a fresh one.
    """
    try:
        with at_step(name):
            yield
    except LoginRefused as error:
        if error.code not in _ENDED:
            raise
        raise Transient(
            f"The login ended in the middle of the work: {error.what}", on=error.on, step=name, code="login_ended"
        ) from error
