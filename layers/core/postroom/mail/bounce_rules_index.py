"""Find the first row of a table that speaks about a failure, without comparing every text of every row."""

from __future__ import annotations

from collections.abc import Sequence

from postroom.mail.bounce_rules_hosts import HOST_RULES
from postroom.mail.bounce_rules_reasons import Rule
from postroom.mail.bounce_rules_systems import TEXT_RULES
from postroom.mail.phrase_index import PhraseIndex
from postroom.mail.reasons import Failure


class RuleIndex:
    """An ordered table with its texts filed, the rows of one host or reporter apart from those of all."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = tuple(rules)
        self._always = frozenset(place for place, rule in enumerate(rules) if not rule.any_of and not rule.host)
        self._places: dict[str, list[int]] = {}
        self._hosts: dict[tuple[str, ...], list[int]] = {}
        for place, rule in enumerate(rules):
            if rule.host:
                self._hosts.setdefault(rule.host, []).append(place)
                continue
            for text in rule.any_of:
                self._places.setdefault(text, []).append(place)
        self._texts = PhraseIndex(self._places)

    def first(self, text: str, failure: Failure, host: str) -> Rule | None:
        """Return the first row that matches, None without one; `text` is normalised, `host` lower case."""
        places = set(self._always)
        for one in self._texts.within(text):
            places.update(self._places[one])
        for pieces, rows in self._hosts.items():
            for piece in pieces:
                if piece in host:
                    places.update(rows)
                    break
        for place in sorted(places):
            rule = self._rules[place]
            if rule.matches(text, failure, host):
                return rule
        return None


HOST_INDEX = RuleIndex(HOST_RULES)
TEXT_INDEX = RuleIndex(TEXT_RULES)
