"""Decide everything about a mail that a person writes, before anybody is told that it is on its way.

From whom, to whom, what it says below the agent's own words, which files, within which limits: one place for the API,
the command line and the desk. What is returned is what will be sent; nothing is stored here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from postroom.errors import Invalid, Problem
from postroom.mail.headers import Address, parse_addresses
from postroom.mail.html import sanitise, to_text
from postroom.mail.outgoing import (
    Composition,
    Enclosure,
    best_language,
    check,
    forward_subject,
    forwarded_html,
    forwarded_text,
    is_message_id,
    quoted_html,
    quoted_text,
    reply_subject,
    templates,
    text_as_html,
    without_controls,
)
from postroom.model import (
    AGENT_ID,
    Body,
    Decision,
    Interaction,
    InteractionRef,
    Outbound,
    Outcome,
    Subtype,
    outbound_id,
)
from postroom.model import DecisionRule as Rule
from postroom.model.configuration import Configuration, ForwardAs, Quote
from postroom.ports import Contents, Interactions
from postroom.rules import Addressed, Sending, limits, own_addresses, recipients, sending_of, thread_markers, way_out
from postroom.rules.masking import mask_outbound
from postroom.services.outbound import files as attached
from postroom.services.outbound.files import Files, ToStore
from postroom.services.outbound.originals import original_of, rebuilt
from postroom.services.outbound.senders import From, of_new_mail, of_reply
from postroom.services.outbound.wanted import MARK, Mode, NewMail, Reply, mark_of
from postroom.services.policy import outbound_masking

_MOST_TEXT = 1_000_000  # characters


@dataclass(frozen=True, slots=True)
class Prepared:
    """A mail ready for the outbox, what is stored before it, and what its writer should know."""

    outbound: Outbound
    to_store: tuple[ToStore, ...] = ()
    warnings: tuple[str, ...] = ()
    size: int = 0  # octets as it is sent, at most


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where stored mails, their bodies and files are read from."""

    interactions: Interactions
    contents: Contents


def prepare_reply(
    interaction: Interaction,
    wanted: Reply,
    *,
    body: Body | None,
    configuration: Configuration,
    now: datetime,
    shelf: Shelf | None = None,
) -> Prepared:
    """Decide everything about an answer or a forward; raises Invalid with every problem.

    `body`: of the interaction, where it may be quoted; `shelf`: where files are named or passed on.
    """
    sender = of_reply(configuration, interaction, alias=wanted.alias)
    sending = sending_of(configuration, alias=sender.alias, queue=interaction.queue)
    forwards = wanted.mode is Mode.FORWARD
    language = _language(body, sending, configuration)
    addressed = _addressed(interaction, wanted, configuration)
    files = attached.wanted_files(
        wanted.files,
        configuration=configuration,
        department=interaction.department,
        interactions=shelf.interactions if shelf else None,
        contents=shelf.contents if shelf else None,
        now=now,
    )
    below, more = _below(interaction, wanted, sending, body=body, language=language, shelf=shelf, now=now)
    text, html = _bodies(wanted, sending, below, values=_values(interaction, wanted.agent, sender))
    subject = without_controls(interaction.subject)
    references = [*interaction.attributes.get("References", "").split(), interaction.message_id or ""]
    reply_to, body_marker, marks = thread_markers.plan(configuration, sender.mailbox)
    made = outbound_id(interaction.id, f"reply\x00{wanted.idempotency_key}")
    verb = "passes on" if forwards else "answers"
    outbound = Outbound(
        id=made,
        subtype=Subtype.OUTBOUND_NEW if forwards else Subtype.OUTBOUND_REPLY,
        # A forward begins a thread: what its reader answers is no answer of the customer's.
        thread_id=made if forwards else interaction.thread_id,
        answers=None if forwards else InteractionRef(interaction.id),
        mailbox=interaction.mailbox,
        department=interaction.department,
        from_address=sender.address,
        to=_written(addressed.to),
        cc=_written(addressed.cc),
        bcc=_written(addressed.bcc),
        subject=wanted.subject or (forward_subject(subject) if forwards else reply_subject(subject)),
        text=text,
        html=html,
        created=now,
        server="",
        in_reply_to=None if forwards or not is_message_id(interaction.message_id or "") else interaction.message_id,
        references=() if forwards else tuple(one for one in references if is_message_id(one)),
        reply_to=reply_to,
        body_marker=body_marker,
        decisions=(
            Decision(Rule.REPLY, Outcome.WRITTEN, f"{wanted.agent} {verb} {interaction.id}"),
            *sender.decisions,
            marks,
        ),
        attributes={**_written_by(wanted), **({"forwards": interaction.id} if forwards else {})},
    )
    return _finished(outbound, wanted, sender, sending, addressed, files + more, configuration=configuration)


