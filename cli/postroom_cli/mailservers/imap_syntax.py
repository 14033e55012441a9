"""Reading of IMAP commands, as values: atoms and strings are bytes, parentheses are lists (RFC 3501 §9)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from typing import TypeAlias

from postroom_cli.mailservers.store import Message

Token: TypeAlias = "bytes | list[Token]"  # noqa: S105 - no password

_LITERAL = re.compile(rb"\{(\d+)(\+?)\}$")


class BadCommand(Exception):
    """The client's command cannot be understood; the text is for the BAD answer."""


def literal_at_end(line: bytes) -> tuple[int, bool] | None:
    """Tell the size of the literal that a line announces, and whether the client waits for our consent."""
    match = _LITERAL.search(line)
    return (int(match[1]), not match[2]) if match else None


def parse(pieces: Sequence[bytes]) -> list[Token]:
    """Parse a command given as line, literal, line, literal, …, line."""
    tokens: list[Token] = []
    stack: list[list[Token]] = [tokens]
    for index, piece in enumerate(pieces):
        if index % 2:
            stack[-1].append(piece)
            continue
        text = _LITERAL.sub(b"", piece) if index < len(pieces) - 1 else piece
        _parse_line(text, stack)
    if len(stack) > 1:
        raise BadCommand("Missing closing parenthesis")
    return tokens


def _parse_line(text: bytes, stack: list[list[Token]]) -> None:
    position = 0
    while position < len(text):
        character = text[position : position + 1]
        if character == b" ":
            position += 1
        elif character == b"(":
            inner: list[Token] = []
            stack[-1].append(inner)
            stack.append(inner)
            position += 1
        elif character == b")":
            if len(stack) == 1:
                raise BadCommand("Unexpected closing parenthesis")
            stack.pop()
            position += 1
        elif character == b'"':
            value, position = _quoted(text, position + 1)
            stack[-1].append(value)
        else:
            match = _ATOM.match(text, position)
            if not match:
                raise BadCommand("Unexpected character")
            stack[-1].append(match[0])
            position = match.end()


_ATOM = re.compile(rb'(?:\[[^\]]*\](?:<[0-9.]+>)?|[^\s()"\[\x00-\x1f])+')


def _quoted(text: bytes, position: int) -> tuple[bytes, int]:
    value = bytearray()
    while position < len(text):
        character = text[position]
        if character == 0x22:
            return bytes(value), position + 1
        if character == 0x5C:
            position += 1
            if position >= len(text):
                break
            character = text[position]
        value.append(character)
        position += 1
    raise BadCommand("Missing closing quote")


def in_set(text: bytes, numbers: Sequence[int]) -> set[int]:
    """Resolve a sequence set against the numbers there are; `*` is the largest (RFC 3501 §9, seq-range)."""
    largest = max(numbers, default=0)
    found: set[int] = set()
    for part in text.split(b","):
        ends = part.split(b":")
        try:
            values = [largest if end == b"*" else int(end) for end in ends]
        except ValueError as error:
            raise BadCommand("Invalid sequence set") from error
        low, high = min(values), max(values)
        found.update(number for number in numbers if low <= number <= high)
    return found


Predicate: TypeAlias = Callable[[Message, int], bool]

_FLAG_KEYS: dict[bytes, tuple[str, bool]] = {
    b"SEEN": ("\\Seen", True),
    b"UNSEEN": ("\\Seen", False),
    b"DELETED": ("\\Deleted", True),
    b"UNDELETED": ("\\Deleted", False),
    b"FLAGGED": ("\\Flagged", True),
    b"UNFLAGGED": ("\\Flagged", False),
    b"ANSWERED": ("\\Answered", True),
    b"UNANSWERED": ("\\Answered", False),
    b"DRAFT": ("\\Draft", True),
    b"UNDRAFT": ("\\Draft", False),
}


def search_predicate(tokens: Sequence[Token], messages: Sequence[Message]) -> Predicate:
    """Build the test that SEARCH asks for: all keys must hold (RFC 3501 §6.4.4)."""
    source = iter(tokens)
    keys: list[Predicate] = []
    for token in source:
        keys.append(_key(token, source, messages))
    return lambda message, number: all(key(message, number) for key in keys)


