"""Sequences in which a mail could be lost, sent twice, stuck unseen or wrongly told on its way out."""

from __future__ import annotations

import email
from collections.abc import Iterator
from datetime import timedelta
from email.policy import default
from typing import Any
from unittest.mock import patch

import pytest
from botocore.client import BaseClient
from postroom import bootstrap
from postroom.adapters.clock import utc_now
from postroom.adapters.transports import smtp as smtp_adapter
from postroom.edge import HandlerFailed
from postroom.errors import Invalid, Permanent, Transient
from postroom.model.interaction import Status
from postroom.model.outbound import OutboxState
from postroom.services.outbound.settle import resend
from postroom.services.sweep import gauges, raw_messages
from postroom.services.sweep.dead_letters import Letters
from postroom.services.sweep.sweep import Sweep
from postroom_cli.mailservers import SmtpSink

from tests.functional.processing.conftest import CONFIGURATION
from tests.functional.processing.test_outbound import CALL, Queue, _client_error, answer, replied, send, verified
from tests.functional.processing.test_outbound_troubles import send_at, ses
from tests.functional.processing.test_smtp import configure, reply_and_send
from tests.support.aws_stack import AwsStack
from tests.support.mails import mail

__all__ = ["verified"]

PASSWORD = "pässwörd"


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    with SmtpSink({"postroom": "hunter2"}, require_login=True) as server:
        yield server


def dying(stack: AwsStack, text: str) -> str:
    """A mail whose sender died with its content on the wire."""
    interaction_id = stack.process(mail("Auto-Submitted: auto-generated", body=text, message_id=f"<{text}@x>"))
    outbound_id = answer(stack, interaction_id).outbound.id
    before = utc_now() - timedelta(minutes=20)
    stack.outbox.claim(outbound_id, claim="c", message_id=f"<{text}@x>", now=before, abandoned_before=before)
    stack.outbox.mark_data(outbound_id, claim="c", now=before)
    return outbound_id


def state_of(stack: AwsStack, outbound_id: str) -> OutboxState:
    outbound = stack.outbox.get(outbound_id)
    assert outbound is not None
    return outbound.state


@pytest.mark.fault(71)
def test_one_mail_that_cannot_be_settled_keeps_no_other_from_being_told_uncertain(verified: AwsStack) -> None:
    bad, good = dying(verified, "one"), dying(verified, "two")
    settle = type(verified.outbox).settle

    def failing(self: Any, outbound_id: str, **given: Any) -> None:
        if outbound_id == bad:
            raise Permanent("AWS refused what was asked", code="aws_refused")
        settle(self, outbound_id, **given)

    with patch("postroom.adapters.outbox.store.DynamoOutbox.settle", failing):
        assert verified.invoke("Sweep", {})["uncertain"] == 1
    assert (state_of(verified, bad), state_of(verified, good)) == (OutboxState.DATA, OutboxState.UNCERTAIN)
    assert verified.invoke("Sweep", {})["uncertain"] == 1


