"""`postroom interaction` and `postroom why`: what came in, what it became, and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from heapq import merge
from itertools import islice
from typing import Annotated, Any

import typer
from postroom.errors import NotFound

from postroom_cli import output
from postroom_cli.author import operator
from postroom_cli.output import Json
from postroom_cli.stack import Stack, find_stack

app = typer.Typer(help="List and show interactions.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(metavar="ID", help="The interaction's id.")]


def register(parent: typer.Typer) -> None:
    """Add the group and `why`."""
    parent.add_typer(app, name="interaction")
    parent.command()(why)


@app.command("list")
def list_(
    context: typer.Context,
    queue: Annotated[str | None, typer.Option(help="Only this queue; else every queue.")] = None,
    limit: Annotated[int, typer.Option(help="At most so many.", min=1)] = 100,
    json: Json = False,
) -> None:
    """List interactions, the newest of all queues first; those of queues that were removed, too."""
    from postroom.services.administration import queues_of

    stack = find_stack(context)
    listed = _of_queue(list_queue(stack, queue), queue) if queue else _newest(stack)
    rows = list(islice(listed, limit))
    if json:
        for row in rows:
            output.line(row)
        return
    output.table(
        "",
        ("id", "queue", "created", "from", "subject", "subtype", "status"),
        (
            (
                row["id"],
                row["queue"],
                str(row.get("created", ""))[:19].replace("T", " "),
                row.get("from", ""),
                row.get("subject", ""),
                row.get("subtype", ""),
                row.get("status", ""),
            )
            for row in rows
        ),
        empty="There is no interaction.",
    )
    configured = queues_of(stack.configurations.current())
    for name in sorted({row["queue"] for row in rows}.difference(configured)):
        output.note(f"Warning: the queue {name} is not configured any more, and holds mail.")


def _of_queue(rows: Iterable[Mapping[str, Any]], queue: str) -> Iterator[dict[str, Any]]:
    return ({"queue": queue, **row} for row in rows)


def _newest(stack: Stack) -> Iterator[dict[str, Any]]:
    """List all queues as one; each is newest first already, so that pages that nobody takes are not read."""
    from postroom.services.administration import past_queues, queues_of

    names = [*queues_of(stack.configurations.current()), *past_queues(stack.configurations)]
    listed = [_of_queue(stack.interactions.list_queue(name), name) for name in names]
    return merge(*listed, key=lambda row: (str(row.get("created", "")), row["id"]), reverse=True)


def list_queue(stack: Stack, name: str) -> Iterator[Mapping[str, Any]]:
    """List a queue's interactions; a queue that is removed may still have some, an unknown one is no empty one."""
    from postroom.services.administration import queues_of

    empty = True
    for row in stack.interactions.list_queue(name):
        empty = False
        yield row
    if empty and name not in (known := queues_of(stack.configurations.current())):
        raise NotFound("There is no such queue", on=name, remedy=f"Name one of: {', '.join(known)}.")


@app.command()
def show(context: typer.Context, interaction_id: Id, json: Json = False) -> None:
    """Show one interaction with its text."""
    shown = find_stack(context).queries.interactions.show(interaction_id, principal=operator()).model_dump(mode="json")
    if json:
        output.document(shown)
        return
    sender = shown["sender"] or {}
    output.pairs(
        {
            "id": shown["id"],
            "from": f"{sender.get('name', '')} <{sender.get('address', '')}>".strip(),
            "to": ", ".join(address["address"] for address in shown["to"]),
            "cc": ", ".join(address["address"] for address in shown["cc"]),
            "subject": shown["subject"],
            "date": str(shown["date"] or "")[:19].replace("T", " "),
            "subtype": shown["subtype"],
            "status": shown["status"],
            "queue": shown["queue"],
            "mailbox": shown["mailbox"],
            "thread id": shown["thread_id"],
            "message id": shown["message_id"],
            "wrapped": shown["wrap_reason"],
            "attachments": ", ".join(
                f"{one['name']} ({one['size']:,} bytes{', blocked' if one['blocked'] else ''})"
                for one in shown["attachments"]
            ),
        }
    )
    output.say("")
    output.text(str((shown["body"] or {}).get("text", "")))


@app.command()
def history(context: typer.Context, interaction_id: Id, json: Json = False) -> None:
    """Show what was decided when it came, and what happened since."""
    told = (
        find_stack(context).queries.interactions.history(interaction_id, principal=operator()).model_dump(mode="json")
    )
    if json:
        output.document(told)
        return
    _tell(told["decisions"], told["events"])


def why(
    context: typer.Context,
    mail: Annotated[
        str,
        typer.Argument(
            metavar="MESSAGE-ID|ID",
            help="A Message-ID, an id, a raw key, a SHA-256, MAILBOX/ID-ON-THE-SERVER, or MAILBOX for what it left.",
        ),
    ],
    json: Json = False,
) -> None:
    """Say why a mail is where it is: which rules decided what, in order, and what happened since."""
    from postroom.services.why import Why

    stack = find_stack(context)
    explain_mail = Why(
        duplicates=stack.duplicates,
        interactions=stack.interactions,
        outbox=stack.outbox,
        configurations=stack.configurations,
        states=stack.states,
        raw=stack.raw,
    )
    for number, explanation in enumerate(explain_mail(mail)):
        told = output.plain(explanation)
        if json:
            output.line(told)
            continue
        if number:
            output.say("")
        _tell_why(told)


def _tell_why(told: dict[str, Any]) -> None:
    decisions, events, related = (told.pop(name) for name in ("decisions", "events", "related"))
    summary = told.pop("summary")
    told["created"] = str(told["created"] or "")[:19].replace("T", " ")
    output.pairs({**{name.replace("_", " "): value for name, value in told.items()}, "why": summary})
    if decisions:
        output.say("")
    output.table(
        "What was decided, in order",
        ("", "rule", ""),
        ((number, one["rule"], one["says"]) for number, one in enumerate(decisions, start=1)),
    )
    output.table(
        "What happened since",
        ("at", "event", ""),
        ((one["at"][:19].replace("T", " "), one["what"], one["says"]) for one in events),
    )
    output.table("Mails that belong to it", ("", ""), ((one["how"], one["says"]) for one in related))


def _tell(decisions: list[dict[str, Any]], events: list[dict[str, Any]]) -> None:
    output.table(
        "Decisions, in order",
        ("rule", "outcome", "detail"),
        ((one["rule"], one["outcome"], one["detail"]) for one in decisions),
    )
    output.table(
        "Events",
        ("at", "what", "by", "detail"),
        ((one["at"][:19].replace("T", " "), one["what"], one["who"], one["detail"]) for one in events),
    )
