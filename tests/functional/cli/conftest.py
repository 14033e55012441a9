"""The `postroom` command against a stack of template.yaml in this process."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer.main
from postroom_cli.local.state import LocalState, write_state
from postroom_cli.local.template import REGION
from postroom_cli.main import run

from tests.support.aws_stack import AwsStack

# The tree of all commands is made for each command line, in a third of a second of a slow machine; it never changes.
vars(typer.main)["get_command"] = cache(typer.main.get_command)


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command line did."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON document."""
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        """The JSON lines."""
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass(frozen=True, slots=True)
class Command:
    """Runs command lines against one stack."""

    state: Path
    capture: pytest.CaptureFixture[str]
    patch: pytest.MonkeyPatch
    stack: AwsStack = field(repr=False)

    def __call__(self, *arguments: str, stdin: str = "") -> Ran:
        self.patch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        self.capture.readouterr()
        status = run(["--state", str(self.state), *arguments])
        captured = self.capture.readouterr()
        return Ran(status, captured.out, captured.err)


@pytest.fixture
def postroom(
    stack: AwsStack, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Command:
    """Return the command, pointed at the stack by a state file as the local runner writes it."""
    state = tmp_path / "state"
    write_state(state, LocalState("", REGION, dict(stack.environment), "", os.getpid()))
    return Command(state, capsys, monkeypatch, stack)


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], str]:
    """Write a configuration file and return its path."""

    def written(text: str) -> str:
        path = tmp_path / "postroom.yaml"
        path.write_text(text, "utf-8")
        return str(path)

    return written
