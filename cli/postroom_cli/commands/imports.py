"""`postroom import`: make a configuration file from what another system exports."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from postroom.errors import PostroomError

from postroom_cli import output
from postroom_cli.commands.config import read_text
from postroom_cli.output import Json

if TYPE_CHECKING:
    from postroom.services.importers import Imported

app = typer.Typer(
    help="Import from other systems: a configuration file with everything disabled.", no_args_is_help=True
)

File = Annotated[Path, typer.Argument(help="The exported file; - for standard input.")]
Output = Annotated[
    Path | None, typer.Option("--output", "-o", help="Write the configuration file there instead of printing it.")
]


def register(parent: typer.Typer) -> None:
    """Add the group."""
    parent.add_typer(app, name="import")


@app.command()
def genesys(file: File, output_file: Output = None, json: Json = False) -> None:
    """Import the options of a Genesys E-mail Server: pop-client, smtp-client, endpoints, email-processing."""
    from postroom.services.importers import import_genesys

    _told(import_genesys(read_text(file), source=file.name), output_file, json=json)


@app.command()
def ece(file: File, output_file: Output = None, json: Json = False) -> None:
    """Import a CSV list of Cisco ECE: aliases, blocked file extensions or delivery exceptions."""
    from postroom.services.importers import import_ece

    _told(import_ece(read_text(file), source=file.name), output_file, json=json)


def _told(imported: Imported, file: Path | None, *, json: bool) -> None:
    if file is not None:
        try:
            file.write_text(imported.text, "utf-8")
        except OSError as error:
            raise PostroomError(
                f"The file cannot be written: {error.strerror}", on=str(file), remedy="Give another place."
            ) from error
    if json:
        written = {"file": str(file)} if file else {"configuration": imported.text}
        output.document({**written, "options": imported.rows})
        return
    if file is None:
        output.text(imported.text)
    # A configuration that is printed can be sent to a file: what is told of it must not end up there.
    output.table(
        "What became of each option",
        ("section", "option", "outcome", "now", "why"),
        ((row.section, row.option, row.outcome.value, row.to, row.why) for row in imported.rows),
        error=file is None,
    )
    if file is not None:
        output.say(f"Written to {file}. Next: `postroom config apply {file}`.")
