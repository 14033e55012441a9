"""The commands, a file each; every file has a `register(app)`."""

from __future__ import annotations

import typer

from postroom_cli.commands import (
    case,
    config,
    demo,
    dlq,
    explain,
    imports,
    interaction,
    local,
    mailbox,
    masking,
    oauth,
    objects,
    people,
    phrases,
    raw,
    secret,
    sending,
    stored,
    suppression,
    workflow,
    writing,
)


def register_all(app: typer.Typer) -> None:
    """Add every command, in the order of the help."""
    for module in (
        demo,
        local,
        config,
        mailbox,
        objects,
        secret,
        oauth,
        people,
        case,
        interaction,
        sending,
        writing,
        suppression,
        raw,
        stored,
        dlq,
        explain,
        phrases,
        workflow,
        masking,
        imports,
    ):
        module.register(app)
