"""`postroom thread`, `postroom replay` and `postroom attachment`: what can be done to mail that is stored."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer

from postroom_cli import output
from postroom_cli.author import author
from postroom_cli.commands.interaction import list_queue
from postroom_cli.errors import ExitCode
from postroom_cli.output import Json
from postroom_cli.stack import Stack, find_stack, thread_keys

thread_app = typer.Typer(help="See, split and merge threads.", no_args_is_help=True)
attachment_app = typer.Typer(help="See, restore and delete attachments.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(metavar="ID", help="The interaction's id.")]
Hash = Annotated[str, typer.Argument(metavar="SHA256", help="The attachment's hash, or its first 8 characters.")]
Reason = Annotated[str, typer.Option(help="Why; it stays in the history.")]


def register(parent: typer.Typer) -> None:
    """Add the groups and `replay`."""
    parent.add_typer(thread_app, name="thread")
    parent.add_typer(attachment_app, name="attachment")
    parent.command()(replay)


@thread_app.command("show")
def thread_show(context: typer.Context, interaction_id: Id, json: Json = False) -> None:
    """List the members of the thread that an interaction is in, oldest first."""
    stack = find_stack(context)
    thread_id = stack.changes.thread_of(interaction_id)[0]
    members = stack.interactions.thread(thread_id)
    mails = stack.interactions.rows(members)
    if json:
        output.document({"thread": thread_id, "members": members, "mails": mails})
        return
    output.table(
        f"Thread {thread_id}",
        ("id", "direction", "created", "from", "subject"),
        (
            (
                row["id"],
                row.get("direction", ""),
                str(row.get("created", ""))[:19].replace("T", " "),
                row.get("from", ""),
                row.get("subject", ""),
            )
            for row in mails
        ),
    )


@thread_app.command()
def merge(
    context: typer.Context,
    source: Annotated[str, typer.Argument(metavar="ID", help="A mail of the thread to move.")],
    into: Annotated[str, typer.Argument(metavar="INTO", help="A mail of the thread to move it to.")],
    json: Json = False,
) -> None:
    """Move all mails of one thread into another."""
    _tell(_threads(context).merge(source, into, who=author()), json)


@thread_app.command()
def split(context: typer.Context, interaction_id: Id, json: Json = False) -> None:
    """Make a mail, with what answers it, a thread of its own."""
    _tell(_threads(context).split(interaction_id, who=author()), json)


@thread_app.command()
def undo(
    context: typer.Context,
    change: Annotated[str, typer.Argument(metavar="CHANGE", help="What `merge` or `split` said.")],
    json: Json = False,
) -> None:
    """Take a split or merge back."""
    _tell(_threads(context).undo(change, who=author()), json)


def _threads(context: typer.Context) -> Any:
    from postroom.services.interactions import Threads

    stack = find_stack(context)
    return Threads(stack.cases, stack.interactions, stack.interactions, stack.changes, stack.clock)


def _tell(done: Any, json: bool) -> None:
    if json:
        output.document(asdict(done))
    else:
        output.say(f"{output.counted(len(done.moved), 'mail')} moved to thread {done.thread_id}.")
        output.say(f"To take it back: postroom thread undo {done.change}")


def replay(
    context: typer.Context,
    interaction_ids: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Which mails.")] = None,
    queue: Annotated[str | None, typer.Option(help="Or all of this queue.")] = None,
    mailbox: Annotated[str | None, typer.Option(help="Of the queue, only what came to this mailbox.")] = None,
    since: Annotated[datetime | None, typer.Option(help="Of the queue, only what was made since then, UTC.")] = None,
    limit: Annotated[int, typer.Option(help="At most so many.", min=1)] = 1000,
    apply: Annotated[bool, typer.Option("--apply", help="Record the result; without it only show it.")] = False,
    json: Json = False,
) -> None:
    """Process stored mail again with today's rules; shows what would change, changes it with --apply.

    A wrapped mail that can be read today is made whole: thread, attachments, acknowledgement while it is young.
    """
    from postroom.errors import Conflict, Invalid, NotFound, Problem
    from postroom.services.desk import IncomingCases
    from postroom.services.inbound import Store
    from postroom.services.interactions import Replay, Replayed
    from postroom.services.policy import Policies

    if bool(interaction_ids) == bool(queue):
        raise Invalid([Problem("ID", "or --queue is needed, not both.", "Name mails, or a queue.")])
    stack = find_stack(context)
    again = Replay(
        raw=stack.raw,
        stored=stack.interactions,
        rewrites=stack.changes,
        store=Store(
            contents=stack.contents,
            interactions=stack.interactions,
            outbox=stack.outbox,
            outbound_queue=stack.queue("outbound_queue"),
            suppressions=stack.suppressions,
            cases=IncomingCases(stack.cases, stack.interactions, stack.may_hold),
        ),
        policies=Policies(stack.configurations, thread_keys(stack)),
        clock=stack.clock,
    )
    wanted = interaction_ids or list(islice(_of_queue(stack, str(queue), mailbox, since), limit))
    changed = left = 0
    for interaction_id in output.progress(wanted, "Reading again"):
        try:
            replayed = again(interaction_id, apply=apply, who=author())
        except (NotFound, Conflict) as error:  # a raw message that is gone, a mail that was changed meanwhile
            if len(wanted) == 1:
                raise
            replayed = Replayed(interaction_id, (), applied=False, problem=str(error))
        changed += bool(replayed.differences)
        left += bool(replayed.problem)
        if json:
            output.line(output.plain(asdict(replayed)))
            continue
        if replayed.problem:
            output.note(f"{interaction_id}  {replayed.problem}.")
        for difference in replayed.differences:
            output.say(f"{interaction_id}  {difference.field}: {difference.before!r:.60} → {difference.after!r:.60}")
    if not json:
        verb = "changed" if apply else "would change"
        problems = f", {output.counted(left, 'problem')}" if left else ""
        output.say(f"{output.counted(len(wanted), 'mail')} read again, {changed} {verb}{problems}.")
    if left:
        raise typer.Exit(ExitCode.PARTIAL)


def _of_queue(stack: Stack, queue: str, mailbox: str | None, since: datetime | None) -> Any:
    earliest = since.replace(tzinfo=UTC).isoformat() if since else ""
    named = stack.configurations.current().mailbox(mailbox) if mailbox else None
    wanted = named.identity if named else mailbox  # one that is not configured any more has its identity only
    for row in list_queue(stack, queue):
        if (wanted is None or row.get("mailbox") == wanted) and row.get("created", "") >= earliest:
            yield row["id"]


def _quarantine(stack: Stack) -> Any:
    from postroom.services.interactions import Quarantine

    return Quarantine(stored=stack.interactions, rewrites=stack.changes, shelf=stack.contents, clock=stack.clock)


@attachment_app.command("list")
def attachment_list(context: typer.Context, interaction_id: Id, json: Json = False) -> None:
    """List the attachments of an interaction, and why some are blocked."""
    from postroom.errors import NotFound

    found = find_stack(context).interactions.get(interaction_id)
    if found is None:
        raise NotFound("there is no such inbound interaction", on=interaction_id)
    rows = [
        {
            "name": one.name,
            "content_type": one.content_type,
            "size": one.size,
            "sha256": one.sha256,
            "blocked": one.blocked,
            "deleted": _deleted(one),
        }
        for one in found.attachments
    ]
    if json:
        for row in rows:
            output.line(row)
    else:
        columns = ("name", "content_type", "size", "sha256", "blocked", "deleted")
        output.table("", columns, ([row[name] for name in columns] for row in rows), empty="There is no attachment.")


def _deleted(attachment: Any) -> bool:
    return attachment.key is None and attachment.inline_data is None


@attachment_app.command()
def save(
    context: typer.Context,
    interaction_id: Id,
    sha256: Hash,
    to: Annotated[Path, typer.Option("--to", help="File to write; it must not exist.")],
    json: Json = False,
) -> None:
    """Write an attachment to a file; blocked ones too, so mind what you open."""
    from postroom.errors import Conflict

    attachment, content = _quarantine(find_stack(context)).view(interaction_id, sha256)
    try:
        with to.open("xb") as file:
            file.write(content)
    except FileExistsError as error:
        raise Conflict("the file exists", on=str(to), remedy="Name another file.") from error
    if json:
        output.document({"name": attachment.name, "size": len(content), "file": str(to)})
    else:
        output.say(f"{attachment.name}: {len(content):,} bytes written to {to}.")


@attachment_app.command()
def restore(context: typer.Context, interaction_id: Id, sha256: Hash, reason: Reason, json: Json = False) -> None:
    """Let a blocked attachment in."""
    done = _quarantine(find_stack(context)).restore(interaction_id, sha256, reason=reason, who=author())
    _tell_attachment(done, "is let in", json)


@attachment_app.command()
def delete(context: typer.Context, interaction_id: Id, sha256: Hash, reason: Reason, json: Json = False) -> None:
    """Delete a blocked attachment; the raw message still has it, under its own right and retention."""
    done = _quarantine(find_stack(context)).delete(interaction_id, sha256, reason=reason, who=author())
    _tell_attachment(done, "is deleted", json)


def _tell_attachment(attachment: Any, what: str, json: bool) -> None:
    if json:
        output.document(
            {
                "name": attachment.name,
                "sha256": attachment.sha256,
                "blocked": attachment.blocked,
                "deleted": _deleted(attachment),
            }
        )
    else:
        output.say(f"{attachment.name} {what}.")
