"""`postroom reply` and `postroom outbox`: answer a mail, and see and settle what was sent."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import typer
from postroom.errors import Invalid, Problem

from postroom_cli import output
from postroom_cli.author import author, operator
from postroom_cli.commands.config import read_text
from postroom_cli.commands.writing import uploaded
from postroom_cli.entering import edit_text
from postroom_cli.output import Json
from postroom_cli.stack import find_stack

app = typer.Typer(help="See and settle outgoing mail.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(metavar="ID", help="The outbound mail's id.")]
_EDITOR_HINT = "\n\n# Write the reply above; lines that begin with # are left out. An empty reply sends nothing.\n"


def register(parent: typer.Typer) -> None:
    """Add `reply` and the group."""
    parent.command()(reply)
    parent.add_typer(app, name="outbox")


def reply(
    context: typer.Context,
    interaction_id: Annotated[str, typer.Argument(metavar="ID", help="The interaction to answer.")],
    file: Annotated[Path | None, typer.Option("--file", help="The text; - for standard input.")] = None,
    html: Annotated[Path | None, typer.Option("--html", help="The same as HTML.")] = None,
    to: Annotated[list[str] | None, typer.Option(help="Instead of who wrote; repeatable.")] = None,
    cc: Annotated[list[str] | None, typer.Option(help="Repeatable.")] = None,
    bcc: Annotated[list[str] | None, typer.Option(help="Repeatable.")] = None,
    subject: Annotated[str, typer.Option(help="Instead of `Re: …`.")] = "",
    everybody: Annotated[bool, typer.Option("--all", help="To everybody who had the mail but us.")] = False,
    alias: Annotated[str, typer.Option(help="Name of the alias to send as.")] = "",
    quote: Annotated[bool | None, typer.Option(help="Whether the mail stands below; else by the settings.")] = None,
    attach: Annotated[list[Path] | None, typer.Option("--attach", help="A file; repeatable.")] = None,
    idempotency_key: Annotated[
        str | None, typer.Option(help="The same key sends once, however often the command runs.")
    ] = None,
    json: Json = False,
) -> None:
    """Answer an interaction; the text comes from --file, standard input, or an editor."""
    from postroom.model.configuration import Quote
    from postroom.services.api import FileRequest, ReplyRequest
    from postroom.services.outbound import Mode

    text = _reply_text(file)
    if not text.strip():
        raise Invalid([Problem("text", "is empty.", "Write what to answer; nothing was sent.")])
    stack = find_stack(context)
    wanted = ReplyRequest(
        text=text,
        html=read_text(html) if html else None,
        to=tuple(to or ()),
        cc=tuple(cc or ()),
        bcc=tuple(bcc or ()),
        subject=subject,
        mode=Mode.ALL if everybody else Mode.REPLY,
        alias=alias,
        quote=None if quote is None else Quote.BELOW if quote else Quote.NONE,
        files=tuple(FileRequest(upload=one.upload) for one in uploaded(stack, attach or ())),
    )
    key = idempotency_key or str(uuid4())
    replied = stack.queries.replies.add(interaction_id, wanted, key=key, principal=operator())
    if json:
        output.document({**replied.model_dump(mode="json"), "idempotency_key": key})
    elif replied.created:
        output.say(f"The reply is in the outbox as {replied.id}.")
    else:
        output.say(f"This reply was given before: {replied.id}, {replied.state}.")


def _reply_text(file: Path | None) -> str:
    if file is not None:
        return read_text(file)
    if not sys.stdin.isatty():
        return read_text(Path("-"))
    written = edit_text(_EDITOR_HINT)
    return "\n".join(line for line in written.splitlines() if not line.startswith("#")).strip()


@app.command("list")
def list_(
    context: typer.Context,
    state: Annotated[str | None, typer.Option(help="Only this state; else every one that waits or failed.")] = None,
    limit: Annotated[int, typer.Option(help="At most so many of a state.", min=1)] = 100,
    json: Json = False,
) -> None:
    """List outgoing mails by state, newest first."""
    from postroom.model import OutboxState

    outbox = find_stack(context).queries.outbox
    states = [state] if state else [known.value for known in OutboxState]
    rows = [
        {**row.model_dump(mode="json", by_alias=True), "state": one.upper()}
        for one in states
        for row in outbox.in_state(one, principal=operator())[:limit]
    ]
    if json:
        for row in rows:
            output.line(row)
        return
    output.table(
        "",
        ("id", "state", "created", "failing since", "tries", "next try", "mailbox", "to", "subject", "why"),
        (
            (
                row["id"],
                _state(row),
                _minute(row.get("created")),
                _minute(row.get("since")),
                row.get("tries", ""),
                _minute(row.get("due")) if row["state"] == "DEFERRED" else "",
                row.get("mailbox", ""),
                ", ".join(row.get("to", ())),
                row.get("subject", ""),
                row.get("reason", ""),
            )
            for row in rows
        ),
        empty="There is no outgoing mail.",
    )


@app.command()
def unsettled(context: typer.Context, json: Json = False) -> None:
    """List the mails that did not arrive and wait for a person, each with the reason; the newest of each state."""
    from postroom.model import Delivery, OutboxState
    from postroom.services.outbound import why_unsettled

    outbox = find_stack(context).queries.outbox
    rows = []
    for state in (OutboxState.UNCERTAIN, OutboxState.FAILED, OutboxState.DEFERRED, OutboxState.SENT):
        for shown in outbox.in_state(state.value, principal=operator()):
            row = shown.model_dump(mode="json", by_alias=True)
            delivery = Delivery(row.get("delivery") or Delivery.UNKNOWN)
            attention, reason = bool(row.get("needs_attention")), row.get("reason") or ""
            why = why_unsettled(state, delivery=delivery, needs_attention=attention, reason=reason)
            if why is not None and not row.get("acknowledged"):
                rows.append({**row, "state": state.value, "why": why})
    if json:
        for row in rows:
            output.line(row)
        return
    output.table(
        "",
        ("id", "state", "created", "mailbox", "to", "subject", "why"),
        (
            (
                row["id"],
                _state(row),
                _minute(row.get("created")),
                row.get("mailbox", ""),
                ", ".join(row.get("to", ())),
                row.get("subject", ""),
                row["why"],
            )
            for row in rows
        ),
        empty="Every mail has left, waits for its turn, or has arrived as far as reports tell.",
    )


def _state(row: Mapping[str, Any]) -> str:
    from postroom.services.outbound import state_in_words

    attention = bool(row.get("needs_attention"))
    return state_in_words(row["state"], delivery=row.get("delivery", ""), needs_attention=attention)


def _minute(moment: str | None) -> str:
    return (moment or "")[:16].replace("T", " ")


def _second(moment: str | None) -> str:
    return (moment or "")[:19].replace("T", " ")


@app.command()
def show(context: typer.Context, outbound_id: Id, json: Json = False) -> None:
    """Show one outgoing mail: state, delivery, text, history."""
    shown = find_stack(context).queries.outbox.show(outbound_id, principal=operator()).model_dump(mode="json")
    if json:
        output.document(shown)
        return
    waits = shown["state"] == "DEFERRED"
    output.pairs(
        {
            "id": shown["id"],
            "state": _state(shown),
            "why": "" if shown["state"] == "SENT" else shown["reason"],
            "failing since": _second(shown["since"]),
            "tries": shown["tries"],
            "next try": _second(shown["due"]) if waits else "",
            "only to": ", ".join(shown["remaining"]) if waits else "",
            "subtype": shown["subtype"],
            "created": _second(shown["created"]),
            "from": shown["from_address"],
            "to": ", ".join(shown["to"]),
            "cc": ", ".join(shown["cc"]),
            "bcc": ", ".join(shown["bcc"]),
            "subject": shown["subject"],
            "mailbox": shown["mailbox"],
            "server": shown["server"],
            "server's id": shown["provider_id"],
            "message id": shown["message_id"],
            "answers": shown["parent_id"],
            "thread id": shown["thread_id"],
            "agent": shown["attributes"].get("agent"),
        }
    )
    differ = len({(one["state"], one["delivery"]) for one in shown["recipients"]}) > 1
    if differ or any(one["said"] for one in shown["recipients"]):
        output.table(
            "Recipients",
            ("address", "state", "delivery", "why"),
            ((one["address"], one["state"], one["delivery"], one["said"]) for one in shown["recipients"]),
        )
    output.say("")
    output.text(shown["text"])
    output.say("")
    output.table(
        "Decisions, in order",
        ("rule", "outcome", "detail"),
        ((one["rule"], one["outcome"], one["detail"]) for one in shown["decisions"]),
    )
    output.table(
        "Events",
        ("at", "what", "by", "detail"),
        ((_second(one["at"]), one["what"], one["who"], one["detail"]) for one in shown["events"]),
    )


@app.command()
def resend(context: typer.Context, outbound_id: Id, json: Json = False) -> None:
    """Send a mail again on purpose to those for whom it failed, or of whom nobody knows whether it reached them."""
    from postroom.services.outbound import resend as send_again

    stack = find_stack(context)
    left = send_again(
        outbound_id, outbox=stack.outbox, queue=stack.queue("outbound_queue"), clock=stack.clock, who=author()
    )
    if json and left:
        output.document({"id": outbound_id, "state": "NEW", "to": list(left)})
        return
    _told(json, outbound_id, "NEW", f"is queued again{' to ' + ', '.join(left) + ' alone' if left else ''}")


@app.command()
def mark_sent(context: typer.Context, outbound_id: Id, json: Json = False) -> None:
    """Record that a mail did leave of which nobody was sure."""
    from postroom.services.outbound import mark_sent as mark

    stack = find_stack(context)
    state = mark(outbound_id, outbox=stack.outbox, clock=stack.clock, who=author())
    _told(json, outbound_id, state.value, "is marked as sent")


@app.command()
def acknowledge(context: typer.Context, outbound_id: Id, json: Json = False) -> None:
    """Take note that a mail failed or came back: it leaves `unsettled`, the mailbox's warnings and the alarm."""
    from postroom.services.outbound import acknowledge as take_note

    stack = find_stack(context)
    take_note(outbound_id, outbox=stack.outbox, clock=stack.clock, who=author())
    if json:
        output.document({"id": outbound_id, "acknowledged": True})
    else:
        output.say(f"{outbound_id} is acknowledged.")


@app.command()
def unmatched(
    context: typer.Context,
    days: Annotated[
        int, typer.Option(help="Of so many days, today included; they are kept for 90.", min=1, max=90)
    ] = 7,
    json: Json = False,
) -> None:
    """List what Amazon SES reported of mails that are not in the outbox, oldest first."""
    stack = find_stack(context)
    today = stack.clock()
    dates = [today - timedelta(days=ago) for ago in reversed(range(days))]
    found = [{"at": notice.at, "detail": notice.detail} for date in dates for notice in stack.notices.of_day(date)]
    if json:
        for row in found:
            output.line(row)
        return
    output.table(
        "",
        ("at", "report"),
        ((f"{row['at']:%Y-%m-%d %H:%M:%S}", row["detail"]) for row in found),
        empty=f"Every report of the last {output.counted(days, 'day')} was about a mail in the outbox.",
    )


def _told(json: bool, outbound_id: str, state: str, words: str) -> None:
    if json:
        output.document({"id": outbound_id, "state": state})
    else:
        output.say(f"{outbound_id} {words}.")
