"""What a line of a mail can be, and how lines are compared with the phrases of all languages."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import product


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


@dataclass(slots=True)
class Lines:
    """The lines of a text as people see them, what each is so far, and which are worth a closer look, in order."""

    shown: list[str]
    kinds: list[Kind]
    ends: list[int]  # may end an attribution
    colons: list[int]  # may be a header of a quoted mail
    signatures: list[int]  # may be a mobile signature


# A longer line is text: no client writes such an introduction, and matching stays cheap.
MAX_MARKER = 400
PROBE = 3
"""Letters by which a line is looked up before it is searched; the phrases of fewer are Chinese and Korean."""

# What `\s` is, for `strip`.
SPACES = " \t\n\r\v\f\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)
QUOTE_MARKS = ">|" + SPACES

# What `re.IGNORECASE` takes for one letter besides its upper and lower case (those of the phrases' alphabets).
_SAME_LETTER = {"i": "ıİ", "ı": "iİ", "s": "ſ", "k": "\u212a", "å": "\u212b", "σ": "ς", "ς": "σ", "μ": "µ"}
_SAME_LETTER |= {"ε": "ϵ", "θ": "ϑϴ", "κ": "ϰ", "π": "ϖ", "ρ": "ϱ"}
_SAME_LETTER |= {"в": "\u1c80", "д": "\u1c81", "о": "\u1c82", "с": "\u1c83", "т": "\u1c84\u1c85"}


def probes(words: Sequence[str], *, ends: bool) -> frozenset[str]:
    """Return the first or last letters of the words: one look-up tells most lines from those to be searched."""
    parts = {word[-PROBE:] if ends else word[:PROBE] for word in words}
    return frozenset(written for part in parts for written in _cases(part))


def _cases(letters: str) -> Iterator[str]:
    """Yield every way that a few letters may be written where case does not count."""
    alike = [{one, one.lower(), one.upper(), *_SAME_LETTER.get(one.lower(), "")} for one in letters]
    for chosen in product(*alike):
        yield "".join(chosen)


def is_probed(letters: str, known: frozenset[str], *, ends: bool) -> bool:
    """Say whether up to three letters are, or begin or end with, one of the probes."""
    if letters in known:
        return True
    if letters.isascii():
        return False
    return (letters[-2:] if ends else letters[:2]) in known or (letters[-1:] if ends else letters[:1]) in known


def any_of(words: Sequence[str]) -> str:
    """Return a pattern that finds the longest of the words."""
    return "|".join(re.escape(word) for word in sorted(set(words), key=len, reverse=True))


def any_word(words: Sequence[str]) -> str:
    """Return a pattern that finds a space and one of the words, of three letters or more, in either case.

    It looks for the space and for three letters by class first: a third of the time of `re.IGNORECASE`.
    """
    columns = ("".join(sorted({written for word in words for written in _cases(word[at])})) for at in range(PROBE))
    ahead = "".join(f"[{column}]" for column in columns)
    return f" (?={ahead})(?:{'|'.join(''.join(f'[{one}{one.upper()}]' for one in word) for word in words)})"


def folded(text: str) -> str:
    """Return a text in the letters that phrases are compared in; a Turkish dotless i counts as an i."""
    lower = text.casefold()
    return lower if lower.isascii() else lower.replace("i̇", "i").replace("ı", "i")
