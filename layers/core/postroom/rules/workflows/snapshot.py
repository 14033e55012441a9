"""What workflows see: the mail and its case as they were at the trigger, and what earlier workflows declared (W02)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

from postroom.mail.headers import Address
from postroom.mail.outgoing import bare_subject
from postroom.model import Understanding
from postroom.model.configuration import Configuration, Trigger
from postroom.rules.service_levels import is_open

Value = str | tuple[str, ...] | float | bool | datetime | None


class FieldKind(StrEnum):
    """What a field holds, which decides the operators that it takes."""

    TEXT = "text"
    TEXTS = "texts"  # an operator holds if it holds for any of them
    NUMBER = "number"
    FLAG = "flag"
    MOMENT = "moment"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One mail at its trigger. `subtype` is the mail's kind, as threading has settled it."""

    trigger: Trigger
    mail: Understanding
    subtype: str
    mailbox: str
    endpoint: str
    department: str
    queue: str
    thread: str
    now: datetime
    configuration: Configuration
    server_date: datetime | None = None
    oversize: bool = False
    priority: int = 0
    category: str = ""
    tags: frozenset[str] = frozenset()
    fields: Mapping[str, str] = field(default_factory=dict)
    groups: Mapping[str, str] = field(default_factory=dict)  # of the last pattern that matched

    def with_groups(self, groups: Mapping[str, str]) -> Snapshot:
        """Return it with what the groups of a pattern caught."""
        return replace(self, groups={**self.groups, **groups}) if groups else self


@dataclass(frozen=True, slots=True)
class Field:
    """A field of conditions: what it holds, and how it is read."""

    kind: FieldKind
    read: Callable[[Snapshot], Value]


def find_field(name: str) -> Field | None:
    """Find a field by its name; `case.fields.<x>`, `hours.<calendar>` and `match.<group>` are families of fields."""
    if name in FIELDS:
        return FIELDS[name]
    family, _, rest = name.rpartition(".")
    if not rest:
        return None
    match family:
        case "case.fields":
            return Field(FieldKind.TEXT, lambda at: at.fields.get(rest))
        case "match":
            return Field(FieldKind.TEXT, lambda at: at.groups.get(rest))
        case "hours":
            return Field(FieldKind.TEXT, lambda at: _hours(at, rest))
        case _:
            return None


def _hours(at: Snapshot, name: str) -> str | None:
    calendar = at.configuration.calendar(name)
    return None if calendar is None else "open" if is_open(calendar, at.now) else "closed"


def _text(read: Callable[[Snapshot], str | None]) -> Field:
    return Field(FieldKind.TEXT, read)


def _texts(read: Callable[[Snapshot], tuple[str, ...]]) -> Field:
    return Field(FieldKind.TEXTS, read)


def _number(read: Callable[[Snapshot], float | None]) -> Field:
    return Field(FieldKind.NUMBER, read)


def _flag(read: Callable[[Snapshot], bool]) -> Field:
    return Field(FieldKind.FLAG, read)


def _moment(read: Callable[[Snapshot], datetime | None]) -> Field:
    return Field(FieldKind.MOMENT, read)


def _addresses(addresses: tuple[Address, ...]) -> tuple[str, ...]:
    return tuple(one.address for one in addresses if one.address)


def _domain(address: Address | None) -> str | None:
    return address.address.rpartition("@")[2] or None if address else None


def _recipient(at: Snapshot, name: str) -> tuple[str, ...]:
    report = at.mail.report
    found = [getattr(one, name) for one in report.recipients] if report else []
    return tuple(str(one) for one in found if one is not None)


def _percent(at: Snapshot) -> float:
    """Return a number from 0 up to 100 that a case has for good."""
    return int.from_bytes(sha256(at.thread.encode()).digest()[:4], "big") % 10_000 / 100


