"""No command is forgotten: each module that can register commands does, and each group lists what it has."""

from __future__ import annotations

import importlib
import pkgutil

import pytest
import typer
from postroom_cli import commands
from typer.main import get_command

MODULES = [one.name for one in pkgutil.iter_modules(commands.__path__)]


@pytest.mark.parametrize("name", MODULES)
def test_a_module_with_commands_is_part_of_the_command(name: str) -> None:
    module = importlib.import_module(f"{commands.__name__}.{name}")
    if not hasattr(module, "register"):
        return
    alone, whole = typer.Typer(), typer.Typer()
    module.register(alone)
    alone.command("another")(lambda: None)  # an app of one command is that command
    commands.register_all(whole)
    names = set(getattr(get_command(alone), "commands", {})) - {"another"}
    assert names <= set(getattr(get_command(whole), "commands", {}))
    assert names
