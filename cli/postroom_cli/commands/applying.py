"""Change the configuration of a stack by commands of administration, as whoever is at this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postroom_cli.author import author, operator
from postroom_cli.stack import Stack

if TYPE_CHECKING:
    from postroom.services.administration import Command, Installation, Performed, PreparedChange


def installation(stack: Stack) -> Installation:
    """Return what commands on the configuration of a stack need."""
    from postroom.bootstrap import installation_of

    return installation_of(stack, clock=stack.clock)


def propose(stack: Stack, command: Command, *, why: str = "") -> PreparedChange:
    """Say what a command comes to, and change nothing; raises what carrying it out would."""
    from postroom.services import administration

    return administration.propose(command, installation(stack), principal=operator(), why=why)


def carry_out(stack: Stack, proposal: PreparedChange) -> Performed:
    """Put in force what was proposed; mailboxes and waiting mail that it concerns are tried again at once."""
    from postroom.services import administration

    return administration.carry_out(proposal, installation(stack))


def perform(stack: Stack, command: Command, *, why: str = "") -> Performed:
    """Carry out a command without asking."""
    return carry_out(stack, propose(stack, command, why=why))


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
