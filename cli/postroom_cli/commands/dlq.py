"""`postroom dlq`: what failed again and again, and how to try it once more."""

from __future__ import annotations

import json as json_module
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import typer
from postroom.errors import NotFound

from postroom_cli import output
from postroom_cli.output import Json
from postroom_cli.stack import Stack, find_stack

app = typer.Typer(help="List and redrive dead letters.", no_args_is_help=True)

_DEAD_LETTERS = "DeadLetters"
"""How the template names a dead-letter queue: PollDeadLetters, of PollQueue."""


@dataclass(frozen=True, slots=True)
class DeadLetters:
    """One queue, and the one that its failed messages go to."""

    name: str
    queue_url: str
    url: str


def register(parent: typer.Typer) -> None:
    """Add the group."""
    parent.add_typer(app, name="dlq")


@app.command("list")
def list_(context: typer.Context, json: Json = False) -> None:
    """Tell how many messages lie in each dead-letter queue."""
    stack = find_stack(context)
    sqs = stack.client("sqs")
    rows = [(queue, _count(sqs, queue.url)) for queue in _dead_letters(stack, sqs)]
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
    sqs = stack.client("sqs")
    every = list(_dead_letters(stack, sqs))
    queues = [queue for queue in every if name in (None, queue.name)]
    if not queues:
        names = ", ".join(queue.name for queue in every)
        raise NotFound("There is no such queue", on=name or "", remedy=f"Name one of: {names}.")
    moved = {queue.name: _move(sqs, queue) for queue in queues}
    if json:
        output.document({"redriven": moved})
    else:
        for queue_name, count in moved.items():
            output.say(f"{queue_name}: {count} message{'s' * (count != 1)} put back.")


def _dead_letters(stack: Stack, sqs: Any) -> Iterator[DeadLetters]:
    """List every queue of the stack that has dead letters: by its outputs, or, on this machine, all that there are."""
    from postroom.adapters.aws import aws_errors

    for name, url in sorted(_work_queues(stack, sqs).items()):
        with aws_errors("asking for a queue's dead letters", on=name):
            answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"])
            policy = answer.get("Attributes", {}).get("RedrivePolicy")
            if policy:
                arn = json_module.loads(policy)["deadLetterTargetArn"]
                yield DeadLetters(name, url, sqs.get_queue_url(QueueName=arn.rpartition(":")[2])["QueueUrl"])


def _work_queues(stack: Stack, sqs: Any) -> dict[str, str]:
    """Return the queues that have dead letters, by the names that people give them: `poll`, `ews-poll`, `inbound`…"""
    from postroom.adapters.aws import aws_errors

    if stack.outputs is None:
        with aws_errors("listing the queues"):
            urls = sqs.get_paginator("list_queues").paginate().build_full_result().get("QueueUrls", [])
        return {_spoken(name): url for url in urls if (name := url.rpartition("-")[2]).endswith("Queue")}
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


def _count(sqs: Any, url: str) -> int:
    from postroom.adapters.aws import aws_errors

    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    with aws_errors("counting dead letters"):
        answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)
    return sum(int(value) for value in answer["Attributes"].values())


def _move(sqs: Any, queue: DeadLetters) -> int:
    """Move message by message: each is in its queue before it leaves the dead letters, so that none is lost."""
    from postroom.adapters.aws import aws_errors

    moved = 0
    # As many as there were at the start: one that fails again at once must not be moved round and round.
    for _round in range(_count(sqs, queue.url)):
        with aws_errors("redriving dead letters", on=queue.name):
            answer = sqs.receive_message(QueueUrl=queue.url, MaxNumberOfMessages=10, VisibilityTimeout=60)
            messages = answer.get("Messages", [])
            for message in messages:
                sqs.send_message(QueueUrl=queue.queue_url, MessageBody=message["Body"])
                sqs.delete_message(QueueUrl=queue.url, ReceiptHandle=message["ReceiptHandle"])
                moved += 1
        if not messages:
            break
    return moved
