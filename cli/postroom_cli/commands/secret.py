"""`postroom secret`: enter passwords, tokens and client secrets; nothing shows them again."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated

import typer
from postroom.errors import Conflict, Invalid, NotFound, Problem

from postroom_cli import output
from postroom_cli.commands.applying import entered
from postroom_cli.commands.named_secrets import secrets_of
from postroom_cli.entering import enter_secret
from postroom_cli.output import Json
from postroom_cli.stack import find_stack

app = typer.Typer(help="Enter and remove secrets; nothing shows them again.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The name that the configuration refers to.")]


def register(parent: typer.Typer) -> None:
    """Add the group."""
    parent.add_typer(app, name="secret")


@app.command("set")
def set_(
    context: typer.Context,
    name: Name,
    valid_until: Annotated[str | None, typer.Option(help="The day it expires, as 2027-11-21.")] = None,
    json: Json = False,
) -> None:
    """Enter a secret, by prompt or from standard input; mailboxes that it was refused for are tried again."""
    problems = []
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}", name):
        problems.append(Problem("NAME", "is no name of a secret.", "Use at most 80 letters, digits, '.', '_' and '-'."))
    expires = None
    if valid_until:
        try:
            expires = date.fromisoformat(valid_until)
        except ValueError:
            problems.append(Problem("--valid-until", f"{valid_until!r} is no date.", "Write it as 2027-11-21."))
    if problems:
        raise Invalid(problems)
    stack = find_stack(context)
    today = stack.clock().date()
    if expires is not None and expires < today:
        remedy = f"Give the last day that it is valid on, {today} or later, or leave the option out."
        raise Invalid([Problem("--valid-until", f"{expires} has passed.", remedy)])
    stack.secrets.put(name, enter_secret(f"Secret {name}"), now=stack.clock(), valid_until=expires)
    tried, mails = entered(stack, name)
    users = [named.path for named in secrets_of(stack.configurations.current()) if named.secret == name]
    if json:
        output.document(
            {
                "secret": name,
                "stored": True,
                "valid_until": expires,
                "named_by": users,
                "tried_again": tried,
                "sent_again": mails,
            }
        )
    else:
        output.say(f"Secret {name} was stored, encrypted under the stack's key.")
        if not users:
            output.note("Warning: No option names it yet. Look at its name, or name it in a mailbox or server.")
        if tried:
            output.say(f"Tried again at the next cycle: {', '.join(tried)}.")
        if mails:
            output.say(f"Mails that waited for it and are sent now: {len(mails)}.")


@app.command()
def remove(context: typer.Context, name: Name, json: Json = False) -> None:
    """Remove a secret that no object refers to, or only a converted mailbox for `mailbox revert`."""
    stack = find_stack(context)
    configuration = stack.configurations.current()
    users = [named.path for named in secrets_of(configuration) if named.secret == name]
    if users:
        raise Conflict(f"The secret is used by {', '.join(users)}", on=name, remedy="Give those another secret first.")
    if not stack.secrets.remove(name):
        remedy = "Look at the name: `postroom config export` shows those that are named."
        raise NotFound("There is no such secret, and nothing was removed", on=name, remedy=remedy)
    wanted = [
        mailbox.name
        for mailbox in configuration.mailboxes
        if mailbox.before_account and mailbox.before_account.password and mailbox.before_account.password.secret == name
    ]
    if json:
        output.document({"secret": name, "removed": True, "wanted_by_revert": wanted})
        return
    output.say(f"Secret {name} was removed.")
    if wanted:
        output.say(f"After `mailbox revert` it must be entered again: {', '.join(wanted)}.")
