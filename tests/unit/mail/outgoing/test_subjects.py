"""A subject carries one prefix, whatever languages answered before."""

from __future__ import annotations

import pytest
from postroom.mail.outgoing.subjects import FORWARD_PREFIXES, REPLY_PREFIXES, forward_subject, reply_subject


@pytest.mark.feature("A09")
@pytest.mark.parametrize(
    ("given", "answered"),
    [
        ("Your order", "Re: Your order"),
        ("Re: Your order", "Re: Your order"),
        ("RE: AW: Antw: 回复：Your order", "Re: Your order"),
        ("回复：答复: Re[4]: SV: Ihre Bestellung", "Re: Ihre Bestellung"),
        ("Re^2: x", "Re: x"),
        ("Re (3): x", "Re: x"),
        ("Re : x", "Re: x"),
        ("Re: [orders] AW: Re: x", "Re: [orders] x"),
        ("[orders] Re: x", "Re: [orders] x"),
        ("[orders] x", "Re: [orders] x"),
        ("WG: Rechnung", "Re: WG: Rechnung"),
        ("Re: Fwd: Re: x", "Re: Fwd: Re: x"),
        ("Reality: a film", "Re: Reality: a film"),
        ("Reply: no prefix of anybody's", "Re: Reply: no prefix of anybody's"),
        ("", "Re:"),
        ("Re:", "Re:"),
        ("  AW:  ", "Re:"),
    ],
)
def test_an_answer_has_re_once(given: str, answered: str) -> None:
    assert reply_subject(given) == answered
    assert reply_subject(answered) == answered


@pytest.mark.feature("A09")
@pytest.mark.parametrize(
    ("given", "forwarded"),
    [
        ("Your order", "Fwd: Your order"),
        ("Re: Your order", "Fwd: Re: Your order"),
        ("WG: TR: 转发：Fwd: x", "Fwd: x"),
        ("[orders] Fw: x", "Fwd: [orders] x"),
        ("", "Fwd:"),
    ],
)
def test_a_forward_has_fwd_once(given: str, forwarded: str) -> None:
    assert forward_subject(given) == forwarded
    assert forward_subject(forwarded) == forwarded


def test_every_prefix_alone_and_stacked_is_taken_away() -> None:
    for word in REPLY_PREFIXES:
        assert reply_subject(f"{word}: {word.upper()}： x") == "Re: x", word
    for word in FORWARD_PREFIXES:
        assert forward_subject(f"{word}: {word}: x") == "Fwd: x", word


def test_a_subject_of_prefixes_alone_takes_linear_time() -> None:
    assert reply_subject("Re: " * 50_000 + "x") == "Re: x"
    assert reply_subject("Re" * 50_000) == "Re: " + "Re" * 50_000
