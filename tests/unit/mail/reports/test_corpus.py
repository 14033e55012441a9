"""The measures over the public corpora: bounces recognised and understood, ordinary mail left alone."""

from __future__ import annotations

import pytest

from tests.support.corpora import folder
from tests.support.score_bounces import Score, failures_among, score_bounces

# A report among the mails that broke a library: the only one of that folder that is a bounce.
REPORTS_AMONG_ODD_MAIL = {"multipart_report_emails-multi_address_bounce2.eml"}


@pytest.fixture(scope="module")
def score() -> Score:
    return score_bounces(folder("bounces"))


def test_98_of_100_bounces_are_recognised(score: Score) -> None:
    assert score.recognised >= 0.98 * score.mails


@pytest.mark.parametrize("measure", ["status_class", "permanence"])
def test_95_of_100_recipients_have_the_right_class_and_permanence(score: Score, measure: str) -> None:
    assert getattr(score, measure) >= 0.95 * score.recipients


def test_95_of_100_bounces_name_a_recipient_that_the_mail_names(score: Score) -> None:
    assert score.with_address >= 0.95 * score.mails


def test_92_of_100_recipients_have_the_right_reason(score: Score) -> None:
    assert score.reason >= 0.92 * score.recipients


def test_no_ordinary_mail_is_called_a_failure() -> None:
    count, called = failures_among([folder("mime"), folder("mime-odd"), folder("replies")])
    assert count > 0
    assert [line for line in called if not any(name in line for name in REPORTS_AMONG_ODD_MAIL)] == []
