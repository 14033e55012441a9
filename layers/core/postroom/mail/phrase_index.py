"""Find which of many phrases occur in a text, without comparing each of them.

A phrase of several words is filed under one of them, the one that the fewest phrases share: a word within it stands in
the text as it is, the first may be the end of a longer one, and the last the beginning. Which phrases may occur is then
known from the text's own words, and what a word leads to is remembered: reports say the same words again and again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from functools import lru_cache

_REMEMBERED = 8_192  # words
_LONGEST = 100  # characters: longer words are no words, and are not remembered
# Words are what stands between signs, in phrases and texts alike. Letters stand for themselves: `translate` is slow
# with what it does not find.
_SIGNS = {ord(sign): sign if sign.isalnum() else " " for sign in map(chr, range(128))}

_Filed = dict[str, list[str]]


def phrases(text: str) -> tuple[str, ...]:
    """Split a block of phrases at ` | ` and at line ends."""
    return tuple(phrase for piece in text.split("|") if (phrase := " ".join(piece.split())))


class PhraseIndex:
    """Phrases, filed; they are compared as they are written."""

    __slots__ = ("_by_head", "_by_tail", "_by_word", "_longest", "_remembered", "_single", "_wordless")

    def __init__(self, phrases: Iterable[str]) -> None:
        self._by_word: _Filed = {}
        self._by_head: _Filed = {}
        self._by_tail: _Filed = {}
        wordless: list[str] = []
        single: list[str] = []
        places = {phrase: tuple(self._places(phrase)) for phrase in dict.fromkeys(phrases)}
        shared = Counter((id(table), key) for found in places.values() for table, key in found)
        for phrase, found in places.items():
            if found:
                table, key = min(found, key=lambda place: (shared[id(place[0]), place[1]], place[1]))
                table.setdefault(key, []).append(phrase)
            else:
                (wordless if " " in phrase.translate(_SIGNS) else single).append(phrase)
        self._single = tuple(single)  # one word, which may be a piece of another
        self._wordless = tuple(wordless)  # signs and short words: looked for as they are
        self._longest = max(map(len, (*self._by_head, *self._by_tail)), default=0)
        self._remembered = lru_cache(maxsize=_REMEMBERED)(self._suggested)

    def _places(self, phrase: str) -> Iterator[tuple[_Filed, str]]:
        """Yield where a phrase may be filed; nothing for one word."""
        words = phrase.translate(_SIGNS).split(" ")
        if len(words) == 1:
            return
        first, *within, last = words
        for word in filter(None, within):
            yield self._by_word, word
        if first:
            yield self._by_tail, first
        if last:
            yield self._by_head, last

    def _suggested(self, word: str) -> tuple[str, ...]:
        """Return the phrases that may occur where this word does."""
        longest = min(len(word), self._longest)
        return (
            *(phrase for phrase in self._single if phrase in word),
            *self._by_word.get(word, ()),
            *(phrase for size in range(1, longest + 1) for phrase in self._by_head.get(word[:size], ())),
            *(phrase for size in range(1, longest + 1) for phrase in self._by_tail.get(word[-size:], ())),
        )

    def suggested(self, text: str) -> set[str]:
        """Return the phrases that may occur in a text, and all that do, whatever is taken out between its words."""
        words = set(text.translate(_SIGNS).split(" "))
        look_up = self._remembered if max(map(len, words)) <= _LONGEST else self._suggested
        return set(self._wordless).union(*map(look_up, words))

    def within(self, text: str) -> list[str]:
        """Return the phrases that occur in a text, in no order."""
        return [phrase for phrase in self.suggested(text) if phrase in text]