FIELDS: Mapping[str, Field] = {
    # The mail.
    "from.address": _text(lambda at: at.mail.sender.address if at.mail.sender else None),
    "from.name": _text(lambda at: at.mail.sender.name if at.mail.sender else None),
    "from.domain": _text(lambda at: _domain(at.mail.sender)),
    "from.local": _text(lambda at: at.mail.sender.address.rpartition("@")[0] if at.mail.sender else None),
    "reply_to.address": _texts(lambda at: _addresses(at.mail.reply_to)),
    "reply_to.domain": _texts(lambda at: tuple(filter(None, map(_domain, at.mail.reply_to)))),
    "to.any": _texts(lambda at: _addresses(at.mail.to)),
    "cc.any": _texts(lambda at: _addresses(at.mail.cc)),
    "recipients.any": _texts(lambda at: _addresses((*at.mail.to, *at.mail.cc))),
    "recipients.count": _number(lambda at: len(_addresses((*at.mail.to, *at.mail.cc)))),
    "subject": _text(lambda at: at.mail.subject),
    "subject.bare": _text(lambda at: bare_subject(at.mail.subject)),
    "text": _text(lambda at: at.mail.body.text),
    "text_reply": _text(lambda at: at.mail.body.text_reply),
    "html.has": _flag(lambda at: bool(at.mail.body.html)),
    "date": _moment(lambda at: at.mail.date),
    "server_date": _moment(lambda at: at.server_date),
    "age": _number(lambda at: (at.now - at.server_date).total_seconds() / 60 if at.server_date else None),
    "size": _number(lambda at: at.mail.size),
    "message_id.has": _flag(lambda at: at.mail.message_id is not None),
    "in_reply_to.has": _flag(lambda at: bool(at.mail.in_reply_to)),
    "list.is": _flag(lambda at: bool(at.mail.list_headers)),
    "sender.verified": _flag(lambda at: bool(at.mail.sender_verdict.verified)),
    # Its kind.
    "subtype": _text(lambda at: at.subtype),
    "automatic.is": _flag(lambda at: at.mail.automatic.is_automatic),
    "automatic.why": _text(lambda at: at.mail.automatic.why),
    "report.kind": _text(lambda at: at.mail.report.kind.value if at.mail.report else None),
    "report.action": _texts(lambda at: _recipient(at, "action")),
    "report.status": _texts(lambda at: _recipient(at, "status")),
    "report.reason": _texts(lambda at: _recipient(at, "reason")),
    "report.recipient": _texts(lambda at: _recipient(at, "address")),
    "delivery_exception.phrase": _text(lambda at: at.mail.delivery_exception),
    "wrapped.is": _flag(lambda at: at.mail.wrap_reason is not None),
    "wrapped.reason": _text(lambda at: at.mail.wrap_reason),
    "oversize.is": _flag(lambda at: at.oversize),
    "forwarded.is": _flag(lambda at: at.mail.forwarded is not None),
    # Its files.
    "attachments.count": _number(lambda at: len(at.mail.files)),
    "attachments.names": _texts(lambda at: tuple(one.attachment.name for one in at.mail.files)),
    "attachments.types": _texts(lambda at: tuple(one.attachment.content_type for one in at.mail.files)),
    "attachments.total_size": _number(lambda at: sum(one.attachment.size for one in at.mail.files)),
    "attachments.blocked": _texts(lambda at: tuple(o.attachment.name for o in at.mail.files if o.attachment.blocked)),
    "attachments.any_blocked": _flag(lambda at: any(one.attachment.blocked for one in at.mail.files)),
    # Where it came in, and where it goes.
    "mailbox": _text(lambda at: at.mailbox),
    "endpoint": _text(lambda at: at.endpoint),
    "department": _text(lambda at: at.department),
    "queue": _text(lambda at: at.queue),
    # Its case.
    "case.is_new": _flag(lambda at: at.trigger is Trigger.RECEIVED),
    "case.priority": _number(lambda at: at.priority),
    "case.category": _text(lambda at: at.category),
    "case.tags": _texts(lambda at: tuple(sorted(at.tags))),
    # Time and cause.
    "now.hour": _number(lambda at: at.now.hour),
    "now.weekday": _text(lambda at: at.now.strftime("%A").lower()),
    "now.date": _text(lambda at: at.now.date().isoformat()),
    "event": _text(lambda at: at.trigger.value),
    "random.percent": _number(_percent),
}
"""Every field that a condition can name (docs/workflows.md)."""
