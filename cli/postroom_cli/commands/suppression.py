"""`postroom suppression`: addresses that nothing more is sent to."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

import typer
from postroom.errors import Invalid, NotFound, Problem

from postroom_cli import output
from postroom_cli.author import author
from postroom_cli.output import Json
from postroom_cli.stack import find_stack

app = typer.Typer(
    help="Addresses that nothing more is sent to: dead ones, and of those who complained.", no_args_is_help=True
)

Address = Annotated[str, typer.Argument(metavar="ADDRESS", help="The address, as name@domain.")]


def register(parent: typer.Typer) -> None:
    """Add the group."""
    parent.add_typer(app, name="suppression")


@app.command("list")
def list_(context: typer.Context, json: Json = False) -> None:
    """List the addresses, with why, since when, until when, and what told us."""
    stack = find_stack(context)
    rows = [
        {
            "address": one.address,
            "reason": one.reason.value,
            "since": one.at.isoformat(),
            "until": one.expires.isoformat() if one.expires else None,
            "source": one.source,
            "detail": one.detail,
        }
        for one in stack.suppressions.all(now=stack.clock())
    ]
    if json:
        for row in rows:
            output.line(row)
        return
    output.table(
        "",
        ("address", "reason", "since", "until", "source", "detail"),
        (
            (
                row["address"],
                row["reason"],
                (row["since"] or "")[:10],
                (row["until"] or "removed by hand")[:15].partition("T")[0],
                row["source"],
                row["detail"],
            )
            for row in rows
        ),
        empty="Mail goes to every address.",
    )


@app.command()
def add(
    context: typer.Context,
    address: Address,
    days: Annotated[
        int | None, typer.Option(help="For so many days; else until it is removed.", min=1, max=3650)
    ] = None,
    reason: Annotated[str, typer.Option(help="Why, in words; shown with each mail that is withheld.")] = "",
    json: Json = False,
) -> None:
    """Send nothing more to an address."""
    from postroom.model import Suppression, SuppressionReason

    stack = find_stack(context)
    now: datetime = stack.clock()
    expires = now + timedelta(days=days) if days else None
    added = stack.suppressions.add(
        Suppression(_checked(address), SuppressionReason.BY_HAND, now, author(), reason, expires)
    )
    if json:
        output.document({"address": address, "added": added})
    elif added:
        output.say(f"Nothing more is sent to {address}.")
    else:
        output.say(f"{address} is suppressed already, for longer.")


@app.command()
def remove(context: typer.Context, address: Address, json: Json = False) -> None:
    """Let mail go to an address again; what was withheld is sent by `outbox resend`."""
    if not find_stack(context).suppressions.remove(_checked(address)):
        raise NotFound(
            "This address is not suppressed", on=address, remedy="`postroom suppression list` shows those that are."
        )
    if json:
        output.document({"address": address, "removed": True})
    else:
        output.say(f"Mail goes to {address} again.")


def _checked(address: str) -> str:
    from postroom.mail.headers import is_valid

    if not is_valid(address):
        raise Invalid([Problem("ADDRESS", f"{address[:80]!r} is no e-mail address.", "Write name@domain.")])
    return address
