"""Cut a report's text into what the mail system says and the mail that comes back, and find codes in it.

All of it is linear: texts are bounded before they are searched, and every pattern is anchored or bounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from postroom.mail.reader import Part
from postroom.mail.reports.reasons import Command
from postroom.mail.reports.reporters import COMMAND_HINTS, COMMANDS, RETURNED

TEXT_SCANNED = 64 * 1024  # characters; reports say what they say in the first few hundred
LINES_SCANNED = 2_000
_LONGEST_LINE = 2_000
_HEADERS_SCANNED = 64 * 1024

_TAG = re.compile(r"<(?:/?[a-zA-Z][^<>]{0,1000}|!--[^<>]{0,1000}--)>")
_BREAK = re.compile(r"<(?:br|/p|/div|/tr|/h\d|/li)\b[^<>]{0,200}>", re.IGNORECASE)
_BARS = "-=*#|>~_+ \t"

_REPLY_CODES = frozenset(
    [
        "421",
        "432",
        "450",
        "451",
        "452",
        "453",
        "454",
        "455",
        "458",
        "459",
        "471",
        "500",
        "501",
        "502",
        "503",
        "504",
        "511",
        "521",
        "523",
        "524",
        "525",
        "530",
        "531",
        "533",
        "534",
        "535",
        "538",
        "540",
        "541",
        "542",
        "543",
        "544",
        "545",
        "546",
        "547",
        "550",
        "551",
        "552",
        "553",
        "554",
        "555",
        "556",
        "557",
        "559",
        "571",
        "572",
    ]
)
_STATUS_AFTER_CODE = re.compile(r"(?<![\d.])[245]\d\d[ :-]{1,3}['\"]?#?([245]\.\d{1,3}\.\d{1,3})(?!\.?\d)")
_STATUS_MARKED = re.compile(r"#([245]\.\d{1,3}\.\d{1,3})(?!\.?\d)")
_STATUS = re.compile(r"(?<![\w.\[/-])([245]\.\d{1,2}\.\d{1,3})(?![\w\]/-]|\.\d)")
_CODE = re.compile(r"(?:^|[\s:;(\['\"<>=])([245]\d\d)(?=[\s:,'-]|$)")
_BRACKETED = re.compile(r"<[^<>\s]{1,900}>")
_MESSAGE_ID = re.compile(r"[ \t>|]{0,8}Message-ID[ \t]{0,8}:\s{0,4}(<[^<>\s]{1,900}>)", re.IGNORECASE)
_SMALL = str.maketrans("ADEGIMS", "adegims")


@dataclass(frozen=True, slots=True)
class ReportText:
    """What the mail system says, and what follows of the mail that comes back, both bounded."""

    words: str
    returned: str


def human_text(message: Part) -> ReportText:
    """Return the words of a report before the returned mail, from its text parts; from HTML where there is no text."""
    plain: list[str] = []
    html: list[str] = []
    size = 0
    for part in message.walk():
        if part.is_multipart or part.is_message or size > TEXT_SCANNED:
            continue
        # A multipart without a boundary is text, whatever it says.
        if part.content_type in {"text/plain", "text/html"} or not part.content_type.startswith(_NOT_TEXT):
            text = part.text()[:TEXT_SCANNED]
            size += len(text)
            (html if part.content_type == "text/html" else plain).append(text)
    if any(piece.strip() for piece in plain):
        return split_returned("\n".join(plain))
    return split_returned("\n".join(_without_tags(piece) for piece in html))


_NOT_TEXT = ("image/", "audio/", "video/", "application/", "message/", "text/")


# A line is looked up by its first letters before it is compared with all of them.
_PROBE = min(map(len, RETURNED))
_RETURNED_HEADS = frozenset(piece[:_PROBE] for piece in RETURNED)


def split_returned(text: str) -> ReportText:
    """Split a text at the line where the returned mail begins; a line of its headers counts too."""
    lines = text[:TEXT_SCANNED].split("\n")[:LINES_SCANNED]
    said_something = False
    for number, line in enumerate(lines):
        start = line[:120].strip(_BARS).lower()
        if (
            said_something
            and start[:_PROBE] in _RETURNED_HEADS
            and start.startswith(RETURNED)
            and not _is_sentence_about(start, line)
        ):
            return ReportText("\n".join(lines[:number]), "\n".join(lines[number:]))
        said_something = said_something or bool(start)
    return ReportText("\n".join(lines), "")


def _is_sentence_about(start: str, line: str) -> bool:
    # "The original message was received at …" opens sendmail's report; "undelivered message returned" is a title.
    return start.startswith(("original message was received", "returned message is", "undelivered message was")) or (
        start.startswith(("original message", "message header", "message text", "original mail", "unsent message"))
        and len(line) > 90
    )


def _without_tags(html: str) -> str:
    text = _TAG.sub("", _BREAK.sub("\n", html))
    for entity, character in (
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&nbsp;", " "),
        ("&quot;", '"'),
        ("&#39;", "'"),
        ("&amp;", "&"),
    ):
        text = text.replace(entity, character)
    return text


def reply_code_in(text: str) -> str:
    """Return the SMTP reply code that a failure's words give, "" without one."""
    accepted = ""
    for found in _CODE.finditer(text[:TEXT_SCANNED]):
        if found.group(1) in _REPLY_CODES:
            return found.group(1)
        if found.group(1) == "250":
            accepted = "250"  # the answer, unless it is one step of a transcript
    return accepted


