"""`postroom workflow`: try workflows on mails; nothing is stored or sent."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from postroom_cli import output
from postroom_cli.commands.config import read_text
from postroom_cli.commands.explain import Failures, find_mails, read_mails
from postroom_cli.output import Json

app = typer.Typer(no_args_is_help=True, help="Try workflows on mails.")


def register(parent: typer.Typer) -> None:
    """Add the commands."""
    parent.add_typer(app, name="workflow")


@app.command(name="try")
def try_on(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="A configuration file.")],
    mails: Annotated[list[Path], typer.Argument(metavar="FILE|DIR…", help="Mails (.eml), or directories of them.")],
    mailbox: Annotated[str | None, typer.Option(help="As if they came through this mailbox.")] = None,
    json: Json = False,
) -> None:
    """Say what the workflows of a file would do with mails: matches, actions, examples, and those that never match."""
    from postroom.services.configuration import read_configuration
    from postroom.services.workflows import plan_for, tally

    configuration = read_configuration(read_text(config)).configuration
    failures = Failures()
    found = find_mails(mails, failures)
    now = datetime.now(UTC)
    plans = [
        (str(path), plan_for(raw, configuration, mailbox=mailbox, now=now))
        for path, raw in output.progress(read_mails(found, failures), "Trying", total=len(found))
    ]
    counted = tally(plans, configuration)
    if json:
        for name, one in counted.items():
            output.record(
                {
                    "workflow": name,
                    "results": dict(one.results),
                    "actions": dict(one.actions),
                    "examples": one.examples,
                    "failures": one.failures,
                }
            )
        failures.finish()
        return
    output.say(f"{output.counted(len(plans), 'mail')}, {output.counted(len(counted), 'workflow')}")
    for name, one in counted.items():
        results = ", ".join(f"{result} {count}" for result, count in sorted(one.results.items()))
        output.say(f"{name}: {results or 'concerns none of them'}")
        if one.actions:
            output.say(f"  actions: {', '.join(f'{kind} {count}' for kind, count in sorted(one.actions.items()))}")
        for example in one.examples[:3]:
            output.say(f"  for example {example}")
        for failure in one.failures[:3]:
            output.say(f"  failed: {failure}")
    failures.finish()
