"""`postroom forward`, `postroom new`: pass a mail on, write one; `postroom settings explain`: how mail is written."""

from __future__ import annotations

import mimetypes
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import uuid4

import typer
from postroom.errors import Invalid, Problem

from postroom_cli import output
from postroom_cli.author import author
from postroom_cli.commands.config import read_text
from postroom_cli.output import Json
from postroom_cli.stack import Stack, find_stack

if TYPE_CHECKING:
    from postroom.services.outbound import FileWanted, Replied

settings = typer.Typer(help="Say what settings come to.", no_args_is_help=True)

To = Annotated[list[str], typer.Option("--to", help="Repeatable.")]
Others = Annotated[list[str] | None, typer.Option(help="Repeatable.")]
Text = Annotated[Path | None, typer.Option("--file", help="The text; - for standard input.")]
Html = Annotated[Path | None, typer.Option("--html", help="The same as HTML.")]
Alias = Annotated[str, typer.Option(help="Name of the alias to send as.")]
Attach = Annotated[list[Path] | None, typer.Option("--attach", help="A file; repeatable.")]
Key = Annotated[str | None, typer.Option(help="The same key sends once, however often the command runs.")]


def register(parent: typer.Typer) -> None:
    """Add the commands."""
    parent.command()(forward)
    parent.command()(new)
    parent.add_typer(settings, name="settings")


def forward(
    context: typer.Context,
    interaction_id: Annotated[str, typer.Argument(metavar="ID", help="The interaction to pass on.")],
    to: To,
    file: Text = None,
    html: Html = None,
    cc: Others = None,
    bcc: Others = None,
    subject: Annotated[str, typer.Option(help="Instead of `Fwd: …`.")] = "",
    alias: Alias = "",
    attachment: Annotated[bool, typer.Option(help="As a mail of its own, as its reader sees it.")] = False,
    attach: Attach = None,
    idempotency_key: Key = None,
    json: Json = False,
) -> None:
    """Pass a mail on, with its files but without blocked ones; what is masked stays masked."""
    from postroom.model.configuration import ForwardAs
    from postroom.services.outbound import Mode, Reply, reply

    stack = find_stack(context)
    wanted = Reply(
        text=read_text(file) if file else "",
        html=read_text(html) if html else None,
        idempotency_key=idempotency_key or str(uuid4()),
        agent=author(),
        to=tuple(to),
        cc=tuple(cc or ()),
        bcc=tuple(bcc or ()),
        subject=subject,
        mode=Mode.FORWARD,
        alias=alias,
        forward=ForwardAs.ATTACHMENT if attachment else None,
        files=uploaded(stack, attach or ()),
    )
    _tell(reply(interaction_id, wanted, **services(stack)), json, wanted.idempotency_key)


def new(
    context: typer.Context,
    to: To,
    subject: Annotated[str, typer.Option(help="What it is about.")],
    file: Text = None,
    html: Html = None,
    cc: Others = None,
    bcc: Others = None,
    department: Annotated[str, typer.Option(help="Else the installation's default one.")] = "",
    alias: Alias = "",
    queue: Annotated[str, typer.Option(help="Whose settings apply.")] = "",
    attach: Attach = None,
    idempotency_key: Key = None,
    json: Json = False,
) -> None:
    """Write to somebody who has not written; it leaves by the department's default alias."""
    from postroom.services.outbound import NewMail, write_new

    if file is None and html is None:
        raise Invalid([Problem("--file", "is missing.", "Give the text: a file, or - for standard input.")])
    stack = find_stack(context)
    wanted = NewMail(
        text=read_text(file) if file else "",
        html=read_text(html) if html else None,
        idempotency_key=idempotency_key or str(uuid4()),
        agent=author(),
        to=tuple(to),
        cc=tuple(cc or ()),
        bcc=tuple(bcc or ()),
        subject=subject,
        department=department,
        alias=alias,
        queue=queue,
        files=uploaded(stack, attach or ()),
    )
    _tell(write_new(wanted, **services(stack)), json, wanted.idempotency_key)


@settings.command()
def explain(
    context: typer.Context,
    path: Annotated[str, typer.Argument(metavar="PATH", help="sending, or one option: sending.quote.")] = "sending",
    alias: Annotated[str, typer.Option(help="Of mail that leaves by this alias.")] = "",
    queue: Annotated[str, typer.Option(help="Of mail of this queue.")] = "",
    json: Json = False,
) -> None:
    """Say what an option of writing mail comes to, and where the value came from (queue, alias, installation)."""
    from postroom.rules import explained

    configuration = find_stack(context).configurations.current()
    known = next((one for one in configuration.aliases if one.name == alias), None)
    problems = []
    if alias and known is None:
        problems.append(Problem("--alias", f"there is no alias `{alias}`.", "`postroom config export` lists them."))
    if queue and all(one.name != queue for one in configuration.queues):
        problems.append(Problem("--queue", f"there is no queue `{queue}`.", "`postroom config export` lists them."))
    found = list(explained(path, configuration, alias=known, queue=queue))
    if not found:
        problems.append(Problem("PATH", f"`{path}` is no option of writing mail.", "Leave it out to see all."))
    if problems:
        raise Invalid(problems)
    rows = [
        {
            "option": f"sending.{told.option}",
            "value": str(told.value),
            "source": told.source,
            "levels": [{"path": place, "value": None if value is None else str(value)} for place, value in levels],
        }
        for told, levels in found
    ]
    if json:
        for row in rows:
            output.line(row)
        return
    output.table("", ("option", "value", "from"), ((row["option"], row["value"], row["source"]) for row in rows))


def services(stack: Stack) -> dict[str, Any]:
    """Return what writing a mail needs."""
    return {
        "interactions": stack.interactions,
        "outbox": stack.outbox,
        "configurations": stack.configurations,
        "outbound_queue": stack.queue("outbound_queue"),
        "clock": stack.clock,
        "contents": stack.contents,
    }


def uploaded(stack: Stack, paths: Sequence[Path]) -> tuple[FileWanted, ...]:
    """Upload files of this machine, to be named in a mail; raises Invalid for one that cannot be read."""
    from postroom.services.outbound import FileWanted, keep_upload

    found = []
    for path in paths:
        try:
            data = path.read_bytes()
        except OSError as error:
            raise Invalid([Problem("--attach", f"{path} cannot be read: {error.strerror}.", "Name a file.")]) from error
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        found.append(FileWanted(upload=keep_upload(path.name, kind, data, contents=stack.contents, now=stack.clock())))
    return tuple(found)


def _tell(replied: Replied, json: bool, key: str) -> None:
    outbound = replied.outbound
    if json:
        output.document(
            {
                "id": outbound.id,
                "state": outbound.state.value,
                "created": replied.created,
                "warnings": list(replied.warnings),
                "idempotency_key": key,
            }
        )
        return
    said = f"is in the outbox as {outbound.id}" if replied.created else f"was given before: {outbound.id}"
    output.say(f"The mail {said}, from {outbound.from_address} to {', '.join(outbound.to)}.")
    for one in replied.warnings:
        output.note(one)
