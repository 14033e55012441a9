"""`postroom dlq`: what failed again and again, and how to try it once more."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer
from postroom.errors import NotFound

from postroom_cli import output
from postroom_cli.output import Json
from postroom_cli.stack import Stack, find_stack

if TYPE_CHECKING:
    from postroom.ports import Redrive

app = typer.Typer(help="List and redrive dead letters.", no_args_is_help=True)

_DEAD_LETTERS = "DeadLetters"
"""How the template names a dead-letter queue: PollDeadLetters, of PollQueue."""


def register(parent: typer.Typer) -> None:
    """Add the group."""
    parent.add_typer(app, name="dlq")


@app.command("list")
def list_(context: typer.Context, json: Json = False) -> None:
    """Tell how many messages lie in each dead-letter queue."""
    stack = find_stack(context)
    rows = [(queue, queue.count()) for queue in _dead_letters(stack)]
    if json:
        output.document([{"queue": queue.name, "messages": count, "url": queue.url} for queue, count in rows])
    else:
        output.table("", ("queue", "messages"), ((queue.name, count) for queue, count in rows))


@app.command()
def redrive(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(metavar="QUEUE", help="inbound, outbound, …; else all.")] = None,
    json: Json = False,
) -> None:
    """Put dead letters back into their queue, to be tried again."""
    stack = find_stack(context)
    every = list(_dead_letters(stack))
    queues = [queue for queue in every if name in (None, queue.name)]
    if not queues:
        names = ", ".join(queue.name for queue in every)
        raise NotFound("There is no such queue", on=name or "", remedy=f"Name one of: {names}.")
    moved = {queue.name: queue.move() for queue in queues}
    if json:
        output.document({"redriven": moved})
    else:
        for queue_name, count in moved.items():
            output.say(f"{queue_name}: {count} message{'s' * (count != 1)} put back.")


def _dead_letters(stack: Stack) -> Iterator[Redrive]:
    """List every queue of the stack that has dead letters: by its outputs, or, on this machine, all that there are."""
    found = (stack.redrive(name, url) for name, url in sorted(_work_queues(stack).items()))
    return (dead for dead in found if dead is not None)


def _work_queues(stack: Stack) -> dict[str, str]:
    """Return the queues that have dead letters, by the names that people give them: `poll`, `ews-poll`, `inbound`…"""
    if stack.outputs is None:
        named = {url.rpartition("-")[2]: url for url in stack.queue_urls()}
        return {_spoken(name): url for name, url in named.items() if name.endswith("Queue")}
    found = {}
    for dead in sorted(name for name in stack.outputs if name.endswith(_DEAD_LETTERS)):
        queue = f"{dead.removesuffix(_DEAD_LETTERS)}Queue"
        if queue in stack.outputs:
            found[_spoken(queue)] = stack.outputs[queue]
    if not found:
        raise NotFound(
            "The stack does not say its dead-letter queues (PollQueue and PollDeadLetters, …)",
            on=stack.name,
            remedy="Deploy the present template.",
        )
    return found


def _spoken(queue: str) -> str:
    """Return a queue's name as people say it: EwsPollQueue → ews-poll."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", queue.removesuffix("Queue")).lower()
