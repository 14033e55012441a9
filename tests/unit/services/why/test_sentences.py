"""Every rule and every event has a sentence of its own, and none shows a hole."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import postroom
import pytest
from postroom.mail.origin.sender import SenderFlag
from postroom.model.decision import Decision
from postroom.model.interaction import Event, Subtype
from postroom.model.outbound import Delivery, Outbound, OutboxState
from postroom.services.outbound import ses_events
from postroom.services.why.sentences import DECISIONS, EVENTS, summary_of_outbound, tell_decision, tell_event

SOURCES = Path(postroom.__file__).parent
NOW = datetime(2026, 11, 21, 13, tzinfo=UTC)
# Made by `explain` alone, which shows decisions as they are; and by names that lead to a rule of the table.
NOT_STORED = {"thread"}


def written(call: str, argument: str) -> Iterator[str]:
    """Find the texts that are written as an argument of every call of a name, where they are written there."""
    for path in sorted(SOURCES.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == call):
                continue
            found = [one.value for one in node.keywords if one.arg == argument] or node.args[:1]
            for value in found:
                if isinstance(value, ast.JoinedStr):
                    value = value.values[0]
                if isinstance(value, ast.Constant) and isinstance(value.value, str):
                    yield value.value


def test_every_rule_that_decides_has_a_row() -> None:
    rules = set(written("Decision", "rule")) - NOT_STORED
    assert {"kind.report", "masking", "copies", "thread."} <= rules
    known = {row.rule for row in DECISIONS}
    unknown = {
        rule
        for rule in rules
        if rule not in known and not any(one.endswith((".", ":")) and rule.startswith(one) for one in known)
    }
    assert unknown == set()


def test_every_event_that_is_written_has_a_sentence() -> None:
    events = set(written("Event", "what")) | {what for _delivery, what in ses_events.KINDS.values()}
    assert {"replied", "seen_again", "bounced"} <= events | {"seen_again"}
    assert events - set(EVENTS) - {"merged", "split", "undone"} == set()


@pytest.mark.parametrize("flag", list(SenderFlag))
def test_every_oddity_of_a_sender_is_said_in_words(flag: SenderFlag) -> None:
    assert flag.value not in tell_decision(Decision("sender", flag.value))


@pytest.mark.parametrize("row", DECISIONS, ids=lambda row: f"{row.rule}-{row.outcome}")
@pytest.mark.parametrize("detail", ["", "a detail.", "with {braces} and % signs"])
def test_a_sentence_is_whole_whatever_the_detail(row: object, detail: str) -> None:
    rule, outcome = getattr(row, "rule", ""), getattr(row, "outcome", "")
    said = tell_decision(Decision(rule + ("x" if rule.endswith((".", ":")) else ""), outcome, detail))
    assert re.match(r"[A-Z]", said)
    assert said.endswith(".")
    assert not said.endswith("..")
    assert "{detail}" not in said


@pytest.mark.parametrize("what", [*EVENTS, "merged", "something-new"])
@pytest.mark.parametrize("detail", ["", "a detail.", "{'no': json"])
def test_an_event_is_a_whole_sentence_whatever_its_detail(what: str, detail: str) -> None:
    said = tell_event(Event(NOW, what, detail, "ann"))
    assert said.endswith(".")
    assert ": ." not in said
    assert "{detail}" not in said


def test_an_unknown_rule_is_told_as_it_stands() -> None:
    assert tell_decision(Decision("new.rule", "done", "by itself")) == "new.rule: done by itself."


@pytest.mark.parametrize("state", list(OutboxState))
@pytest.mark.parametrize("delivery", list(Delivery))
def test_every_state_of_an_outgoing_mail_is_said(state: OutboxState, delivery: Delivery) -> None:
    outbound = Outbound(
        id="o",
        subtype=Subtype.OUTBOUND_REPLY,
        thread_id="t",
        parent_id="p",
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
