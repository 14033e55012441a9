"""Change the configuration of a stack: read it with its version, and put another in force if nobody was faster."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from postroom.errors import Transient

from postroom_cli.author import author
from postroom_cli.stack import Stack

if TYPE_CHECKING:
    from postroom.model.configuration.document import Configuration


def in_force(stack: Stack) -> tuple[int, Configuration]:
    """Return the configuration in force with its version; what is applied later is checked against that."""
    from postroom.services.configuration.apply import load

    version = stack.configurations.version()
    return version, load(stack.configurations, version)


def put_in_force(stack: Stack, new: Configuration, *, version: int, note: str) -> int:
    """Apply a configuration made from `version`, and return its own; raises Conflict when somebody was faster.

    Mailboxes and waiting mail that it concerns are tried again at once.
    """
    from postroom.services.configuration.apply import apply, load
    from postroom.services.outbound import retry_held

    old = load(stack.configurations, version)
    applied = apply(
        stack.configurations,
        new,
        expected_version=version,
        author=author(),
        note=note,
        now=stack.clock(),
        states=stack.states,
    )
    with contextlib.suppress(Transient):  # it is in force; what waits is tried again in its own time
        retry_held.after_change(
            old, new, outbox=stack.outbox, queue=stack.queue("outbound_queue"), now=stack.clock(), who=author()
        )
    return applied


def entered(stack: Stack, secret: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Let try again what a secret was missing to that was entered now: mailboxes, and mails that wait to be sent.

    Raises Transient that says what is done and what is not; giving the secret again does the rest.
    """
    from postroom.services.mailboxes.retry import after_secret
    from postroom.services.outbound import retry_held

    try:
        configuration = stack.configurations.current()
        mailboxes = after_secret(configuration, secret, states=stack.states)
        mails = retry_held.after_secret(
            configuration,
            secret,
            outbox=stack.outbox,
            queue=stack.queue("outbound_queue"),
            now=stack.clock(),
            who=author(),
        )
    except Transient as error:
        raise Transient(
            f"The secret {secret} is stored, and used from now on; but not all that waits for it could be tried again "
            f"at once: {error.what}",
            on=error.on,
            code=error.code,
            remedy="Give the same command once more: the same secret again harms nothing. Until then mails are tried "
            "again in their own time; a mailbox whose login was refused is not.",
        ) from error
    return mailboxes, mails
