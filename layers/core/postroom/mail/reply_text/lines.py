"""Say of each line of a mail what it is: text, quote, attribution, header of a quoted mail, delimiter, signature.

Most lines are told at one glance by their first and last letters; only those that may be more are searched.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from functools import lru_cache

from postroom.mail.reply_text.attributions import AFTER_VERB, VERB_ENDS, mark_attributions
from postroom.mail.reply_text.line_kinds import (
    MAX_MARKER,
    PROBE,
    QUOTE_MARKS,
    SPACES,
    Kind,
    Lines,
    any_of,
    any_word,
    is_probed,
    probes,
)
from postroom.mail.reply_text.phrases import introductions as phrases
from postroom.mail.reply_text.quoted_headers import mark_header_blocks
from postroom.mail.reply_text.signatures import FIRST_LETTERS, LAST_LETTERS, mark_signatures

# What decides stands near the top; the rest of a very long text is only told apart into text, quote and nothing.
_MAX_LINES = 20_000

_INVISIBLE = dict.fromkeys(
    [0x00AD, 0x061C, 0x180E, 0xFEFF, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x206A)]
)
# U+1427 is the mark that a mail tracker leaves under the text.
_INVISIBLE |= {0x00A0: " ", 0x3000: " ", 0x202F: " ", 0x1427: " "}
_HIDDEN = re.compile(f"[{re.escape(''.join(map(chr, _INVISIBLE)))}]")

_DELIMITER = re.compile(r"(?:—|[-–—]{2,}|_{3,}|={3,}|\*{3,}|#{3,}|~{3,}|\+{3,}|[-_=*~](?:\s?[-_=*~]){4,})")
_DECORATION = " \t-–—_=*~<>#|:："
# What a delimiter, a dashed title and a quote begin with, and what else stands around a title.
_MARKS = frozenset("-–—_=*#~+<>")
_LOOKED_AT = _MARKS | frozenset(_DECORATION + SPACES)
_DASHES = frozenset(AFTER_VERB + ":：")
_DATE = re.compile(r"\d{1,4}\s?[./-]\s?\d{1,2}\s?[./-]\s?\d{1,4}|\d{4}\s?[年년]")
_GROUPWISE = re.compile(r">>> ?\S.*(?:\d|>>>)$")
_ORIGINAL = frozenset(word.casefold() for word in phrases.ORIGINAL_MESSAGE)
_FORWARDED = frozenset(word.casefold() for word in phrases.FORWARDED)
_FORWARDED_BY = tuple(word for word in _FORWARDED if word.endswith((" by", " von", " par")))
_TITLE_HEADS = probes(phrases.FORWARDED, ends=False)
# Help desks ask for the answer above a line that they recognise.
_ABOVE = re.compile(rf"^\W*(?:[\w,'’]+[ -]+){{0,8}}(?:{any_of(phrases.REPLY_ABOVE)})\b.{{0,40}}$", re.IGNORECASE)
# A word of each of these phrases, or what has no words: other lines are not searched for them.
_ABOVE_WORD = re.compile(
    any_word(
        str.split(
            "line linie zeile ligne línea riga linea linha regel lijn rad linje rivin linii řádek строки линии satır"
        )
    )
)
_ABOVE_PIECES = ("行より上", "行上方", "줄 위에")
_MAX_ABOVE = 120
_LONG_QUOTE_LINE = 65
_BROKEN_LINK = re.compile(r"[<(\[]?https?://\S+(?: ?>)?", re.IGNORECASE)
_OPEN_LINK = re.compile(r"[<(\[]https?://[^\s>)\]]*$", re.IGNORECASE)


def visible(line: str) -> str:
    """Return a line without the marks that people do not see, stripped."""
    if line.isascii() or not _HIDDEN.search(line):
        return line.strip()
    return line.translate(_INVISIBLE).strip()


def classify(lines: Sequence[str]) -> list[Kind]:
    """Return the kind of every line; linear in the length of the text."""
    read = _glance(visible_lines(lines[:_MAX_LINES]))
    kinds = read.kinds
    _protect_code(read)
    if Kind.QUOTE in kinds:
        _mark_wrapped_quotes(read)
    mark_attributions(read)
    mark_header_blocks(read)
    mark_signatures(read)
    if Kind.DELIMITER in kinds:
        _keep_underlines(read)
    kinds.extend(_roughly(line) for line in lines[_MAX_LINES:])
    return kinds


def visible_lines(lines: Sequence[str]) -> list[str]:
    """Return lines as `visible` does each: most texts have no such marks, which is asked once for all lines."""
    if _hides("".join(lines)):
        return [visible(line) for line in lines]
    return list(map(str.strip, lines))


def _hides(text: str) -> bool:
    """Say whether a text has invisible characters."""
    if text.isascii():
        return False
    try:
        text.encode("latin-1")
    except UnicodeEncodeError:
        return _HIDDEN.search(text) is not None
    return "\xa0" in text or "\xad" in text


def _roughly(line: str) -> Kind:
    if line.startswith(">"):
        return Kind.QUOTE
    return Kind.EMPTY if line.isspace() or not line else Kind.TEXT


# What the letters at both ends of a line say of it.
_SPECIAL, _SIGNATURE, _ENDING = 1, 2, 4


def _glance(shown: list[str]) -> Lines:
    """Say what each line is without regard to its neighbours, and which lines may be more than that.

    The loop runs over every line of every mail: it looks up the letters at both ends, and most lines are done.
    """
    text = "\n".join(shown)
    above = _above(text)
    has_wide_colons, has_rules, has_links = "：" in text, "---" in text, "//" in text
    read = Lines(shown, [], [], [], [])
    kinds, ends, colons, signatures = read.kinds.append, read.ends.append, read.colons.append, read.signatures.append
    for index, line in enumerate(shown):
        if not line:
            kinds(Kind.EMPTY)
            continue
        said = _at_end(line[-PROBE - 1 :])
        if line[0] == ">":
            words = line[2:5] if line[1:2] == " " else line.lstrip(QUOTE_MARKS)[:PROBE]
            special = _at_head(words) & _SPECIAL or line.startswith(">>>") or index in above
            kinds(_alone(line, is_above=index in above) if special else Kind.QUOTE)
        else:
            said |= _at_head(line[:PROBE])
            special = said & _SPECIAL or index in above
            kinds(_alone(line, is_above=index in above) if special else Kind.TEXT)
            if ":" in line or (has_wide_colons and "：" in line):
                colons(index)
            if said & _SIGNATURE or (has_links and "//" in line):
                signatures(index)
        if said & _ENDING or (has_rules and "---" in line):
            ends(index)
    return read


@lru_cache(maxsize=8192)
def _at_head(letters: str) -> int:
    """Say what a line may be that begins with these letters."""
    said = _SPECIAL if letters[:1] in _LOOKED_AT or letters in _TITLE_HEADS else 0
    if not letters[:1].isalnum() or is_probed(letters, FIRST_LETTERS, ends=False):
        said |= _SIGNATURE
    return said


@lru_cache(maxsize=8192)
def _at_end(letters: str) -> int:
    """Say what a line may be that ends with these letters, one more than a probe has: a sign may stand after it."""
    said = _ENDING if letters[-1] in _DASHES or is_probed(letters[-PROBE:], VERB_ENDS, ends=True) else 0
    words = letters[-PROBE:] if letters[-1].isalnum() else letters[:-1]
    if not words[-1:].isalnum() or is_probed(words, LAST_LETTERS, ends=True):
        said |= _SIGNATURE
    return said


def _above(text: str) -> Collection[int]:
    """Return the lines that may ask for the answer above them."""
    starts = [found.start() for found in _ABOVE_WORD.finditer(text)]
    for piece in _ABOVE_PIECES:
        at = text.find(piece)
        while at >= 0:
            starts.append(at)
            at = text.find(piece, at + 1)
    found: set[int] = set()
    counted = line = 0
    for start in sorted(starts):
        line += text.count("\n", counted, start)
        counted = start
        found.add(line)
    return found


def _alone(line: str, *, is_above: bool) -> Kind:
    """Say what a line is that shows something; `is_above` when it has a piece of `_ABOVE_PIECES`."""
    quoted = line[0] == ">"
    if len(line) > MAX_MARKER:
        return Kind.QUOTE if quoted else Kind.TEXT
    if quoted:
        if line.startswith(">>>") and _GROUPWISE.fullmatch(line) and _DATE.search(line):
            return Kind.ATTRIBUTION
        return introduction(line.lstrip(QUOTE_MARKS), is_above=is_above) or Kind.QUOTE
    if line[0] in "-–—_=*#~+" and _DELIMITER.fullmatch(line):
        return Kind.DELIMITER
    return introduction(line, is_above=is_above) or Kind.TEXT


def introduction(line: str, *, is_above: bool = True) -> Kind | None:
    """Recognise the fixed titles above a quoted or forwarded mail."""
    bare = line.strip(_DECORATION).casefold()
    if bare in _FORWARDED:
        return Kind.FORWARD
    dashed = line[:1] in _MARKS and line.startswith(("--", "==", "__", "**", "~~", "<<", "—", "–"))
    if dashed and bare.startswith(_FORWARDED_BY):
        return Kind.FORWARD
    if is_above and len(line) <= _MAX_ABOVE and _ABOVE.search(line):
        return Kind.ATTRIBUTION
    # Without dashes it could be the customer's own words.
    return Kind.ATTRIBUTION if bare in _ORIGINAL and (dashed or line.startswith(("-", "_", "*"))) else None


def _protect_code(read: Lines) -> None:
    opened: int | None = None
    for index, line in enumerate(read.shown):
        if line.startswith("```"):
            if opened is None:
                opened = index
            else:
                read.kinds[opened : index + 1] = [Kind.TEXT] * (index + 1 - opened)
                opened = None


def _mark_wrapped_quotes(read: Lines) -> None:
    """Mark the rest of quoted lines that a client broke and left without their ">"."""
    shown, kinds = read.shown, read.kinds
    for index in range(1, len(kinds) - 1):
        if (
            kinds[index] is Kind.TEXT
            and kinds[index - 1] is Kind.QUOTE
            and kinds[index + 1] is Kind.QUOTE
            and (
                _LONG_QUOTE_LINE <= len(shown[index - 1]) > len(shown[index])
                or _BROKEN_LINK.fullmatch(shown[index])
                or (_OPEN_LINK.search(shown[index - 1]) and " " not in shown[index])
            )
        ):
            kinds[index] = Kind.QUOTE


def _keep_underlines(read: Lines) -> None:
    """Keep a row of "=" or "-" as long as the line above it: it underlines a heading."""
    shown, kinds = read.shown, read.kinds
    for index in range(1, len(kinds)):
        if (
            kinds[index] is Kind.DELIMITER
            and kinds[index - 1] is Kind.TEXT
            and len(shown[index]) >= 4
            and shown[index][0] in "=-"
            and abs(len(shown[index]) - len(shown[index - 1])) <= 2
        ):
            kinds[index] = Kind.TEXT
