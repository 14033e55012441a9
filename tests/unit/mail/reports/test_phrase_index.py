"""An index of phrases finds exactly those that occur, wherever they begin and end."""

from __future__ import annotations

import random

import pytest
from postroom.mail.phrase_index import PhraseIndex
from postroom.mail.reports.reasons.by_host import HOST_RULES
from postroom.mail.reports.reasons.system import TEXT_RULES
from postroom.mail.reports.reporters import COMMAND_HINTS, COMMANDS
from postroom.rules.delivery_exceptions import predefined

TABLES = {
    "hosts": [text for rule in HOST_RULES for text in rule.any_of],
    "texts": [text for rule in TEXT_RULES for text in rule.any_of],
    "exceptions": [row.folded for row in predefined()],
    "odd": [
        "",
        "a",
        "a b",
        "??",
        "x-y",
        " b",
        "b ",
        "äö ü",
        "user unknown",
        "known",
        "n u",
        "r unk",
        "送信 できません",
    ],
}


@pytest.mark.parametrize("phrases", TABLES.values(), ids=TABLES.keys())
def test_it_finds_what_comparing_every_phrase_finds(phrases: list[str]) -> None:
    chance = random.Random(3)
    index = PhraseIndex(phrases)
    for _ in range(400):
        pieces = [chance.choice(phrases)[chance.randrange(2) :] for _ in range(3)]
        text = chance.choice([" ", "", "-", ": "]).join(pieces)
        assert set(index.within(text)) == {phrase for phrase in phrases if phrase in text}


def test_every_phrase_that_names_a_command_has_a_hint() -> None:
    assert [phrase for phrase, _ in COMMANDS if not any(hint in phrase for hint in COMMAND_HINTS)] == []
