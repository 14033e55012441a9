"""Recognise the server that wrote a report, by the tables of `reporters`."""

from __future__ import annotations

from postroom.mail.headers import parse_addresses
from postroom.mail.reader import Message, Part
from postroom.mail.reports import report_text
from postroom.mail.reports.automatic_evidence import is_mailer
from postroom.mail.reports.reporters import SERVERS, SUBJECTS, Server


def server_of(message: Part, words: str) -> Server | None:
    """Return the row of the table that describes the server which wrote a report, None when none does."""
    lowered = words[: report_text.TEXT_SCANNED].lower()
    subject = message.header("Subject")[:500].lower()
    sender = message.header("From")[:500].lower()
    names = message.header_names
    # What the header says needs no search of the text, except in the rows above.
    told = [row for piece, row in _BY_SENDER if piece in sender]
    told += (
        [row for piece, row in _BY_SUBJECT if subject.startswith(piece)] if subject.startswith(_ALL_SUBJECTS) else []
    )
    told += [row for name in names for row in _BY_HEADER.get(name, ())]
    for row, server in enumerate(SERVERS[: min(told, default=len(SERVERS))]):
        if server.every:
            if (
                (not server.sender or any_in(sender, server.sender))
                and (not server.subject or subject.startswith(server.subject))
                and (not server.header or not _HEADERS[row].isdisjoint(names))
                and (not server.text or any_in(lowered, server.text))
            ):
                return server
            continue
        for piece in server.text:
            if piece in lowered:
                return server
    return SERVERS[min(told)] if told else None


def is_titled(message: Part) -> bool:
    """Say whether the subject is one that mail systems put on reports."""
    return message.header("Subject")[:500].strip().lower().startswith(SUBJECTS)


def is_generic(server: Server | None) -> bool:
    """Say whether a row names no server, only words that reports use."""
    return server is None or server.name == "nonames"


def may_suffice(message: Part) -> bool:
    """Say whether a mail may be a report of a server whose mark needs no other evidence beside it."""
    sender = message.header("From")[:500].lower()
    return any_in(sender, _SUFFICIENT_SENDERS) or not _SUFFICIENT_HEADERS.isdisjoint(message.header_names)


def any_in(text: str, pieces: tuple[str, ...]) -> bool:
    """Say whether one of the pieces occurs in a text."""
    for piece in pieces:  # noqa: SIM110 - asked a hundred times for a mail, where a generator costs more than the search
        if piece in text:
            return True
    return False


_HEADERS = tuple(frozenset(name.lower() for name in server.header) for server in SERVERS)
_ALONE = tuple((row, server) for row, server in enumerate(SERVERS) if not server.every)
_BY_SENDER = tuple((piece, row) for row, server in _ALONE for piece in server.sender)
_BY_SUBJECT = tuple((piece, row) for row, server in _ALONE for piece in server.subject)
_ALL_SUBJECTS = tuple(piece for piece, _ in _BY_SUBJECT)
_BY_HEADER = {name: tuple(row for row, _ in _ALONE if name in _HEADERS[row]) for name in frozenset().union(*_HEADERS)}
_SUFFICIENT_SENDERS = tuple(sender for server in SERVERS if server.sufficient for sender in server.sender)
_SUFFICIENT_HEADERS = frozenset().union(*(_HEADERS[row] for row, server in enumerate(SERVERS) if server.sufficient))


def returns_to_its_writer(message: Message, text: report_text.ReportText) -> bool:
    """Say whether the mail that comes back was written where this one goes to, and not by who sends it now.

    Who forwards a report to us sends a mail of his own back, or the report itself.
    """
    returned = next(report_text.returned_headers(message, text), None)
    if returned is None:
        return False
    writers = addresses_in(report_text.addresses_of(returned, "From"))
    if any(is_mailer(writer) for writer in writers) or writers & addresses_in(*message.raw_headers("From")[:1]):
        return False
    readers = {reader.rpartition("@")[2] for reader in addresses_in(*message.raw_headers("To"))}
    return any(
        f".{one}".endswith(f".{other}") or f".{other}".endswith(f".{one}")
        for one in (writer.rpartition("@")[2] for writer in writers)
        for other in readers
    )


def addresses_in(*fields: bytes) -> set[str]:
    """Return the addresses of some fields, lower case."""
    return {found.address.lower() for found in parse_addresses(b",".join(fields)[:2_000]) if "@" in found.address}