def prepare_new(
    wanted: NewMail, *, configuration: Configuration, now: datetime, shelf: Shelf | None = None
) -> Prepared:
    """Decide everything about a mail that begins a thread; raises Invalid with every problem."""
    department = wanted.department or configuration.settings.default_department
    sender = of_new_mail(configuration, department, alias=wanted.alias)
    sending = sending_of(configuration, alias=sender.alias, queue=wanted.queue)
    addressed = recipients.to_whom_typed(wanted.to, wanted.cc, wanted.bcc, mailboxes=_mailboxes(configuration))
    problems = []
    if configuration.departments and configuration.department(department) is None:
        problems.append(Problem("department", f"there is no department {department!r}.", "Name one of the settings."))
    if wanted.queue and all(one.name != wanted.queue for one in configuration.queues):
        problems.append(Problem("queue", f"there is no queue {wanted.queue!r}.", "Name one of the settings."))
    if not wanted.to and not addressed.problems:
        problems.append(Problem("to", "is empty.", "Name a recipient."))
    if not wanted.subject.strip():
        problems.append(Problem("subject", "is empty.", "Say what the mail is about."))
    files = attached.wanted_files(
        wanted.files,
        configuration=configuration,
        department=department,
        interactions=shelf.interactions if shelf else None,
        contents=shelf.contents if shelf else None,
        now=now,
    )
    values = _values(None, wanted.agent, sender, department=department, queue=wanted.queue)
    text, html = _bodies(wanted, sending, None, values=values)
    reply_to, body_marker, marks = thread_markers.plan(configuration, sender.mailbox)
    made = outbound_id(f"new\x00{wanted.agent}", wanted.idempotency_key)
    outbound = Outbound(
        id=made,
        subtype=Subtype.OUTBOUND_NEW,
        thread_id=made,
        mailbox=sender.mailbox.identity if sender.mailbox else "",
        department=department,
        from_address=sender.address,
        to=_written(addressed.to),
        cc=_written(addressed.cc),
        bcc=_written(addressed.bcc),
        subject=wanted.subject.strip(),
        text=text,
        html=html,
        created=now,
        server="",
        reply_to=reply_to,
        body_marker=body_marker,
        decisions=(
            Decision(Rule.REPLY, Outcome.WRITTEN, f"{wanted.agent} writes a new mail"),
            *sender.decisions,
            marks,
        ),
        attributes=_written_by(wanted),
    )
    addressed = replace(addressed, problems=(*addressed.problems, *problems))
    return _finished(outbound, wanted, sender, sending, addressed, files, configuration=configuration)


def _finished(
    outbound: Outbound,
    wanted: Reply | NewMail,
    sender: From,
    sending: Sending,
    addressed: Addressed,
    files: Files,
    *,
    configuration: Configuration,
) -> Prepared:
    """Put what every mail has onto it, and refuse what cannot be sent."""
    server = way_out.server_name(configuration, sender.alias)
    receipts = wanted.receipts or sending.receipts
    left_out = (*addressed.left_out, *files.left_out)
    outbound = replace(
        outbound,
        server=server.outcome,
        files=files.files,
        ask_read=receipts.read,
        ask_delivery=receipts.delivery,
        decisions=(
            *outbound.decisions,
            server,
            *([Decision(Rule.RECIPIENTS, Outcome.LEFT_OUT, "; ".join(left_out))] if left_out else []),
        ),
    )
    problems = [*_problems(wanted), *sender.problems, *addressed.problems, *files.problems]
    if not any(one.path in ("to", "from") for one in problems):
        problems += check(_as_sent(outbound))
    way = way_out.server_of(configuration, outbound)
    everybody = len(outbound.to) + len(outbound.cc) + len(outbound.bcc)
    problems += limits.over_limits(
        way, recipients=everybody, text=outbound.text, html=outbound.html, files=outbound.files
    )
    if problems:
        raise Invalid(list(dict.fromkeys(problems)))
    unread = [
        f"{one.address}: nobody reads there, by its name"
        for one in (*addressed.to, *addressed.cc, *addressed.bcc)
        if recipients.is_unread(one.address)
    ]
    masked = mask_outbound(outbound, outbound_masking(configuration, outbound.department))
    return Prepared(
        masked,
        files.to_store,
        warnings=(*unread, *left_out, *sender.warnings),
        size=limits.encoded_size(masked.text, masked.html, masked.files),
    )


