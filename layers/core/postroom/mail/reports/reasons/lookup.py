"""Find the first row of the tables that speaks about a failure, without comparing every text of every row."""

from __future__ import annotations

from collections.abc import Sequence

from postroom.mail import PhraseIndex
from postroom.mail.reports.reasons.by_host import HOST_RULES
from postroom.mail.reports.reasons.languages import LANGUAGE_RULES
from postroom.mail.reports.reasons.rule import Rule
from postroom.mail.reports.reasons.system import TEXT_RULES
from postroom.mail.reports.reasons.vocabulary import Failure


class RuleIndex:
    """Two ordered tables with their texts filed: rows asked about all words, then rows asked about bare ones."""

    def __init__(self, first_rules: Sequence[Rule], bare_rules: Sequence[Rule] = ()) -> None:
        self._rules = (*first_rules, *bare_rules)
        self._bare_from = len(first_rules)
        wordless = [(place, rule) for place, rule in enumerate(self._rules) if not rule.any_of and not rule.host]
        self._always = frozenset(place for place, rule in wordless if not rule.status)
        self._of_status = frozenset(place for place, rule in wordless if rule.status)
        self._statuses = tuple(status for _, rule in wordless for status in rule.status)
        self._hosts: dict[tuple[str, ...], list[int]] = {}
        self._places: dict[str, tuple[list[int], list[int]]] = {}
        for place, rule in enumerate(self._rules):
            if rule.host:
                self._hosts.setdefault(rule.host, []).append(place)
                continue
            for text in rule.any_of:
                self._places.setdefault(text, ([], []))[place >= self._bare_from].append(place)
        self._texts = PhraseIndex(self._places)

    def first(self, text: str, failure: Failure, host: str, *, bare: str | None = None) -> Rule | None:
        """Return the first row that matches, None without one.

        `text` is normalised, `bare` the same without names (`text` itself, where it is not given), `host` lower case.
        """
        bare = text if bare is None else bare
        said: set[int] = set()
        for phrase in self._texts.suggested(text):
            of_all, of_bare = self._places[phrase]
            if of_all and phrase in text:
                said.update(of_all)
            if of_bare and phrase in bare:
                said.update(of_bare)
        others = set(self._always)
        if failure.status.startswith(self._statuses):
            others.update(self._of_status)
        for pieces, rows in self._hosts.items():
            for piece in pieces:
                if piece in host:
                    others.update(rows)
                    break
        for place in sorted(said | others):
            rule = self._rules[place]
            if rule.matches(bare if place >= self._bare_from else text, failure, host, said=place in said):
                return rule
        return None


INDEX = RuleIndex(HOST_RULES, (*TEXT_RULES, *LANGUAGE_RULES))
