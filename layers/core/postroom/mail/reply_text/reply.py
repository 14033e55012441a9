"""Find what a person wrote in a reply: without the quoted mail, its attribution, and the signature."""

from __future__ import annotations

import re
from collections.abc import Sequence

from postroom.mail.reply_text.footers import first_footer, is_said
from postroom.mail.reply_text.line_kinds import Kind
from postroom.mail.reply_text.lines import classify, visible
from postroom.mail.reply_text.marked import Marked, mark_lines
from postroom.mail.reply_text.phrases import ANSWERS_BELOW
from postroom.mail.reply_text.phrases import introductions as phrases
from postroom.mail.reply_text.pointers import says_nothing

# Fewer lines below a quote are a signature or a footer, unless they are sentences; more are an answer.
_FEW_LINES = 7
_MAX_CHARACTERS = 2_000_000
_TEXT, _EMPTY = Kind.TEXT.value, Kind.EMPTY.value
_QUOTED = f"{Kind.QUOTE}{Kind.EMPTY}{Kind.CONTINUED}"
_BEGINNING = re.compile(f"[{Kind.ATTRIBUTION}{Kind.HEADERS}{Kind.FORWARD}]")
_INTRODUCED = re.compile(f"[{Kind.ATTRIBUTION}{Kind.HEADERS}]")
_SAID = re.compile(f"[{Kind.TEXT}{Kind.QUOTE}{Kind.HEADERS}]")
_FORWARD_PREFIX = "|".join(re.escape(prefix) for prefix in sorted(phrases.FORWARD_PREFIXES, key=len, reverse=True))
_FORWARD_SUBJECT = re.compile(
    rf"\s*(?:\[[^\]]{{1,80}}\]\s*)?(?:{_FORWARD_PREFIX})"
    r"\s*(?:\[\d+\])?\s*[:：]",
    re.IGNORECASE,
)
# An attribution that a client wrote behind the answer, in the same line.
_BEHIND_ANSWER = re.compile(r"(?<=[\s-])On (?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*+,? ")
_NUMBER = re.compile(r"\d")
_MAX_ATTRIBUTION = 400
_FEW_WORDS_ABOVE = 6  # lines
_SALUTATION = re.compile(r"[^\W\d_][\w .'’-]{0,40}[,!、，]")


def reply_text(
    text: str, *, subject: str = "", keep_forwards: bool = True, writer: str = "", marked: Sequence[Marked] = ()
) -> str:
    """Return the new text of a reply, or the whole of a forward.

    The `subject` tells a forward by Outlook, which introduces it as it does a reply; `writer` is the sender's name, and
    `marked` what the mail's HTML says of some of its lines. Answers between quoted lines keep these lines. Where
    nothing new is found, or what is new only greets, signs or points into a quote without marks, the text comes back
    whole: an agent must see what there is.
    """
    lines = _lines(text)
    read = classify(lines)
    for one in marked:
        mark_lines(lines, read, one)
    kinds = "".join(read)  # one letter a line, so that questions about many lines are searches
    if keep_forwards and _is_forward(kinds, subject):
        return _join(lines)
    kinds = kinds.replace(Kind.FORWARD, Kind.ATTRIBUTION)
    texts = kinds.count(_TEXT)
    end = first_footer(lines, kinds, writer=writer)
    if texts + kinds.count(_EMPTY) == len(kinds):
        return _join(lines[:end])
    lines, kinds = lines[:end], kinds[:end]
    if Kind.SIGNATURE in kinds:
        lines, kinds = _without(lines, kinds, [index for index, kind in enumerate(kinds) if kind == Kind.SIGNATURE])
    own, own_kinds = _cut_quotes(lines, kinds)
    if Kind.TEXT not in own_kinds or _points_below(own, own_kinds, texts, writer=writer, quoted=Kind.QUOTE in kinds):
        return _join(_lines(text))
    # A rule above the quote that was cut is the client's.
    end = len(own_kinds.rstrip(_QUOTED if own is lines else _QUOTED + Kind.DELIMITER))
    if end and own is lines and own[end - 1].rstrip().endswith(":"):
        return _join(own)  # "Two faults:" and a list of lines with ">"
    return _join(own[:end])


