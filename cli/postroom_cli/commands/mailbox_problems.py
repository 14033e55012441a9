"""`postroom mailbox problems`, `retry` and `release`: mails that no poll asks for any more (G07, fault 104)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated

import typer

from postroom_cli import output
from postroom_cli.output import Json
from postroom_cli.stack import find_stack

Name = Annotated[str, typer.Argument(help="The mailbox's name.")]
Ids = Annotated[list[str] | None, typer.Argument(metavar="[ID…]", help="Ids on the server; without any, all of them.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands to the group of mailboxes."""
    app.command("problems")(problems)
    app.command("retry")(retry)
    app.command("release")(release)


def problems(context: typer.Context, name: Name, json: Json = False) -> None:
    """List the mails that were given up or set aside, or fail until now, with the reason."""
    from postroom.services.mailboxes import existing
    from postroom.services.why import unfetched

    stack = find_stack(context)
    identity = existing(stack.configurations.current(), name).identity
    found = unfetched.unfetched(name, configurations=stack.configurations, states=stack.states)
    position = stack.states.load([identity], consistent=True)[identity].position
    seen = position.acknowledged if position else frozenset()
    if json:
        for mail in found:
            output.line({**output.plain(mail), "released": mail.server_id in seen})
        return
    output.table(
        "",
        ("id on the server", "state", "released", "what is known", "how the last try ended"),
        (
            (mail.server_id, mail.state, "yes" if mail.server_id in seen else "", mail.says, mail.reason)
            for mail in found
        ),
        empty=f"Every mail of {name} was fetched.",
    )


def retry(context: typer.Context, name: Name, ids: Ids = None, json: Json = False) -> None:
    """Try mails once more that were given up or set aside, at the next poll."""
    from postroom.services.mailboxes import retry_problems

    _change(context, name, ids, retry_problems, "tried_again", "tried again at the next poll", json=json)


def release(context: typer.Context, name: Name, ids: Ids = None, json: Json = False) -> None:
    """Count mails no longer that were given up or set aside: somebody has seen to them. They stay as they are."""
    from postroom.services.mailboxes import release_problems

    _change(context, name, ids, release_problems, "released", "counted no longer", json=json)


def _change(
    context: typer.Context,
    name: str,
    ids: list[str] | None,
    change: Callable[..., tuple[str, ...]],
    key: str,
    what: str,
    *,
    json: bool,
) -> None:
    from postroom.services.mailboxes import existing

    stack = find_stack(context)
    mailbox = existing(stack.configurations.current(), name)
    done = change(mailbox, ids or (), states=stack.states, now=datetime.now(UTC))
    if json:
        output.document({"mailbox": name, key: list(done)})
    elif done:
        output.say(f"{output.counted(len(done), 'mail')} of {name}: {what}.")
    else:
        output.say(f"There is no such mail in {name}.")
