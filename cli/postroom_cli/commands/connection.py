"""`postroom mailbox test` and `preview`: walk the way to a mail server now, and see what lies there (C09, X13)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from postroom.errors import Invalid, NotFound, Problem

from postroom_cli import output
from postroom_cli.commands.config import read_text
from postroom_cli.entering import enter_secret
from postroom_cli.errors import ExitCode
from postroom_cli.output import Json
from postroom_cli.stack import Stack, find_stack

if TYPE_CHECKING:
    from postroom.model.configuration import Mailbox, Type
    from postroom.ports import Connector, Tokens
    from postroom.services.mailboxes import ConnectionTest

Name = Annotated[str, typer.Argument(help="The mailbox's name.")]
Password = Annotated[
    bool, typer.Option("--password", help="Ask for the password (or read standard input) instead of the stored one.")
]


def add_to(app: typer.Typer) -> None:
    """Add both commands to the group of mailboxes."""
    app.command("test")(check)
    app.command("preview")(preview)


def check(
    context: typer.Context,
    name: Name,
    file: Annotated[
        Path | None, typer.Option("--file", help="Test the mailbox as this configuration file has it, unsaved.")
    ] = None,
    password: Password = False,
    json: Json = False,
) -> None:
    """Test a connection step by step: DNS, TCP, TLS, greeting, login, folder, count; at most eleven seconds."""
    stack = find_stack(context)
    mailbox = _mailbox(stack, name, file)
    tested = try_connection(stack, mailbox, secret=enter_secret(f"Password of {name}") if password else None)
    if json:
        output.document({"mailbox": name, "ok": tested.ok, **output.plain(tested)})
    else:
        output.table(
            "",
            ("step", "result", "seconds", "why", "what to do"),
            (
                (
                    step.name,
                    "ok" if step.ok else step.code or "failed",
                    f"{step.seconds:.2f}" if step.seconds is not None else "",
                    step.reason,
                    step.remedy,
                )
                for step in tested.steps
            ),
        )
        folder = mailbox.folder_path or "Inbox"
        lying = "" if tested.messages is None else f"; {output.counted(tested.messages, 'message')} in {folder}"
        output.say(f"{name} works{lying}." if tested.ok else f"{name} does not work.")
    if not tested.ok:
        raise typer.Exit(ExitCode.TEST_FAILED)


def try_connection(stack: Stack, mailbox: Mailbox, *, secret: str | None = None) -> ConnectionTest:
    """Test a mailbox as it is given, saved or not (with what its account adds)."""
    from postroom import bootstrap
    from postroom.services.mailboxes import check_connection

    return check_connection(
        mailbox,
        connectors=_connectors(stack),
        secrets=stack.stored_secrets,
        tokens=_tokens(stack),
        probe=bootstrap.probe(stack.read("private_mail_networks")),
        secret=secret,
    )


def preview(context: typer.Context, name: Name, json: Json = False) -> None:
    """Show what a first connection would take: how many messages, how old, how big; nothing is changed."""
    from postroom.services.mailboxes import preview as look

    stack = find_stack(context)
    mailbox = _mailbox(stack, name, None)
    found = look(mailbox, connectors=_connectors(stack), secrets=stack.stored_secrets, tokens=_tokens(stack))
    if json:
        output.document({"mailbox": name, **output.plain(found)})
        return
    output.pairs(
        {
            "messages": str(found.messages),
            "would be taken": f"{found.wanted} (first_connection: {mailbox.first_connection})",
            "oldest": found.oldest,
            "newest": found.newest,
            "size": f"{found.size:,} bytes in {output.counted(found.sized, 'message')}",
            "over-size": str(found.oversize),
        }
    )


def _mailbox(stack: Stack, name: str, file: Path | None) -> Any:
    from postroom.services.configuration import read_configuration

    configuration = read_configuration(read_text(file)).configuration if file else stack.configurations.current()
    mailbox = configuration.mailbox(name)
    if mailbox is None and file:
        raise Invalid([Problem("NAME", f"`{name}` is no mailbox of {file}.", "Name one of the file.")])
    if mailbox is None:
        raise NotFound("There is no such mailbox", on=name, remedy="`postroom mailbox list` shows them.")
    return mailbox


def _connectors(stack: Stack) -> Mapping[Type, Connector]:
    from postroom import bootstrap

    return bootstrap.connectors(stack.read("private_mail_networks", "allow_plaintext_credentials"))


def _tokens(stack: Stack) -> Tokens:
    from postroom import bootstrap

    return bootstrap.tokens(stack.read("private_mail_networks"), stack, clock=stack.clock)
