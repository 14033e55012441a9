"""`postroom mailbox guess`: where mail of an address is probably fetched."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Annotated, Any

import typer

from postroom_cli import output
from postroom_cli.output import Json

if TYPE_CHECKING:
    from postroom.services.mailboxes.guess import Proposal


def add_to(app: typer.Typer) -> None:
    """Add the command to the group of mailboxes."""
    app.command("guess")(guess)


def guess(
    address: Annotated[str, typer.Argument(help="The mailbox's address.")],
    offline: Annotated[bool, typer.Option("--offline", help="Do not ask DNS.")] = False,
    json: Json = False,
) -> None:
    """Propose server settings for an address, best first; nothing is connected to or stored."""
    from postroom.services.mailboxes.guess import guess as propose

    found = propose(address, None if offline else _resolver())
    if json:
        output.document(
            {
                "address": found.address,
                "proposals": [
                    {**output.plain(one), "command": _command(one, found.address)} for one in found.proposals
                ],
                "notes": found.notes,
            }
        )
        return
    output.table(
        "",
        ("type", "server", "port", "security", "log in with", "says", "see to"),
        (
            (
                one.type.value,
                one.server,
                one.port,
                one.security.value,
                "OAuth" if one.oauth else "password",
                one.source,
                one.note,
            )
            for one in found.proposals
        ),
        empty="Nothing can be proposed.",
    )
    for note in found.notes:
        output.say(note)
    if found.proposals:
        output.say(f"Try the first: {_command(found.proposals[0], found.address)}")


def _resolver() -> Any:
    from postroom_cli.dns import DnsResolver

    return DnsResolver()


def _command(one: Proposal, address: str) -> str:
    words = ["postroom", "mailbox", "add", "NAME", "--address", address, "--type", one.type.value]
    if one.server:
        words += ["--server", one.server]
    if one.port not in (None, 993, 995):
        words += ["--set", f"port={one.port}"]
    if one.type.value in ("IMAP", "POP3"):
        words += ["--set", f"security={one.security.value}"]
    return shlex.join([*words, *(() if one.oauth else ("--password",))])
