"""The guides name every command and every section."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from postroom.mail.outgoing.templates import FIELDS
from postroom.model.configuration.document import Configuration
from postroom_cli.errors import ExitCode
from postroom_cli.main import app

DOCS = Path(__file__).parents[3] / "docs"


def _commands(group: typer.core.TyperGroup, path: str) -> Iterator[str]:
    for name, command in group.commands.items():
        if isinstance(command, typer.core.TyperGroup):
            yield from _commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}"


def _all_commands() -> list[str]:
    root = typer.main.get_command(app)
    assert isinstance(root, typer.core.TyperGroup)
    return sorted(_commands(root, "postroom"))


@pytest.mark.parametrize("command", _all_commands())
def test_every_command_is_in_the_guide(command: str) -> None:
    assert f"`{command}" in (DOCS / "cli.md").read_text("utf-8")


@pytest.mark.parametrize("status", list(ExitCode))
def test_every_exit_status_is_in_the_guide(status: ExitCode) -> None:
    assert f"\n| {status.value} | " in (DOCS / "cli.md").read_text("utf-8")


@pytest.mark.parametrize("section", list(Configuration.model_fields))
def test_every_section_is_in_the_guide(section: str) -> None:
    assert f"| `{section}` |" in (DOCS / "configuration.md").read_text("utf-8")


@pytest.mark.parametrize("field", list(FIELDS))
def test_every_field_of_a_template_is_in_the_guide(field: str) -> None:
    assert f"`{{{{{field}}}}}`" in (DOCS / "configuration.md").read_text("utf-8")
