"""Find what a person wrote in a reply: without the quoted mail, its attribution, and the signature."""

from __future__ import annotations

import re
from collections.abc import Sequence

from postroom.mail import quoting_phrases as phrases
from postroom.mail.quoting_lines import Kind, classify, visible

# Fewer lines below a quote are a signature or a footer; more are an answer.
_FEW_LINES = 7
# The same below a rule ("____"), where the address of a firm stands; the second if it looks like one.
_FEW_FOOTER_LINES = 12
_FEW_SIGNATURE_LINES = 25
_SIGNATURE_DELIMITERS = ("--", "—", "––")
_FOOTER_LINES = 60
_MAX_CHARACTERS = 2_000_000
_BEGINNINGS = (Kind.ATTRIBUTION, Kind.HEADERS, Kind.FORWARD)
_ORDINARY = (Kind.TEXT, Kind.EMPTY)
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
    kinds = classify(lines)
    if sum(map(kinds.count, _ORDINARY)) == len(kinds):
        return _join(lines)
    if keep_forwards and _is_forward(kinds, subject):
        return _join(lines)
    kinds = [Kind.ATTRIBUTION if kind is Kind.FORWARD else kind for kind in kinds]
    end = _first_footer(lines, kinds)
    lines, kinds = lines[:end], kinds[:end]
    lines, kinds = _without(lines, kinds, [index for index, kind in enumerate(kinds) if kind is Kind.SIGNATURE])
    lines, kinds = _cut_quotes(lines, kinds)
    if Kind.TEXT in kinds:
        while kinds[-1] in (Kind.QUOTE, Kind.EMPTY, Kind.CONTINUED):
            lines.pop()
            kinds.pop()
        return _join(lines)
    return _join(_lines(text))


def is_forward(text: str, *, subject: str = "") -> bool:
    """Say whether a mail passes another one on, rather than answering it."""
    return _is_forward(classify(_lines(text)), subject)


def _is_forward(kinds: Sequence[Kind], subject: str) -> bool:
    first = next((kind for kind in kinds if kind in _BEGINNINGS), None)
    if first is None:
        return False
    return first is Kind.FORWARD or _FORWARD_SUBJECT.match(subject) is not None


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


def _without(lines: list[str], kinds: list[Kind], indexes: Sequence[int]) -> tuple[list[str], list[Kind]]:
    if not indexes:
        return lines, kinds
    gone = set(indexes)
    kept = [index for index in range(len(lines)) if index not in gone]
    return [lines[index] for index in kept], [kinds[index] for index in kept]


def _first_footer(lines: list[str], kinds: list[Kind]) -> int:
    """Return the index of the delimiter under which only a signature, a footer or the quoted mail stands."""
    if Kind.DELIMITER not in kinds:
        return len(kinds)
    below = _texts_below(kinds)
    seen_text = False
    footer: bool | None = None
    for index, kind in enumerate(kinds):
        if kind is Kind.DELIMITER and seen_text:
            around = lines[index : index + _FOOTER_LINES]
            contact = visible(lines[index]) in _SIGNATURE_DELIMITERS or any(
                _CONTACT.search(line[:500]) for line in around
            )
            if below[index] < (_FEW_SIGNATURE_LINES if contact else _FEW_FOOTER_LINES):
                return index
            if footer is None:
                footer = any(_FOOTER.search(line[:2000]) for line in around)
            if footer:
                return index
        seen_text = seen_text or kind is Kind.TEXT
    return len(kinds)


def _texts_below(kinds: Sequence[Kind]) -> list[int]:
    """Count for each line the texts from it to the next quote, attribution or end."""
    counts = [0] * len(kinds)
    count = 0
    for index in range(len(kinds) - 1, -1, -1):
        if kinds[index] is Kind.TEXT:
            count += 1
        elif kinds[index] is Kind.QUOTE or kinds[index] in _BEGINNINGS:
            count = 0
        counts[index] = count
    return counts


def _cut_quotes(lines: list[str], kinds: list[Kind]) -> tuple[list[str], list[Kind]]:
    """Remove the quoted mail below, or above, what was written."""
    last_quote = _last(kinds, (Kind.QUOTE, Kind.ATTRIBUTION))
    tail = kinds[last_quote + 1 :].count(Kind.TEXT)
    # The last text above the last quote: where it stands below an attribution, answers stand between quoted lines.
    last_answer = _last(kinds[: last_quote + 1], (Kind.TEXT,))
    following = _following(kinds)
    texts: list[int] = []
    dropped: list[int] = []
    index = 0
    while index < len(kinds):
        kind = kinds[index]
        if kind is Kind.TEXT:
            texts.append(index)
        elif kind is Kind.HEADERS and texts:
            return _without(lines[:index], kinds[:index], dropped)
        elif kind is Kind.ATTRIBUTION:
            after = following[index]
            answered = last_answer > index
            if texts and after is not Kind.QUOTE:
                return _without(lines[:index], kinds[:index], dropped)
            if texts and not answered and tail < _FEW_LINES and not (tail and _is_salutation(lines, texts)):
                return _without(lines[:index], kinds[:index], dropped)
            stop = index + 1
            while stop < len(kinds) and kinds[stop] is Kind.CONTINUED:
                stop += 1
            if after is Kind.QUOTE and not texts and not answered:
                while stop < len(kinds) and kinds[stop] is not Kind.TEXT:
                    stop += 1
            dropped.extend(range(index, stop))
            index = stop
            continue
        index += 1
    return _without(lines, kinds, dropped)


def _last(kinds: Sequence[Kind], wanted: Sequence[Kind]) -> int:
    """Return the index of the last line of these kinds, -1 without one."""
    return next((index for index in range(len(kinds) - 1, -1, -1) if kinds[index] in wanted), -1)


def _following(kinds: Sequence[Kind]) -> list[Kind | None]:
    """Return for each line the kind of the next text, quote or header block below it."""
    following: list[Kind | None] = [None] * len(kinds)
    nearest: Kind | None = None
    for index in range(len(kinds) - 1, -1, -1):
        following[index] = nearest
        if kinds[index] in (Kind.TEXT, Kind.QUOTE, Kind.HEADERS):
            nearest = kinds[index]
    return following


def _is_salutation(lines: Sequence[str], texts: Sequence[int]) -> bool:
    """Say whether nothing but "Hi Ann," stands above the quote: the answer then is below it."""
    return len(texts) == 1 and _SALUTATION.fullmatch(visible(lines[texts[0]])) is not None
