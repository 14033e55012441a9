"""`postroom mailbox costs`: what mailboxes cost a month, estimated from their settings and counted mail (X14)."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from postroom.errors import NotFound

from postroom_cli import output
from postroom_cli.output import Json
from postroom_cli.stack import find_stack

Name = Annotated[str | None, typer.Argument(help="One mailbox, in detail; without it, all.")]
Mails = Annotated[
    float | None, typer.Option("--mails", min=0, help="Suppose so many mails a month instead of what was counted.")
]


def add_to(app: typer.Typer) -> None:
    """Add the command to the group of mailboxes."""
    app.command("costs")(costs)


def costs(context: typer.Context, name: Name = None, mails: Mails = None, json: Json = False) -> None:
    """Estimate what mailboxes cost a month, from their settings and the mail that was counted; see docs/costs.md."""
    found = find_stack(context).queries.mailboxes.costs([name] if name else [], mails=mails)
    if name and not found:
        raise NotFound("There is no such mailbox", on=name, remedy="`postroom mailbox list` shows them.")
    total = sum(one.dollars for one in found)
    if json:
        output.document({"dollars": total, "mailboxes": found})
        return
    if name:
        _tell(found[0])
        return
    output.table(
        "",
        ("name", "mails a month", "counted since", "US$ a month"),
        ([one.mailbox, f"{one.mails:,.0f}", _since(one), f"{one.dollars:,.4f}"] for one in found),
        empty="There is no mailbox yet; `postroom mailbox add` makes one.",
    )
    if found:
        output.say(f"Together ${total:,.2f} a month. {_what_it_is(found[0])}")


def _tell(one: Any) -> None:
    output.table(
        "What is done in a month",
        ("what", "how many", "US$"),
        ([line.what, _quantity(line.quantity), f"{line.dollars:,.4f}"] for line in one.steps),
    )
    output.table(
        "What AWS counts",
        ("what", "how many", "US$"),
        ([line.what, _quantity(line.quantity), f"{line.dollars:,.4f}"] for line in one.calls),
    )
    since = _since(one)
    told = f"{one.mails:,.0f} mails a month" + (f", by what was counted since {since}" if since else "")
    output.say(f"{one.mailbox} costs about ${one.dollars:,.4f} a month, with {told}. {_what_it_is(one)}")


def _quantity(number: float) -> str:
    """Write whole numbers as such, and of others what matters: `100,000`, `0.25`."""
    return f"{number:,.0f}" if number >= 100 or number == int(number) else f"{number:.3g}"


def _since(one: Any) -> str:
    return f"{one.counted_since:%Y-%m-%d %H:%M}" if one.counted_since else ""


def _what_it_is(one: Any) -> str:
    return (
        f"An estimate with prices of {one.region} as of {one.prices_of}, without the free tier; "
        "what all mailboxes share is not in it."
    )
