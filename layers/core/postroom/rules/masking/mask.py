"""Mask what must not be stored or shown: numbers and words in text, HTML, subjects and file names (C15).

Patterns run in RE2 only. Text is searched as it is written, and again with the spaces and line ends between digits left
out; HTML is searched through its markup.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from postroom.errors import Invalid, Problem
from postroom.mail.html import sanitise
from postroom.model import Decision, Outcome
from postroom.model import DecisionRule as Rule
from postroom.rules import compile_pattern, explain
from postroom.rules.masking.kinds import KINDS, Kind, windows

if TYPE_CHECKING:
    from postroom.model.configuration import MaskingPattern

MAX_PATTERNS = 200
MAX_TEXT = 5_000_000
"""Characters that are searched; what is behind them is left out, never shown unmasked."""
_MAX_CHECKS = 100_000

_BETWEEN_DIGITS = re.compile(r"(?<=\d)[\s\x00-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u2060\ufeff>]+(?=\d)")
_SPACES = re.compile(r"[ \t\r\n\f]{2}|[\r\n]")  # that HTML shows as one
_WORDS = re.compile(r"[ \t\r\n\f]+|[^ \t\r\n\f]+")
_FORBIDDEN_REPLACEMENTS = frozenset("<>&\"'\\/?#%@:=")
_TAG = re.compile(r"<(/?)([a-z0-9]+)([^>]*)>")
_ENTITY = re.compile(r"&(?:amp|lt|gt|quot|nbsp);")
_ENTITIES = {"&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&nbsp;": "\u00a0"}
_ATTRIBUTE = re.compile(r'\s(href|src|alt|title)="([^"]*)"')
# Between these the reader sees one run of text.
_names = str.split
_INLINE = frozenset(
    _names(
        "a abbr b bdi bdo big cite code del dfn em font i ins kbd mark q s samp small span strike strong sub sup time "
        "tt u var wbr"
    )
)


@dataclass(frozen=True, slots=True)
class MaskingRule:
    """What is searched for and masked: a `pattern`, or a built-in `kind` that checks what it finds.

    `spaced` finds a pattern's numbers also where spaces or line ends stand between their digits.
    """

    name: str
    pattern: str = ""
    kind: str = ""
    replacement: str = "*"
    inbound: bool = True
    outbound: bool = True
    ignore_case: bool = False
    spaced: bool = True


def rule_of(configured: MaskingPattern) -> MaskingRule:
    """Return the rule of a configured pattern; which department it is for is chosen before."""
    return MaskingRule(
        name=configured.name,
        pattern=configured.pattern or "",
        kind=configured.kind or "",
        replacement=configured.replacement,
        inbound=configured.inbound,
        outbound=configured.outbound,
        ignore_case=configured.ignore_case,
        spaced=configured.spaced,
    )


@dataclass(frozen=True, slots=True)
class Compiled:
    """A pattern that is ready to be used."""

    source: MaskingRule
    search: Any = field(repr=False)
    kind: Kind | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """How often a pattern was found; never what was found."""

    name: str
    count: int


@dataclass(frozen=True, slots=True)
class Masked:
    """Text that may be stored and shown, and what was found in it."""

    text: str
    hits: tuple[Hit, ...] = ()
    cut: bool = False

    def decisions(self, where: str) -> tuple[Decision, ...]:
        """Return one decision for each pattern that was found in the part called `where`, and one where it was cut."""
        found = [Decision(Rule.MASKING, Outcome.MASKED, f"{hit.name}: {hit.count} in the {where}") for hit in self.hits]
        if self.cut:
            found.append(Decision(Rule.MASKING, Outcome.CUT, f"the {where} is too large to be searched to its end"))
        return tuple(found)


def check(patterns: Sequence[MaskingRule], *, path: str = "masking") -> list[Problem]:
    """Return every problem of the patterns, with field and remedy; none when they can be saved."""
    problems: list[Problem] = []
    if len(patterns) > MAX_PATTERNS:
        problems.append(Problem(path, f"There are {len(patterns)} patterns.", f"Keep at most {MAX_PATTERNS}."))
    names = Counter(pattern.name for pattern in patterns)
    for index, pattern in enumerate(patterns):
        problems += _check_one(pattern, f"{path}[{index}]", duplicate=names[pattern.name] > 1)
    return problems


def _check_one(pattern: MaskingRule, path: str, *, duplicate: bool) -> Iterator[Problem]:
    if not pattern.name.strip():
        yield Problem(f"{path}.name", "The name is empty.", "Name what is masked, for example `customer number`.")
    elif duplicate:
        yield Problem(f"{path}.name", f"The name {pattern.name!r} is used twice.", "Give each pattern its own name.")
    character = pattern.replacement
    if len(character) != 1 or not character.isprintable() or character.isspace():
        yield Problem(f"{path}.replacement", "The replacement is not one visible character.", "Write one, such as *.")
    elif character in _FORBIDDEN_REPLACEMENTS or character.isdecimal() or unicodedata.combining(character):
        yield Problem(
            f"{path}.replacement", f"{character!r} would change what the text means.", "Use a character such as * or X."
        )
    if bool(pattern.pattern) == bool(pattern.kind):
        yield Problem(path, "Neither or both of pattern and kind are given.", "Give one of the two.")
    elif pattern.kind:
        if pattern.kind not in KINDS:
            yield Problem(f"{path}.kind", f"There is no kind {pattern.kind!r}.", f"Use one of: {', '.join(KINDS)}.")
    else:
        problem = explain(pattern.pattern, path=f"{path}.pattern")
        if problem is not None:
            yield problem


def compile_patterns(patterns: Sequence[MaskingRule], *, direction: str | None = None) -> tuple[Compiled, ...]:
    """Return the patterns of a direction (`inbound`, `outbound`, or None for all), ready to use; raises Invalid."""
    problems = check(patterns)
    if problems:
        raise Invalid(problems)
    compiled: list[Compiled] = []
    for pattern in patterns:
        if (direction == "inbound" and not pattern.inbound) or (direction == "outbound" and not pattern.outbound):
            continue
        kind = KINDS.get(pattern.kind)
        source = kind.candidate if kind else pattern.pattern
        compiled.append(Compiled(pattern, compile_pattern(source, ignore_case=pattern.ignore_case), kind))
    return tuple(compiled)


def mask_text(text: str, patterns: Sequence[Compiled]) -> Masked:
    """Return `text` with each character of what was found replaced; white space, and so the lines, stays."""
    if not patterns or not text:
        return Masked(text)
    cut = len(text) > MAX_TEXT
    characters = list(text[:MAX_TEXT])
    hits = _mask(characters, patterns)
    return Masked("".join(characters) if hits or cut else text, hits, cut)


def mask_name(name: str, patterns: Sequence[Compiled]) -> Masked:
    """Return a file name masked, its extension kept: people and policies need to see the type."""
    stem, dot, extension = name.rpartition(".")
    if not dot or len(extension) > 10 or extension.isdecimal():
        return mask_text(name, patterns)
    masked = mask_text(stem, patterns)
    name = f"{masked.text}.{extension}"
    # What reaches into the extension, or is it, is masked all the same.
    whole = mask_text(name, patterns)
    return Masked(whole.text, masked.hits + whole.hits, masked.cut)


def mask_html(sanitised_html: str, patterns: Sequence[Compiled]) -> Masked:
    """Return sanitised HTML with its text and its attributes masked, its markup as it was, and sanitised once more.

    The search goes through the markup: `4111<b>1111</b>…` is one number.
    """
    if not patterns or not sanitised_html:
        return Masked(sanitised_html)
    html = sanitised_html
    cut = len(html) > MAX_TEXT
    if cut:
        html = html[: html.rfind("<", 0, MAX_TEXT)]
    pieces: list[str] = []
    characters: list[str] = []
    places: list[int] = []
    counts: Counter[str] = Counter()
    end = 0
    for match in _TAG.finditer(html):
        _take_text(html[end : match.start()], pieces, characters, places)
        end = match.end()
        tag = match[0]
        if match[3]:
            tag, attribute_hits = _mask_attributes(tag, patterns)
            counts.update(attribute_hits)
        pieces.append(tag)
        if match[2] not in _INLINE and characters[-1:] != ["\n"]:
            characters.append("\n")
            places.append(-1)
    _take_text(html[end:], pieces, characters, places)
    before = list(characters)
    for hit in _mask(characters, patterns):
        counts[hit.name] += hit.count
    if not counts:
        return Masked(html, (), cut)
    for place, old, new in zip(places, before, characters, strict=True):
        if place >= 0 and old != new:
            pieces[place] = new
    names = [pattern.source.name for pattern in patterns]
    hits = tuple(Hit(name, counts[name]) for name in names if counts[name])
    # Nothing may follow the sanitiser (docs/threat-model.md 5), hence once more.
    return Masked(sanitise("".join(pieces)).html, hits, cut)


def _take_text(segment: str, pieces: list[str], characters: list[str], places: list[int]) -> None:
    """Append a run of text, one piece for each character the reader sees."""
    start = 0
    for match in _ENTITY.finditer(segment):
        _take_characters(segment[start : match.start()], pieces, characters, places)
        characters.append(_ENTITIES[match[0]])
        places.append(len(pieces))
        pieces.append(match[0])
        start = match.end()
    _take_characters(segment[start:], pieces, characters, places)


def _take_characters(run: str, pieces: list[str], characters: list[str], places: list[int]) -> None:
    if _SPACES.search(run) is None:
        places.extend(range(len(pieces), len(pieces) + len(run)))
        pieces.extend(run)
        characters.extend(run)
        return
    # The reader sees one space, and none where a block begins: indentation does not part a number.
    for word in _WORDS.findall(run):
        if word[0] not in " \t\r\n\f":
            places.extend(range(len(pieces), len(pieces) + len(word)))
            pieces.extend(word)
            characters.extend(word)
            continue
        if characters[-1:] != ["\n"]:
            places.append(len(pieces))
            characters.append(" ")
        pieces.append(word)


def _mask_attributes(tag: str, patterns: Sequence[Compiled]) -> tuple[str, Counter[str]]:
    counts: Counter[str] = Counter()

    def replace(match: re.Match[str]) -> str:
        value = _ENTITY.sub(lambda entity: _ENTITIES[entity[0]], match[2])
        masked = mask_text(value, patterns)
        if not masked.hits:
            return match[0]
        counts.update({hit.name: hit.count for hit in masked.hits})
        if match[1] in ("href", "src"):
            return ""  # an address without a part of it leads elsewhere
        text = masked.text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;").replace(">", "&gt;")
        return f' {match[1]}="{text}"'

    return _ATTRIBUTE.sub(replace, tag), counts


def _mask(characters: list[str], patterns: Sequence[Compiled]) -> tuple[Hit, ...]:
    """Replace in place, each pattern searching the text as it was; return what was found."""
    text = "".join(characters)
    squeezed: tuple[str, list[int]] | None = None
    candidates = _Candidates(text)
    hits: list[Hit] = []
    for pattern in patterns:
        if pattern.kind is not None:
            spans = list(candidates.find(pattern.kind, pattern.search))
        else:
            spans = _merge(match.span() for match in pattern.search.finditer(text))
            if pattern.source.spaced:
                if squeezed is None:
                    squeezed = _squeeze(text)
                if len(squeezed[0]) != len(text):
                    spans = _merge([*spans, *_find_squeezed(squeezed, pattern.search)])
        if spans:
            hits.append(Hit(pattern.source.name, len(spans)))
        for start, end in spans:
            for place in range(start, end):
                if not characters[place].isspace():
                    characters[place] = pattern.source.replacement
    return tuple(hits)


def _merge(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if start == end:
            continue
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _squeeze(text: str) -> tuple[str, list[int]]:
    """Leave out what separates digits; return the text and where each character was."""
    kept: list[str] = []
    places: list[int] = []
    last = 0
    for match in _BETWEEN_DIGITS.finditer(text):
        kept.append(text[last : match.start()])
        places.extend(range(last, match.start()))
        last = match.end()
    kept.append(text[last:])
    places.extend(range(last, len(text)))
    return "".join(kept), places


def _find_squeezed(squeezed: tuple[str, list[int]], search: Any) -> Iterator[tuple[int, int]]:
    text, places = squeezed
    for match in search.finditer(text):
        start, end = match.span()
        if start < end:
            yield places[start], places[end - 1] + 1


class _Candidates:
    """The candidates of the built-in kinds in one text, read once for all of them, within a budget of checks."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._read: dict[tuple[int, int], tuple[str, list[int], list[tuple[int, int]]]] = {}
        self._checks_left = _MAX_CHECKS

    def find(self, kind: Kind, search: Any) -> Iterator[tuple[int, int]]:
        """Yield where `kind` is found. Beyond the budget a candidate is masked unchecked: nothing may slip through."""
        for match in search.finditer(self._text):
            span = match.span()
            if not kind.lengths:
                yield span
                continue
            if span not in self._read:
                self._read[span] = _plain(self._text, *span)
            plain, places, tokens = self._read[span]
            if kind.whole:
                if len(plain) in kind.lengths and kind.check(plain):
                    yield span
                continue
            found, checks = windows(tokens, kind, plain, self._checks_left)
            if checks > self._checks_left:
                self._checks_left = 0  # spent, for the other kinds too
                yield span
                continue
            self._checks_left -= checks
            for first, last in found:
                yield places[first], places[last - 1] + 1


_RUN = re.compile(r"[0-9A-Za-z]+")


def _plain(text: str, start: int, end: int) -> tuple[str, list[int], list[tuple[int, int]]]:
    """Return the letters and digits of a candidate, their places, and the runs between its separators."""
    plain: list[str] = []
    places: list[int] = []
    tokens: list[tuple[int, int]] = []
    if text.isascii():
        for run in _RUN.finditer(text, start, end):
            plain.append(run.group())
            tokens.append((len(places), len(places) + run.end() - run.start()))
            places.extend(range(run.start(), run.end()))
        return "".join(plain), places, tokens
    begun: int | None = None
    for place in range(start, end):
        character = text[place]
        value = unicodedata.decimal(character, None)
        letter = (
            str(int(value)) if value is not None else character if character.isascii() and character.isalpha() else ""
        )
        if letter:
            if begun is None:
                begun = len(plain)
            plain.append(letter)
            places.append(place)
        elif begun is not None:
            tokens.append((begun, len(plain)))
            begun = None
    if begun is not None:
        tokens.append((begun, len(plain)))
    return "".join(plain), places, tokens
