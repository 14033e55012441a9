"""Choose the mailboxes that a command is for: by name, all, by department, by state (O16)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer
from postroom.errors import Invalid, NotFound, Problem

from postroom_cli.stack import Stack

Names = Annotated[list[str] | None, typer.Argument(help="Their names.")]
Every = Annotated[bool, typer.Option("--all", help="All mailboxes.")]
Department = Annotated[str | None, typer.Option("--department", help="Those of this department.")]
State = Annotated[
    str | None, typer.Option("--state", help="Those that are so: enabled, disabled, or a state of `mailbox list`.")
]


def choose(
    stack: Stack,
    names: Sequence[str] | None,
    *,
    every: bool = False,
    department: str | None = None,
    state: str | None = None,
) -> tuple[str, ...]:
    """Return the names of the mailboxes that are meant; raises when none is.

    Department and state narrow each other down; names stand by themselves.
    """
    filtered = department is not None or state is not None
    if sum((bool(names), every, filtered)) != 1:
        what = "name no mailbox." if not names else "are given besides names."
        raise Invalid([Problem("NAME", what, "Give names, or --all, or --department and --state.")])
    if names:
        return tuple(dict.fromkeys(names))
    configuration = stack.configurations.current()
    chosen = configuration.mailboxes
    if department is not None:
        default = configuration.settings.default_department
        departments = {mailbox.department or default for mailbox in chosen} | {default}
        departments |= {found.name for found in configuration.departments}
        if department not in departments:
            raise NotFound(
                "There is no such department", on=department, remedy="`postroom department list` shows them."
            )
        chosen = tuple(mailbox for mailbox in chosen if (mailbox.department or default) == department)
    if state is not None:
        so = set(_in_state(stack, state))
        chosen = tuple(mailbox for mailbox in chosen if mailbox.name in so)
    if not chosen:
        raise NotFound("No mailbox is so; nothing was done", remedy="`postroom mailbox list` shows all of them.")
    return tuple(mailbox.name for mailbox in chosen)


def enabled_names(stack: Stack) -> tuple[str, ...]:
    """Return the names of all enabled mailboxes."""
    return tuple(mailbox.name for mailbox in stack.configurations.current().mailboxes if mailbox.enabled)


def _in_state(stack: Stack, state: str) -> list[str]:
    rows = stack.queries.mailboxes.all()
    if state in ("enabled", "disabled"):
        return [row.name for row in rows if row.enabled is (state == "enabled")]
    states = sorted({*_states(), "enabled"})
    if state not in states:
        raise Invalid([Problem("--state", f"{state!r} is no state.", f"Write one of: {', '.join(states)}.")])
    return [row.name for row in rows if row.health.state == state]


def _states() -> list[str]:
    from postroom.model import HealthState

    return [one.value for one in HealthState]