def _written_by(wanted: Reply | NewMail) -> dict[str, str]:
    known = {AGENT_ID: wanted.agent_id} if wanted.agent_id else {}
    return {"agent": wanted.agent, **known, MARK: mark_of(wanted)}


def _written(addresses: Sequence[Address]) -> tuple[str, ...]:
    return tuple(map(recipients.written, addresses))


def _mailboxes(configuration: Configuration) -> frozenset[str]:
    return frozenset(recipients.same_mailbox(one.bare_address) for one in configuration.mailboxes)


def _addressed(interaction: Interaction, wanted: Reply, configuration: Configuration) -> Addressed:
    """Find the recipients: those that were typed, else who is asked for an answer, or everybody."""
    typed = recipients.to_whom_typed(wanted.to, wanted.cc, wanted.bcc, mailboxes=_mailboxes(configuration))
    if wanted.mode is Mode.FORWARD:
        if wanted.to or typed.problems:
            return typed
        return replace(typed, problems=(Problem("to", "is empty.", "Name whom to pass it on to."),))
    own = own_addresses(configuration) | {one.lower() for one in configuration.settings.own_lists}
    everybody = recipients.to_everybody(interaction, own) if wanted.mode is Mode.ALL else None
    if wanted.to:
        return typed if everybody is None else _joined(typed.to, everybody.cc, typed, left_out=())
    answered = everybody or recipients.to_answer(interaction, own)
    joined = _joined(answered.to, answered.cc, typed, left_out=answered.left_out)
    return replace(joined, problems=(*answered.problems, *typed.problems))


def _joined(to: Sequence[Address], cc: Sequence[Address], typed: Addressed, *, left_out: tuple[str, ...]) -> Addressed:
    found = recipients.once(to, (*cc, *typed.cc), typed.bcc)
    return replace(found, problems=typed.problems, left_out=(*left_out, *typed.left_out))


def _language(body: Body | None, sending: Sending, configuration: Configuration) -> str:
    text = (body.text_reply or body.text) if body else ""
    return best_language(text, among=configuration.settings.languages, otherwise=sending.language)


@dataclass(frozen=True, slots=True)
class _Below:
    """What stands below an agent's words; `rich`: the original has HTML of its own."""

    text: str
    html: str
    rich: bool


def _below(
    interaction: Interaction,
    wanted: Reply,
    sending: Sending,
    *,
    body: Body | None,
    language: str,
    shelf: Shelf | None,
    now: datetime,
) -> tuple[_Below | None, Files]:
    """Return the quote or the forwarded mail, and the files that it brings."""
    original = original_of(interaction, body)
    rich = original.html is not None
    if wanted.mode is not Mode.FORWARD:
        if (wanted.quote or sending.quote) == Quote.NONE or body is None:
            return None, Files()
        shown = attached.pictures(interaction, original.html, now=now)
        return _Below(quoted_text(original, language=language), quoted_html(original, language=language), rich), shown
    if (wanted.forward or sending.forward) == ForwardAs.ATTACHMENT:
        passed = attached.of_interaction(interaction, now=now)
        data = rebuilt(interaction, body, _read(passed, shelf))
        name = f"{without_controls(interaction.subject)[:80] or 'mail'}.eml"
        return None, replace(attached.made(name, "message/rfc822", data, now=now), left_out=passed.left_out)
    shown = attached.pictures(interaction, original.html, now=now)
    others = attached.of_interaction(interaction, now=now, but=[one.sha256 for one in shown.files])
    return (
        _Below(forwarded_text(original, language=language), forwarded_html(original, language=language), rich),
        shown + others,
    )


