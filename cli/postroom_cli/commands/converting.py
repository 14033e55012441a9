"""`postroom mailbox convert` and `revert`: a mailbox goes under an e-mail account, and out of it again (C08)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from postroom_cli import output
from postroom_cli.commands.applying import carry_out, propose
from postroom_cli.commands.config import show_plan
from postroom_cli.commands.connection import try_connection
from postroom_cli.errors import describe_problem
from postroom_cli.output import Json
from postroom_cli.stack import Stack, find_stack

if TYPE_CHECKING:
    from postroom.model.configuration import Configuration
    from postroom.services.configuration import Plan
    from postroom.services.mailboxes import ConnectionTest, Conversion

Name = Annotated[str, typer.Argument(help="The mailbox's name.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")]


def add_to(app: typer.Typer) -> None:
    """Add both commands to the group of mailboxes."""
    app.command("convert")(convert)
    app.command("revert")(revert)


def convert(
    context: typer.Context,
    name: Name,
    account: Annotated[str, typer.Option(help="The e-mail account whose consent opens it from now on.")],
    shared: Annotated[bool, typer.Option("--shared", help="It is a shared mailbox of the account.")] = False,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Let an e-mail account open a mailbox instead of its password, after it was opened so once; nothing is lost."""
    from postroom.services.administration import Convert
    from postroom.services.mailboxes import convert_to_account

    stack = find_stack(context)
    proposal = propose(stack, Convert(name, account, shared=shared))  # before anything is connected to
    wanted = convert_to_account.convert(proposal.old, name, account=account, shared=shared)
    tested = check_that_it_opens(stack, proposal.new, name)
    applied = None if dry_run else carry_out(stack, proposal).version
    _tell(wanted, proposal.plan, name, json=json, applied=applied, version=proposal.version, tested=tested)
    if json:
        return
    holds = "" if tested.messages is None else f"; {output.counted(tested.messages, 'message')} there"
    output.say(f"{wanted.account} opens it{holds}.")
    if applied is None:
        output.say("Nothing was changed.")
        return
    output.say(f"Mailbox {name} was converted, as version {applied}; in force from the next cycle on.")
    if wanted.password is not None and wanted.password.secret:
        secret = wanted.password.secret
        output.say(f"Its password stays stored as {secret} for `mailbox revert`; `secret remove {secret}` forgets it.")


def revert(context: typer.Context, name: Name, dry_run: DryRun = False, json: Json = False) -> None:
    """Take a mailbox out of its account: a converted one has its own login again, disabled; a new one is removed."""
    from postroom.services.administration import Revert
    from postroom.services.mailboxes import convert_to_account

    stack = find_stack(context)
    proposal = propose(stack, Revert(name))
    wanted = convert_to_account.revert(proposal.old, name)
    missing = _missing_password(stack, wanted)
    applied = None if dry_run else carry_out(stack, proposal).version
    _tell(wanted, proposal.plan, name, json=json, applied=applied, version=proposal.version, password_missing=missing)
    if json:
        return
    if applied is None:
        output.say("Nothing was changed.")
    elif wanted.mailbox is None:
        output.say(f"Mailbox {name} was made under the account {wanted.account}: it was removed, as version {applied}.")
    else:
        output.say(f"Mailbox {name} is out of the account {wanted.account} and disabled, as version {applied}.")
        if missing:
            output.say(missing)
        output.say(f"Then: `postroom mailbox test {name}`, `postroom mailbox enable {name}`.")


def check_that_it_opens(stack: Stack, configuration: Configuration, name: str) -> ConnectionTest:
    """Open a mailbox as a configuration that is not in force has it; raises NotOpened."""
    from postroom.services.mailboxes import check_opened, existing

    mailbox = configuration.effective(existing(configuration, name))
    tested = try_connection(stack, mailbox)
    check_opened(tested, mailbox)
    return tested


def _missing_password(stack: Stack, wanted: Conversion) -> str:
    """Say what a person must enter before the mailbox can be enabled; empty: nothing that is known here."""
    mailbox, password = wanted.mailbox, wanted.password
    if mailbox is None:
        return ""
    if password is None:
        return f"It has no password: `postroom secret set mailbox.{mailbox.name}`, and " + (
            f"`postroom mailbox change {mailbox.name} password=secret:mailbox.{mailbox.name}`."
        )
    if password.secret and password.secret not in stack.secret_dates.entered([password.secret]):
        return f"Its password is not stored any more: `postroom secret set {password.secret}`."
    return ""


def _tell(
    wanted: Conversion,
    plan: Plan,
    name: str,
    *,
    json: bool,
    applied: int | None,
    version: int,
    tested: ConnectionTest | None = None,
    password_missing: str = "",
) -> None:
    if not json:
        show_plan(plan)
        for warning in wanted.warnings:
            output.say(f"Warning: {warning}")
        if wanted.moved:
            output.say(
                "Server, user or protocol change: what lies there is looked at anew, and what was stored before is "
                "known by its content."
            )
        return
    document: dict[str, Any] = {
        "mailbox": name,
        "account": wanted.account,
        "applied": applied is not None,
        "version": applied or version,
        "removed": wanted.mailbox is None,
        "moved": wanted.moved,
        "changes": plan.changes,
        "warnings": [describe_problem(warning) for warning in (*plan.warnings, *wanted.warnings)],
        "password": wanted.password.secret if wanted.password else None,
    }
    if tested is not None:
        document["test"] = tested
    else:
        document["password_missing"] = password_missing or None
    output.document(document)
