"""`postroom config`: the configuration as a file: check, plan, apply, export, history, roll back."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from postroom.errors import Invalid, PostroomError, Problem

from postroom_cli import output
from postroom_cli.commands.applying import carry_out, perform, propose
from postroom_cli.commands.named_secrets import missing, secrets_of
from postroom_cli.errors import describe_problem
from postroom_cli.output import Json
from postroom_cli.stack import Stack

if TYPE_CHECKING:
    from postroom.model.configuration import ObjectChange, RecordedChange
    from postroom.services.administration import Command
    from postroom.services.configuration import Plan

app = typer.Typer(help="Check, apply, export and roll back the configuration.", no_args_is_help=True)

File = Annotated[Path, typer.Argument(help="A YAML or JSON file; - for standard input.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Apply without asking.")]
Note = Annotated[str, typer.Option("--note", help="Why; kept in the history.")]


def register(parent: typer.Typer) -> None:
    """Add the group."""
    parent.add_typer(app, name="config")


def read_text(path: Path) -> str:
    """Read a text file, or standard input for `-`; raises Invalid when it cannot be read."""
    try:
        data = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
        return data.decode("utf-8-sig")
    except OSError as error:
        raise Invalid(
            [Problem(str(path), f"cannot be read: {error.strerror}.", "Give a file that is there.")]
        ) from error
    except UnicodeDecodeError as error:
        raise Invalid([Problem(str(path), "is not UTF-8 text.", "Save it as UTF-8.")]) from error


@app.command()
def check(file: File, json: Json = False) -> None:
    """Say whether a file is right, without an installation; every problem is listed."""
    from postroom.services.configuration import read_configuration, summary_of
    from postroom.services.workflows import unmet

    found = read_configuration(read_text(file))
    beside = Path() if str(file) == "-" else file.parent
    if problems := list(unmet(found.configuration, lambda name: (beside / name).read_bytes(), now=datetime.now(UTC))):
        raise Invalid(problems)
    counts = summary_of(found.configuration)
    if json:
        output.document(
            {"ok": True, "objects": counts, "warnings": [describe_problem(warning) for warning in found.warnings]}
        )
        return
    for warning in found.warnings:
        output.say(f"Warning: {warning}")
    told = ", ".join(f"{count} {_named(section, count)}" for section, count in counts.items())
    output.say(f"The file is right: {told or 'nothing but defaults'}.")


def _named(section: str, count: int) -> str:
    name = section.replace("_", " ")
    if count != 1:
        return name
    return name.removesuffix("es" if section in ("mailboxes", "aliases") else "s")


@app.command()
def schema(json: Json = False) -> None:  # noqa: ARG001 - JSON is all it prints
    """Print the JSON Schema of configuration files, for editors."""
    from postroom.model.configuration import Configuration

    document = Configuration.model_json_schema(mode="validation")
    document["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    output.document(document)


@app.command()
def apply(
    context: typer.Context,
    file: File,
    yes: Yes = False,
    note: Note = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan only.")] = False,
    json: Json = False,
) -> None:
    """Show what a file would change, and change it after confirmation: all of it, or nothing."""
    from postroom.services.administration import Apply
    from postroom.services.configuration import read_configuration

    new = read_configuration(read_text(file)).configuration
    stack = _stack(context)
    _version, seen = stack.configurations.in_force()
    _apply(stack, Apply(new, seen), yes=yes, note=note, dry_run=dry_run, json=json)


@app.command()
def export(context: typer.Context, json: Json = False, version: int | None = None) -> None:
    """Write the configuration as a file: what differs from the defaults, secrets as references."""
    from postroom.services.configuration import export_configuration, load

    store = _stack(context).configurations
    configuration = load(store, store.version() if version is None else version)
    if json:
        output.document(configuration.model_dump(mode="json", exclude_defaults=True))
    else:
        output.text(export_configuration(configuration))


@app.command()
def history(
    context: typer.Context,
    of: Annotated[
        str | None, typer.Option("--object", metavar="SECTION/NAME", help="Only what became of this object.")
    ] = None,
    json: Json = False,
) -> None:
    """List the configurations that were applied, newest first; or what became of one object, with both values."""
    from postroom.services.administration import history_of

    store = _stack(context).configurations
    if of is not None:
        _told_changes(history_of(of, store=store), json=json, empty=f"Nothing is recorded of {of}.")
        return
    versions = store.history()
    if json:
        output.document(versions)
        return
    output.table(
        "",
        ("version", "at", "by", "added", "changed", "removed", "note"),
        (
            (
                one.version,
                f"{one.at:%Y-%m-%d %H:%M:%S}",
                one.author,
                *((one.added, one.changed, one.removed) if one.objects else ("", "", "")),
                one.note,
            )
            for one in versions
        ),
        empty="No configuration was applied yet.",
    )


@app.command()
def changes(
    context: typer.Context,
    version: Annotated[int, typer.Argument(help="As `config history` lists them.", min=1)],
    json: Json = False,
) -> None:
    """Show what a version changed: who, which object, each option before and after, why."""
    found = _stack(context).configurations.changes(version)
    empty = f"Version {version} has no list of its changes: it is from before such lists were kept, or changed nothing."
    _told_changes([(version, one) for one in found], json=json, empty=empty)


def _told_changes(found: Iterable[tuple[int, RecordedChange]], *, json: bool, empty: str) -> None:
    if json:
        output.document(
            [
                {"version": version, "who": one.who, "at": one.at, "why": one.why, **output.plain(one.change)}
                for version, one in found
            ]
        )
        return
    told = False
    for version, one in found:
        told = True
        change = one.change
        output.say(
            f"{version}  {one.at:%Y-%m-%d %H:%M:%S}  {one.who}  {_SIGNS[change.kind]} {change.object}  {one.why}"
        )
        for line in _field_lines(change):
            output.say(f"    {line}")
    if not told:
        output.say(empty)


@app.command()
def rollback(
    context: typer.Context,
    version: Annotated[int, typer.Argument(help="The version to return to; 0: the empty one.", min=0)],
    objects: Annotated[
        list[str] | None,
        typer.Option("--object", metavar="SECTION/NAME", help="Return this object only; repeatable."),
    ] = None,
    disable: Annotated[
        bool, typer.Option("--disable", help="Disable first the enabled mailboxes that it removes.")
    ] = False,
    yes: Yes = False,
    note: Note = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan only.")] = False,
    json: Json = False,
) -> None:
    """Return to an earlier configuration, or return objects to what they were in it, as a new version."""
    from postroom.services.administration import RollBack, enabled_and_gone
    from postroom.services.configuration import load

    stack = _stack(context)
    command = RollBack(version, load(stack.configurations, version), tuple(objects or ()))
    ends = enabled_and_gone(stack.configurations.current(), command)
    if ends and not disable:
        disable = not dry_run and not yes and _agreed_to_disable(ends)
        if not disable:
            raise Invalid(
                [
                    Problem(
                        f"mailboxes[name={name}]",
                        f"is enabled, and was not there in version {version}.",
                        "Give --disable to disable it first, or leave it out with --object.",
                    )
                    for name in ends
                ]
            )
    _apply(stack, command, yes=yes, note=note, dry_run=dry_run, json=json, disabling=ends)


def _agreed_to_disable(names: tuple[str, ...]) -> bool:
    if not sys.stdin.isatty():
        return False
    return typer.confirm(f"This removes enabled mailboxes: {', '.join(names)}. Disable them first?")


def _stack(context: typer.Context) -> Any:
    from postroom_cli.stack import find_stack

    return find_stack(context)


def _apply(
    stack: Stack,
    command: Command,
    *,
    yes: bool,
    note: str,
    dry_run: bool,
    json: bool,
    disabling: tuple[str, ...] = (),
) -> None:
    from postroom.services.administration import Switch

    if disabling and not dry_run:
        if not _confirmed(yes=yes):
            output.say("Nothing was changed.")
            return
        perform(stack, Switch("mailboxes", disabling, on=False), why=note or "disabled to be removed by a roll-back")
        if not json:
            output.say(f"Disabled first: {', '.join(disabling)}.")
    proposal = propose(stack, command, why=note)
    plan = replace(proposal.plan, warnings=(*proposal.plan.warnings, *missing(stack, secrets_of(proposal.new))))
    order = sorted(proposal.change.order)
    if not json:
        show_plan(plan)
        if order:
            output.say(f"The order changes in: {', '.join(order)}.")
    applied = None
    if (order or not plan.empty) and not dry_run and (bool(disabling) or _confirmed(yes=yes)):
        applied = carry_out(stack, proposal).version
    if json:
        output.document(
            {
                "version": applied or proposal.version,
                "applied": applied is not None,
                "tally": plan.tally,
                "changes": plan.changes,
                "warnings": [describe_problem(warning) for warning in plan.warnings],
            }
        )
    elif applied is not None:
        output.say(f"Applied as version {applied}; in force from the next cycle on.")
    elif plan.empty and not order:
        output.say("Nothing to change.")
    else:
        output.say("Nothing was changed.")


def _confirmed(*, yes: bool) -> bool:
    if yes:
        return True
    if not sys.stdin.isatty():
        raise PostroomError(
            "There is nobody to confirm the plan, and nothing was changed",
            remedy="Give --yes to apply it without asking.",
            code="unconfirmed",
        )
    return typer.confirm("Apply?")


_SIGNS = {"added": "+", "changed": "~", "removed": "-"}


def show_plan(plan: Plan) -> None:
    """Print what applying would change, and what deserves attention in the result."""
    if not plan.empty:
        output.say(f"{plan.tally}.")
    for change in plan.changes:
        output.say(f"{_SIGNS[change.kind]} {change.section}{f' {change.name}' if change.name else ''}")
        for line in _field_lines(change):
            output.say(f"    {line}")
    for warning in plan.warnings:
        output.say(f"Warning: {warning}")


def _field_lines(change: ObjectChange) -> list[str]:
    lines = []
    for field in change.fields:
        if change.kind == "removed":
            continue
        if change.kind == "added":
            lines.append(f"{field.field}: {_written(field.after)}")
        else:
            lines.append(f"{field.field}: {_written(field.before)} → {_written(field.after)}")
    return lines


def _written(value: Any) -> str:
    if value is None:
        return "(default)"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {_written(part)}" for name, part in value.items()) + "}"
    text = str(value).replace("\n", "⏎")
    return text if len(text) <= 100 else f"{text[:99]}…"
