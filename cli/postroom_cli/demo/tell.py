"""Tell a person what happened in the demonstration."""

from __future__ import annotations

from collections.abc import Mapping
from email import message_from_bytes
from email.policy import default

from postroom.model import Interaction, Outbound
from postroom.model.configuration import Type
from rich import box
from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from postroom_cli.demo.run import Outcome, Story, story_of, withheld
from postroom_cli.shown import visible

_SHOWN_HEADERS = (
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "In-Reply-To",
    "References",
    "Auto-Submitted",
    "Content-Type",
)
_WIDTH = 118  # where there is no terminal to fit in
_WIDE = 100  # from here on there is room for subjects


def tell(outcome: Outcome, *, on: Console | None = None) -> None:
    """Print the whole story; every text that came from a mail is printed as text, never as markup."""
    console = on or Console(highlight=False)
    if not on and not console.is_terminal:
        console = Console(highlight=False, width=_WIDTH)
    stories = story_of(outcome)
    _tell_mailboxes(outcome, console)
    _tell_mails(outcome, console)
    for name, title in (
        ("attachments", "Why a mail is where it is: every decision with the rule that made it"),
        ("follow-up", "A customer writes again, is recognised, and joins the thread"),
        ("stranger", "Somebody else refers to the same thread, and does not get into it"),
        ("html", "HTML is stored harmless, and fetches nothing from elsewhere"),
    ):
        if name in stories:
            _tell_decisions(stories[name], title, console)
    _tell_wrapped(outcome, console)
    _tell_withheld(outcome, console)
    _tell_acknowledgement(outcome, console)
    _tell_replies(outcome, console)
    _tell_answer(outcome, console)
    _tell_counts(outcome.counts(), console)


_PROTOCOLS = {Type.IMAP: "IMAP", Type.POP3: "POP3", Type.GRAPH: "MS Graph", Type.EWS: "Exchange EWS"}


def _tell_mailboxes(outcome: Outcome, console: Console) -> None:
    table = Table(title="Mailboxes and what was fetched", box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False)
    for column in ("mailbox", "by", "login"):
        table.add_column(column, overflow="fold")
    for column in ("mails", "interactions"):
        table.add_column(column, justify="right")
    table.add_column("on the server afterwards", overflow="fold")
    for fetched in outcome.fetched:
        counts = (str(fetched.mails), str(fetched.interactions))
        row = (fetched.mailbox.name, _PROTOCOLS[fetched.mailbox.type], fetched.login, *counts, fetched.afterwards)
        table.add_row(*map(_text, row))
    console.print(table)


def _tell_mails(outcome: Outcome, console: Console) -> None:
    table = Table(title="Mails and their interactions", box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False)
    wide = console.width >= _WIDE
    for column in ("mail", *(("subject", "interaction") if wide else ()), "queue", "kind", "acknowledged"):
        table.add_column(column, overflow="fold")
    for story in outcome.stories:
        interaction = story.interaction
        table.add_row(
            *map(
                _text,
                (
                    story.mail.name,
                    *((interaction.subject or "(none)", interaction.id[:10]) if wide else ()),
                    interaction.queue,
                    "wrapped" if interaction.wrap_reason else interaction.subtype.value,
                    _acknowledged(story),
                ),
            )
        )
    console.print(table)


def _acknowledged(story: Story) -> str:
    if story.acknowledgement:
        return f"by {story.acknowledgement.server}"
    return f"no: {(withheld(story.interaction) or 'none wanted').partition(':')[0]}"


def _tell_decisions(story: Story, title: str, console: Console) -> None:
    table = _section(title, story, console)
    for decision in story.interaction.decisions:
        table.add_row(*map(_text, (decision.rule, decision.outcome, decision.detail)))
    if story.body.remote_images:
        table.add_row(*map(_text, ("remote images", str(story.body.remote_images), "not fetched; shown on request")))
    for attachment in story.interaction.attachments:
        what = f"{attachment.content_type}, {attachment.size:,} bytes"
        kind = "blocked" if attachment.blocked else "kept"
        table.add_row(*map(_text, (f"file {attachment.name}", kind, attachment.blocked or what)))
    console.print(table)
    if story.body.html:
        console.print(_text(f"As stored: {story.body.html}\n"))