def _key(token: Token, source: Iterator[Token], messages: Sequence[Message]) -> Predicate:
    if isinstance(token, list):
        return search_predicate(token, messages)
    name = token.upper()
    if name == b"ALL":
        return lambda _message, _number: True
    if name in _FLAG_KEYS:
        flag, present = _FLAG_KEYS[name]
        return lambda message, _number: (flag in message.flags) is present
    if name in (b"KEYWORD", b"UNKEYWORD"):
        keyword = _bytes(source).decode("ascii")
        wanted = name == b"KEYWORD"
        return lambda message, _number: (keyword in message.flags) is wanted
    if name == b"NOT":
        inner = _key(_next(source), source, messages)
        return lambda message, number: not inner(message, number)
    if name == b"OR":
        first = _key(_next(source), source, messages)
        second = _key(_next(source), source, messages)
        return lambda message, number: first(message, number) or second(message, number)
    if name == b"UID":
        uids = in_set(_bytes(source), [message.uid for message in messages])
        return lambda message, _number: message.uid in uids
    if name in (b"SINCE", b"BEFORE", b"ON"):
        return _by_date(name, _date(_bytes(source)))
    if name in (b"LARGER", b"SMALLER"):
        size = int(_bytes(source))
        return lambda message, _number: len(message.raw) > size if name == b"LARGER" else len(message.raw) < size
    if name == b"HEADER":
        field, value = _bytes(source).lower(), _bytes(source).lower()
        return lambda message, _number: any(
            line.lower().startswith(field + b":") and value in line.lower() for line in message.header.split(b"\r\n")
        )
    numbers = in_set(name, range(1, len(messages) + 1))
    return lambda _message, number: number in numbers


def _by_date(name: bytes, day: date) -> Predicate:
    if name == b"SINCE":
        return lambda message, _number: message.internaldate.date() >= day
    if name == b"BEFORE":
        return lambda message, _number: message.internaldate.date() < day
    return lambda message, _number: message.internaldate.date() == day


MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _date(text: bytes) -> date:
    try:
        day, month, year = text.decode("ascii").split("-")
        return date(int(year), MONTHS.index(month.title()) + 1, int(day))
    except ValueError as error:
        raise BadCommand("Invalid date") from error


def parse_internaldate(text: bytes) -> datetime:
    """Read a date-time such as `01-Nov-2026 10:00:00 +0100`."""
    try:
        day, clock, zone = text.decode("ascii").split()
        number, month, year = day.split("-")
        return datetime.fromisoformat(
            f"{year}-{MONTHS.index(month.title()) + 1:02}-{int(number):02}T{clock}{zone[:3]}:{zone[3:]}"
        )
    except ValueError as error:
        raise BadCommand("Invalid date-time") from error


def format_internaldate(moment: datetime) -> bytes:
    """Write a date-time, quoted, with English month names whatever the locale."""
    return f'"{moment.day:02}-{MONTHS[moment.month - 1]}-{moment:%Y %H:%M:%S %z}"'.encode("ascii")


def _next(source: Iterator[Token]) -> Token:
    token = next(source, None)
    if token is None:
        raise BadCommand("Missing search argument")
    return token


def _bytes(source: Iterator[Token]) -> bytes:
    token = _next(source)
    if isinstance(token, list):
        raise BadCommand("Unexpected parenthesis")
    return token


def text_of(tokens: Sequence[Token], index: int) -> bytes:
    """Return an argument that must be an atom or a string."""
    try:
        token = tokens[index]
    except IndexError as error:
        raise BadCommand("Missing argument") from error
    if isinstance(token, list):
        raise BadCommand("Unexpected parenthesis")
    return token


def flags_of(tokens: Sequence[Token]) -> list[str]:
    """Return the flags in a list of arguments."""
    return [token.decode("ascii", "replace") for token in tokens if isinstance(token, bytes)]
