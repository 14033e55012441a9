"""One exit to the terminal: no command prints past `output.py`, which makes the text of strangers harmless."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from tests.architecture.sources import ROOT

CLI = ROOT / "cli" / "postroom_cli"

ALLOWED: dict[str, set[str]] = {
    "output.py": {"sys.stdout.write", "sys.stderr.write", "sys.stdout.buffer", "shown.print"},
    # Its own prompt, and the port and key that it made itself.
    "entering.py": {"sys.stderr.write"},
    "local/aws_server.py": {"sys.stdout.write"},
    # Rich tables and panels, whose cells are all made by `_text`, through `visible`.
    "demo/tell.py": {"console.print"},
}

PRINTING = ("print", "pprint", "echo", "secho", "print_json", "print_exc", "print_exception")


def printing(source: str) -> Iterator[str]:
    """Name what a module prints by: calls that print, and attributes of the standard streams that do."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in PRINTING:
            yield ast.unparse(node.func)
        elif isinstance(node, ast.Attribute) and node.attr in ("write", "writelines", "buffer"):
            owner = ast.unparse(node.value)
            if owner in ("sys.stdout", "sys.stderr", "sys.__stdout__", "sys.__stderr__"):
                yield f"{owner}.{node.attr}"


def test_no_command_prints_past_the_one_exit() -> None:
    past = {
        (name, by)
        for path in sorted(CLI.rglob("*.py"))
        for by in printing(path.read_text("utf-8"))
        if by not in ALLOWED.get(name := path.relative_to(CLI).as_posix(), set())
    }
    assert past == set()


@pytest.mark.parametrize(
    "line",
    [
        "print(x)",
        "typer.echo(x)",
        "console.print(x)",
        "sys.stdout.write(x)",
        "sys.stderr.buffer.write(x)",
        "write = sys.stdout.write",
        "traceback.print_exc()",
    ],
)
def test_what_prints_is_found(line: str) -> None:
    assert list(printing(line))
