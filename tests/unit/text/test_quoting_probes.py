"""The cheap look at a line passes every phrase of every language on to the pattern that decides."""

from itertools import chain

import pytest
from postroom.mail import quoting_lines as lines
from postroom.mail import quoting_phrases as phrases


def _written(words: tuple[str, ...]) -> list[str]:
    return sorted(set(chain.from_iterable((word, word.upper(), word.title(), word.lower()) for word in words)))


@pytest.mark.parametrize("phrase", _written(phrases.WROTE_LAST))
def test_every_verb_that_the_pattern_finds_passes_the_probe(phrase: str) -> None:
    for line in (f"x {phrase}", f"x {phrase}:", f"x {phrase} ："):
        assert lines._may_end_attribution(line)


@pytest.mark.parametrize("phrase", _written(phrases.SIGNATURE_STARTS))
def test_every_beginning_of_a_signature_passes_the_probe(phrase: str) -> None:
    line = f"* {phrase} x"
    assert lines._starts_signature(line) is (lines._SIGNATURE_START.match(line) is not None)


@pytest.mark.parametrize("phrase", _written(phrases.SIGNATURE_ENDS))
def test_every_end_of_a_signature_passes_the_probe(phrase: str) -> None:
    line = f"x {phrase}. "
    assert lines._ends_signature(line) is (lines._SIGNATURE_END.search(line) is not None)


@pytest.mark.parametrize("phrase", phrases.REPLY_ABOVE)
def test_every_line_above_which_to_answer_is_told(phrase: str) -> None:
    assert lines._introduction(f"## {phrase} ##") is lines.Kind.ATTRIBUTION
