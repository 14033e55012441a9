"""Say of each line of a mail what it is: text, quote, attribution, header of a quoted mail, delimiter, signature."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from enum import StrEnum
from itertools import product

from postroom.mail import quoting_phrases as phrases


class Kind(StrEnum):
    """What a line is."""

    EMPTY = "e"
    TEXT = "t"
    QUOTE = "q"
    ATTRIBUTION = "b"  # "On …, Ann wrote:", "-----Original Message-----"
    HEADERS = "h"  # From:, Sent:, To:, Subject: above a quoted mail
    FORWARD = "f"  # "---------- Forwarded message ----------"
    DELIMITER = "d"  # "-- ", "_____"
    SIGNATURE = "s"  # "Sent from my iPhone"
    CONTINUED = "c"  # a further line of the attribution or header block above


_SAID = (Kind.TEXT, Kind.QUOTE)
# A longer line is text: no client writes such an introduction, and matching stays cheap.
_MAX_MARKER = 400
_MAX_ATTRIBUTION_LINES = 4
# What decides stands near the top; the rest of a very long text is only told apart into text, quote and nothing.
_MAX_LINES = 20_000
_MAX_CANDIDATES = 500

_INVISIBLE = dict.fromkeys(
    [0x00AD, 0x061C, 0x180E, 0xFEFF, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x206A)]
)
# U+1427 is the mark that a mail tracker leaves under the text.
_INVISIBLE |= {0x00A0: " ", 0x3000: " ", 0x202F: " ", 0x1427: " "}
_HIDDEN = re.compile(f"[{re.escape(''.join(map(chr, _INVISIBLE)))}]")


def _any(words: Sequence[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(set(words), key=len, reverse=True))


# What `re.IGNORECASE` takes for one letter besides its upper and lower case (those of the phrases' alphabets).
_SAME_LETTER = {"i": "ıİ", "ı": "iİ", "s": "ſ", "k": "\u212a", "å": "\u212b", "σ": "ς", "ς": "σ", "μ": "µ"}
_SAME_LETTER |= {"ε": "ϵ", "θ": "ϑϴ", "κ": "ϰ", "π": "ϖ", "ρ": "ϱ"}
_SAME_LETTER |= {"в": "\u1c80", "д": "\u1c81", "о": "\u1c82", "с": "\u1c83", "т": "\u1c84\u1c85"}
_PROBE = 3  # letters; the phrases of fewer are Chinese and Korean


def _cases(letters: str) -> Iterator[str]:
    """Yield every way that a few letters may be written where case does not count."""
    alike = [{one, one.lower(), one.upper(), *_SAME_LETTER.get(one.lower(), "")} for one in letters]
    for chosen in product(*alike):
        yield "".join(chosen)


def _probes(words: Sequence[str], *, ends: bool) -> frozenset[str]:
    """Return the first or last letters of the words: one look-up tells most lines from those to be searched."""
    parts = {word[-_PROBE:] if ends else word[:_PROBE] for word in words}
    return frozenset(written for part in parts for written in _cases(part))


# What `\s` is, for `strip`.
_SPACES = " \t\n\r\v\f\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)
_QUOTE_MARKS = ">|" + _SPACES
_DELIMITER = re.compile(r"(?:[-–—]{2,}|_{3,}|={3,}|\*{3,}|#{3,}|~{3,}|\+{3,}|[-_=*~](?:\s?[-_=*~]){4,})")
_DECORATION = " \t-–—_=*~<>#|:："
# What a delimiter, a dashed title and a quote begin with.
_MARKS = frozenset("-–—_=*#~+<>")
_AROUND_TITLE = _DECORATION + _SPACES
_AFTER_VERB = "*_-–" + _SPACES
_WROTE_LAST = re.compile(rf"(?:{_any(phrases.WROTE_LAST)})\s*[:：]?$", re.IGNORECASE)
_WROTE_ENDS = _probes(phrases.WROTE_LAST, ends=True)
_WROTE_INSIDE = re.compile(rf"\b(?:{_any(phrases.WROTE_INSIDE)})\b", re.IGNORECASE)
_OPENER = re.compile(rf"(?:(?:{_any(phrases.OPENERS)})(?:\b|(?=\d))|[0-9])", re.IGNORECASE)
_CITING = re.compile(rf"(?:{_any(phrases.CITING)})\s.*[:：]$", re.IGNORECASE)
_ADDRESS = re.compile(r"[^\s<>@]@[^\s<>@]")
_ENDS_WITH_ADDRESS = re.compile(r"[<(\[][^<>\s]*@[^<>]*[>)\]]\s*[:：]$")
_TIME = re.compile(r"\d{1,2}\s?[:.h時点시]\s?\d{2}", re.IGNORECASE)
_DATE = re.compile(r"\d{1,4}\s?[./-]\s?\d{1,2}\s?[./-]\s?\d{1,4}|\d{4}\s?[年년]")
_NUMBER = re.compile(r"\d+")
_NOTES = re.compile(r"\S.{0,80}---\s?\d{1,2}[/.]\d{1,2}[/.]\d{2,4} \d{1,2}[:.]\d{2}")
_GROUPWISE = re.compile(r">>> ?\S.*(?:\d|>>>)$")
_HEADER = re.compile(r"[*_\s]{0,4}(?P<name>[^\W\d_][^:：*\n]{0,29}?)\s?[*_]{0,2}\s?[:：][*_]{0,2}(?P<value>.*)")
_FROM = frozenset(word.casefold() for word in phrases.HEADER_FROM)
_SUBJECT = frozenset(word.casefold() for word in phrases.HEADER_SUBJECT)
_SENT = frozenset(word.casefold() for word in phrases.HEADER_SENT)
_HEADERS = _FROM | _SENT | _SUBJECT | {word.casefold() for word in phrases.HEADER_OTHER}
_ORIGINAL = frozenset(word.casefold() for word in phrases.ORIGINAL_MESSAGE)
_FORWARDED = frozenset(word.casefold() for word in phrases.FORWARDED)
_TITLES = _ORIGINAL | _FORWARDED
_FORWARDED_BY = tuple(word for word in _FORWARDED if word.endswith((" by", " von", " par")))
# Help desks ask for the answer above a line that they recognise.
_ABOVE = re.compile(rf"^\W*(?:[\w,'’]+[ -]+){{0,8}}(?:{_any(phrases.REPLY_ABOVE)})\b.{{0,40}}$", re.IGNORECASE)
# A piece of each of these phrases, in lower case: a line without any of them need not be searched.
_ABOVE_PIECES = (
    "this line", "dieser linie", "dieser zeile", "cette ligne", "esta l", "questa riga", "deze ", "raden", "denna rad",
    "denne linje", "rivin", "tej linii", "řád", "этой ", "bu sat", "より上", "上方", "줄 위에",
)  # fmt: skip
_SIGNATURE_START = re.compile(rf"[\W_]*(?:{_any(phrases.SIGNATURE_STARTS)})", re.IGNORECASE)
_SIGNATURE_END = re.compile(rf"(?:{_any(phrases.SIGNATURE_ENDS)})[\W_]*$", re.IGNORECASE)
_SIGNATURE_FIRST = _probes(phrases.SIGNATURE_STARTS, ends=False)
_SIGNATURE_LAST = _probes([phrase.rstrip(".") for phrase in phrases.SIGNATURE_ENDS], ends=True)
_NO_LETTERS = re.compile(r"[\W_]*")
_DEVICE = re.compile(rf"\bmy\b|{_any(phrases.DEVICES)}", re.IGNORECASE)
_LINK_TARGET = re.compile(r"[<(]?https?://\S*|\(https?://[^)]*\)", re.IGNORECASE)
_WHOLE = 4
_VERBLESS = 3
_MAX_VERB = 50
_MAX_ABOVE = 120
_MAX_SIGNATURE = 100
_LONG_QUOTE_LINE = 65


def visible(line: str) -> str:
    """Return a line without the marks that people do not see, stripped."""
    if line.isascii() or not _HIDDEN.search(line):
        return line.strip()
    return line.translate(_INVISIBLE).strip()


def classify(lines: Sequence[str]) -> list[Kind]:
    """Return the kind of every line; linear in the length of the text."""
    shown = [line.strip() if line.isascii() else visible(line) for line in lines[:_MAX_LINES]]
    kinds = _each_alone(shown)
    _protect_code(shown, kinds)
    if Kind.QUOTE in kinds:
        _mark_wrapped_quotes(shown, kinds)
    _mark_attributions(shown, kinds)
    _mark_header_blocks(shown, kinds)
    _mark_signatures(shown, kinds)
    if Kind.DELIMITER in kinds:
        _keep_underlines(shown, kinds)
    kinds.extend(_roughly(line) for line in lines[_MAX_LINES:])
    return kinds


def _roughly(line: str) -> Kind:
    if line.startswith(">"):
        return Kind.QUOTE
    return Kind.EMPTY if line.isspace() or not line else Kind.TEXT


def _each_alone(shown: list[str]) -> list[Kind]:
    """Say what each line is without regard to its neighbours: most are text or quote at first glance."""
    folded = [line.casefold() for line in shown]
    text = "\n".join(folded)
    pieces = [piece for piece in _ABOVE_PIECES if piece in text]
    kinds: list[Kind] = []
    for line, lower in zip(shown, folded, strict=True):
        if not line:
            kinds.append(Kind.EMPTY)
            continue
        quoted = line[0] == ">"
        first = line.lstrip(_QUOTE_MARKS)[:1] if quoted else line[0]
        by_groupwise = quoted and line.startswith(">>>")
        if pieces or by_groupwise or first in _MARKS or lower.strip(_AROUND_TITLE) in _TITLES:
            kinds.append(_alone(line, pieces))
        else:
            kinds.append(Kind.QUOTE if quoted else Kind.TEXT)
    return kinds


def _alone(line: str, pieces: Sequence[str]) -> Kind:
    """Say what a line is that shows something; `pieces` are those of `_ABOVE_PIECES` that the whole text has."""
    if len(line) > _MAX_MARKER:
        return Kind.QUOTE if line[0] == ">" else Kind.TEXT
    first = line[0]
    if first == ">":
        if line.startswith(">>>") and _GROUPWISE.fullmatch(line) and _DATE.search(line):
            return Kind.ATTRIBUTION
        marker = _introduction(line.lstrip(_QUOTE_MARKS), pieces)
        return marker or Kind.QUOTE
    if first in "-–—_=*#~+" and _DELIMITER.fullmatch(line):
        return Kind.DELIMITER
    return _introduction(line, pieces) or Kind.TEXT


def _introduction(line: str, pieces: Sequence[str] = _ABOVE_PIECES) -> Kind | None:
    """Recognise the fixed titles above a quoted or forwarded mail."""
    bare = line.strip(_DECORATION).casefold()
    if bare in _FORWARDED:
        return Kind.FORWARD
    dashed = line[:1] in _MARKS and line.startswith(("--", "==", "__", "**", "~~", "<<", "—", "–"))
    if dashed and bare.startswith(_FORWARDED_BY):
        return Kind.FORWARD
    if pieces and len(line) <= _MAX_ABOVE and any(piece in bare for piece in pieces) and _ABOVE.search(line):
        return Kind.ATTRIBUTION
    # Without dashes it could be the customer's own words.
    return Kind.ATTRIBUTION if bare in _ORIGINAL and (dashed or line.startswith(("-", "_", "*"))) else None


def _protect_code(shown: list[str], kinds: list[Kind]) -> None:
    opened: int | None = None
    for index, line in enumerate(shown):
        if line.startswith("```"):
            if opened is None:
                opened = index
            else:
                kinds[opened : index + 1] = [Kind.TEXT] * (index + 1 - opened)
                opened = None


def _mark_wrapped_quotes(shown: list[str], kinds: list[Kind]) -> None:
    """A client that breaks long quoted lines leaves the rest of each without its ">"."""
    for index in range(1, len(kinds) - 1):
        if (
            kinds[index] is Kind.TEXT
            and kinds[index - 1] is Kind.QUOTE
            and kinds[index + 1] is Kind.QUOTE
            and len(shown[index - 1]) >= _LONG_QUOTE_LINE
            and len(shown[index]) < len(shown[index - 1])
        ):
            kinds[index] = Kind.QUOTE


def _mark_attributions(shown: list[str], kinds: list[Kind]) -> None:
    candidates = 0
    for index, line in enumerate(shown):
        if kinds[index] not in _SAID or not _may_end_attribution(line):
            continue
        candidates += 1
        if candidates > _MAX_CANDIDATES:
            return
        start = _attribution_start(shown, kinds, index)
        if start is not None:
            kinds[start] = Kind.ATTRIBUTION
            for further in range(start + 1, index + 1):
                kinds[further] = Kind.CONTINUED


def _may_end_attribution(line: str) -> bool:
    if len(line) > _MAX_MARKER:
        return False
    bare = line.rstrip(_AFTER_VERB)
    last = bare[-_PROBE:]
    if last in _WROTE_ENDS or (not last.isascii() and (last[-2:] in _WROTE_ENDS or last[-1:] in _WROTE_ENDS)):
        return _WROTE_LAST.search(bare[-_MAX_VERB:]) is not None or "---" in line
    return last[-1:] in (":", "：") or "---" in line


def _wrote_last(text: str) -> re.Match[str] | None:
    """Find the verb that closes an attribution."""
    end = text[-_MAX_VERB:]
    bare = end[:-1].rstrip() if end.endswith((":", "：")) else end.rstrip()
    if bare[-3:] in _WROTE_ENDS or bare[-2:] in _WROTE_ENDS or bare[-1:] in _WROTE_ENDS:
        return _WROTE_LAST.search(end)
    return None


def _attribution_start(shown: list[str], kinds: list[Kind], end: int) -> int | None:
    """Find the line with which the attribution that ends at `end` begins."""
    quoted_next = _next_is_quote(kinds, end)
    best: tuple[int, int | None] = (0, None)
    joined = ""
    for start in range(end, max(-1, end - _MAX_ATTRIBUTION_LINES), -1):
        line = shown[start]
        if kinds[start] not in _SAID or len(joined) + len(line) > _MAX_MARKER:
            break
        if (line[:1] == ">") != (shown[end][:1] == ">") or (start < end and _ends_sentence(line)):
            break
        joined = f"{line.lstrip(_QUOTE_MARKS) if line[:1] == '>' else line} {joined}".strip()
        evidence = _evidence(joined.strip(" *_-–"), quoted_next=quoted_next)
        if evidence == _WHOLE:
            return start
        if evidence > best[0]:
            best = (evidence, start)
    return best[1]


def _ends_sentence(line: str) -> bool:
    """Tell the end of a sentence from an abbreviation such as "febr." or "p.m."."""
    return line.endswith(("!", "?", ":", ";")) or (line.endswith(".") and len(line.rsplit(None, 1)[-1]) > 6)


def _evidence(text: str, *, quoted_next: bool) -> int:
    """Return how surely `text` is an attribution: 0 it is none, below `_WHOLE` it may begin a line earlier."""
    addressed = "@" in text and _ADDRESS.search(text) is not None
    colon = text.endswith((":", "："))
    if "---" in text and _NOTES.match(text):
        return _WHOLE
    if colon and (addressed or quoted_next) and _CITING.match(text):
        return _WHOLE
    numbered = _NUMBER.search(text) is not None
    dated = numbered and _is_dated(text)
    if _wrote_last(text):
        if ((dated and (colon or addressed)) or (quoted_next and numbered)) and _OPENER.match(text):
            return _WHOLE
        if not colon and not (dated and addressed):
            return 0
        return dated + addressed + 1 if dated or addressed else int(quoted_next and len(text.split()) <= 8)
    if not colon or not (dated or addressed):
        return 0
    if _WROTE_INSIDE.search(text):
        if dated and _OPENER.match(text):
            return _WHOLE
        return dated + addressed + 1 if addressed or (dated and (quoted_next or _TIME.search(text))) else 0
    # Gmail in Russian, Japanese and Hebrew has a date and an address, and no verb.
    return _VERBLESS if dated and _TIME.search(text) and _ENDS_WITH_ADDRESS.search(text) else 0


def _is_dated(text: str) -> bool:
    if _TIME.search(text) or _DATE.search(text):
        return True
    numbers = _NUMBER.findall(text)
    return any(len(number) == 4 for number in numbers) and any(len(number) <= 2 for number in numbers)


def _next_is_quote(kinds: list[Kind], index: int) -> bool:
    for kind in kinds[index + 1 : index + 5]:
        if kind is not Kind.EMPTY:
            return kind is Kind.QUOTE
    return False


def _mark_header_blocks(shown: list[str], kinds: list[Kind]) -> None:
    index = 0
    while index < len(shown):
        line = shown[index]
        if kinds[index] is Kind.TEXT and (":" in line or "：" in line) and _header(line):
            end, is_block = _header_block(shown, kinds, index)
            if is_block:
                kinds[index] = Kind.HEADERS
                for further in range(index + 1, end):
                    if kinds[further] is not Kind.EMPTY:
                        kinds[further] = Kind.CONTINUED
            index = end
        else:
            index += 1


def _header(line: str) -> tuple[str, str] | None:
    if (":" not in line and "：" not in line) or len(line) > 4 * _MAX_MARKER:
        return None
    match = _HEADER.match(line)
    if match is None:
        return None
    name = match["name"].strip().casefold()
    return (name, match["value"].strip()) if name in _HEADERS else None


def _header_block(shown: list[str], kinds: list[Kind], start: int) -> tuple[int, bool]:
    """Return where the header lines from `start` end, and whether they are the header of a mail."""
    found: dict[str, str] = {}
    end = index = start
    unknown = 0
    while index < len(shown) and index - start < 40 and unknown <= 3:
        header = _header(shown[index]) if kinds[index] is Kind.TEXT else None
        if header is not None:
            found.setdefault(*header)
            end = index + 1
            unknown = 0
        elif kinds[index] is Kind.TEXT and found and kinds[index - 1] is not Kind.EMPTY:
            unknown += 1  # a list of recipients goes on in the next line
        elif kinds[index] is not Kind.EMPTY or kinds[index - 1] is Kind.EMPTY:
            break
        index += 1
    has_from = not _FROM.isdisjoint(found)
    addressed = any("@" in value for value in found.values())
    # "From: Paris, To: London, Date: …" is a customer's journey: only a subject or an address makes it a mail.
    told = not _SUBJECT.isdisjoint(found) or not _SENT.isdisjoint(found)
    complete = len(found) >= 3 and (addressed or (has_from and told))
    after_rule = start > 0 and kinds[start - 1] in (Kind.DELIMITER, Kind.ATTRIBUTION)
    return end, complete or (len(found) == 2 and has_from and (addressed or after_rule))


def _mark_signatures(shown: list[str], kinds: list[Kind]) -> None:
    previous = Kind.EMPTY
    for index, line in enumerate(shown):
        if kinds[index] is Kind.TEXT and _is_signature(line, alone=previous is not Kind.TEXT):
            following = kinds[index + 1] if index + 1 < len(kinds) else Kind.EMPTY
            goes_on = following is Kind.TEXT and not _is_signature(shown[index + 1], alone=True)
            if not goes_on:
                kinds[index] = Kind.SIGNATURE
        previous = kinds[index]


def _is_signature(line: str, *, alone: bool) -> bool:
    if not line or len(line) > _MAX_MARKER:
        return False
    words = _LINK_TARGET.sub("", line) if "//" in line else line
    if len(words) > _MAX_SIGNATURE:
        return False
    if _starts_signature(words):
        return alone or _DEVICE.search(words) is not None
    return alone and _ends_signature(words) and _DEVICE.search(words) is not None


def _starts_signature(words: str) -> bool:
    start = 0 if words[:1].isalnum() else len(_NO_LETTERS.match(words)[0])  # type: ignore[index]  # matches anything
    first = words[start : start + _PROBE]
    known = first in _SIGNATURE_FIRST or (not first.isascii() and first[:2] in _SIGNATURE_FIRST)
    return known and _SIGNATURE_START.match(words) is not None


def _ends_signature(words: str) -> bool:
    end = len(words)
    while end and not words[end - 1].isalnum():
        end -= 1
    last = words[max(end - _PROBE, 0) : end]
    known = last in _SIGNATURE_LAST or (not last.isascii() and last[-2:] in _SIGNATURE_LAST)
    return known and _SIGNATURE_END.search(words) is not None


def _keep_underlines(shown: list[str], kinds: list[Kind]) -> None:
    """A row of "=" or "-" as long as the line above it underlines a heading."""
    for index in range(1, len(kinds)):
        if (
            kinds[index] is Kind.DELIMITER
            and kinds[index - 1] is Kind.TEXT
            and len(shown[index]) >= 4
            and shown[index][0] in "=-"
            and abs(len(shown[index]) - len(shown[index - 1])) <= 2
        ):
            kinds[index] = Kind.TEXT
