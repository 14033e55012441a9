"""The cheap look at a line passes every phrase of every language on to the pattern that decides."""

from itertools import chain

import pytest
from postroom.mail.reply_text import attributions, footers, lines, signatures
from postroom.mail.reply_text.line_kinds import Kind
from postroom.mail.reply_text.phrases import footers as footer_phrases
from postroom.mail.reply_text.phrases import introductions as phrases


def _written(words: tuple[str, ...]) -> list[str]:
    return sorted(set(chain.from_iterable((word, word.upper(), word.title(), word.lower()) for word in words)))


@pytest.mark.parametrize("phrase", _written(phrases.WROTE_LAST))
def test_every_verb_that_the_pattern_finds_passes_the_probe(phrase: str) -> None:
    for line in (f"x {phrase}", f"x {phrase}:", f"x {phrase} ："):
        assert attributions.may_end_attribution(line)
        assert lines._at_end(line[-4:]) & lines._ENDING


@pytest.mark.parametrize("phrase", _written(phrases.SIGNATURE_STARTS))
def test_every_beginning_of_a_signature_passes_the_probe(phrase: str) -> None:
    line = f"* {phrase} x"
    assert signatures.starts_signature(line) is (signatures._STARTS.match(line) is not None)
    assert lines._at_head(f"{phrase} x"[:3]) & lines._SIGNATURE


@pytest.mark.parametrize("phrase", _written(phrases.SIGNATURE_ENDS))
def test_every_end_of_a_signature_passes_the_probe(phrase: str) -> None:
    line = f"x {phrase}. "
    assert signatures.ends_signature(line) is (signatures._ENDS.search(line) is not None)
    assert all(lines._at_end(f"x {phrase}{sign}"[-4:]) & lines._SIGNATURE for sign in ("", ".", " ♥"))


@pytest.mark.parametrize("phrase", _written(phrases.FORWARDED))
def test_every_title_of_a_forward_passes_the_probe(phrase: str) -> None:
    assert lines._at_head(phrase[:3]) & lines._SPECIAL


@pytest.mark.parametrize("phrase", _written(phrases.REPLY_ABOVE))
def test_every_line_above_which_to_answer_is_told(phrase: str) -> None:
    for line in (f"## {phrase} ##", f"x {phrase}"):
        assert lines.classify(["Thank you.", "", line, "> Hello"])[2] is Kind.ATTRIBUTION


@pytest.mark.parametrize("phrase", _written(footer_phrases.FOOTER_STARTS))
def test_every_beginning_of_a_notice_is_told(phrase: str) -> None:
    lines_of_mail = ["Yes.", "", f"*{phrase} x confidential x addressee"]
    assert footers.first_footer(lines_of_mail, "".join(lines.classify(lines_of_mail))) == 2
