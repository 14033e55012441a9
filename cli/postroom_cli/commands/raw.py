"""`postroom raw`: the mail itself, byte for byte, and stored mail that is to become an interaction."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Annotated

import typer
from postroom.errors import NotFound, PostroomError
from postroom.model.access import AuditAction
from postroom.services.people import entry

from postroom_cli import output
from postroom_cli.author import author, operator
from postroom_cli.output import Json
from postroom_cli.stack import find_stack

_SHOWN_KEYS = 20


class _ShowsByDefault(typer.core.TyperGroup):
    """`postroom raw ID` is `postroom raw show ID`, as it was before there was a second command."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]  # click's own type
        if args and args[0] not in self.commands and args[0] not in ("-h", "--help"):
            args = ["show", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(cls=_ShowsByDefault, help="Print raw mail, or take stored mail in.", no_args_is_help=True)


def register(parent: typer.Typer) -> None:
    """Add the group."""
    parent.add_typer(app, name="raw")


@app.command()
def show(
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
    now = stack.clock()
    shown = entry(operator(), AuditAction.RAW_SHOWN, f"interaction/{interaction_id}", now=now, client="command line")
    stack.audit.add(shown)  # before it is shown: what is not recorded is not shown
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


@app.command()
def ingest(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="KEY|PREFIX", help="A raw key, or what raw keys begin with.")],
    apply: Annotated[bool, typer.Option("--apply", help="Ask for them; without it only count.")] = False,
    apart: Annotated[
        bool, typer.Option("--apart", help="Also make what was taken for the same mail an interaction of its own.")
    ] = False,
    json: Json = False,
) -> None:
    """Take stored raw mail in that is no interaction; counts, and takes it in with --apply.

    What is an interaction already stays as it is; asking again doubles nothing.
    """
    from postroom.services.interactions import TakeIn

    stack = find_stack(context)
    take_in = TakeIn(
        raw=stack.raw,
        interactions=stack.interactions,
        duplicates=stack.duplicates,
        queue=stack.queue("inbound_queue"),
        bucket=stack.setting("raw_bucket"),
        clock=stack.clock,
    )
    done = take_in(name, apply=apply, apart=apart, who=author())
    if json:
        output.document(
            {
                "looked_at": done.looked_at,
                "interactions": done.there,
                "duplicates": done.duplicates,
                "repeated": done.repeated,
                "foreign": done.foreign,
                "asked_for": done.wanted,
                "applied": apply,
            }
        )
        return
    for key in done.wanted[:_SHOWN_KEYS]:
        output.say(key)
    if (more := len(done.wanted) - _SHOWN_KEYS) > 0:
        output.say(f"… and {more:,} more.")
    verb = "queued to be taken in" if apply else "would be taken in; --apply does it"
    output.say(
        f"{output.counted(done.looked_at, 'raw message')}: {done.there:,} are interactions, "
        f"{done.duplicates:,} the same mail as one in other bytes, {done.repeated:,} the same bytes as another, "
        f"{len(done.wanted):,} {verb}."
    )
    for key in done.foreign[:_SHOWN_KEYS]:
        output.note(f"{key} is not the key of a raw message, and is left alone.")
