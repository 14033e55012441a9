"""Carry out a command: say what it comes to, and put it in force as the act of somebody."""

from __future__ import annotations

from dataclasses import dataclass

from postroom.model.access import Principal
from postroom.model.configuration import Change, Configuration
from postroom.services.administration.command_rules import decide
from postroom.services.administration.commands import Command
from postroom.services.administration.publication import Installation, publish
from postroom.services.administration.queues_with_mail import keep_queues_with_mail
from postroom.services.administration.rights import authorise
from postroom.services.configuration import Plan, edited, plan


@dataclass(frozen=True, slots=True)
class PreparedChange:
    """What a command comes to: the change, the configuration it leads to, and what that means."""

    change: Change
    version: int  # in force when it was decided
    old: Configuration
    new: Configuration
    plan: Plan


@dataclass(frozen=True, slots=True)
class Performed:
    """What became of a command: the version that it is in, or that was in force when nothing had to change."""

    prepared: PreparedChange
    version: int
    changed: bool


def propose(
    command: Command, installation: Installation, *, principal: Principal, expected: str | None = None, why: str = ""
) -> PreparedChange:
    """Say what a command comes to, and change nothing; raises what `perform` would."""
    version, old = installation.configurations.in_force()
    change = decide(command, old, who=principal.name, expected=expected, why=why)
    new = edited(old, change)
    authorise(principal, change, old, new)  # before anything is said of what it would do
    planned = plan(old, new)
    keep_queues_with_mail(old, new, interactions=installation.interactions)
    return PreparedChange(change, version, old, new, planned)


def perform(
    command: Command, installation: Installation, *, principal: Principal, expected: str | None = None, why: str = ""
) -> Performed:
    """Carry out a command as the act of `principal`.

    Raises Forbidden or NotFound for what he may not do, Invalid, or Moved when what it is about is another object by
    now than he saw.
    """
    return carry_out(propose(command, installation, principal=principal, expected=expected, why=why), installation)


def carry_out(prepared: PreparedChange, installation: Installation) -> Performed:
    """Put in force what was proposed; other objects may have changed since."""
    if not prepared.change.edits and not prepared.change.order:
        return Performed(prepared, prepared.version, changed=False)
    return Performed(prepared, publish(prepared.change, installation), changed=True)
