"""Delivery exceptions: the predefined table, and when a phrase diverts a mail."""

from __future__ import annotations

from collections import Counter

import pytest
from postroom.rules.delivery_exceptions import (
    DeliveryException,
    ExceptionType,
    Failure,
    evaluate,
    predefined,
    problem_with,
)


def test_the_predefined_table_has_16_address_and_111_subject_phrases() -> None:
    table = predefined()
    assert Counter(each.type for each in table) == {ExceptionType.ADDRESS: 16, ExceptionType.SUBJECT: 111}
    assert all(each.predefined and "@" not in each.phrase for each in table)
    assert len({(each.type, each.name) for each in table}) == 127


@pytest.mark.parametrize(
    ("sender", "subject", "name", "failure"),
    [
        ("mdaemon@example.com", "hello", "mdaemon", Failure.TEMPORARY),
        ("Auto-Reply.bot@example.com", "hello", "Auto-reply", Failure.PERMANENT),
        ("ann@example.com", "Automatic reply: your order", "Automatic reply", Failure.PERMANENT),
        ("ann@example.com", "RE: OUT OF  OFFICE until Monday", "Out of office", Failure.PERMANENT),
        ("ann@example.com", "Undeliverable: hello", "Undeliverable", Failure.TEMPORARY),
        ("ann@example.com", "Re\u0301ponse automatique : absent", "Réponse automatique", Failure.PERMANENT),
    ],
)
def test_a_phrase_matches_without_regard_to_case_space_and_composition(
    sender: str, subject: str, name: str, failure: Failure
) -> None:
    match = evaluate(sender, subject, table=predefined(), corroborated=True)
    assert match is not None
    assert (match.exception.name, match.exception.failure) == (name, failure)
    assert match.diverts


@pytest.mark.parametrize(
    ("sender", "subject"),
    [
        pytest.param("ann@postmaster.example", "hello", id="address-phrase-in-the-domain"),
        pytest.param("ann@example.com", "Question about my postmaster", id="address-phrase-in-the-subject"),
        pytest.param("vacation@example.com", "hello", id="subject-phrase-in-the-address"),
    ],
)
def test_a_phrase_matches_only_in_its_own_place(sender: str, subject: str) -> None:
    assert evaluate(sender, subject, table=predefined(), corroborated=True) is None


def test_an_uncorroborated_phrase_is_only_a_hint_unless_phrases_are_strict() -> None:
    hint = evaluate("ann@example.com", "My vacation booking", table=predefined(), corroborated=False)
    strict = evaluate("ann@example.com", "My vacation booking", table=predefined(), corroborated=False, strict=True)
    assert hint is not None
    assert strict is not None
    assert not hint.diverts
    assert "hint" in hint.why
    assert strict.diverts
    assert "strict" in strict.why


def test_the_first_row_of_the_table_wins() -> None:
    rows = [
        DeliveryException("one", ExceptionType.SUBJECT, "mail", Failure.TEMPORARY),
        DeliveryException("two", ExceptionType.SUBJECT, "mail failed", Failure.PERMANENT),
    ]
    match = evaluate("a@b", "Mail failed", table=rows, corroborated=True)
    assert match is not None
    assert match.exception.name == "one"


@pytest.mark.parametrize(
    ("phrase", "says"),
    [("", "empty"), ("   ", "empty"), ("bounce@example.com", "'@'"), ("x" * 256, "256 characters")],
)
def test_a_phrase_that_could_never_be_right_is_refused_with_a_remedy(phrase: str, says: str) -> None:
    problem = problem_with(phrase)
    assert problem is not None
    assert says in problem
    with pytest.raises(ValueError, match="phrase"):
        DeliveryException("x", ExceptionType.SUBJECT, phrase, Failure.PERMANENT)
