"""Find the header of a quoted mail in a text: From, Sent, To, Subject, in the language of the client."""

from __future__ import annotations

import re
from enum import StrEnum

from postroom.mail.reply_text.line_kinds import MAX_MARKER, SPACES, Kind, Lines, any_of
from postroom.mail.reply_text.phrases import FORM_LABELS
from postroom.mail.reply_text.phrases import introductions as phrases

_HEADER = re.compile(r"[*_\s]{0,4}(?P<name>[^\W\d_][^:：*\n]{0,29}?)\s?[*_]{0,2}\s?[:：][*_]{0,2}(?P<value>.*)")
_TIME = re.compile(r"\d\s?[:.h時点시]\s?\d{2}", re.IGNORECASE)
_FORM_LABEL = re.compile(rf"[*_\s]{{0,4}}(?:your |ihr )?(?:{any_of(FORM_LABELS)})\s?[*_]{{0,2}}\s?[:：]", re.IGNORECASE)
_TITLE = re.compile(r"([-–—_=*~])\1+ ?[^-–—_=*~].{0,60}?\1{2,}")
_TITLE_ABOVE = 3  # lines
_FORM_AROUND = 6  # lines
_AROUND_NAME = "*_" + SPACES
_LONGEST_NAME = 60  # with what stands around it
_FROM = frozenset(word.casefold() for word in phrases.HEADER_FROM)
_SUBJECT = frozenset(word.casefold() for word in phrases.HEADER_SUBJECT)
_SENT = frozenset(word.casefold() for word in phrases.HEADER_SENT)
_DATE = _SENT | {word.casefold() for word in phrases.HEADER_DATE}
_TO = frozenset(word.casefold() for word in phrases.HEADER_TO)
_HEADERS = _FROM | _DATE | _TO | _SUBJECT | {word.casefold() for word in phrases.HEADER_OTHER}


def mark_header_blocks(lines: Lines) -> None:
    """Mark the header blocks that begin at one of the lines with a colon."""
    kinds = lines.kinds
    done = 0
    for index in lines.colons:
        if index < done or kinds[index] is not Kind.TEXT or not _header(lines.shown[index]):
            continue
        done, is_block = _header_block(lines.shown, kinds, index)
        if is_block:
            kinds[index] = Kind.HEADERS
            _mark_title(lines, index)
            for further in range(index + 1, done):
                if kinds[further] is not Kind.EMPTY:
                    kinds[further] = Kind.CONTINUED


def _mark_title(lines: Lines, block: int) -> None:
    """Mark the words between dashes above a header block as its title, in whatever language they are."""
    above = block - 1
    while above >= 0 and lines.kinds[above] is Kind.EMPTY and above > block - _TITLE_ABOVE:
        above -= 1
    if above >= 0 and lines.kinds[above] is Kind.TEXT and _TITLE.fullmatch(lines.shown[above]):
        lines.kinds[above] = Kind.ATTRIBUTION


class Role(StrEnum):
    """What a line of a quoted mail's header tells."""

    FROM = "from"
    DATE = "date"
    TO = "to"
    SUBJECT = "subject"
    OTHER = "other"


def header_line(line: str) -> tuple[Role, str] | None:
    """Read a line as a header of a quoted mail, in any language that is known; None for any other line."""
    found = _header(line)
    if found is None:
        return None
    name, value = found
    for role, names in ((Role.FROM, _FROM), (Role.DATE, _DATE), (Role.TO, _TO), (Role.SUBJECT, _SUBJECT)):
        if name in names:
            return role, value
    return Role.OTHER, value


def _header(line: str) -> tuple[str, str] | None:
    if (":" not in line and "：" not in line) or len(line) > 4 * MAX_MARKER:
        return None
    name = line.partition(":")[0].partition("：")[0]
    if len(name) > _LONGEST_NAME or name.strip(_AROUND_NAME).casefold() not in _HEADERS:
        return None
    match = _HEADER.match(line)
    if match is None:
        return None
    name = match["name"].strip().casefold()
    return (name, match["value"].strip()) if name in _HEADERS else None


def _header_block(shown: list[str], kinds: list[Kind], start: int) -> tuple[int, bool]:
    """Return where the header lines from `start` end, and whether they are the header of a mail."""
    found: dict[str, str] = {}
    end = index = start
    unknown = 0
    while index < len(shown) and index - start < 40 and unknown <= 3:
        header = _header(shown[index]) if kinds[index] is Kind.TEXT else None
        if header is not None:
            found.setdefault(*header)
            end = index + 1
            unknown = 0
        elif kinds[index] is Kind.TEXT and found and kinds[index - 1] is not Kind.EMPTY:
            unknown += 1  # a list of recipients goes on in the next line
        elif kinds[index] is not Kind.EMPTY or kinds[index - 1] is Kind.EMPTY:
            break
        index += 1
    has_from = not _FROM.isdisjoint(found)
    addressed = any("@" in value for value in found.values())
    after_rule = start > 0 and kinds[start - 1] in (Kind.DELIMITER, Kind.ATTRIBUTION)
    if _SENT.isdisjoint(found) and not after_rule and len(found) > 1 and _is_form(shown, start, end):
        return end, False
    if len(found) < 3:
        return end, len(found) == 2 and has_from and (addressed or after_rule)
    # "From: Paris, To: London, Date: …" is a customer's journey, "From: Ann, To: …, Subject: …" the head of a letter:
    # a client tells an address, or that and when a mail was sent.
    has_subject = not _SUBJECT.isdisjoint(found)
    sent = not _SENT.isdisjoint(found) or (has_subject and any(map(_TIME.search, found.values())))
    return end, addressed or (has_from and (sent or (after_rule and has_subject)))


def _is_form(shown: list[str], start: int, end: int) -> bool:
    """Say whether lines of a web form ("Phone: …", "Message: …") stand around those of a header."""
    around = shown[max(0, start - _FORM_AROUND) : end + _FORM_AROUND]
    return any((":" in line or "：" in line) and _FORM_LABEL.match(line) is not None for line in around)
