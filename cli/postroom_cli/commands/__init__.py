"""The commands, a file each; every file has a `register(app)`."""

from __future__ import annotations

import typer

from postroom_cli.commands import config


def register_all(app: typer.Typer) -> None:
    """Add every command."""
    for module in (config,):
        module.register(app)
