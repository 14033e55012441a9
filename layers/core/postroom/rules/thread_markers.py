"""Our signed token where clients cannot strip it: the plus-part of Reply-To, and a line of the body (X05).

Whether a mail carries them is fixed when it is written; the token itself is made when it is sent, since only senders
hold the key.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from postroom.mail.headers import parse_addresses
from postroom.mail.outgoing import thread_token
from postroom.mail.reader import Message
from postroom.model import Decision, Outbound, Outcome
from postroom.model import DecisionRule as Rule
from postroom.model.configuration import Configuration, Mailbox

_MOST_PARTS = 30
_HEADERS_SCANNED = 64 * 1024
_REPLY_TO = re.compile(r"^Reply-To:[ \t]*([^\r\n]{1,400})", re.IGNORECASE | re.MULTILINE)
_END_OF_BODY = re.compile(r"</body\s*>", re.IGNORECASE)


def plan(configuration: Configuration, mailbox: Mailbox | None) -> tuple[str, bool, Decision]:
    """Say what Reply-To is built on (empty: none is written), whether the body is marked, and what is recorded."""
    reply_to = mailbox.address if mailbox is not None and mailbox.plus_addressing else ""
    marker = configuration.settings.threads.body_marker
    places = ["Message-ID", *(["Reply-To"] if reply_to else []), *(["text"] if marker else [])]
    return reply_to, marker, Decision(Rule.THREAD_MARKERS, Outcome.CARRIED, f"in {', '.join(places)}")


def reply_address(outbound: Outbound, *, key: bytes) -> str:
    """Return the Reply-To with the token in its plus-part; empty for none."""
    if not outbound.reply_to:
        return ""
    address = parse_addresses(outbound.reply_to)[0].address
    tagged = thread_token.plus_address_for(address, outbound.id, key=key)
    before, _address, after = outbound.reply_to.rpartition(address)
    return f"{before}{tagged}{after}" if tagged else ""


def marked(outbound: Outbound, *, key: bytes) -> tuple[str, str | None]:
    """Return text and HTML as they are sent: with the marker as their last line where the mail is to carry it."""
    if not outbound.body_marker:
        return outbound.text, outbound.html
    marker = thread_token.marker_for(outbound.id, key=key)
    text = f"{outbound.text.rstrip()}\n\n{marker}\n"
    if outbound.html is None:
        return text, None
    end = [found.start() for found in _END_OF_BODY.finditer(outbound.html)]
    at = end[-1] if end else len(outbound.html)
    return text, f"{outbound.html[:at]}<p>{marker}</p>{outbound.html[at:]}"


def in_report(report: Message) -> Iterator[str]:
    """Yield what may be our tokens, unverified, in a report: in its own texts, and in the mail that it returns.

    Servers return a mail without its Message-ID, or its text alone; the marker and Reply-To are what is left of us.
    """
    for part in islice(report.walk(), _MOST_PARTS):
        if part.is_multipart:
            continue
        returned = part.message
        if returned is None:
            yield from _in_text(part.text() if part.content_type.startswith("text/") else "")
            continue
        yield from (one.address for one in returned.addresses("reply-to"))
        for inner in islice(returned.walk(), _MOST_PARTS):
            if inner.content_type.startswith("text/"):
                yield from _in_text(inner.text())


def _in_text(text: str) -> Iterator[str]:
    yield from thread_token.markers_in(text)
    for line in _REPLY_TO.findall(text[:_HEADERS_SCANNED]):  # header fields as text
        yield from (one.address for one in parse_addresses(line))
