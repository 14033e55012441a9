"""`postroom explain`: what would become of given mails; nothing is stored or sent, and AWS is not needed."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from postroom.errors import Invalid, Problem

from postroom_cli import output
from postroom_cli.commands.config import read_text
from postroom_cli.errors import ExitCode
from postroom_cli.output import Json

Files = Annotated[list[Path], typer.Argument(metavar="FILE|DIR…", help="Mails (.eml), or directories of them.")]
Config = Annotated[Path | None, typer.Option("--config", help="A configuration file; without it, the defaults.")]


def register(parent: typer.Typer) -> None:
    """Add the command."""
    parent.command()(explain)


def explain(
    files: Files,
    config: Config = None,
    mailbox: Annotated[str | None, typer.Option(help="As if it came through this mailbox.")] = None,
    json: Json = False,
) -> None:
    """Say what Postroom would do with mails: subtype, text, attachments, queue, and every decision. JSON lines."""
    from postroom.services.inbound import explain as explain_mail

    policy = policy_from(config)
    through = policy.configuration.mailbox(mailbox) if mailbox else None
    if mailbox and through is None:
        raise Invalid([Problem("--mailbox", f"there is no mailbox `{mailbox}`.", "Name one of the --config file.")])
    failures = Failures()
    found = find_mails(files, failures)
    mails = read_mails(found, failures)
    # On the screen the results themselves show how far it is.
    for path, raw in mails if sys.stdout.isatty() else output.progress(mails, "Explaining", total=len(found)):
        told = explain_mail(raw, source=str(path), policy=policy, mailbox=through)
        if json:
            output.record(told)
        else:
            _tell(told)
    if not found and not failures.count:
        output.note(f"No mail was found in {', '.join(map(str, files))}. Hidden files are left out.")
    failures.finish()


def policy_from(config: Path | None) -> Any:
    """Compile the configuration of a file, or the defaults."""
    from postroom.model.configuration import Configuration
    from postroom.services.configuration import read_configuration
    from postroom.services.policy import policy_of

    configuration = read_configuration(read_text(config)).configuration if config else Configuration()
    return policy_of(configuration)


class Failures:
    """Files that could not be read: each is told at once, and the exit status tells that there were some."""

    def __init__(self) -> None:
        self.count = 0

    def add(self, path: Path, error: OSError) -> None:
        """Tell of one, and go on."""
        self.count += 1
        output.note(f"Error: {path} cannot be read: {error.strerror or error}. The others go on.")

    def finish(self) -> None:
        """End with the status `partial` when there were any."""
        if self.count:
            raise typer.Exit(ExitCode.PARTIAL)


def find_mails(paths: list[Path], failures: Failures) -> list[Path]:
    """List the files of mails; `-` is standard input, directories are walked in order of their names.

    Hidden files are left out, and what lies beside .eml files.
    """
    return [file for path in paths for file in (_walk(path, failures) if path.is_dir() else [path])]


def read_mails(files: list[Path], failures: Failures) -> Iterator[tuple[Path, bytes]]:
    """Read mails one after the other."""
    for file in files:
        try:
            raw = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
        except OSError as error:
            failures.add(file, error)
        else:
            yield file, raw


def _walk(directory: Path, failures: Failures) -> Iterator[Path]:
    def failed(error: OSError) -> None:
        failures.add(Path(error.filename), error)

    for folder, folders, names in os.walk(directory, onerror=failed):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        seen = sorted(name for name in names if not name.startswith("."))
        # Beside .eml files lie notes and results; a folder without any, such as a Maildir, is all mail.
        mails = [name for name in seen if name.lower().endswith(".eml")]
        yield from (Path(folder, name) for name in mails or seen)


def _tell(told: dict[str, Any]) -> None:
    sender = told["from"] or {}
    output.say(told["source"])
    reason = f" ({told['wrap_reason']})" if told["wrap_reason"] else ""
    output.pairs(
        {
            "  outcome": f"{told['outcome']}{reason}",
            "  subtype": told["subtype"],
            "  from": f"{sender.get('name', '')} <{sender.get('address', '')}>".strip(),
            "  subject": told["subject"],
            "  date": told["date"],
            "  queue": told["queue"],
            "  automatic": told["automatic"]["why"],
            "  attachments": ", ".join(
                f"{one['name']} ({one['size']:,} bytes{', blocked' if one['blocked'] else ''})"
                for one in told["attachments"]
            ),
            "  text": " ".join(told["text_reply"].split())[:200],
        }
    )
    for one in told["decisions"]:
        output.say(f"    {one['rule']}: {one['outcome']}{' – ' + one['detail'] if one['detail'] else ''}")
    output.say("")