@pytest.mark.fault(71)
@pytest.mark.parametrize(
    ("room", "part"),
    [
        (raw_messages, "look"),
        (Letters, "settle"),
        (raw_messages, "queue_again"),
        (gauges, "of_outbox"),
        (Sweep, "_sends"),
    ],
    ids=["raw messages", "dead letters", "raw messages queued again", "gauges", "sends"],
)
def test_a_part_of_the_sweep_that_fails_keeps_no_other_from_its_turn_and_is_told(
    verified: AwsStack, room: Any, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    outbound_id = dying(verified, "one")

    def failing(*_arguments: Any, **_named: Any) -> Any:
        raise Transient("AWS was busy", code="aws_busy")

    monkeypatch.setattr(room, part, failing)
    with pytest.raises(HandlerFailed, match="aws_busy"):
        verified.invoke("Sweep", {})
    assert state_of(verified, outbound_id) is OutboxState.UNCERTAIN


@pytest.mark.fault(67)
def test_a_long_outbox_is_queued_again_in_parts_the_oldest_first(
    verified: AwsStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("postroom.services.sweep.sweep._MOST_SENDS", 2)
    mails = [mail("Auto-Submitted: auto-generated", message_id=f"<{n}@x>", body=str(n)) for n in range(3)]
    ids = [answer(verified, verified.process(one)).outbound.id for one in mails]
    verified.queued("OUTBOUND_QUEUE_URL")
    later = utc_now() + timedelta(minutes=10)
    with patch("postroom.bootstrap.clients.utc_now", lambda: later):
        bootstrap.forget()
        verified.invoke("Sweep", {})
    again = [message["outbound"] for message in verified.queued("OUTBOUND_QUEUE_URL")]
    everything = [*verified.outbox.waiting(OutboxState.NEW, before=later)]
    assert set(ids) == set(everything)
    assert again == everything[:2]


@pytest.mark.fault(72)
def test_recipients_refused_beside_one_put_off_are_told_and_the_rest_is_not_called_refused_for_all(
    stack: AwsStack, sink: SmtpSink
) -> None:
    configure(stack, sink)
    sink.faults.recipients = {"bob@example.org": "451 4.2.1 Later", "carol@example.org": "550 5.7.1 Not wanted"}
    outbound = reply_and_send(stack, cc=("bob@example.org", "carol@example.org"))
    assert "carol@example.org (550 5.7.1 Not wanted)" in outbound.reason
    sink.faults.recipients = {"bob@example.org": "550 5.7.1 Not wanted"}
    assert outbound.due is not None
    failed = send_at(stack, outbound.id, outbound.due + timedelta(seconds=1))
    assert failed.state is OutboxState.FAILED
    assert "for bob@example.org alone" in stack.outbox.history(outbound.id)[-1].detail
    assert "carol@example.org (550 5.7.1 Not wanted)" in failed.reason
    sink.faults.recipients = {}
    left = resend(outbound.id, outbox=stack.outbox, queue=Queue(), clock=utc_now, who="ann")
    assert left == ("bob@example.org", "carol@example.org")
    assert send(stack, outbound.id).state is OutboxState.SENT
    assert [received.recipients for received in sink.mails] == [("ann@example.org",), left]
    assert "those who were left, bob@example.org" in stack.outbox.history(outbound.id)[-1].detail


@pytest.mark.fault(69)
def test_a_login_that_is_put_off_is_not_told_as_a_wrong_password(stack: AwsStack, sink: SmtpSink) -> None:
    configure(stack, sink)
    sink.faults.replies["auth"] = "454 4.7.0 Temporary authentication failure"
    outbound = reply_and_send(stack)
    assert (outbound.state, outbound.code) == (OutboxState.DEFERRED, "smtp_454")
    assert "password" not in outbound.reason


def test_a_password_with_letters_beyond_ascii_logs_in(stack: AwsStack) -> None:
    with SmtpSink({"postroom": PASSWORD}, require_login=True) as server:
        configure(stack, server)
        stack.enter_secret("smtp", PASSWORD)
        assert reply_and_send(stack).state is OutboxState.SENT


def test_a_domain_beyond_ascii_is_reached_by_its_name_in_ascii(stack: AwsStack, sink: SmtpSink) -> None:
    configure(stack, sink)
    outbound = reply_and_send(stack, to=("Jörg <joerg@Straße.example.org>",), bcc=("ann@exämple.org",))
    assert outbound.state is OutboxState.SENT, outbound.reason
    (received,) = sink.mails
    assert received.recipients == ("joerg@xn--strae-oqa.example.org", "ann@xn--exmple-cua.org")
    parsed = email.message_from_bytes(received.content, policy=default)
    assert str(parsed["To"]) == "Jörg <joerg@xn--strae-oqa.example.org>"


@pytest.mark.parametrize("field", ["to", "cc", "bcc"])
def test_a_recipient_that_no_server_takes_is_refused_when_the_reply_is_written(verified: AwsStack, field: str) -> None:
    interaction_id = verified.process(mail())
    with pytest.raises(Invalid) as refused:
        answer(verified, interaction_id, **{field: ("jörg@example.org",)})
    assert [problem.path for problem in refused.value.problems] == [field]


def test_a_subject_that_cannot_be_sent_is_refused_when_the_reply_is_written(verified: AwsStack) -> None:
    interaction_id = verified.process(mail())
    with pytest.raises(Invalid) as refused:
        answer(verified, interaction_id, subject="Hello\nBcc: eve@evil.example")
    assert [problem.path for problem in refused.value.problems] == ["subject"]
    interaction = verified.interactions.get(interaction_id)
    assert interaction is not None
    assert interaction.status is Status.QUEUED


def test_a_mail_whose_subject_holds_control_characters_can_be_answered(verified: AwsStack) -> None:
    interaction_id = verified.process(mail("Auto-Submitted: auto-generated", subject="=?utf-8?q?a=01b=E2=80=A8c?="))
    outbound = send(verified, answer(verified, interaction_id).outbound.id)
    assert outbound.state is OutboxState.SENT, outbound.reason
    assert outbound.subject == "Re: a b c"


@pytest.mark.fault(70)
def test_an_exchange_ends_before_its_function_does(
    stack: AwsStack, sink: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smtp_adapter, "_LONGEST_EXCHANGE", 0.5)
    configure(stack, sink, timeout="01:00:00")
    sink.faults.hang.add("dot")
    assert reply_and_send(stack).state is OutboxState.UNCERTAIN


@pytest.mark.fault(4)
@pytest.mark.fault(83)
def test_a_server_that_is_deleted_between_writing_and_sending_is_not_the_way_out_and_it_is_told(
    verified: AwsStack,
) -> None:
    servers = [{"name": "smtp-client", "type": "ses"}, {"name": "gone", "type": "ses"}]
    alias = {"name": "a", "address": "support@example.com", "outbound_server": "gone"}
    verified.configure(**{**CONFIGURATION, "outbound_servers": servers, "aliases": [alias]})
    outbound_id = replied(verified)
    verified.configure(**CONFIGURATION)
    with ses(lambda: None) as requests:
        outbound = send(verified, outbound_id)
        send(verified, outbound_id)
    assert (outbound.state, len(requests)) == (OutboxState.SENT, 1)
    assert "gone, which it was written for, is not its way out any more" in outbound.reason


@pytest.mark.fault(76)
@pytest.mark.parametrize("lost", ["before", "after"])
def test_a_record_of_the_sending_that_is_lost_never_sends_again(verified: AwsStack, lost: str) -> None:
    outbound_id = replied(verified)

    def call(client: Any, operation: str, arguments: Any) -> Any:
        finishing = operation == "UpdateItem" and ":provider_id" in arguments.get("ExpressionAttributeValues", {})
        if finishing and lost == "after":
            CALL(client, operation, arguments)
        if finishing:
            raise _client_error("ThrottlingException", 400)
        return CALL(client, operation, arguments)

    with ses(lambda: None) as requests:
        inner: Any = vars(BaseClient)["_make_api_call"]

        def both(client: Any, operation: str, arguments: Any) -> Any:
            return (
                inner(client, operation, arguments) if operation == "SendEmail" else call(client, operation, arguments)
            )

        with patch("botocore.client.BaseClient._make_api_call", both), pytest.raises(HandlerFailed):
            send(verified, outbound_id)
        send(verified, outbound_id)
        later = utc_now() + timedelta(minutes=20)
        with patch("postroom.bootstrap.clients.utc_now", lambda: later):
            bootstrap.forget()
            verified.invoke("Sweep", {})
        send_at(verified, outbound_id, later)
    assert len(requests) == 1
    assert state_of(verified, outbound_id) is (OutboxState.SENT if lost == "after" else OutboxState.UNCERTAIN)


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    yield
    bootstrap.forget()
