"""Change the configuration of a stack: read it with its version, and put another in force if nobody was faster."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postroom_cli.author import author
from postroom_cli.stack import Stack

if TYPE_CHECKING:
    from postroom.model.configuration import Configuration


def in_force(stack: Stack) -> tuple[int, Configuration]:
    """Return the configuration in force with its version; what is applied later is checked against that."""
    from postroom.services.configure import load

    version = stack.configurations.version()
    return version, load(stack.configurations, version)


def put_in_force(stack: Stack, new: Configuration, *, version: int, note: str) -> int:
    """Apply a configuration made from `version`, and return its own; raises Conflict when somebody was faster."""
    from postroom.services.configure import apply

    return apply(
        stack.configurations,
        new,
        expected_version=version,
        author=author(),
        note=note,
        now=stack.clock(),
        states=stack.states,
    )
