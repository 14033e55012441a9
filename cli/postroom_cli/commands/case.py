"""`postroom case` and `postroom queue`: what people do with the work on a thread."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import typer

from postroom_cli import output
from postroom_cli.author import author
from postroom_cli.commands import case_seeing
from postroom_cli.commands.config import read_text
from postroom_cli.commands.finding_cases import Id, id_of_case
from postroom_cli.output import Json
from postroom_cli.stack import Stack, find_stack

app = typer.Typer(help="See and work on cases: one a thread.", no_args_is_help=True)
queue_app = typer.Typer(help="See what waits in queues.", no_args_is_help=True)
case_seeing.add_to(app, queue_app)  # first in the help

As = Annotated[str, typer.Option("--as", help="Whom it is done as; else who you are on this machine.")]


def register(parent: typer.Typer) -> None:
    """Add the groups."""
    parent.add_typer(app, name="case")
    parent.add_typer(queue_app, name="queue")


@app.command()
def claim(context: typer.Context, case_id: Id, who: As = "", json: Json = False) -> None:
    """Take a waiting case."""
    stack = find_stack(context)
    _told(_desk(stack).claim(id_of_case(stack, case_id), who=who or author()), json)


@app.command("next")
def next_(
    context: typer.Context,
    queue: Annotated[list[str], typer.Option(help="A queue to take from; several may be named.")],
    who: As = "",
    json: Json = False,
) -> None:
    """Take the most urgent case of queues."""
    case = _desk(find_stack(context)).claim_next(queue, who=who or author())
    if case is None:
        output.say("Nothing waits.")
        return
    _told(case, json)


@app.command()
def release(
    context: typer.Context,
    case_id: Id,
    reason: Annotated[str, typer.Option(help="Why.")] = "",
    who: As = "",
    json: Json = False,
) -> None:
    """Put a case back into its queue, at its old place."""
    stack = find_stack(context)
    _told(_desk(stack).release(id_of_case(stack, case_id), who=who or author(), reason=reason), json)


@app.command()
def take(
    context: typer.Context,
    case_id: Id,
    force: Annotated[bool, typer.Option("--force", help="Even while it is written in.")] = False,
    who: As = "",
    json: Json = False,
) -> None:
    """Take a case from a colleague."""
    stack = find_stack(context)
    _told(_desk(stack).take(id_of_case(stack, case_id), who=who or author(), force=force), json)


@app.command()
def transfer(
    context: typer.Context,
    case_id: Id,
    queue: Annotated[str, typer.Option(help="The queue it goes to; empty: it stays in its own.")] = "",
    agent: Annotated[str, typer.Option(help="The agent it goes to; empty: anybody of the queue.")] = "",
    note: Annotated[str, typer.Option(help="What the next one should know.")] = "",
    who: As = "",
    json: Json = False,
) -> None:
    """Give a case to another queue, or to an agent."""
    stack = find_stack(context)
    done = _desk(stack).transfer(
        id_of_case(stack, case_id), who=who or author(), queue=queue, agent=agent, note=note, others=True
    )
    _told(done, json)


@app.command()
def pending(
    context: typer.Context,
    case_id: Id,
    until: Annotated[datetime | None, typer.Option(help="Until when, UTC.")] = None,
    keep: Annotated[bool, typer.Option("--keep", help="A customer's mail does not end it.")] = False,
    who: As = "",
    json: Json = False,
) -> None:
    """Put a case aside until a date, or until the customer writes."""
    stack = find_stack(context)
    at = until.replace(tzinfo=UTC) if until else None
    _told(
        _desk(stack).wait(
            id_of_case(stack, case_id), who=who or author(), until=at, wake_on_reply=not keep, others=True
        ),
        json,
    )


@app.command()
def resume(context: typer.Context, case_id: Id, who: As = "", json: Json = False) -> None:
    """Go on with a case that waits for a date or the customer."""
    stack = find_stack(context)
    _told(_desk(stack).resume(id_of_case(stack, case_id), who=who or author()), json)


@app.command()
def close(
    context: typer.Context,
    case_id: Id,
    code: Annotated[str, typer.Option(help="What became of it.")] = "",
    no_answer: Annotated[bool, typer.Option("--no-answer", help="It needs none; say by --code why.")] = False,
    who: As = "",
    json: Json = False,
) -> None:
    """Close a case without an answer."""
    stack = find_stack(context)
    done = _desk(stack).close(
        id_of_case(stack, case_id), who=who or author(), code=code, no_answer=no_answer, others=True
    )
    _told(done, json)


@app.command()
def reply(
    context: typer.Context,
    case_id: Id,
    against: Annotated[int, typer.Option(help="The `mails version` of `case show` that the answer was written for.")],
    file: Annotated[Path, typer.Option(help="The text; - for standard input.")] = Path("-"),
    close_after: Annotated[bool, typer.Option("--close", help="Close the case when the answer was sent.")] = False,
    code: Annotated[str, typer.Option(help="What it is closed with.")] = "",
    override: Annotated[bool, typer.Option("--override", help="Although more has come since.")] = False,
    idempotency_key: Annotated[str, typer.Option(help="The same key sends once.")] = "",
    who: As = "",
    json: Json = False,
) -> None:
    """Answer the newest mail of a case that one has claimed; refused when more has come since."""
    from postroom.services.desk import Answering
    from postroom.services.outbound import Reply

    stack = find_stack(context)
    wanted = Reply(text=read_text(file), idempotency_key=idempotency_key or str(uuid4()), agent=who or author())
    case, outbound = _replies(stack).reply(
        id_of_case(stack, case_id), wanted, Answering(against, close_after, code, override)
    )
    if not json:
        output.say(f"The answer is in the outbox as {outbound.id}.")
    _told(case, json)


@app.command()
def undo(context: typer.Context, case_id: Id, who: As = "", json: Json = False) -> None:
    """Take back the answer that is on its way, while no sender has it."""
    stack = find_stack(context)
    _told(_replies(stack).undo(id_of_case(stack, case_id), who=who or author()), json)


@app.command()
def reopen(context: typer.Context, case_id: Id, who: As = "", json: Json = False) -> None:
    """Open a closed case, and have it."""
    stack = find_stack(context)
    _told(_desk(stack).reopen(id_of_case(stack, case_id), who=who or author()), json)


@app.command()
def tag(
    context: typer.Context,
    case_id: Id,
    add: Annotated[list[str] | None, typer.Option(help="A tag to add; several may be named.")] = None,
    remove: Annotated[list[str] | None, typer.Option(help="A tag to remove.")] = None,
    who: As = "",
    json: Json = False,
) -> None:
    """Add and remove tags; those that are not named stay."""
    stack = find_stack(context)
    _told(_desk(stack).tag(id_of_case(stack, case_id), who=who or author(), add=add or (), remove=remove or ()), json)


@app.command()
def note(
    context: typer.Context,
    case_id: Id,
    text: Annotated[str, typer.Argument(help="What to write; no mail ever quotes it.")],
    mention: Annotated[list[str] | None, typer.Option(help="Who should read it.")] = None,
    who: As = "",
    json: Json = False,
) -> None:
    """Write a note on a case."""
    stack = find_stack(context)
    written = _desk(stack).note(id_of_case(stack, case_id), text, who=who or author(), mentions=mention or ())
    if json:
        output.document(output.plain(written))
        return
    output.say("Noted.")


@app.command()
def leave(
    context: typer.Context,
    agent: Annotated[str, typer.Argument(help="Who leaves.")],
    reason: Annotated[str, typer.Option(help="Why.")] = "",
    apply: Annotated[bool, typer.Option("--apply", help="Do it; else it is only shown.")] = False,
    json: Json = False,
) -> None:
    """Release all cases of an agent who leaves; shows them first."""
    from postroom.model.case import CaseList, ListKind

    stack = find_stack(context)
    if not apply:
        numbers = [row.number for row in case_seeing.rows_of(stack, CaseList(ListKind.HELD, agent))]
        if json:
            output.document({"would_release": numbers})
            return
        output.say(f"{output.counted(len(numbers), 'case')} would go back: {', '.join(numbers)}")
        return
    released = _desk(stack).leave(agent, by=author(), reason=reason)
    if json:
        output.document({"released": released})
        return
    output.say(f"{output.counted(released, 'case')} released.")


@app.command()
def adopt(context: typer.Context, json: Json = False) -> None:
    """Make the cases of mail that was stored before there were cases; it may be stopped and begun again."""
    from postroom.services.administration import past_queues, queues_of
    from postroom.services.desk import adopt as make

    stack = find_stack(context)
    names = [*queues_of(stack.configurations.current()), *past_queues(stack.configurations)]
    made = make(names, cases=stack.cases, stored=stack.interactions, clock=stack.clock)
    if json:
        output.document({"made": made})
        return
    output.say(f"{output.counted(made, 'case')} made.")


def _desk(stack: Stack) -> Any:
    from postroom.services.desk import CaseWork

    return CaseWork(stack.cases, stack.case_notes, stack.configurations, stack.clock)


def _replies(stack: Stack) -> Any:
    from postroom.services.desk import CaseReplies

    return CaseReplies(
        stack.cases,
        stack.interactions,
        stack.outbox,
        stack.configurations,
        stack.contents,
        stack.queue("outbound_queue"),
        stack.clock,
    )


def _told(case: Any, json: bool) -> None:
    if json:
        told = output.plain(case)
        told.pop("unknown", None)
        output.document({**told, "number": case.number})
        return
    has = f", {case.agent} has it" if case.agent else ""
    output.say(f"{case.number} is {case.state.value} in {case.queue}{has}.")
