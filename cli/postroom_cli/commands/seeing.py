"""`postroom mailbox list` and `show`: how mailboxes are, why, what is tried next, what to see to (C05, X01, X08)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

import typer

from postroom_cli import output
from postroom_cli.author import operator
from postroom_cli.output import Json
from postroom_cli.stack import find_stack

Name = Annotated[str, typer.Argument(help="The mailbox's name.")]

_LEDGER = ("listed", "stored", "known", "oversize", "problem", "left")
_NAMES = {"oversize": "over-size"}


def add_to(app: typer.Typer) -> None:
    """Add both commands to the group of mailboxes."""
    app.command("list")(list_)
    app.command("show")(show)


def list_(context: typer.Context, json: Json = False) -> None:
    """List the mailboxes: state, since when and why, last look, next try, what the last poll found, warnings."""
    rows = [row.model_dump(mode="json") for row in find_stack(context).queries.mailboxes.all()]
    if json:
        for row in rows:
            output.line(row)
        return
    output.table(
        "",
        (
            "name",
            "address",
            "type",
            "state",
            "since",
            "last look",
            "next try",
            "lag",
            "to queue",
            "last poll",
            "why",
        ),
        (
            (
                row["name"],
                row["address"],
                row["type"],
                row["health"]["state"],
                _moment(row["health"]["since"]),
                _moment(row["last_look"]),
                _moment(row["health"]["next_try"]),
                _lag(row),
                _to_queue(row["to_queue"]),
                _told(row["last_poll"]) if row["last_poll"] else "",
                row["health"]["reason"],
            )
            for row in rows
        ),
        empty="There is no mailbox yet; `postroom mailbox add` makes one.",
    )
    for row in rows:
        for warning in row["warnings"]:
            output.say(f"Warning, {row['name']}: {warning['text']} {warning['remedy']}")


def show(context: typer.Context, name: Name, json: Json = False) -> None:
    """Show a mailbox: settings, health, warnings, the ledgers of its last polls that found something."""
    shown = find_stack(context).queries.mailboxes.show(name, principal=operator()).model_dump(mode="json")
    if json:
        output.document(shown)
        return
    from postroom.model.configuration import Mailbox

    mailbox = Mailbox.model_validate(shown["settings"])
    settings = mailbox.model_dump(mode="json", exclude_defaults=True)
    if mailbox.ca_certificate:  # as a whole it is in `--json`; here it would push the health off the screen
        settings["ca_certificate"] = "given"
    output.pairs({**settings, "password": str(mailbox.password or ""), "enabled": mailbox.enabled})
    output.say("")
    health = shown["health"]
    times = {field: _moment(health[field]) for field in ("since", "next_try", "last_success")}
    if not shown["looked_at"]:
        times["last_success"] = "never looked at yet"
    told = {**health, **times, "failures": health["failures"] or "", "lag": _lag(shown)}
    came = shown["to_queue"]
    output.pairs({f"health: {field.replace('_', ' ')}": value for field, value in told.items()})
    output.pairs(
        {
            "last look": _moment(shown["last_look"]),
            "to queue": f"{_to_queue(came)}, of the newest {output.counted(came['mails'], 'mail')}" if came else "",
            "cost a month": f"about ${shown['monthly_cost']:.4f}; `postroom mailbox costs {name}` says of what",
        }
    )
    for warning in shown["warnings"]:
        output.say(f"Warning: {warning['text']} {warning['remedy']}")
    if shown["balances"]:
        output.table(
            "Last polls that found something",
            ("at", "listed", "stored", "known", "over-size", "problem", "left", "balance"),
            (
                [
                    _moment(balance["at"]),
                    *(balance[key] for key in _LEDGER),
                    "even" if balance["even"] else "DOES NOT ADD UP",
                ]
                for balance in shown["balances"]
            ),
        )


def _moment(text: str | None) -> str:
    return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M:%S}" if text else ""


def _lag(shown: Mapping[str, Any]) -> str:
    """Tell for how long the oldest mail has been waiting; nothing when none waits."""
    period = _period(shown["lag"])
    return period if shown["lag_exact"] or not period else f"up to {period}"


def _to_queue(delay: Mapping[str, Any] | None) -> str:
    """Tell how long the newest mails took from their server to their queue."""
    return f"{delay['median']:,.0f} s, at most {delay['longest']:,.0f} s" if delay else ""


def _period(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest:02}" if seconds >= 1 else ""


def _told(balance: Mapping[str, Any]) -> str:
    found = ", ".join(f"{balance[key]} {_NAMES.get(key, key)}" for key in _LEDGER[1:] if balance[key])
    return f"{balance['listed']} = {found or 'nothing'}" + ("" if balance["even"] else " DOES NOT ADD UP")