def status_in(text: str) -> str:
    """Return the enhanced status (RFC 3463) that a failure's words give, "" without one."""
    scanned = text[:TEXT_SCANNED]
    for pattern in (_STATUS_AFTER_CODE, _STATUS_MARKED, _STATUS):
        found = pattern.search(scanned)
        if found:
            return found.group(1)
    return ""


def command_in(text: str) -> Command | None:
    """Return the SMTP command that the words say was refused."""
    lowered = " ".join(text[:TEXT_SCANNED].lower().split())
    found = [
        (at, place, command)
        for hint, phrases in _COMMANDS
        if hint in lowered
        for place, phrase, command in phrases
        if (at := lowered.find(phrase)) >= 0
    ]
    return min(found)[2] if found else None


def _by_hint() -> Iterator[tuple[str, tuple[tuple[int, str, Command], ...]]]:
    """Group the phrases by a piece that they share: most words name no command, and a piece tells so."""
    for hint in COMMAND_HINTS:
        yield (
            hint,
            tuple(
                (place, phrase, command)
                for place, (phrase, command) in enumerate(COMMANDS)
                if next(one for one in COMMAND_HINTS if one in phrase) == hint
            ),
        )


_COMMANDS = tuple(_by_hint())


def words_about(address: str, text: str) -> str:
    """Return the lines of a text that speak about one address: from its first mention to the next empty line."""
    wanted = address.lower()
    picked: list[str] = []
    within = False
    for line in text.split("\n")[:LINES_SCANNED]:
        if not within and wanted in line[:_LONGEST_LINE].lower():
            within = True
        elif within and not line.strip():
            if len(picked) > 1 or len(" ".join(picked)) > len(address) + 12:
                break
            continue
        if within:
            picked.append(line[:_LONGEST_LINE])
            if len(picked) > 30:
                break
    return "\n".join(picked)


def returned_headers(message: Part, text: ReportText) -> Iterator[Part | str]:
    """Yield what there is of the returned mail, best first: embedded messages, header parts, text after the cut."""
    for part in message.walk():
        if part.is_message:
            embedded = part.message
            if embedded is not None:
                yield embedded
    for part in message.walk():
        if part.content_type in {"text/rfc822-headers", "message/rfc822-headers", "message/global-headers"} or (
            part.is_message and part.message is None
        ):
            yield part.text()[:_HEADERS_SCANNED]
    for part in message.walk():
        # Some gateways put the returned header in the place of the part's own.
        if part is not message and part.path and part.has("Message-ID") and part.has("Received"):
            yield part
    if text.returned:
        yield text.returned


def returned_message_id(message: Part, text: ReportText) -> str | None:
    """Return the Message-ID of the mail that the report is about, `<local@domain>`."""
    for returned in returned_headers(message, text):
        if isinstance(returned, str):
            found = _message_id_in(returned[:_HEADERS_SCANNED])
            if found:
                return found
        else:
            value = "".join(returned.header("Message-ID")[:998].split())
            if value.startswith("<") and ">" in value:
                return value[: value.index(">") + 1]
            if value and "@" in value:
                return f"<{value.strip('<>')}>"
    # PMDF lists header fields of the mail among its own words.
    found = _message_id_in(text.words)
    if found:
        return found
    # RFC 3834 §3.1.5: what answers by itself refers to what it answers.
    for name in ("In-Reply-To", "References"):
        referred = _BRACKETED.findall(message.header(name)[-2_000:])
        if referred:
            return str(referred[-1])
    return None


def _message_id_in(text: str) -> str | None:
    """Return the identifier in the first line of a text that is such a header field."""
    lowered = text.lower()
    if len(lowered) != len(text):  # a letter whose small form is two
        lowered = text.translate(_SMALL)
    at = lowered.find("message-id")
    while at >= 0:
        found = _MESSAGE_ID.match(text, text.rfind("\n", 0, at) + 1)
        if found:
            return found.group(1)
        end = lowered.find("\n", at)
        at = lowered.find("message-id", end) if end >= 0 else -1
    return None


def returned_recipients(message: Part, text: ReportText) -> list[str]:
    """Return the addresses that the returned mail was sent to: the last resort for a report that names nobody."""
    from postroom.mail.headers import parse_addresses

    for returned in returned_headers(message, text):
        value = addresses_of(returned, "To")[:2_000]
        found = [address.address for address in parse_addresses(value) if "@" in address.address]
        if found:
            return found[:50]
    return []


def addresses_of(returned: Part | str, name: str) -> bytes:
    """Return an address field of a returned mail as it is written, all of its lines."""
    if isinstance(returned, str):
        return _field(returned, name).encode("utf-8", "replace")
    return b",".join(returned.raw_headers(name))


def _field(headers: str, name: str) -> str:
    wanted = f"{name.lower()}:"
    lines = headers.split("\n")[:LINES_SCANNED]
    for number, line in enumerate(lines):
        if line[: len(wanted)].lower() == wanted:
            value = line[len(wanted) :]
            for folded in lines[number + 1 : number + 20]:
                if not folded[:1].isspace():
                    break
                value += folded
            return value
    return ""
