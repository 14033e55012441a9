"""Whom an agent's reply goes to, through the real handlers: the person behind a mail, never we ourselves."""

from __future__ import annotations

import pytest
from postroom.errors import Invalid

from tests.functional.processing.test_outbound import answer, verified
from tests.support.aws_stack import AwsStack
from tests.support.mails import mail

__all__ = ["verified"]


@pytest.mark.feature("A09")
@pytest.mark.parametrize(
    ("headers", "sender", "to"),
    [
        (["Reply-To: Bob <bob@example.net>"], "Ann <ann@example.org>", ('"Bob" <bob@example.net>',)),
        (["Reply-To: Support <support@example.com>"], "Ann <ann@example.org>", ('"Ann" <ann@example.org>',)),
        (["Reply-To: Ann <ann@example.org>"], "Shop form <support@example.com>", ('"Ann" <ann@example.org>',)),
        (["X-Original-From: Ann <ann@example.org>"], "Shop <support@example.com>", ("ann@example.org",)),
        ([], "Ann <ann@example.org>, Bob <bob@example.net>", ('"Ann" <ann@example.org>', "bob@example.net")),
    ],
    ids=["Reply-To", "Reply-To of ours", "form with Reply-To", "form with X-Original-From", "two authors"],
)
def test_a_reply_goes_to_the_person_behind_the_mail(
    verified: AwsStack, headers: list[str], sender: str, to: tuple[str, ...]
) -> None:
    interaction_id = verified.process(mail(*headers, sender=sender))
    assert answer(verified, interaction_id).outbound.to == to


@pytest.mark.feature("A09")
@pytest.mark.parametrize(
    ("sender", "words"),
    [("no-reply@shop.example", "read by nobody"), ("MAILER-DAEMON@mx.example", "read by nobody")],
    ids=["no-reply", "mailer-daemon"],
)
def test_a_reply_to_nobody_is_refused_with_what_to_do(verified: AwsStack, sender: str, words: str) -> None:
    interaction_id = verified.process(mail(sender=sender))
    with pytest.raises(Invalid) as caught:
        answer(verified, interaction_id)
    (problem,) = caught.value.problems
    assert (problem.path, words in problem.problem) == ("to", True)
    assert "close it" in problem.remedy
    assert answer(verified, interaction_id, to=("Ann <ann@example.org>",)).outbound.to == ('"Ann" <ann@example.org>',)
