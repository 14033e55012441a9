"""Tell words that only point to what stands below, greet or sign, from words that say something."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from postroom.mail.reply_text.line_kinds import any_of
from postroom.mail.reply_text.lines import visible
from postroom.mail.reply_text.phrases import pointers as phrases

_FIRST_UNSPACED = "\u0e00"  # Thai, and behind it the other scripts that write words together
_SPACED = [word for word in phrases.BELOW if word < _FIRST_UNSPACED]
_UNSPACED = [word for word in phrases.BELOW if word >= _FIRST_UNSPACED]
_BELOW = re.compile(rf"(?<!\w)(?:{any_of(_SPACED)})(?!\w)|{any_of(_UNSPACED)}")
_FOLLOWING = re.compile(rf"(?<!\w)(?:{any_of(phrases.FOLLOWING)})(?!\w)")
_WORD = re.compile(r"\w+")
# Searching for two hundred phrases is slow: a line is searched only if it has one word that such a phrase begins with.
_FIRST_WORDS = frozenset(found[0] for word in (*_SPACED, *phrases.FOLLOWING) if (found := _WORD.match(word)))
_GREETING = re.compile(rf"(?:{any_of(phrases.GREETINGS)})(?!\w)")
_CLOSINGS = frozenset(phrases.CLOSINGS)
_SIGNS = " \t,.!;:-–—*_。！、，"
_MOST_WORDS = 9  # of a line that does nothing but point, its thanks included
_MOST_SIGNS = 30  # characters of one in a script without spaces
_MOST_NAMES = 5  # lines below a closing
_NAME_WORDS = 6
_LONGEST = 200


def points_below(lines: Iterable[str]) -> bool:
    """Say whether one of some lines has a word that points to what stands below it, or announces it."""
    words = "\n".join([line[-_LONGEST:] for line in lines]).lower()
    return _may_point(words) and (_BELOW.search(words) is not None or _FOLLOWING.search(words) is not None)


def _may_point(words: str) -> bool:
    """Say quickly whether a text in small letters may have one of the words: most have none."""
    return not _FIRST_WORDS.isdisjoint(_WORD.findall(words)) or any(map(words.__contains__, _UNSPACED))


def only_points(line: str) -> bool:
    """Say whether a line is short and points below: "See below.", "Antworten unten in Rot"."""
    if len(line) > _LONGEST:
        return False
    return (
        len(line.split()) <= _MOST_WORDS
        and (" " in line or len(line) <= _MOST_SIGNS)
        and _BELOW.search(line.lower()) is not None
    )


def says_nothing(lines: Iterable[str], *, writer: str = "") -> tuple[bool, bool]:
    """Say whether lines only greet, point and sign; and whether one of them points.

    `writer` is the name under which the mail was sent: a line of it says nothing either.
    """
    names = frozenset(_words(writer))
    shown = [text for line in lines if (text := visible(line))]
    points = False
    closed: int | None = None  # lines since the closing
    for text in shown:
        if is_rule(text) or is_closing(text):
            closed = 0
        elif only_points(text):
            points = True
        elif closed is not None and closed < _MOST_NAMES and _may_be_name(text):
            closed += 1
        elif not (_is_greeting(text) or is_name(text, names)):
            return False, False
    return bool(shown), points


def is_rule(line: str) -> bool:
    """Say whether a line is a title of unknown words between dashes, or nothing but signs."""
    bare = line.strip("-–—_=*~#<>+ \t")
    return not bare or (line[:2] == line[-2:] and line[:1] in "-–—_=*~" and line[:1] == line[1:2] and len(bare) < 60)


def is_closing(line: str) -> bool:
    """Say whether a line closes a letter: "Kind regards,"."""
    return len(line) <= 60 and line.strip(_SIGNS).lower() in _CLOSINGS


def is_name(line: str, names: frozenset[str]) -> bool:
    """Say whether a line has no other words than a name has."""
    words = _words(line)
    return bool(words) and len(words) <= _NAME_WORDS and names.issuperset(words)


def names_of(writer: str) -> frozenset[str]:
    """Return the words of a name as `is_name` compares them."""
    return frozenset(_words(writer))


def _words(text: str) -> Sequence[str]:
    return [word for piece in text[:_LONGEST].lower().split() if (word := piece.strip("\"'(),.;:-–—*_"))]


def _is_greeting(line: str) -> bool:
    """Say whether a line only addresses somebody: "Dear Ann," and "Hello all"."""
    lower = line.lower()
    return len(line.split()) <= _NAME_WORDS and _GREETING.match(lower) is not None and not line.endswith(("?", "."))


def _may_be_name(line: str) -> bool:
    return len(line.split()) <= _NAME_WORDS and not line.endswith(("?", "!", ".", "。"))
