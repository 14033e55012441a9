"""Find the lines with which a client introduces a quoted mail: "On …, Ann wrote:"."""

from __future__ import annotations

import re

from postroom.mail.reply_text.line_kinds import (
    MAX_MARKER,
    PROBE,
    QUOTE_MARKS,
    SPACES,
    Kind,
    Lines,
    any_of,
    folded,
    is_probed,
    probes,
)
from postroom.mail.reply_text.phrases import introductions as phrases

_SAID = (Kind.TEXT, Kind.QUOTE)
_MAX_ATTRIBUTION_LINES = 4
_MAX_CANDIDATES = 500

AFTER_VERB = "*_-–" + SPACES
VERB_ENDS = probes(phrases.WROTE_LAST, ends=True)
_COLONS = (":", "：")
_VERBS = frozenset(folded(verb) for verb in phrases.WROTE_LAST)
_LENGTHS = sorted({len(verb) for verb in _VERBS})
_WROTE_INSIDE = re.compile(rf"\b(?:{any_of(phrases.WROTE_INSIDE)})\b", re.IGNORECASE)
_OPENER = re.compile(rf"(?:(?:{any_of(phrases.OPENERS)})(?:\b|(?=\d))|[0-9])", re.IGNORECASE)
_CITING = re.compile(rf"(?:{any_of(phrases.CITING)})\s.*[:：]$", re.IGNORECASE)
# "On 5 May I wrote to you:" are the writer's own words, unless a marked quote follows.
_OWN_WORDS = re.compile(
    r"\b(?:(?:i|you|we|they) (?:wrote|said)|(?:schrieb|schrieben|schreibt) (?:ich|sie|wir|ihr|man)"
    r"|(?:ik|u|wij) schreef|schreef (?:ik|u|wij)|schreven (?:wij|we)|skrev (?:jag|jeg|du|ni|vi)"
    r"|(?:j['’]ai|vous avez|nous avons) écrit|(?:yo|usted) escrib|(?:я|вы|мы) (?:писал|написал)"
    r"|wrote (?:to )?(?:me|us)|schrieb (?:mir|uns)|schreef (?:mij|me|ons)|(?:m['’]a|nous a) écrit|(?:me|nos) escrib"
    r"|(?:mi|ci) ha scritto|(?:мне|нам) (?:писал|написал)|(?-i:your|votre|vos|su|sus|uw|ваша?|ваши) [a-zà-ÿа-яё])",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"[^\s<>@]@[^\s<>@]")
_ENDS_WITH_ADDRESS = re.compile(r"[<(\[]\s?[^<>\s]*@[^<>]*[>)\]]\s*[:：]$")
_TIME = re.compile(r"\d{1,2}\s?[:.h時点시]\s?\d{2}", re.IGNORECASE)
_DATE = re.compile(r"\d{1,4}\s?[./-]\s?\d{1,2}\s?[./-]\s?\d{1,4}|\d{4}\s?[年년]")
_NUMBER = re.compile(r"\d+")
_NOTES = re.compile(r"\S.{0,80}---\s?\d{1,2}[/.]\d{1,2}[/.]\d{2,4} \d{1,2}[:.]\d{2}")
_WHOLE = 4
_VERBLESS = 3
_MAX_VERB = 50


def mark_attributions(lines: Lines) -> None:
    """Mark the attributions that end at one of the lines that may end one."""
    shown, kinds = lines.shown, lines.kinds
    candidates = 0
    for index in lines.ends:
        if kinds[index] not in _SAID or not may_end_attribution(shown[index]):
            continue
        candidates += 1
        if candidates > _MAX_CANDIDATES:
            return
        start = _attribution_start(shown, kinds, index)
        if start is not None:
            kinds[start] = Kind.ATTRIBUTION
            for further in range(start + 1, index + 1):
                kinds[further] = Kind.CONTINUED


