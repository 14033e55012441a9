"""Every rule and every kind of event has a sentence of its own, and none shows a hole."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from postroom.mail.origin.sender import SenderFlag
from postroom.model.decision import Decision, DecisionRule, Named, Outcome, UnlistedRule, stored_decision
from postroom.model.event_kinds import EventKind, UnlistedKind, event_kind
from postroom.model.interaction import Event, InteractionRef, Subtype
from postroom.model.outbound import Delivery, Outbound, OutboxState
from postroom.rules.threads import RULES
from postroom.rules.workflows import RunResult
from postroom.services.why.decision_sentences import tell_decision
from postroom.services.why.event_sentences import tell_event
from postroom.services.why.summaries import summary_of_outbound

NOW = datetime(2026, 11, 21, 13, tzinfo=UTC)
DETAILS = ["", "a detail.", "with {braces} and % signs"]
OUTCOMES: dict[DecisionRule, list[str]] = {
    DecisionRule.KIND_REPORT: ["ndr", "report", "disposition", "feedback"],
    DecisionRule.SENDER: [flag.value for flag in SenderFlag],
    DecisionRule.AUTO_REPLY: ["suppressed", "queued", "written"],
    DecisionRule.WORKFLOW: [*(result.value for result in RunResult), "cut"],
}
ANY_OUTCOME = ["joined", "new", "cut", "hint", "fall-back", "delete", "overridden", "claimed", "a-name"]


@pytest.mark.parametrize("rule", list(DecisionRule))
@pytest.mark.parametrize("detail", DETAILS)
def test_a_sentence_is_whole_whatever_the_outcome_and_the_detail(rule: DecisionRule, detail: str) -> None:
    for outcome in OUTCOMES.get(rule, ANY_OUTCOME):
        said = tell_decision(stored_decision(rule.value, outcome, detail))
        assert re.match(r"[A-Z]", said)
        assert said.endswith(".")
        assert not said.endswith("..")
        assert not re.search(r"\{(detail|rule|outcome)\}", said)
        assert not said.startswith(f"{rule.value}: ")


@pytest.mark.parametrize("flag", list(SenderFlag))
def test_every_oddity_of_a_sender_is_said_in_words(flag: SenderFlag) -> None:
    assert flag.value not in tell_decision(Decision(DecisionRule.SENDER, flag))


def test_every_rule_of_the_threading_is_in_the_vocabulary() -> None:
    named = {rule.value for rule in DecisionRule if rule.value.startswith("thread.")}
    assert len(named) >= len(RULES)


@pytest.mark.parametrize("kind", [*EventKind, UnlistedKind("something-new")])
@pytest.mark.parametrize("detail", [*DETAILS, "{'no': json"])
def test_an_event_is_a_whole_sentence_whatever_its_detail(kind: EventKind | UnlistedKind, detail: str) -> None:
    said = tell_event(Event(NOW, kind, detail, "ann"))
    assert said.endswith(".")
    assert ": ." not in said
    assert not re.search(r"\{(detail|who)\}", said)


@pytest.mark.parametrize(
    ("rule", "outcome"),
    [("new.rule", "done"), (DecisionRule.SENDER, "new-flag"), (DecisionRule.AUTO_REPLY, "something-else")],
)
def test_what_another_version_decided_is_told_as_it_stands(rule: str, outcome: str) -> None:
    assert tell_decision(stored_decision(rule, outcome, "by itself")) == f"{rule}: {outcome} by itself."


def test_what_is_stored_reads_back_as_the_vocabulary_or_as_it_stands() -> None:
    assert event_kind("bounced") is EventKind.BOUNCED
    assert event_kind("subscription") == UnlistedKind("subscription")
    assert stored_decision("route", "support", "") == Decision(DecisionRule.ROUTE, Named("support"))
    assert stored_decision("masking", "cut", "").outcome == Outcome.CUT
    assert stored_decision("later", "x", "").rule == UnlistedRule("later")


@pytest.mark.parametrize("state", list(OutboxState))
@pytest.mark.parametrize("delivery", list(Delivery))
def test_every_state_of_an_outgoing_mail_is_said(state: OutboxState, delivery: Delivery) -> None:
    outbound = Outbound(
        id="o",
        subtype=Subtype.OUTBOUND_REPLY,
        thread_id="t",
        answers=InteractionRef("p"),
        mailbox="support",
        department="service",
        from_address="support@example.com",
        to=("ann@example.org",),
        subject="s",
        text="t",
        created=NOW,
        server="ses",
        state=state,
        delivery=delivery,
    )
    said = summary_of_outbound(outbound)
    assert said.endswith(".")
    assert "{" not in said
