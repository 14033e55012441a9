"""`postroom exceptions`: try delivery-exception phrases on given or stored mail before they are used (X07)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer
from postroom.errors import Invalid, Problem

from postroom_cli import output
from postroom_cli.commands.explain import Failures, find_mails, policy_from, read_mails
from postroom_cli.commands.interaction import list_queue
from postroom_cli.output import Json
from postroom_cli.stack import find_stack

app = typer.Typer(help="Try delivery-exception phrases.", no_args_is_help=True)


def register(parent: typer.Typer) -> None:
    """Add the group."""
    parent.add_typer(app, name="exceptions")


@app.callback()
def group() -> None:
    """Try delivery-exception phrases."""


@app.command("try")
def try_(
    context: typer.Context,
    files: Annotated[list[Path] | None, typer.Argument(metavar="FILE|DIR…", help="Mails to try them on.")] = None,
    config: Annotated[Path | None, typer.Option("--config", help="A configuration file with phrases.")] = None,
    phrase: Annotated[
        list[str] | None,
        typer.Option(help="Try `subject:WORDS` or `address:WORDS` instead of the configured ones; repeatable."),
    ] = None,
    queue: Annotated[str | None, typer.Option(help="Try them on the stored mails of this queue.")] = None,
    limit: Annotated[int, typer.Option(help="At most so many stored mails.", min=1)] = 1000,
    json: Json = False,
) -> None:
    """Say what phrases would have done: which mails they call undeliverable, by themselves and with corroboration."""
    from postroom.rules import evaluate

    if not files and not queue:
        raise Invalid([Problem("FILE", "is missing, and so is --queue.", "Name mails, or a queue of stored ones.")])
    policy = policy_from(config)
    table = _given(phrase) if phrase else policy.exceptions
    failures = Failures()
    mails = hits = diverted = 0
    for source, address, subject, corroborated in _mails(context, files or [], queue, limit, policy, failures):
        mails += 1
        match = evaluate(address, subject, table=table, corroborated=corroborated)
        if match is None:
            continue
        hits += 1
        diverted += match.diverts
        told = {
            "source": source,
            "phrase": match.exception.phrase,
            "type": match.exception.type.value,
            "failure": match.exception.failure.value,
            "corroborated": corroborated,
            "diverts": match.diverts,
            "why": match.why,
        }
        if json:
            output.line(told)
        else:
            output.say(f"{source}: {'diverted' if match.diverts else 'hint only'}: {match.why}")
    if json:
        output.line({"mails": mails, "matched": hits, "diverted": diverted, "diverted_strict": hits})
    else:
        output.say(
            f"{output.counted(mails, 'mail')}: {hits} match; {diverted} would be diverted, in strict mode {hits}."
        )
    failures.finish()


def _given(phrases: list[str]) -> tuple[Any, ...]:
    from postroom.rules import DeliveryException, ExceptionType, Failure, problem_with

    table, problems = [], []
    for text in phrases:
        kind, colon, words = text.partition(":")
        if not colon or kind not in ("subject", "address"):
            problems.append(Problem("--phrase", f"`{text}` says not where to look.", "Write subject:WORDS."))
        elif complaint := problem_with(words):
            what, _, remedy = complaint.partition(": ")
            problems.append(Problem("--phrase", what, remedy))
        else:
            table.append(DeliveryException(words, ExceptionType(kind), words, Failure.PERMANENT))
    if problems:
        raise Invalid(problems)
    return tuple(table)


def _mails(
    context: typer.Context, files: list[Path], queue: str | None, limit: int, policy: Any, failures: Failures
) -> Iterator[tuple[str, str, str, bool]]:
    """Yield (source, From address, subject, whether the structure agrees) of each mail."""
    from postroom.services.inbound import understand

    for path, raw in read_mails(find_mails(files, failures), failures):
        yield str(path), *_facts(understand(raw, policy=policy))
    if queue:
        stack = find_stack(context)
        for row in islice(list_queue(stack, queue), limit):
            interaction = stack.interactions.get(row["id"])
            if interaction is not None:
                raw = stack.raw.get(interaction.raw_key).content
                yield interaction.id, *_facts(understand(raw, policy=policy))


def _facts(mail: Any) -> tuple[str, str, bool]:
    corroborated = mail.automatic.is_automatic or mail.report is not None
    return (mail.sender.address if mail.sender else ""), mail.subject, corroborated