def may_end_attribution(line: str) -> bool:
    """Say whether a line ends as an attribution may: in a verb, a colon, or with Notes' dashes."""
    if len(line) > MAX_MARKER:
        return False
    bare = line.rstrip(AFTER_VERB)
    if is_probed(bare[-PROBE:], VERB_ENDS, ends=True):
        return _wrote_last(bare) or "---" in line
    return bare.endswith(_COLONS) or "---" in line


def _wrote_last(text: str) -> bool:
    """Say whether the text ends in the verb that closes an attribution, a colon after it or not."""
    end = text[-_MAX_VERB:]
    bare = (end[:-1] if end.endswith(_COLONS) else end).rstrip()
    if not is_probed(bare[-PROBE:], VERB_ENDS, ends=True):
        return False
    letters = folded(bare)
    return any(letters[-length:] in _VERBS for length in _LENGTHS)


def _attribution_start(shown: list[str], kinds: list[Kind], end: int) -> int | None:
    """Find the line with which the attribution that ends at `end` begins."""
    quoted_next = _next_is_quote(kinds, end)
    best: tuple[int, int | None] = (0, None)
    joined = ""
    for start in range(end, max(-1, end - _MAX_ATTRIBUTION_LINES), -1):
        line = shown[start]
        if kinds[start] not in _SAID or len(joined) + len(line) > MAX_MARKER:
            break
        if (line[:1] == ">") != (shown[end][:1] == ">") or (start < end and _ends_sentence(line)):
            break
        joined = f"{line.lstrip(QUOTE_MARKS) if line[:1] == '>' else line} {joined}".strip()
        evidence = _evidence(joined, quoted_next=quoted_next)
        if evidence == _WHOLE:
            return start
        if evidence > best[0]:
            best = (evidence, start)
    return best[1]


def _ends_sentence(line: str) -> bool:
    """Tell the end of a sentence from an abbreviation such as "febr." or "p.m."."""
    return line.endswith(("!", "?", ":", ";")) or (line.endswith(".") and len(line.rsplit(None, 1)[-1]) > 6)


def _evidence(line: str, *, quoted_next: bool) -> int:
    """Return how surely `line` is an attribution: 0 it is none, below `_WHOLE` it may begin a line earlier."""
    text = line.strip(" *_-–")
    addressed = "@" in text and _ADDRESS.search(text) is not None
    colon = text.endswith(_COLONS)
    whole = _WHOLE if text.count(">") <= text.count("<") or text[0] == ">" else _VERBLESS  # "<" may be a line above
    if "---" in text and _NOTES.match(text):
        return _WHOLE
    if colon and (addressed or quoted_next) and _CITING.match(text):
        return _WHOLE
    if not addressed and not quoted_next and _OWN_WORDS.search(text):
        return 0
    numbered = _NUMBER.search(text) is not None
    dated = numbered and _is_dated(text)
    if _wrote_last(text):
        # "On 5 May you wrote:" may be the writer's own words; clients tell an address or a time, or mark the quote.
        dated = dated and (addressed or quoted_next or _TIME.search(text) is not None)
        closed = colon or (line.startswith("--") and line.endswith("--"))
        if ((dated and (closed or addressed)) or (quoted_next and numbered)) and _OPENER.match(text):
            return whole
        if not closed and not (dated and addressed):
            return 0
        return dated + addressed + 1 if dated or addressed else int(quoted_next and len(text.split()) <= 8)
    if not colon or not (dated or addressed):
        return 0
    if _WROTE_INSIDE.search(text):
        if dated and _OPENER.match(text):
            return whole
        return dated + addressed + 1 if addressed or (dated and (quoted_next or _TIME.search(text))) else 0
    # Gmail in Russian, Japanese and Hebrew has a date and an address, and no verb; others have one we do not know.
    told = dated and _TIME.search(text) and (_ENDS_WITH_ADDRESS.search(text) or (addressed and quoted_next))
    return _VERBLESS if told else 0


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
