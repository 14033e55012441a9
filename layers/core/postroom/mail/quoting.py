"""Find what a person wrote in a reply: without the quoted mail, its attribution, and the signature."""

from __future__ import annotations

import re
from collections.abc import Sequence

from postroom.mail import quoting_phrases as phrases
from postroom.mail.quoting_kinds import Kind
from postroom.mail.quoting_lines import classify, visible

# Fewer lines below a quote are a signature or a footer; more are an answer.
_FEW_LINES = 7
# The same below a rule ("____"), where the address of a firm stands; the second if it looks like one.
_FEW_FOOTER_LINES = 12
_FEW_SIGNATURE_LINES = 25
_SIGNATURE_DELIMITERS = ("--", "—", "––")
_FOOTER_LINES = 60
_MAX_CHARACTERS = 2_000_000
_TEXT, _EMPTY = Kind.TEXT.value, Kind.EMPTY.value
_QUOTED = f"{Kind.QUOTE}{Kind.EMPTY}{Kind.CONTINUED}"
_BEGINNING = re.compile(f"[{Kind.ATTRIBUTION}{Kind.HEADERS}{Kind.FORWARD}]")
_QUOTED_MAIL = f"{Kind.QUOTE}{Kind.ATTRIBUTION}{Kind.HEADERS}{Kind.FORWARD}"
_INTRODUCED = re.compile(f"[{Kind.ATTRIBUTION}{Kind.HEADERS}]")
_SAID = re.compile(f"[{Kind.TEXT}{Kind.QUOTE}{Kind.HEADERS}]")
_FOOTER = re.compile(
    r"confidential|intended recipient|disclaimer|unsubscribe|mailing list|vertraulich|confidentiel|confidencial|"
    r"riservat|vertrouwelijk|poufn|konfidenci|virus|abmelden|désabonner|конфиденциал",
    re.IGNORECASE,
)
_CONTACT = re.compile(r"\bwww\.|\b(?:tel|fax|phone|mobil|mobile|fon)\b\.?:?|\+\d[\d ()/-]{7,}|\S@\S", re.IGNORECASE)
_FORWARD_PREFIX = "|".join(re.escape(prefix) for prefix in sorted(phrases.FORWARD_PREFIXES, key=len, reverse=True))
_FORWARD_SUBJECT = re.compile(
    rf"\s*(?:\[[^\]]{{1,80}}\]\s*)?(?:{_FORWARD_PREFIX})"
    r"\s*(?:\[\d+\])?\s*[:：]",
    re.IGNORECASE,
)
_SALUTATION = re.compile(r"[^\W\d_][\w .'’-]{0,40}[,!、，]")


def reply_text(text: str, *, subject: str = "", keep_forwards: bool = True) -> str:
    """Return the new text of a reply, or the whole of a forward.

    The `subject` tells a forward by Outlook, which introduces it as it does a reply. Answers between quoted lines keep
    these lines. Where nothing new is found the text comes back whole: an agent must see what there is.
    """
    lines = _lines(text)
    kinds = "".join(classify(lines))  # one letter a line, so that questions about many lines are searches
    if kinds.count(_TEXT) + kinds.count(_EMPTY) == len(kinds) or (keep_forwards and _is_forward(kinds, subject)):
        return _join(lines)
    kinds = kinds.replace(Kind.FORWARD, Kind.ATTRIBUTION)
    end = _first_footer(lines, kinds)
    lines, kinds = lines[:end], kinds[:end]
    if Kind.SIGNATURE in kinds:
        lines, kinds = _without(lines, kinds, [index for index, kind in enumerate(kinds) if kind == Kind.SIGNATURE])
    lines, kinds = _cut_quotes(lines, kinds)
    if Kind.TEXT in kinds:
        return _join(lines[: len(kinds.rstrip(_QUOTED))])
    return _join(_lines(text))


def is_forward(text: str, *, subject: str = "") -> bool:
    """Say whether a mail passes another one on, rather than answering it."""
    return _is_forward("".join(classify(_lines(text))), subject)


def _is_forward(kinds: str, subject: str) -> bool:
    first = _BEGINNING.search(kinds)
    return first is not None and (first[0] == Kind.FORWARD or _FORWARD_SUBJECT.match(subject) is not None)


