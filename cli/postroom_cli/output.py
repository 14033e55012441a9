"""Print results for people or for machines: tables and sentences, or with `--json` one document or JSON lines.

The only module that prints: whatever it prints was made harmless by shown.py.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from postroom.errors import Invalid, PostroomError
from pydantic_core import to_jsonable_python

from postroom_cli.errors import describe
from postroom_cli.shown import json_text, visible

if TYPE_CHECKING:
    from rich.console import Console

T = TypeVar("T")

_LONGEST_WORD = 30
"""Columns of a table; ids have 26 and must stay whole to be copied. Raw keys and hashes are cut."""

Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
"""The parameter that every command has."""


def console(*, error: bool = False) -> Console:
    """Return a console for standard output or standard error, as wide as the terminal."""
    from rich.console import Console  # takes 50 ms: not for --json

    stream = sys.stderr if error else sys.stdout
    # A file or pipe has no width: long lines there are better than words cut into pieces.
    return Console(stderr=error, highlight=False, width=None if stream.isatty() else 200)


def document(value: Any, *, indent: int | None = 2) -> None:
    """Print one JSON document."""
    sys.stdout.write(json_text(json.dumps(plain(value), ensure_ascii=False, indent=indent)) + "\n")


def line(value: Any) -> None:
    """Print one JSON line."""
    record(plain(value))


def record(value: Any) -> None:
    """Print one JSON line of what JSON has already, halves of surrogate pairs included."""
    sys.stdout.write(json_text(json.dumps(value, ensure_ascii=False)) + "\n")


def plain(value: Any) -> Any:
    """Turn dataclasses, models, moments and vocabularies into what JSON has; bytes are left out."""
    return to_jsonable_python(value, fallback=str, bytes_mode="base64", inf_nan_mode="null")


def table(
    title: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    empty: str = "",
    error: bool = False,
) -> None:
    """Print a table, or the sentence `empty` when there are no rows; row by row where it is too wide.

    `error`: to standard error, as what is no part of the result.
    """
    write = note if error else say
    cells = [[_cell(value) for value in row] for row in rows]
    if not cells:
        if empty:
            write(empty)
        return
    from rich import box  # takes 50 ms: not for --json
    from rich.table import Table
    from rich.text import Text

    shown = console(error=error)
    widths = _widths(columns, cells, shown.width)
    if widths is None:
        _records(title, columns, cells, write)
        return
    listed = Table(title=title or None, box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False)
    for column, width in zip(columns, widths, strict=True):
        listed.add_column(column, overflow="fold", width=width)
    for row in cells:
        # Text, never markup: names, subjects and addresses come from strangers.
        listed.add_row(*map(Text, row))
    shown.print(listed)


def _widths(columns: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> list[int] | None:
    """Share a line among columns, whole words first; None when not even those have room."""
    from rich.cells import cell_len

    by_column = [[name, *cells] for name, *cells in zip(columns, *rows, strict=True)]
    full = [max(cell_len(line) for cell in cells for line in cell.split("\n")) for cells in by_column]
    shared = [
        min(_LONGEST_WORD, max((cell_len(word) for cell in cells for word in cell.split()), default=0))
        for cells in by_column
    ]
    left = width - sum(shared) - 3 * len(columns)
    if left < 0:
        return None
    while left and (short := [number for number, had in enumerate(shared) if had < full[number]]):
        shared[min(short, key=shared.__getitem__)] += 1
        left -= 1
    return shared


def _records(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], write: Callable[[str], None]) -> None:
    if title:
        write(title)
    wide = max(map(len, columns[1:]), default=0)
    for first, *others in rows:
        write("")
        write(first or "–")
        for name, cell in zip(columns[1:], others, strict=True):
            if cell:
                write(f"  {name:<{wide}}  {cell}")
    write("")


def _cell(value: Any) -> str:
    if value is None:
        return ""
    text = ("yes" if value else "no") if isinstance(value, bool) else str(value)
    return visible(text)


def pairs(values: Mapping[str, Any]) -> None:
    """Print names and values below each other."""
    width = max((len(name) for name in values), default=0)
    for name, value in values.items():
        if value not in (None, "", (), []):
            say(f"{name:<{width}}  {_cell(value)}")


def say(text: str) -> None:
    """Print a sentence, on one line whatever it quotes."""
    sys.stdout.write(visible(text) + "\n")


def text(content: str) -> None:
    """Print a text that is lines by itself: a body, a file."""
    sys.stdout.write(visible(content.removesuffix("\n"), lines=True) + "\n")


def octets(content: bytes, *, force: bool) -> None:
    """Print bytes as they are; to a terminal, which would obey them, only by force."""
    if sys.stdout.isatty() and not force:
        raise PostroomError(
            "These are a stranger's bytes, which a terminal obeys",
            code="terminal",
            remedy="Write them to a file (--output FILE), pass them on (| less), or give --force.",
        )
    sys.stdout.flush()
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()


def log_handler() -> logging.Handler:
    """Return what writes log lines to standard error, made harmless like everything else."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_HarmlessLines("%(asctime)s %(levelname)s %(name)s %(message)s"))
    return handler


class _HarmlessLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return visible(super().format(record), lines=True)


def counted(number: int, noun: str) -> str:
    """Write a number with its noun: `1 mail`, `2,000 mails`."""
    return f"{number:,} {noun}{'s' * (number != 1)}"


def note(text: str) -> None:
    """Print a sentence to standard error: progress, warnings, what is no part of the result."""
    sys.stderr.write(visible(text) + "\n")


def progress(items: Iterable[T], what: str, *, total: int | None = None) -> Iterator[T]:
    """Pass items on, with a bar on standard error where a person watches it; lines that are said go above it."""
    if not sys.stderr.isatty():
        yield from items
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    # Left to itself, rich sends standard output through the bar's console, even when it is a file.
    redirected = sys.stdout.isatty()
    with Progress(*columns, console=console(error=True), transient=True, redirect_stdout=redirected) as bar:
        yield from bar.track(items, total=total)


def tell_error(error: PostroomError, *, as_json: bool) -> None:
    """Tell what failed, on what, and what to do; as JSON it is the document of the command."""
    if as_json:
        line(describe(error))
        return
    if isinstance(error, Invalid):
        count = len(error.problems)
        note(f"Nothing was changed: {count} problem{'s' if count != 1 else ''}.")
        for problem in error.problems:
            note(f"  {problem}")
        return
    note(f"Error: {error}")