def _section(title: str, story: Story, console: Console) -> Table:
    console.rule(_text(title), align="left")
    console.print(_text(f"{story.mail.name}: {story.interaction.subject}"))
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("rule", "outcome", "because"):
        table.add_column(column, overflow="fold")
    return table


def _tell_wrapped(outcome: Outcome, console: Console) -> None:
    story = next((one for one in outcome.stories if one.interaction.wrap_reason), None)
    if story is None:
        return
    interaction = story.interaction
    console.rule(_text("A mail that cannot be parsed is wrapped, not lost"), align="left")
    console.print(
        _text(
            f"{interaction.subject!r} of {_sender(interaction)}, {interaction.size:,} bytes, is in queue "
            f"{interaction.queue}.\nWhy: {interaction.wrap_reason}.\n"
            f"The original is attached byte for byte: {interaction.raw_key}\n"
        )
    )


def _tell_withheld(outcome: Outcome, console: Console) -> None:
    reasons = [(story.mail.name, withheld(story.interaction) or "") for story in outcome.stories]
    if not any(reason for _name, reason in reasons):
        return
    console.rule(_text("Acknowledgements that were withheld, and why"), align="left")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("mail", "rule", "because"):
        table.add_column(column, overflow="fold")
    shown: set[str] = set()
    for name, reason in reasons:
        rule, _, because = reason.partition(": ")
        if rule and rule not in shown:  # an example of each
            shown.add(rule)
            table.add_row(*map(_text, (name, rule, because)))
    console.print(table)


def _tell_acknowledgement(outcome: Outcome, console: Console) -> None:
    first = next((story.acknowledgement for story in outcome.stories if story.acknowledgement), None)
    if first is not None:
        _tell_mail(f"An acknowledgement as it left by {first.server}", first, outcome, console)


def _tell_replies(outcome: Outcome, console: Console) -> None:
    for reply in outcome.replies:
        _tell_mail(f"An agent's reply as it left by {reply.server}", reply, outcome, console)
        for event in outcome.histories.get(reply.id, ()):
            console.print(_text(f"  {event.at:%H:%M:%S}  {event.what}  {event.detail}"))
        if reply.id in outcome.left_by_ses:
            console.print(
                _text(f"  It is {reply.delivery.value} (SES and its events are simulated by the local runner).")
            )
        console.print()


def _tell_mail(title: str, outbound: Outbound, outcome: Outcome, console: Console) -> None:
    content = outcome.left_by_smtp.get(outbound.id) or outcome.left_by_ses.get(outbound.id)
    if content is None:
        return
    message = message_from_bytes(content, policy=default)
    lines = [f"{name}: {message[name]}" for name in _SHOWN_HEADERS if message[name]]
    part = message.get_body(("plain",))
    text = str(part.get_content()).replace("\r\n", "\n").rstrip() if part else ""
    shown = _text("\n".join([*lines, "", text]))
    console.print(Panel(shown, title=_text(title), title_align="left", box=box.SQUARE))


def _tell_answer(outcome: Outcome, console: Console) -> None:
    if outcome.answer is None:
        return
    interaction = outcome.answer.interaction
    thread = next((one for one in interaction.decisions if one.rule == "thread"), None)
    console.rule(_text("The customer's answer to our acknowledgement"), align="left")
    console.print(
        _text(
            f"It joined the thread of {interaction.thread_id[:10]} as {interaction.subtype.value}"
            f"{f': {thread.detail}' if thread else ''}.\n"
        )
    )


def _tell_counts(counts: Mapping[str, int | float], console: Console) -> None:
    console.rule(_text("In all"), align="left")
    console.print(
        _text(
            f"{counts['mails']} mails, {counts['interactions']} interactions ({counts['wrapped']} wrapped), "
            f"{counts['acknowledgements']} acknowledgements sent and {counts['suppressed']} withheld, "
            f"{counts['replies']} replies sent; {counts['raw_identical']} of {counts['mails']} stored raw messages are "
            f"the mail byte for byte; {counts['seconds']} seconds.\nNothing is left running. `postroom local` runs "
            "the system until you stop it: docs/local.md."
        )
    )


def _sender(interaction: Interaction) -> str:
    return interaction.sender.address if interaction.sender else "nobody"


def _text(value: str) -> Text:
    # What strangers wrote may hold terminal control characters.
    return Text(visible(value, lines=True))
