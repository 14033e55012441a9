"""Find the first row of a table that speaks about a failure, without comparing every text of every row.

Each text of a table is filed under three letters of it, the ones that the fewest texts share. What may occur in a
server's words is then known from the words' own three-letter pieces; most rows are done with by one look-up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from postroom.mail.bounce_rules_hosts import HOST_RULES
from postroom.mail.bounce_rules_reasons import Rule
from postroom.mail.bounce_rules_systems import TEXT_RULES
from postroom.mail.reasons import Failure

_LETTERS = 3


class RuleIndex:
    """An ordered table with its texts filed."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = tuple(rules)
        self._always = frozenset(place for place, rule in enumerate(rules) if not rule.any_of)
        self._places: dict[str, list[int]] = {}
        for place, rule in enumerate(rules):
            for text in rule.any_of:
                self._places.setdefault(text, []).append(place)
        texts = self._places.keys()
        shared = Counter(piece for text in texts for piece in set(_pieces(text)))
        self._short = tuple(text for text in texts if len(text) < _LETTERS)
        self._filed: dict[str, list[str]] = {}
        for text in texts:
            if len(text) >= _LETTERS:
                self._filed.setdefault(min(_pieces(text), key=lambda piece: (shared[piece], piece)), []).append(text)

    def first(self, text: str, failure: Failure, host: str) -> Rule | None:
        """Return the first row that matches, None without one; `text` is normalised, `host` lower case."""
        places = set(self._always)
        for one in self._short:
            if one in text:
                places.update(self._places[one])
        for piece in self._filed.keys() & _pieces(text):
            for one in self._filed[piece]:
                if one in text:
                    places.update(self._places[one])
        for place in sorted(places):
            rule = self._rules[place]
            if rule.matches(text, failure, host):
                return rule
        return None


def _pieces(text: str) -> Iterator[str]:
    return map("".join, zip(text, text[1:], text[2:], strict=False))


HOST_INDEX = RuleIndex(HOST_RULES)
TEXT_INDEX = RuleIndex(TEXT_RULES)
