"""`postroom object`: add, change, switch and remove objects of any section of the configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from postroom.errors import Invalid, Problem

from postroom_cli import output
from postroom_cli.commands.applying import perform
from postroom_cli.commands.mailbox import parse_options
from postroom_cli.output import Json
from postroom_cli.stack import find_stack

if TYPE_CHECKING:
    from postroom.services.administration import Command

app = typer.Typer(help="Add, change and remove queues, aliases, accounts and all other objects.", no_args_is_help=True)

Section = Annotated[str, typer.Argument(help="As in a configuration file: queues, aliases, accounts, settings, …")]
Names = Annotated[list[str], typer.Argument(help="Their names.")]
Options = Annotated[list[str], typer.Argument(metavar="OPTION=VALUE…", help="As in a configuration file.")]
Why = Annotated[str, typer.Option("--note", help="Why; kept in the history.")]


def register(parent: typer.Typer) -> None:
    """Add the group."""
    parent.add_typer(app, name="object")


@app.command("list")
def list_(context: typer.Context, section: Section, json: Json = False) -> None:
    """List the objects of a section, with what differs from the defaults."""
    from postroom.services.administration import SECTIONS, existing_object

    stack = find_stack(context)
    configuration = stack.configurations.current()
    if section not in SECTIONS or section == "settings":
        existing_object(configuration, section, "")
    found = [configuration.settings] if section == "settings" else getattr(configuration, section)
    rows = [one.model_dump(mode="json", exclude_defaults=True) for one in found]
    if json:
        for row in rows:
            output.line(row)
        return
    for row in rows:
        output.pairs(row)


@app.command()
def add(
    context: typer.Context, section: Section, name: str, options: Options, note: Why = "", json: Json = False
) -> None:
    """Add an object; a mailbox is added disabled."""
    from postroom.services.administration import Add

    _carry_out(context, Add(section, {"name": name, **parse_options(options)}), note=note, json=json)


@app.command()
def change(context: typer.Context, section: Section, words: Names, note: Why = "", json: Json = False) -> None:
    """Change options of objects, of all that are named or of none: NAME… OPTION=VALUE…; the settings have no name."""
    from postroom.services.administration import Modify

    names = tuple(word for word in words if "=" not in word) or ("",)
    values = parse_options([word for word in words if "=" in word])
    if not values:
        raise Invalid([Problem("OPTION=VALUE", "is missing.", "Give what is to be changed.")])
    _carry_out(context, Modify(section, names, values), note=note, json=json)


@app.command()
def enable(context: typer.Context, section: Section, names: Names, note: Why = "", json: Json = False) -> None:
    """Enable mailboxes, activate aliases, queues or accounts."""
    from postroom.services.administration import Switch

    _carry_out(context, Switch(section, tuple(names), on=True), note=note, json=json)


@app.command()
def disable(context: typer.Context, section: Section, names: Names, note: Why = "", json: Json = False) -> None:
    """Disable mailboxes, deactivate aliases, queues or accounts."""
    from postroom.services.administration import Switch

    _carry_out(context, Switch(section, tuple(names), on=False), note=note, json=json)


@app.command()
def remove(context: typer.Context, section: Section, names: Names, note: Why = "", json: Json = False) -> None:
    """Remove objects that nothing uses, all that are named or none."""
    from postroom.services.administration import Remove

    _carry_out(context, Remove(section, tuple(names)), note=note, json=json)


def _carry_out(context: typer.Context, command: Command, *, note: str, json: bool) -> None:
    done = perform(find_stack(context), command, why=note)
    plan = done.prepared.plan
    if json:
        output.document({"version": done.version, "changed": done.changed, "changes": plan.changes})
    elif done.changed:
        output.say(f"{plan.tally}, as version {done.version}; in force from the next cycle on.")
    else:
        output.say("Nothing was changed: it is so already.")
