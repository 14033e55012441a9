"""`postroom case list`, `show`, `history`, and `postroom queue list`: what waits, and what happened to it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from postroom.errors import Invalid, Problem

from postroom_cli import output
from postroom_cli.commands.finding_cases import Id, find_case
from postroom_cli.output import Json
from postroom_cli.stack import Stack, find_stack

PAGE = 100


def add_to(app: typer.Typer, queue_app: typer.Typer) -> None:
    """Add the commands to the groups of cases and of queues."""
    app.command("list")(list_)
    app.command()(show)
    app.command()(history)
    queue_app.command("list")(queue_list)


def list_(
    context: typer.Context,
    queue: Annotated[str, typer.Option(help="What waits in this queue.")] = "",
    agent: Annotated[str, typer.Option(help="What this agent has.")] = "",
    pending: Annotated[bool, typer.Option("--pending", help="Of the queue: what waits for a date or a reply.")] = False,
    closed: Annotated[str, typer.Option(metavar="YYYY-MM", help="Of the queue: what was closed in a month.")] = "",
    limit: Annotated[int, typer.Option(help="At most so many.", min=1)] = PAGE,
    json: Json = False,
) -> None:
    """List cases, the most urgent first; those that were closed, the newest first."""
    from postroom.model.case import CaseList, ListKind

    if bool(queue) == bool(agent):
        raise Invalid([Problem("--queue", "or --agent is needed, not both.", "Name a queue, or an agent.")])
    kind = ListKind.HELD if agent else ListKind.PENDING if pending else ListKind.CLOSED if closed else ListKind.WAITING
    stack = find_stack(context)
    wanted = CaseList(kind, agent or queue, _month(closed) if closed else None)
    rows: list[Any] = []
    more = False
    for row in rows_of(stack, wanted, newest_first=bool(closed)):
        if len(rows) == limit:
            more = True
            break
        rows.append(row)
    if json:
        for row in rows:
            output.line({**output.plain(row), "number": row.number})
        return
    output.table(
        "",
        ("number", "since", "state", "agent", "customer", "subject", "mails", "why on top"),
        (
            (
                row.number,
                f"{row.enqueued:%Y-%m-%d %H:%M}",
                row.state.value,
                row.agent,
                row.customer,
                row.subject,
                row.mails,
                row.attention,
            )
            for row in rows
        ),
        empty="There is no such case.",
    )
    if more:
        output.note(f"{limit} shown, there are more: raise --limit.")


def show(context: typer.Context, case_id: Id, json: Json = False) -> None:
    """Show a case: where it stands, its mails and its notes."""
    stack = find_stack(context)
    case = find_case(stack, case_id)
    mails = stack.interactions.rows(stack.interactions.thread(case.id))
    notes = [note for note in stack.case_notes.notes(case.id) if not note.deleted]
    if json:
        told = output.plain(case)
        told.pop("unknown", None)
        output.document({**told, "number": case.number, "mails": output.plain(mails), "notes": output.plain(notes)})
        return
    output.pairs(
        {
            "number": case.number,
            "id": case.id,
            "state": case.state.value,
            "queue": case.queue,
            "agent": case.agent,
            "customer": case.customer,
            "subject": case.subject,
            "why on top": case.attention,
            "waits until": f"{case.wait.until:%Y-%m-%d %H:%M} UTC" if case.wait and case.wait.until else "",
            "closed with": case.close_code,
            "category": case.category,
            "tags": ", ".join(sorted(case.tags)),
            "priority": str(case.priority or ""),
            "goes on in": case.merged_into or case.continued_by,
            "mails version": str(case.mails_version),
        }
    )
    output.table(
        "Mails",
        ("id", "", "created", "from", "subject"),
        (
            (
                one["id"],
                one.get("direction", ""),
                str(one.get("created", ""))[:16],
                one.get("from", ""),
                one.get("subject", ""),
            )
            for one in mails
        ),
    )
    output.table("Notes", ("at", "by", ""), ((f"{one.at:%Y-%m-%d %H:%M}", one.who, one.text) for one in notes))


def history(context: typer.Context, case_id: Id, json: Json = False) -> None:
    """Show who did what to a case, and when."""
    stack = find_stack(context)
    events = stack.cases.history(find_case(stack, case_id).id)
    if json:
        for event in events:
            output.line(output.plain(event))
        return
    output.table(
        "",
        ("version", "at", "what", "by", ""),
        ((one.version, f"{one.at:%Y-%m-%d %H:%M:%S}", one.what, one.who, one.detail) for one in events),
    )


def queue_list(context: typer.Context, json: Json = False) -> None:
    """List the queues with what waits in each, and since when."""
    from postroom.model.case import CaseList, ListKind
    from postroom.services.administration import queues_of

    stack = find_stack(context)
    rows = []
    for name in queues_of(stack.configurations.current()):
        waiting = CaseList(ListKind.WAITING, name)
        first = stack.cases.page(waiting, most=1).rows
        rows.append(
            {
                "queue": name,
                "waiting": _capped(stack.cases.count(waiting)),
                "most_urgent_since": f"{first[0].enqueued:%Y-%m-%d %H:%M}" if first else "",
                "pending": _capped(stack.cases.count(CaseList(ListKind.PENDING, name))),
            }
        )
    if json:
        for row in rows:
            output.line(row)
        return
    output.table(
        "",
        ("queue", "waiting", "the most urgent waits since", "pending"),
        ((row["queue"], row["waiting"], row["most_urgent_since"], row["pending"]) for row in rows),
        empty="There is no queue.",
    )


def _capped(count: int) -> str:
    return "1000+" if count >= 1_000 else str(count)


def _month(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m").replace(tzinfo=UTC)
    except ValueError as error:
        raise Invalid([Problem("--closed", f"{text[:20]!r} is no month.", "Write it as 2026-11.")]) from error


def rows_of(stack: Stack, wanted: Any, *, newest_first: bool = False) -> Iterator[Any]:
    """Yield the rows of a list of cases, page by page."""
    after = ""
    while True:
        page = stack.cases.page(wanted, after=after, most=PAGE, newest_first=newest_first)
        yield from page.rows
        if not page.after:
            return
        after = page.after
