"""What is recorded of a mail as attributes, which rules, templates and people look at."""

from __future__ import annotations

from collections.abc import Sequence

from postroom.mail.content import ANSWERS, Invitation, Moment, invitation, protection
from postroom.mail.headers import Address
from postroom.mail.html import SanitisedHtml
from postroom.mail.reader import Message
from postroom.model import ANSWER_TO
from postroom.rules import Kind
from postroom.services.inbound.correspondents import Correspondents

_LONGEST = 500  # characters of a value


def attributes_of(
    message: Message,
    kind: Kind,
    people: Correspondents,
    clean: SanitisedHtml | None,
    *,
    chain: Sequence[str],
) -> dict[str, str]:
    """Collect the attributes of a mail: `chain` is what it refers to, oldest first."""
    attributes: dict[str, str] = _correspondents(people)
    if chain:
        attributes["References"] = " ".join(chain[-20:])[:4000]
    if clean is not None and clean.remote_images:
        attributes["RemoteImages"] = str(clean.remote_images)
    if clean is not None and clean.hidden_text:
        attributes["HiddenText"] = str(clean.hidden_text)
    protected = protection(message)
    if protected is not None:
        attributes["Protection"] = protected.kind.value
    invited = kind.calendar_answer or invitation(message)
    if invited is not None:
        attributes |= _invitation(invited)
    if kind.report is not None and kind.report.recipients:
        first = kind.report.recipients[0]
        for name, value in (
            ("Final-Recipient", first.address),
            ("Original-Recipient", first.original_recipient),
            ("Action", first.action),
            ("Status", first.status),
            ("Diagnostic-Code", first.diagnostic),
            ("Remote-MTA", first.remote_mta),
            ("Reason", first.reason),
        ):
            if value:
                attributes[name] = value[:_LONGEST]
    if kind.exception is not None:
        attributes["DeliveryException"] = kind.exception.exception.name
    return attributes


def _correspondents(people: Correspondents) -> dict[str, str]:
    """Say who stands behind a mail, where it is not simply who sent it."""
    passed_on = people.forwarded
    values = {
        "Original-Author": people.original_author.address if people.original_author else "",
        "Forwarded-From": passed_on.sender.address or passed_on.sender.name if passed_on and passed_on.sender else "",
        "Forwarded-Date": passed_on.date if passed_on else "",
        "Forwarded-Subject": passed_on.subject if passed_on else "",
        ANSWER_TO: _whole(people.answer.addresses) if people.answer.decision else "",
    }
    return {name: value[:_LONGEST] for name, value in values.items() if value}


def _whole(addresses: Sequence[Address]) -> str:
    """Join as many addresses as an attribute holds, each whole: mail is sent to what stands here."""
    joined = ""
    for one in addresses:
        longer = f"{joined}, {one.address}" if joined else one.address
        if len(longer) > _LONGEST:
            break
        joined = longer
    return joined


def _invitation(invited: Invitation) -> dict[str, str]:
    """Say of a calendar invitation what people and rules need: method, times, organiser."""
    values = {
        "Calendar-Method": invited.method,
        "Calendar-Summary": invited.summary,
        "Calendar-Start": _moment(invited.start),
        "Calendar-End": _moment(invited.end),
        "Calendar-Organiser": invited.organiser.address if invited.organiser else "",
        "Calendar-Location": invited.location,
        "Calendar-Comment": invited.comment,
    }
    if invited.method in ANSWERS:
        values["Calendar-Partstat"] = ", ".join(dict.fromkeys(one.status for one in invited.attendees if one.status))
        values["Calendar-Attendee"] = ", ".join(one.address for one in invited.attendees[:20])
    return {name: value[:_LONGEST] for name, value in values.items() if value}


def _moment(moment: Moment | None) -> str:
    return f"{moment.at.isoformat()} {moment.zone}".strip() if moment else ""
