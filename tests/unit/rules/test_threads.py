"""The thread of a mail: who may join, and who starts a new one with a hint (docs/threat-model.md 6)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from postroom.model.understanding import TokenPlace
from postroom.rules.threads import (
    Claims,
    Confidence,
    ReferenceFact,
    SubjectFact,
    ThreadSettings,
    TokenFact,
    decide,
)

ANN = "ann@example.com"
EVE = "eve@evil.example"
OURS = ReferenceFact("<ours@example.org>", "t1", participants=frozenset({ANN}), ours=True)
TOKEN = TokenFact("o1", TokenPlace.REFERENCES, "t1", participants=frozenset({ANN}))
MARKER = replace(TOKEN, place=TokenPlace.BODY)


@pytest.mark.parametrize(
    ("claims", "join", "confidence", "rule"),
    [
        pytest.param(Claims(ANN), None, Confidence.NEW, "no-reference", id="nothing-claimed"),
        pytest.param(Claims(EVE, tokens=(TOKEN,)), "t1", Confidence.PROVEN, "token", id="token-from-anybody"),
        pytest.param(
            Claims(EVE, tokens=(replace(TOKEN, place=TokenPlace.PLUS_ADDRESS),)),
            "t1",
            Confidence.PROVEN,
            "token",
            id="plus",
        ),
        pytest.param(
            Claims(EVE, references=(replace(OURS, unguessable=True),)), "t1", Confidence.PROVEN, "sent-id", id="sent-id"
        ),
        pytest.param(
            Claims(ANN, sender_verified=True, references=(OURS,)),
            "t1",
            Confidence.VERIFIED,
            "participant",
            id="participant",
        ),
        pytest.param(Claims(ANN, references=(OURS,)), None, Confidence.REFUSED, "unproven", id="unproven-participant"),
        pytest.param(
            Claims(ANN, dmarc_failed=True, references=(OURS,)), None, Confidence.REFUSED, "unproven", id="dmarc-failed"
        ),
        pytest.param(
            Claims(EVE, sender_verified=True, references=(OURS,)), None, Confidence.REFUSED, "stranger", id="stranger"
        ),
        pytest.param(
            Claims(ANN, tokens=(MARKER,)), "t1", Confidence.VERIFIED, "body-marker", id="marker-of-participant"
        ),
        pytest.param(Claims(EVE, tokens=(MARKER,)), None, Confidence.REFUSED, "body-marker", id="marker-forwarded"),
        pytest.param(
            Claims(ANN, dmarc_failed=True, tokens=(MARKER,)),
            None,
            Confidence.REFUSED,
            "body-marker",
            id="marker-spoofed",
        ),
        pytest.param(Claims(EVE, forged_token=True), None, Confidence.REFUSED, "forged-token", id="forged-token"),
        pytest.param(
            Claims(ANN, sender_verified=True, subject=SubjectFact("t1", frozenset({ANN}))),
            None,
            Confidence.REFUSED,
            "subject-alone",
            id="subject-alone",
        ),
        pytest.param(
            Claims(ANN, references=(ReferenceFact("<gone@x>", None),)),
            None,
            Confidence.NEW,
            "parent-missing",
            id="missing",
        ),
        pytest.param(
            Claims(ANN, sender_verified=True, references=(replace(OURS, deleted=True),)),
            None,
            Confidence.NEW,
            "parent-deleted",
            id="deleted",
        ),
        pytest.param(
            Claims(ANN, tokens=(replace(TOKEN, thread_id=None),)),
            None,
            Confidence.NEW,
            "parent-deleted",
            id="token-deleted",
        ),
    ],
)
def test_a_mail_joins_only_with_proof(claims: Claims, join: str | None, confidence: Confidence, rule: str) -> None:
    decision = decide(claims)
    assert (decision.join, decision.confidence, decision.rule) == (join, confidence, f"thread.{rule}")


def test_a_refused_claim_is_a_hint_that_suggests_the_thread() -> None:
    decision = decide(Claims(EVE, references=(OURS,)))
    assert decision.suggested == "t1"
    assert decision.hint is not None
    assert "t1" in decision.hint
    assert decision.outcome == "new"


def test_a_missing_parent_says_so() -> None:
    decision = decide(Claims(ANN, references=(ReferenceFact("<gone@x>", None),)))
    assert decision.hint == "it answers <gone@x>, which is not here (yet)"
    assert decision.detail.startswith("new: ")


def test_a_reference_further_back_counts_when_the_nearest_is_unknown() -> None:
    claims = Claims(ANN, sender_verified=True, references=(ReferenceFact("<unknown@x>", None), OURS))
    assert decide(claims).join == "t1"


def test_a_proof_outranks_an_unknown_token() -> None:
    claims = Claims(ANN, sender_verified=True, tokens=(replace(TOKEN, thread_id=None),), references=(OURS,))
    assert decide(claims).join == "t1"


def test_an_empty_sender_takes_part_in_nothing() -> None:
    claims = Claims("", sender_verified=True, references=(replace(OURS, participants=frozenset({ANN})),))
    assert decide(claims).join is None


@pytest.mark.parametrize(
    ("settings", "claims", "rule"),
    [
        (ThreadSettings(subject_joins=True), Claims(EVE, subject=SubjectFact("t1")), "subject"),
        (ThreadSettings(unverified_participants_join=True), Claims(ANN, references=(OURS,)), "unverified-participant"),
    ],
)
def test_a_setting_can_trust_more_and_says_so(settings: ThreadSettings, claims: Claims, rule: str) -> None:
    decision = decide(claims, settings)
    assert (decision.join, decision.confidence, decision.rule) == ("t1", Confidence.LIKELY, f"thread.{rule}")


@pytest.mark.parametrize("settings", [ThreadSettings(subject_joins=True, unverified_participants_join=True)])
def test_no_setting_lets_a_failed_dmarc_in(settings: ThreadSettings) -> None:
    claims = Claims(ANN, dmarc_failed=True, references=(OURS,), subject=SubjectFact("t1"))
    assert decide(claims, settings).join is None
