"""Read whose mail a forward passes on: from the message attached to it, or from the header above the quoted text.

Clients introduce a forward in their own languages and forms: Outlook (old and new) and Thunderbird a header of four
lines, Gmail and Apple Mail a title above one, Yahoo and Notes theirs between dashes, HubSpot and phones a line "On …,
Ann wrote:". What they have in common is read: a block of labelled lines, or an attribution.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from postroom.mail.headers import Address, is_valid, parse_addresses
from postroom.mail.reader import Message
from postroom.mail.reply_text.line_kinds import QUOTE_MARKS, Kind, any_of
from postroom.mail.reply_text.lines import classify, visible_lines
from postroom.mail.reply_text.phrases import introductions as phrases
from postroom.mail.reply_text.quoted_headers import Role, header_line
from postroom.mail.reply_text.reply import has_forward_subject


@dataclass(frozen=True, slots=True)
class Forwarded:
    """The original of a forward. `date` is as its header or its introduction has it, in the client's language."""

    sender: Address | None
    to: tuple[Address, ...] = ()
    date: str = ""
    subject: str = ""


_WHOLE = {Role.FROM, Role.DATE, Role.TO, Role.SUBJECT}  # nothing of a header goes on behind them
_LINES_SCANNED = 3_000
_BLOCK_LINES = 40
_MOST_UNKNOWN = 4  # lines of a block that are no headers: a list of recipients goes on
_LONGEST_VALUE = 2_000
_LONGEST_SUBJECT = 998
_ADDRESS = re.compile(r"[^\s<>\[\]()\"'|,;:]{1,64}@[^\s<>\[\]()\"'|,;:]{1,255}")
_MAILTO = re.compile(r"[<\[(]?mailto:[^<>\[\]()\s]{1,320}[>\])]?", re.IGNORECASE)
_LABELLED = re.compile(r"[*_]{0,3}([^\W\d_][^:：*\n@<>]{0,29}?)\s?[*_]{0,3}\s?[:：][*_]{0,3}\s*(.*)")
_DATED = re.compile(r"\d{1,2}\s?[:.h時点시]\s?\d{2}|\d{4}\s?[-/.年년]\s?\d{1,2}|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}")
_AROUND_NAME = " \t\"'*_|,;:<>()[]«»„“”‘’"
_CELL = re.compile(r"^\s*\|\s*")
# What stands between the date of an attribution and its writer: the time with its zone, or the year.
_DATE_END = re.compile(
    r"\d{1,2}[:.h]\d{2}(?::\d{2})?(?:\s?[AaPp]\.?[Mm]\.?)?(?:\s?\([^()]{1,30}\)|\s[A-Z]{2,5}\b|\s?[+-]\d{4})?|\d{4}"
)
_WROTE = re.compile(rf"\b(?:{any_of((*phrases.WROTE_INSIDE, *phrases.WROTE_LAST))})\b", re.IGNORECASE)


def forwarded(message: Message, text: str, *, subject: str) -> Forwarded | None:
    """Return the original of a forward; None for mail that forwards nothing.

    A mail is a forward when its client says so (subject, title), when it hands a message on as an attachment, or when
    nothing but a quoted mail is in it.
    """
    lines = visible_lines(text.split("\n", _LINES_SCANNED)[:_LINES_SCANNED])
    by_subject = has_forward_subject(subject)
    attached = _attached(message)
    if attached is None and not by_subject and not any(map(_is_from, lines)):
        return None  # most mail: its lines need not be told apart
    kinds = classify(lines)
    answers = message.has("In-Reply-To") and not by_subject
    start = next((index for index, kind in enumerate(kinds) if kind is Kind.FORWARD), None)
    if attached is not None and (by_subject or start is not None or not answers):
        return attached
    if start is None and not by_subject and (answers or not _is_bare(kinds)):
        return None
    found = _block(lines, start or 0) or (
        _unknown_block(lines, start or 0) if start is not None or by_subject else None
    )
    return found or (_attribution(lines, kinds) if by_subject or start is not None else None)


def _is_from(line: str) -> bool:
    found = header_line(line.lstrip(QUOTE_MARKS)) if ":" in line or "：" in line else None
    return found is not None and found[0] is Role.FROM


def _attached(message: Message) -> Forwarded | None:
    """Read the header of the first message that a mail has as an attachment."""
    for part in message.walk():
        inner = part.message if part.is_message and part is not message else None
        if inner is None:
            continue
        senders = [one for one in inner.addresses("From") if one.address or one.name]
        if senders:
            to = tuple(one for one in inner.addresses("To") if one.address)[:50]
            return Forwarded(senders[0], to, inner.header("Date")[:200], inner.header("Subject")[:_LONGEST_SUBJECT])
    return None


def _is_bare(kinds: Sequence[Kind]) -> bool:
    """Say whether a quoted mail's header is the first that a text has, but for a title of unknown words."""
    first = next((kind for kind in kinds if kind not in (Kind.EMPTY, Kind.ATTRIBUTION, Kind.DELIMITER)), None)
    return first is Kind.HEADERS


