"""Change the configuration of a stack: read it with its version, and put another in force if nobody was faster."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postroom_cli.author import author
from postroom_cli.stack import Stack

if TYPE_CHECKING:
    from postroom.model.configuration import Configuration


def in_force(stack: Stack) -> tuple[int, Configuration]:
    """Return the configuration in force with its version; what is applied later is checked against that."""
    from postroom.services.configuration import load

    version = stack.configurations.version()
    return version, load(stack.configurations, version)


def put_in_force(stack: Stack, new: Configuration, *, version: int, note: str) -> int:
    """Apply a configuration made from `version`, and return its own; raises Conflict when somebody was faster.

    Mailboxes and waiting mail that it concerns are tried again at once.
    """
    from postroom.services.administration import put_in_force as apply_and_retry

    return apply_and_retry(
        new,
        expected_version=version,
        store=stack.configurations,
        interactions=stack.interactions,
        states=stack.states,
        outbox=stack.outbox,
        queue=stack.queue("outbound_queue"),
        author=author(),
        note=note,
        now=stack.clock(),
    )


def entered(stack: Stack, secret: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Let try again what a secret was missing to that was entered now: mailboxes, and mails that wait to be sent.

    Raises Transient that says what is done and what is not; giving the secret again does the rest.
    """
    from postroom.services.administration import try_again_with

    return try_again_with(
        secret,
        configurations=stack.configurations,
        states=stack.states,
        outbox=stack.outbox,
        queue=stack.queue("outbound_queue"),
        author=author(),
        now=stack.clock(),
    )
