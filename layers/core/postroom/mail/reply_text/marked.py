"""What a mail's HTML says of its lines: clients mark signatures and the header of a quoted mail by class or id.

The marks are looked for in the HTML as it came, since sanitising takes classes away; what they hold is compared with
the lines of the text, whichever alternative that was made of.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from postroom.mail.html import sanitise, to_text
from postroom.mail.reply_text.line_kinds import Kind
from postroom.mail.reply_text.lines import visible


@dataclass(frozen=True, slots=True)
class Marked:
    """A run of lines, and what the client that wrote them says they are: SIGNATURE or HEADERS."""

    kind: Kind
    lines: tuple[str, ...]


_MARKS: dict[str, Kind] = {
    "gmail_signature": Kind.SIGNATURE,  # Gmail, web and apps
    "gmail_signature_prefix": Kind.SIGNATURE,
    "ms-outlook-mobile-signature": Kind.SIGNATURE,  # Outlook for iOS and Android
    "signature": Kind.SIGNATURE,  # Outlook on the web: id="Signature"
    "applemailsignature": Kind.SIGNATURE,  # Apple Mail, iOS 12 and later
    "moz-signature": Kind.SIGNATURE,  # Thunderbird
    "protonmail_signature_block": Kind.SIGNATURE,
    "ymailsignature": Kind.SIGNATURE,
    "zmail_signature": Kind.SIGNATURE,  # Zoho: class "zmail_signature_below"
    "divrplyfwdmsg": Kind.HEADERS,  # Outlook on the web and the new Outlook, in any language
    "mail-editor-reference-message-container": Kind.HEADERS,
}
# Signatures within what is quoted belong to the quote.
_QUOTES = re.compile(
    r"<blockquote\b|\bclass=[\"']?gmail_quote|\bid=[\"']?(?:divRplyFwdMsg|appendonsend)|yahoo_quoted", re.IGNORECASE
)
_APPLE_BREAK = "linebreakatbeginningofsignature"  # Apple Mail and iOS: an empty element before it, none around it
_MOST_BROKEN_OFF = 8  # lines below Apple's mark
# A piece of every mark, in small letters: most HTML has none of them, and is not searched.
_PIECES = (b"signature", b"divrplyfwdmsg", b"reference-message-container")
_OPENING = re.compile(
    r"<([a-z]+)\s[^<>]*?\b(?:class|id)\s*=\s*(?:\"([^\"<>]{1,200})\"|'([^'<>]{1,200})')", re.IGNORECASE
)
_MOST_ELEMENTS = 10
_LOOKED_AT = 200_000  # characters of the HTML
_LONGEST = 20_000  # characters of an element
_MOST_LINES = 40


def marked_lines(html: str) -> Iterator[Marked]:
    """Yield the runs of lines that HTML marks, in order: the writer's signatures, and headers of quoted mail."""
    looked_at = html[:_LOOKED_AT]
    lowered = looked_at.encode("utf-8", "replace").lower()  # of bytes: several times as fast
    if not any(map(lowered.__contains__, _PIECES)):
        return
    quoted = _QUOTES.search(looked_at)
    own_end = quoted.start() if quoted else len(looked_at)
    found = 0
    for opening in _OPENING.finditer(looked_at):
        names = opening[2] or opening[3]
        if names.lower() == _APPLE_BREAK and opening.start() < own_end:
            below = _text_lines(f"<div {looked_at[opening.end() : min(own_end, opening.end() + _LONGEST)]}")
            if below and len(below) <= _MOST_BROKEN_OFF:
                yield Marked(Kind.SIGNATURE, below)
            continue
        kind = _kind_of(names)
        if kind is None or (kind is Kind.SIGNATURE and opening.start() >= own_end):
            continue
        found += 1
        if found > _MOST_ELEMENTS:
            return
        lines = _lines_of(looked_at, opening)
        if lines and len(lines) <= _MOST_LINES:
            yield Marked(kind, lines)


def mark_lines(lines: Sequence[str], kinds: list[Kind], marked: Marked) -> None:
    """Tell the lines of a text that a client marked what they are, where they still are taken for text.

    Of the places where the lines stand the last is meant for a signature, the first for a header. A signature with a
    question in it is no signature.
    """
    if marked.kind is Kind.SIGNATURE and any(line.endswith(("?", "？")) for line in marked.lines):
        return
    shown = [(index, words) for index, line in enumerate(lines) if (words := " ".join(visible(line).split()))]
    places = range(len(shown) - len(marked.lines) + 1)
    for place in reversed(places) if marked.kind is Kind.SIGNATURE else places:
        run = shown[place : place + len(marked.lines)]
        if shown[place][1] != marked.lines[0] or tuple(words for _, words in run) != marked.lines:
            continue
        if any(kinds[index] not in (Kind.TEXT, Kind.DELIMITER) for index, _ in run):
            continue
        for order, (index, _) in enumerate(run):
            kinds[index] = marked.kind if marked.kind is Kind.SIGNATURE or order == 0 else Kind.CONTINUED
        return


def _kind_of(names: str) -> Kind | None:
    for name in names.lower().split():
        bare = name.removeprefix("x_").removesuffix("_below").removesuffix("_above")
        if bare in _MARKS:
            return _MARKS[bare]
    return None


def _lines_of(html: str, opening: re.Match[str]) -> tuple[str, ...]:
    """Return the lines of the element that begins with a tag."""
    name = re.escape(opening[1])
    depth = 0
    end = min(len(html), opening.start() + _LONGEST)
    for tag in re.compile(rf"<(/?){name}\b", re.IGNORECASE).finditer(html, opening.start(), end):
        depth += -1 if tag[1] else 1
        if depth == 0:
            end = tag.start()
            break
    else:
        return ()  # never closed, or larger than a signature is
    return _text_lines(f"{html[opening.start() : end]}</{opening[1]}>")


def _text_lines(html: str) -> tuple[str, ...]:
    text = to_text(sanitise(html).html)
    return tuple(words for line in text.split("\n") if (words := " ".join(visible(line).split())))
