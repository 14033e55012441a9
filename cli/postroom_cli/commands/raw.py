"""`postroom raw`: the mail itself, byte for byte."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Annotated

import typer
from postroom.errors import NotFound, PostroomError

from postroom_cli import output
from postroom_cli.output import Json
from postroom_cli.stack import find_stack


def register(parent: typer.Typer) -> None:
    """Add the command."""
    parent.command()(raw)


def raw(
    context: typer.Context,
    interaction_id: Annotated[str, typer.Argument(metavar="ID", help="The interaction's id, or a raw key.")],
    file: Annotated[Path | None, typer.Option("--output", "-o", help="Write it there instead of printing it.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Print it to a terminal, too, which obeys it.")] = False,
    json: Json = False,
) -> None:
    """Print the .eml of an interaction, byte for byte as it was fetched."""
    stack = find_stack(context)
    if interaction_id.startswith("raw/"):
        key = interaction_id
    else:
        interaction = stack.interactions.get(interaction_id)
        if interaction is None:
            raise NotFound("There is no such interaction", on=interaction_id)
        key = interaction.raw_key
    content = stack.raw.get(key).content
    if file is not None:
        try:
            file.write_bytes(content)
        except OSError as error:
            raise PostroomError(
                f"The file cannot be written: {error.strerror}", on=str(file), remedy="Give another place."
            ) from error
    if json:
        told = {"key": key, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        where = {"file": str(file)} if file else {"content_base64": base64.b64encode(content).decode("ascii")}
        output.document({**told, **where})
    elif file is None:
        output.octets(content, force=force)
    else:
        output.say(f"{len(content):,} bytes were written to {file}.")