def is_forward(text: str, *, subject: str = "") -> bool:
    """Say whether a mail passes another one on, rather than answering it."""
    return _is_forward("".join(classify(_lines(text))), subject)


def has_forward_subject(subject: str) -> bool:
    """Say whether a subject begins as those of forwards do: "Fwd:", "WG:", "TR:"."""
    return _FORWARD_SUBJECT.match(subject) is not None


def _is_forward(kinds: str, subject: str) -> bool:
    first = _BEGINNING.search(kinds)
    return first is not None and (first[0] == Kind.FORWARD or has_forward_subject(subject))


def _lines(text: str) -> list[str]:
    bounded = text[:_MAX_CHARACTERS]
    if "\r" in bounded:
        bounded = bounded.replace("\r\n", "\n").replace("\r", "\n")
    lines = bounded.split("\n")
    if " wrote:" not in bounded or (" On " not in bounded and "-On " not in bounded):
        return lines
    apart: list[str] = []
    for line in lines:
        ends = "wrote:" in line[-10:] and len(line) <= _MAX_ATTRIBUTION and line.rstrip().endswith(" wrote:")
        found = _BEHIND_ANSWER.search(line) if ends else None
        said = line[: found.start()].rstrip(" -\t") if found else ""
        if found and said and said[0] != ">" and _NUMBER.search(line, found.end()):
            apart += (said, line[found.start() :])
        else:
            apart.append(line)
    return apart


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


def _cut_quotes(lines: list[str], kinds: str) -> tuple[list[str], str]:
    """Remove the quoted mail below, or above, what was written."""
    last_quote = max(kinds.rfind(Kind.QUOTE), kinds.rfind(Kind.ATTRIBUTION))
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
        if has_texts and not answered and not _is_answer_below(lines, kinds, index, last_quote):
            return _without(lines[:index], kinds[:index], dropped)
        stop = index + 1
        while stop < len(kinds) and kinds[stop] == Kind.CONTINUED:
            stop += 1
        if quote_follows and not has_texts and not answered:
            text = kinds.find(_TEXT, stop)
            stop = text if text >= 0 else len(kinds)
        dropped.extend(range(index, stop))
    return _without(lines, kinds, dropped)


def _is_answer_below(lines: Sequence[str], kinds: str, quote: int, last_quote: int) -> bool:
    """Say whether what stands below all quotes is an answer, not a signature."""
    below = kinds.count(_TEXT, last_quote + 1)
    if not below or below >= _FEW_LINES:
        return below > 0
    return is_said(lines, kinds, last_quote + 1, len(kinds)) or _is_salutation(lines, kinds, quote)


def _points_below(own: Sequence[str], own_kinds: str, texts: int, *, writer: str, quoted: bool) -> bool:
    """Say whether a few words ("see my answers below, in red") point to the quote that was cut, or say nothing.

    Within a quote whose lines are marked, nobody answers unseen: only a pointer asks for it.
    """
    kept = own_kinds.count(_TEXT)
    unmarked = texts > kept + 1
    if kept > _FEW_WORDS_ABOVE or not (unmarked or quoted):
        return False
    written = [line for line, kind in zip(own, own_kinds, strict=True) if kind == _TEXT]
    empty, points = says_nothing(written, writer=writer)
    if empty and (unmarked or points):
        return True
    words = " ".join(own).lower()
    return unmarked and any(map(words.__contains__, ANSWERS_BELOW))


def _is_salutation(lines: Sequence[str], kinds: str, end: int) -> bool:
    """Say whether nothing but "Hi Ann," stands above the quote: the answer then is below it."""
    return kinds.count(_TEXT, 0, end) == 1 and _SALUTATION.fullmatch(visible(lines[kinds.find(_TEXT)])) is not None
