"""`postroom demo`: the whole path on one machine, with built-in mails or those of a directory."""

from __future__ import annotations

import contextlib
import io
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from postroom.errors import PostroomError

from postroom_cli import output
from postroom_cli.output import Json

_LOG_LINES = 30  # shown when something went wrong


def register(parent: typer.Typer) -> None:
    """Add the command."""
    parent.command()(demo)


def demo(
    mail: Annotated[
        Path | None, typer.Option("--mail", help="A directory of .eml files to use instead of the built-in mails.")
    ] = None,
    template: Annotated[Path | None, typer.Option(help="The template to run; template.yaml by default.")] = None,
    log: Annotated[Path | None, typer.Option("--log", help="Write the functions' log to this file.")] = None,
    json: Json = False,
) -> None:
    """Watch mails go from a mailbox to a queue, be acknowledged, answered and followed; everything runs here."""
    from postroom_cli.demo.run import read_mails, run_demo
    from postroom_cli.local.location import find_template

    path = find_template(template)
    mails = read_mails(mail) if mail else None
    told = output.console(error=True)
    with _captured_log(log) as kept:
        try:
            with told.status("Starting") if told.is_terminal and not json else contextlib.nullcontext() as status:
                outcome = run_demo(path, mails=mails, progress=status.update if status else lambda _step: None)
        except PostroomError:
            for line in kept.getvalue().splitlines()[-_LOG_LINES:]:
                output.note(line)
            raise
    if json:
        output.document(outcome.figures(), indent=None)
        return
    from postroom_cli.demo.tell import tell

    tell(outcome)


@contextlib.contextmanager
def _captured_log(path: Path | None) -> Iterator[io.StringIO]:
    """Keep what the functions print and log away from the command's own output."""
    kept = io.StringIO()
    handler = logging.StreamHandler(kept)
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s %(message)s"))
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        with contextlib.redirect_stdout(kept):
            yield kept
    finally:
        root.removeHandler(handler)
        if path is not None:
            path.write_text(kept.getvalue(), "utf-8")