def _lines(text: str) -> list[str]:
    bounded = text[:_MAX_CHARACTERS]
    if "\r" in bounded:
        bounded = bounded.replace("\r\n", "\n").replace("\r", "\n")
    return bounded.split("\n")


def _join(lines: Sequence[str]) -> str:
    """Join the lines from the first to the last that shows something, with their spaces."""
    start, end = 0, len(lines)
    while start < end and not visible(lines[start]):
        start += 1
    while end > start and not visible(lines[end - 1]):
        end -= 1
    return "\n".join(lines[start:end]).rstrip()


def _without(lines: list[str], kinds: str, indexes: Sequence[int]) -> tuple[list[str], str]:
    if not indexes:
        return lines, kinds
    gone = set(indexes)
    kept = [index for index in range(len(lines)) if index not in gone]
    return [lines[index] for index in kept], "".join([kinds[index] for index in kept])


def _first_footer(lines: list[str], kinds: str) -> int:
    """Return the index of the delimiter under which only a signature, a footer or the quoted mail stands."""
    first_text = kinds.find(_TEXT)
    index = kinds.find(Kind.DELIMITER, first_text) if first_text >= 0 else -1
    below = _texts_below(kinds) if index >= 0 else []
    footer: bool | None = None
    while index >= 0:
        around = lines[index : index + _FOOTER_LINES]
        contact = visible(lines[index]) in _SIGNATURE_DELIMITERS or any(_CONTACT.search(line[:500]) for line in around)
        if below[index] < (_FEW_SIGNATURE_LINES if contact else _FEW_FOOTER_LINES):
            return index
        if footer is None:
            footer = any(_FOOTER.search(line[:2000]) for line in around)
        if footer:
            return index
        index = kinds.find(Kind.DELIMITER, index + 1)
    return len(kinds)


def _texts_below(kinds: str) -> list[int]:
    """Count for each line the texts from it to the next quote, attribution or end."""
    counts = [0] * len(kinds)
    count = 0
    for index in range(len(kinds) - 1, -1, -1):
        if kinds[index] == _TEXT:
            count += 1
        elif kinds[index] in _QUOTED_MAIL:
            count = 0
        counts[index] = count
    return counts


def _cut_quotes(lines: list[str], kinds: str) -> tuple[list[str], str]:
    """Remove the quoted mail below, or above, what was written."""
    last_quote = max(kinds.rfind(Kind.QUOTE), kinds.rfind(Kind.ATTRIBUTION))
    tail = kinds.count(_TEXT, last_quote + 1)
    # The last text above the last quote: where it stands below an attribution, answers stand between quoted lines.
    last_answer = kinds.rfind(_TEXT, 0, last_quote + 1)
    first_text = kinds.find(_TEXT)
    dropped: list[int] = []
    stop = 0
    for found in _INTRODUCED.finditer(kinds):
        index = found.start()
        if index < stop:
            continue
        has_texts = 0 <= first_text < index
        if kinds[index] == Kind.HEADERS:
            if has_texts:
                return _without(lines[:index], kinds[:index], dropped)
            continue
        after = _SAID.search(kinds, index + 1)
        quote_follows = after is not None and after[0] == Kind.QUOTE
        answered = last_answer > index
        if has_texts and not quote_follows:
            return _without(lines[:index], kinds[:index], dropped)
        if has_texts and not answered and tail < _FEW_LINES and not (tail and _is_salutation(lines, kinds, index)):
            return _without(lines[:index], kinds[:index], dropped)
        stop = index + 1
        while stop < len(kinds) and kinds[stop] == Kind.CONTINUED:
            stop += 1
        if quote_follows and not has_texts and not answered:
            text = kinds.find(_TEXT, stop)
            stop = text if text >= 0 else len(kinds)
        dropped.extend(range(index, stop))
    return _without(lines, kinds, dropped)


def _is_salutation(lines: Sequence[str], kinds: str, end: int) -> bool:
    """Say whether nothing but "Hi Ann," stands above the quote: the answer then is below it."""
    return kinds.count(_TEXT, 0, end) == 1 and _SALUTATION.fullmatch(visible(lines[kinds.find(_TEXT)])) is not None