def _block(lines: Sequence[str], start: int) -> Forwarded | None:
    """Read the first block of header lines from a line on that names a sender and one thing more."""
    index = start
    while index < len(lines):
        found = _line(lines, index)
        if found is None:
            index += 1
            continue
        values, end = _values(lines, index)
        if Role.FROM in values and len(values) > 1:
            sender = _person(values[Role.FROM])
            if sender is not None:
                return Forwarded(
                    sender,
                    _people(values.get(Role.TO, "")),
                    _plain(values.get(Role.DATE, ""))[:200],
                    _plain(values.get(Role.SUBJECT, ""))[:_LONGEST_SUBJECT],
                )
        index = max(end, index + 1)
    return None


def _line(lines: Sequence[str], index: int) -> tuple[Role, str] | None:
    return header_line(lines[index].lstrip(QUOTE_MARKS))


def _values(lines: Sequence[str], start: int) -> tuple[dict[Role, str], int]:
    """Collect the header lines from a line on; a value may stand in the next line, or go on there."""
    values: dict[Role, str] = {}
    index, unknown, empty = start, 0, 0
    current: Role | None = None
    while index < len(lines) and index - start < _BLOCK_LINES:
        line = lines[index].lstrip(QUOTE_MARKS)
        found = header_line(line)
        if found is not None:
            role, value = found
            current = role if role not in values else None
            if current is not None:
                values[role] = _CELL.sub("", value)[:_LONGEST_VALUE]
            unknown = empty = 0
        elif not line:
            empty += 1
            # Apple and HTML tables set every field apart; after two empty lines, or a whole header, the text begins.
            if empty > 1 or (current is not None and len(values) > 3):
                break
        elif current is not None and not values[current].strip() and empty == 0:
            values[current] = _CELL.sub("", line)[:_LONGEST_VALUE]
        elif empty or unknown >= _MOST_UNKNOWN or values.keys() >= _WHOLE:
            break
        else:
            unknown += 1
            if current is not None and len(values[current]) < _LONGEST_VALUE:
                values[current] = f"{values[current]} {line}"
        index += 1
    return values, index


def _unknown_block(lines: Sequence[str], start: int) -> Forwarded | None:
    """Read a block of labelled lines in a language that is not known: with an address, a date and two more."""
    run: list[str] = []
    for line in [*lines[start : start + _LINES_SCANNED], ""]:
        found = _LABELLED.fullmatch(line.lstrip(QUOTE_MARKS)[:_LONGEST_VALUE])
        if found is not None:
            run.append(found[2])
            continue
        if len(run) >= 3:
            addressed = [value for value in run if _ADDRESS.search(value)]
            dated = [value for value in run if _DATED.search(value) and value not in addressed]
            rest = [value for value in run if value not in addressed and value not in dated]
            sender = _person(addressed[0]) if addressed and dated else None
            if sender is not None:
                to = _people(addressed[1]) if len(addressed) > 1 else ()
                return Forwarded(sender, to, _plain(dated[0])[:200], _plain(rest[0])[:_LONGEST_SUBJECT] if rest else "")
        run = []
    return None


def _attribution(lines: Sequence[str], kinds: Sequence[Kind]) -> Forwarded | None:
    """Read "On 5 May 2026, at 10:43, Ann <ann@example.org> wrote:"."""
    for index, kind in enumerate(kinds):
        if kind is not Kind.ATTRIBUTION:
            continue
        end = index + 1
        while end < len(kinds) and kinds[end] is Kind.CONTINUED:
            end += 1
        words = " ".join(lines[index:end]).lstrip(QUOTE_MARKS)
        address = _ADDRESS.search(words)
        if address is None:
            continue
        before = words[: address.start()]
        ends = [found.end() for found in _DATE_END.finditer(before)]
        date = before[: ends[-1]].strip(" ,") if ends else ""
        name = _WROTE.sub(" ", before[ends[-1] :] if ends else before).strip(_AROUND_NAME + "،、")
        return Forwarded(Address(" ".join(name.split())[:200], address[0].rstrip(".")), date=date[:200])
    return None


def _people(value: str) -> tuple[Address, ...]:
    found = [_person(piece) for piece in value.replace(";", ",").split(",")[:50] if "@" in piece]
    return tuple(one for one in found if one is not None)


def _person(value: str) -> Address | None:
    """Read one person as clients write them: a name, an address in any brackets, both, or a link to write to."""
    bare = _plain(value)
    address = _ADDRESS.search(bare)
    if address is None:
        name = bare.strip(_AROUND_NAME)
        return Address(name[:200], "") if name else None
    found = address[0].strip(".'\"*_")
    name = bare[: address.start()].strip(_AROUND_NAME) or ""
    if not is_valid(found):
        parsed = parse_addresses(bare.encode("utf-8", "replace"))
        return parsed[0] if parsed else None
    return Address(name[:200], found)


def _plain(value: str) -> str:
    """Return a value without emphasis and the link that clients repeat the address in."""
    without = _MAILTO.sub(_bracketed, value[:_LONGEST_VALUE])
    return " ".join(without.strip().strip("*_").strip().split())


def _bracketed(link: re.Match[str]) -> str:
    """Keep the address of a link where nothing else has it: "Ann [mailto:ann@example.org]"."""
    address = link[0].strip("<>[]()")[len("mailto:") :].partition("?")[0]
    return "" if address.lower() in link.string[: link.start()].lower() else f"<{address}>"