def _read(passed: Files, shelf: Shelf | None) -> list[Enclosure]:
    stored = {one.key: one.data for one in passed.to_store}
    if shelf is None and any(one.key not in stored for one in passed.files):
        raise TypeError("files are passed on where contents can be read")
    return [
        Enclosure(one.name, one.content_type, stored[one.key] if one.key in stored else shelf.contents.get(one.key))  # type: ignore[union-attr]  # checked above
        for one in passed.files
    ]


def _bodies(
    wanted: Reply | NewMail, sending: Sending, below: _Below | None, *, values: Mapping[str, str]
) -> tuple[str, str | None]:
    """Put together text and HTML: the agent's words, the signature, what stands below; each made of the other."""
    text, html = wanted.text, wanted.html
    if html is not None and not text.strip():
        text = to_text(sanitise(html).html)
    rich = html is not None or (below is not None and below.rich) or bool(sending.signature_html)
    words_html = (html if html is not None else text_as_html(text)) if rich else None
    if sending.signature or sending.signature_html:
        said = templates.fill(sending.signature, values)
        shown = templates.fill(sending.signature_html, values, escape=True) or text_as_html(said)
        said = said or to_text(sanitise(shown).html)
        text = f"{text.rstrip()}\n\n-- \n{said.strip()}"
        if words_html is not None:
            words_html = _inside(words_html, f'<div class="signature">-- <br>{shown}</div>')
    if below is not None:
        text = f"{text.rstrip()}\n\n{below.text}"
        if words_html is not None:
            words_html = _inside(words_html, f"<br>{below.html}")
    return text, words_html


def _inside(html: str, more: str) -> str:
    """Put HTML at the end of a document's body."""
    at = html.lower().rfind("</body")
    return f"{html[:at]}{more}{html[at:]}" if at >= 0 else f"{html}{more}"


def _values(
    interaction: Interaction | None,
    agent: str,
    sender: From,
    *,
    department: str = "",
    queue: str = "",
) -> dict[str, str]:
    parsed = parse_addresses(sender.address)
    writer = interaction.sender if interaction else None
    return {
        "interaction.id": interaction.id if interaction else "",
        "mailbox.address": sender.mailbox.bare_address if sender.mailbox else "",
        "mailbox.name": sender.mailbox.name if sender.mailbox else "",
        "department.name": interaction.department if interaction else department,
        "received.date": f"{interaction.server_date or interaction.created:%Y-%m-%d}" if interaction else "",
        "subject": interaction.subject if interaction else "",
        "customer.name": writer.name if writer else "",
        "customer.address": writer.address if writer else "",
        "agent.name": agent,
        "alias.name": parsed[0].name if parsed else "",
        "alias.address": parsed[0].address if parsed else "",
        "queue.name": interaction.queue if interaction else queue,
    }


def _as_sent(outbound: Outbound) -> Composition:
    """Return what will be composed, as far as it can be refused: rather now than when nobody looks."""
    return Composition(
        sender=outbound.from_address,
        to=outbound.to,
        cc=(*outbound.cc, *outbound.bcc),
        reply_to=outbound.reply_to,
        subject=outbound.subject,
        text=outbound.text,
        html=outbound.html,
        date=outbound.created,
        message_id="<made@when.sent>",
        in_reply_to=outbound.in_reply_to,
        references=outbound.references,
    )


def _problems(wanted: Reply | NewMail) -> list[Problem]:
    problems = []
    passes_on = isinstance(wanted, Reply) and wanted.mode is Mode.FORWARD
    if not wanted.text.strip() and not (wanted.html or "").strip() and not passes_on:
        problems.append(Problem("text", "is empty.", "Write what to say."))
    for field, value in (("text", wanted.text), ("html", wanted.html or "")):
        if len(value) > _MOST_TEXT:
            problems.append(Problem(field, f"has {len(value):,} characters.", f"Use at most {_MOST_TEXT:,}."))
    if not wanted.idempotency_key or len(wanted.idempotency_key) > 200:
        problems.append(Problem("idempotency_key", "is empty or too long.", "Give 1 to 200 characters, new a mail."))
    return problems
