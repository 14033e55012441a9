"""Recognise calendar invitations (RFC 5545 iCalendar, RFC 5546 iTIP, RFC 6047 iMIP) and give their main facts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime

from postroom.mail.reader import Message, Part

_TYPES = {"text/calendar", "application/ics", "text/x-vcalendar"}
_FOLD = re.compile(r"\r?\n[ \t]")
_LINE = re.compile(r"([A-Za-z0-9-]{1,60})((?:;[^:;=\"]{1,100}=(?:\"[^\"\r\n]*\"|[^;:\"\r\n]*))*):(.*)")
_PARAMETER = re.compile(r";([^:;=\"]{1,100})=(\"[^\"]*\"|[^;:\"]*)")
_TIME = re.compile(r"(\d{4})(\d{2})(\d{2})(?:T(\d{2})(\d{2})(\d{2})?(Z)?)?\s*\Z")
_ESCAPE = re.compile(r"\\([\\;,nN])")
_MAX_BYTES = 1_000_000
_MAX_ATTENDEES = 500


ANSWERS = frozenset({"REPLY", "COUNTER", "CANCEL", "DECLINECOUNTER", "REFRESH"})
"""Methods (RFC 5546 §1.4) by which calendar programs talk about an invitation that there is already."""

_BY_ORGANISER = frozenset({"CANCEL", "DECLINECOUNTER"})
_DONE = {
    "REPLY": "answered the invitation",
    "COUNTER": "proposes a change",
    "CANCEL": "cancelled",
    "DECLINECOUNTER": "declined the proposed change",
    "REFRESH": "asks for the latest version",
}
_REPLIED = {
    "ACCEPTED": "accepted",
    "DECLINED": "declined",
    "TENTATIVE": "accepted tentatively",
    "DELEGATED": "delegated",
    "COMPLETED": "completed",
    "IN-PROCESS": "is at work on",
}


@dataclass(frozen=True, slots=True)
class Person:
    """An organiser or attendee: address without `mailto:`, name, and participation status (attendees only)."""

    address: str
    name: str
    status: str


@dataclass(frozen=True, slots=True)
class Moment:
    """A time as the calendar gives it: `at` is aware for UTC times, else local in `zone`; a date is a whole day."""

    at: datetime | date
    zone: str  # TZID as written; "" for UTC, whole days and floating times


@dataclass(frozen=True, slots=True)
class Invitation:
    """The first event of a calendar part."""

    method: str  # REQUEST, REPLY, CANCEL, PUBLISH, COUNTER, …; "" when not said
    uid: str
    summary: str
    location: str
    organiser: Person | None
    attendees: tuple[Person, ...]
    start: Moment | None
    end: Moment | None
    status: str  # CONFIRMED, TENTATIVE, CANCELLED or ""
    recurring: bool
    comment: str = ""


def invitation(message: Message) -> Invitation | None:
    """Return the invitation in a message; None where there is none, or none that can be read."""
    for part in message.walk():
        if _is_calendar(part):
            found = parse(part.text()[:_MAX_BYTES], method=part.parameter("method") or "")
            if found is not None:
                return found
    return None


def calendar_answer(message: Message) -> Invitation | None:
    """Return what a calendar program says about an invitation: accepted, declined, another time, cancelled; else None.

    RFC 6047 §2.4: such a part names its method and is no attachment. A calendar file that somebody sends is neither.
    """
    for part in message.walk():
        if part.content_type != "text/calendar" or part.children or part.disposition == "attachment":
            continue
        if (part.parameter("method") or "").strip().upper() in ANSWERS or part is message:
            found = parse(part.text()[:_MAX_BYTES], method=part.parameter("method") or "")
            if found is not None and found.method in ANSWERS:
                return found
    return None


def told(answer: Invitation) -> str:
    """Say in words what a calendar program says about an invitation, for a mail that has no text of its own."""
    who = next(iter(answer.attendees), None)
    if answer.method in _BY_ORGANISER:
        who = answer.organiser or who
    name = (who.name or who.address) if who else "Somebody"
    done = _DONE[answer.method]
    if answer.method == "REPLY":
        done = _REPLIED.get(who.status if who else "", "answered the invitation")
    lines = [f"{name} {done}: {answer.summary}" if answer.summary else f"{name} {done}"]
    start, end = _shown(answer.start), _shown(answer.end)
    if start:
        label = "Proposed time" if answer.method == "COUNTER" else "Time"
        lines.append(f"{label}: {start} to {end}" if end and end != start else f"{label}: {start}")
    lines += [
        f"{label}: {value}" for label, value in (("Place", answer.location), ("Comment", answer.comment)) if value
    ]
    return "\n".join(lines)


def _shown(moment: Moment | None) -> str:
    if moment is None:
        return ""
    if not isinstance(moment.at, datetime):
        return moment.at.isoformat()
    zone = "UTC" if moment.at.tzinfo else moment.zone
    return f"{moment.at:%Y-%m-%d %H:%M} {zone}".strip()


def _is_calendar(part: Part) -> bool:
    return not part.children and (part.content_type in _TYPES or part.name.lower().endswith((".ics", ".vcs")))


def parse(text: str, *, method: str = "") -> Invitation | None:
    """Read iCalendar text; None when it has no event, task or free/busy component."""
    fields: dict[str, tuple[dict[str, str], str]] = {}
    attendees: list[Person] = []
    inside: list[str] = []
    found = False
    for line in _FOLD.sub("", text).splitlines():
        match = _LINE.match(line)
        if match is None:
            continue
        name, value = match[1].upper(), match[3]
        if name == "BEGIN":
            kind = value.strip().upper()
            if kind in ("VEVENT", "VTODO", "VFREEBUSY") and found:
                break  # the first component is what the invitation is about; others are its exceptions
            found = found or kind in ("VEVENT", "VTODO", "VFREEBUSY")
            inside.append(kind)
        elif name == "END":
            if inside:
                inside.pop()
        elif inside == ["VCALENDAR"] and name == "METHOD":
            method = value
        elif found and inside and inside[-1] in ("VEVENT", "VTODO", "VFREEBUSY"):
            parameters = {key.upper(): item.strip('"') for key, item in _PARAMETER.findall(match[2])}
            if name == "ATTENDEE" and len(attendees) < _MAX_ATTENDEES:
                attendees.append(_person(parameters, value))
            else:
                fields.setdefault(name, (parameters, value))
    if not found:
        return None
    organiser = fields.get("ORGANIZER")
    return Invitation(
        method=method.strip().upper()[:30],
        uid=_text(fields, "UID"),
        summary=_text(fields, "SUMMARY"),
        location=_text(fields, "LOCATION"),
        organiser=_person(*organiser) if organiser else None,
        attendees=tuple(attendees),
        start=_moment(fields.get("DTSTART")),
        end=_moment(fields.get("DTEND") or fields.get("DUE")),
        status=_text(fields, "STATUS").upper(),
        recurring="RRULE" in fields or "RDATE" in fields,
        comment=_text(fields, "COMMENT"),
    )


def _text(fields: dict[str, tuple[dict[str, str], str]], name: str) -> str:
    value = fields.get(name, ({}, ""))[1].strip()[:1_000]
    return _ESCAPE.sub(lambda match: " " if match[1] in "nN" else match[1], value)


def _person(parameters: dict[str, str], value: str) -> Person:
    address = value.strip()
    if address[:7].lower() == "mailto:":
        address = address[7:]
    return Person(address[:320], parameters.get("CN", "")[:200], parameters.get("PARTSTAT", "").upper())


def _moment(field: tuple[dict[str, str], str] | None) -> Moment | None:
    """Read DATE or DATE-TIME (RFC 5545 §3.3.4, §3.3.5); None for what is neither."""
    match = _TIME.match(field[1]) if field else None
    if field is None or match is None:
        return None
    year, month, day, hour, minute, second = (int(piece or 0) for piece in match.groups()[:6])
    try:
        if match[4] is None:
            return Moment(date(year, month, day), "")
        if match[7]:
            return Moment(datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC), "")
        # Local to TZID, or floating: which instant it is needs a zone table, so it is given as it stands.
        local = datetime(year, month, day, hour, minute, min(second, 59))  # noqa: DTZ001
        return Moment(local, field[0].get("TZID", "")[:100])
    except ValueError:
        return None
