"""Who may write what became of a mail, what lets waiting mail go, and to whom it goes then.

The family: a condition that is always true. Each test here fails when its condition is taken away.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes
from typing import Any

import pytest
from postroom.adapters.clock import utc_now
from postroom.errors import LeaseLost
from postroom.model.configuration.document import Configuration
from postroom.model.event_kinds import EventKind
from postroom.model.interaction import Event
from postroom.model.outbound import OutboxState
from postroom.services.outbound.retry_held import after_change
from postroom.services.outbound.settle import resend
from postroom_cli.mailservers.smtp import SmtpSink

from tests.functional.processing.conftest import CONFIGURATION
from tests.functional.processing.test_outbound import Queue, answer, event, replied, send, verified
from tests.support.aws_stack import AwsStack, sqs_event
from tests.support.mails import mail

__all__ = ["verified"]


def claim(stack: AwsStack, outbound_id: str, who: str, minutes_ago: int) -> bool:
    moment = utc_now() - timedelta(minutes=minutes_ago)
    claimed = stack.outbox.claim(
        outbound_id,
        claim=who,
        message_id="<x@example.com>",
        now=moment,
        abandoned_before=moment - timedelta(minutes=15),
    )
    return claimed is not None


def finish(stack: AwsStack, outbound_id: str, who: str, state: OutboxState) -> None:
    now = utc_now()
    stack.outbox.finish(
        outbound_id, claim=who, state=state, event=Event(at=now, what=EventKind.SETTLED, detail=""), due=now
    )


def state_of(stack: AwsStack, outbound_id: str) -> tuple[OutboxState, str | None]:
    outbound = stack.outbox.get(outbound_id)
    assert outbound is not None
    return outbound.state, outbound.claim


@pytest.mark.fault(110)
@pytest.mark.feature("X09")
@pytest.mark.parametrize("outcome", [OutboxState.DEFERRED, OutboxState.SENT, OutboxState.FAILED, OutboxState.UNCERTAIN])
@pytest.mark.parametrize("successor", ["sending", "content on the wire", "uncertain", "resent after uncertain"])
def test_a_sender_that_wakes_up_after_its_successor_cannot_write_its_outcome(
    verified: AwsStack, successor: str, outcome: OutboxState
) -> None:
    outbound_id = replied(verified)
    assert claim(verified, outbound_id, "dead", 40)
    if successor == "resent after uncertain":
        verified.outbox.mark_data(outbound_id, claim="dead", now=utc_now() - timedelta(minutes=40))
        assert verified.invoke("Sweep", {})["uncertain"] == 1
        resend(outbound_id, outbox=verified.outbox, queue=Queue(), clock=utc_now, who="ann")
    assert claim(verified, outbound_id, "successor", 0)
    if successor in ("content on the wire", "uncertain"):
        verified.outbox.mark_data(outbound_id, claim="successor", now=utc_now())
    if successor == "uncertain":
        finish(verified, outbound_id, "successor", OutboxState.UNCERTAIN)
    before = state_of(verified, outbound_id)
    with pytest.raises(LeaseLost):
        finish(verified, outbound_id, "dead", outcome)
    with pytest.raises(LeaseLost):
        verified.outbox.mark_data(outbound_id, claim="dead", now=utc_now())
    assert state_of(verified, outbound_id) == before


TWO = {
    **CONFIGURATION,
    "outbound_servers": [
        {"name": "smtp-client", "type": "smtp", "host": "mail.example.com", "authentication": "anonymous"},
        {"name": "other", "type": "smtp", "host": "other.example.com", "authentication": "anonymous"},
    ],
    "aliases": [{"name": "support", "address": "support@example.com"}],
}


def changed(**sections: Any) -> Configuration:
    return Configuration.model_validate({**TWO, **sections})


CHANGES: dict[str, tuple[Configuration, bool]] = {
    "a template": (changed(templates=[]), False),
    "another mailbox": (changed(mailboxes=TWO["mailboxes"][:1]), False),
    "another server": (
        changed(outbound_servers=[TWO["outbound_servers"][0], {**TWO["outbound_servers"][1], "port": 2525}]),
        False,
    ),
    "another alias": (changed(aliases=[*TWO["aliases"], {"name": "b", "address": "b@example.com"}]), False),
    "its alias's bcc": (changed(aliases=[{**TWO["aliases"][0], "automatic_bcc": "x@example.com"}]), False),
    "its server": (
        changed(outbound_servers=[{**TWO["outbound_servers"][0], "port": 2525}, TWO["outbound_servers"][1]]),
        True,
    ),
}


@pytest.mark.feature("C04")
def test_a_change_lets_go_the_waiting_mail_whose_way_out_it_changes_and_no_other(configured: AwsStack) -> None:
    outbound_id = replied(configured)
    assert claim(configured, outbound_id, "me", 0)
    due = utc_now() + timedelta(hours=4)
    configured.outbox.finish(
        outbound_id,
        claim="me",
        state=OutboxState.DEFERRED,
        event=Event(at=utc_now(), what=EventKind.DEFERRED, detail=""),
        due=due,
    )
    old = changed()
    for name, (new, expected) in CHANGES.items():
        queue = Queue()
        released = after_change(old, new, outbox=configured.outbox, queue=queue, now=utc_now(), who="ann")
        assert (released, len(queue.sent)) == (((outbound_id,), 1) if expected else ((), 0)), name
        state = state_of(configured, outbound_id)[0]
        assert state is (OutboxState.NEW if expected else OutboxState.DEFERRED), name


@pytest.mark.fault(79)
@pytest.mark.feature("X09")
@pytest.mark.parametrize(
    ("kind", "state"),
    [("Rendering Failure", OutboxState.UNCERTAIN), ("Delivery", OutboxState.SENT), ("Reject", OutboxState.SENT)],
)
def test_only_a_report_of_a_mail_that_ses_had_taken_settles_an_uncertain_one(
    verified: AwsStack, kind: str, state: OutboxState
) -> None:
    outbound_id = replied(verified)
    assert claim(verified, outbound_id, "me", 0)
    verified.outbox.mark_data(outbound_id, claim="me", now=utc_now())
    finish(verified, outbound_id, "me", OutboxState.UNCERTAIN)
    assert verified.invoke("TrackDelivery", sqs_event(event(kind, outbound_id))) == {"batchItemFailures": []}
    assert state_of(verified, outbound_id)[0] is state


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    with SmtpSink(tls="none") as server:
        yield server


def with_alias(stack: AwsStack, sink: SmtpSink, **alias: Any) -> None:
    server = {
        "name": "smtp-client",
        "type": "smtp",
        "host": "localhost",
        "port": sink.port,
        "security": "none",
        "authentication": "anonymous",
    }
    aliases = [{"name": "support", "address": "support@example.com", **alias}]
    stack.configure(**{**CONFIGURATION, "outbound_servers": [server], "aliases": aliases})


@pytest.mark.feature("C01")
def test_mail_that_was_written_before_is_diverted_too_and_acknowledgements_get_their_blind_copy(
    stack: AwsStack, sink: SmtpSink
) -> None:
    with_alias(stack, sink)
    interaction_id = stack.process(mail())
    waiting = answer(stack, interaction_id, cc=("bob@example.org",)).outbound.id
    with_alias(stack, sink, send_mail_to="sink@example.com", automatic_bcc="archive@example.com")
    assert send(stack, waiting).state is OutboxState.SENT
    (acknowledgement,) = [one["outbound"] for one in stack.queued("OUTBOUND_QUEUE_URL")]
    send(stack, acknowledgement)
    assert [one.recipients for one in sink.mails] == [("sink@example.com",)] * 2
    parsed = message_from_bytes(sink.mails[0].content)
    assert parsed["To"] == "sink@example.com"
    assert parsed["X-Postroom-Written-To"] == "Ann <ann@example.org>, bob@example.org"
    assert "send_mail_to of the alias support" in stack.outbox.history(waiting)[-1].detail
    # Without the diversion the blind copy is due: to automatic mail as well.
    with_alias(stack, sink, automatic_bcc="archive@example.com")
    stack.process(mail(message_id="<2@example.org>", sender="dora@example.org"))
    (other,) = [one["outbound"] for one in stack.queued("OUTBOUND_QUEUE_URL")]
    send(stack, other)
    assert sink.mails[-1].recipients == ("dora@example.org", "archive@example.com")
    assert b"archive@" not in sink.mails[-1].content
