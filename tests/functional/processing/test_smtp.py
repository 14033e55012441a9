"""Sending by SMTP: what the next server does decides the state, and nothing is sent twice (faults 69, 70, 72)."""

from __future__ import annotations

import email
from collections.abc import Iterator
from datetime import timedelta
from email.policy import default
from typing import Any
from unittest.mock import patch

import pytest
from postroom import bootstrap
from postroom.adapters.clock import utc_now
from postroom.adapters.dynamo.secrets import SecretWriter
from postroom.model.outbound import Outbound, OutboxState
from postroom.services.outbound.view import concerns, needs_attention
from postroom_cli.mailservers import SmtpSink

from tests.functional.processing.conftest import CONFIGURATION
from tests.functional.processing.test_outbound import answer, send
from tests.support.aws_stack import AwsStack
from tests.support.mails import mail


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    with SmtpSink({"postroom": "hunter2"}, require_login=True) as server:
        yield server


def configure(stack: AwsStack, sink: SmtpSink, **changes: Any) -> None:
    server = {
        "name": "smtp-client",
        "type": "smtp",
        "host": "localhost",
        "port": sink.port,
        "ca_certificate": sink.ca_pem,
        "user": "postroom",
        "password": {"secret": "smtp"},
        "timeout": "00:00:03",
        **changes,
    }
    stack.configure(**{**CONFIGURATION, "outbound_servers": [server]})
    SecretWriter(
        table=stack.table,
        dynamo=stack.client("dynamodb"),
        kms=stack.client("kms"),
        key_id=stack.environment["CREDENTIALS_KEY_ID"],
    ).put("smtp", "hunter2", now=utc_now())


def reply_and_send(stack: AwsStack, **wanted: Any) -> Outbound:
    interaction_id = stack.process(mail("Auto-Submitted: auto-generated"))
    return send(stack, answer(stack, interaction_id, **wanted).outbound.id)


def test_a_reply_arrives_as_it_was_written_over_verified_tls(stack: AwsStack, sink: SmtpSink) -> None:
    configure(stack, sink)
    text = "Grüße!\n.a line with a dot\n" + "long " * 400
    outbound = reply_and_send(stack, text=text, bcc=("hidden@example.org",))
    assert outbound.state is OutboxState.SENT
    (received,) = sink.mails
    parsed = email.message_from_bytes(received.content, policy=default)
    body = parsed.get_body()
    assert body is not None
    assert (received.encrypted, received.user) == (True, "postroom")
    assert received.recipients == ("ann@example.org", "hidden@example.org")
    assert body.get_content().replace("\r\n", "\n").rstrip() == text.rstrip()
    assert b"hidden@" not in received.content
    assert parsed["In-Reply-To"] == "<1@example.org>"
    assert outbound.message_id == parsed["Message-ID"]
    assert b"\n" not in received.content.replace(b"\r\n", b"")


@pytest.mark.feature("G10")
@pytest.mark.parametrize("said", ["hunter2 is wrong", "what is AHBvc3Ryb29tAGh1bnRlcjI="], ids=["plain", "in base64"])
def test_a_password_that_the_server_repeats_is_in_no_answer_and_no_log(
    stack: AwsStack, sink: SmtpSink, said: str, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(stack, sink)
    sink.faults.replies["auth"] = f"535 5.7.8 {said}"
    outbound = reply_and_send(stack)
    told = f"{outbound!r}{caplog.text}{capsys.readouterr()}"
    assert outbound.state is OutboxState.DEFERRED
    assert "(not shown)" in told
    for secret in ("hunter2", "AHBvc3Ryb29tAGh1bnRlcjI"):
        assert secret not in told


STAGES = ("connect", "ehlo", "auth", "mail", "rcpt", "data", "dot")
REPLIES = {"5xx": "554 5.7.1 No", "4xx": "451 4.3.0 Later", "421": "421 4.3.2 Closing", "drop": ""}


def expected(stage: str, fault: str) -> OutboxState:
    if fault == "drop":
        return OutboxState.UNCERTAIN if stage == "dot" else OutboxState.DEFERRED
    # What is refused before a recipient is named is about us, and for an administrator to mend: the mail waits for it.
    return OutboxState.FAILED if fault == "5xx" and stage in ("rcpt", "data", "dot") else OutboxState.DEFERRED


@pytest.mark.fault(69)
@pytest.mark.fault(70)
@pytest.mark.parametrize("fault", REPLIES)
@pytest.mark.parametrize("stage", STAGES)
def test_a_refusal_or_a_drop_at_each_stage(stack: AwsStack, sink: SmtpSink, stage: str, fault: str) -> None:
    configure(stack, sink)
    if fault == "drop":
        sink.faults.drop.add(stage)
    else:
        sink.faults.replies[stage] = REPLIES[fault]
    outbound = reply_and_send(stack)
    assert outbound.state is expected(stage, fault), outbound.reason
    assert outbound.reason
    assert sink.mails == []


@pytest.mark.fault(70)
@pytest.mark.feature("X09")
@pytest.mark.parametrize("how", ["drop-after-storing", "hang"])
def test_what_was_lost_after_the_dot_is_uncertain_and_never_repeated(stack: AwsStack, sink: SmtpSink, how: str) -> None:
    configure(stack, sink)
    if how == "hang":
        sink.faults.hang.add("dot")
    else:
        sink.faults.drop_after_storing = True
    outbound = reply_and_send(stack)
    assert outbound.state is OutboxState.UNCERTAIN
    before = len(sink.mails)
    sink.faults.hang.clear()
    sink.faults.drop_after_storing = False
    assert send(stack, outbound.id).state is OutboxState.UNCERTAIN
    assert len(sink.mails) == before


@pytest.mark.fault(72)
def test_a_recipient_put_off_is_tried_again_alone_and_one_refused_is_told(stack: AwsStack, sink: SmtpSink) -> None:
    configure(stack, sink)
    sink.faults.recipients = {"bob@example.org": "451 4.2.1 Later", "carol@example.org": "550 5.1.1 Unknown"}
    outbound = reply_and_send(stack, cc=("bob@example.org", "carol@example.org"))
    assert outbound.state is OutboxState.DEFERRED
    assert outbound.remaining == ("bob@example.org",)
    sink.faults.recipients = {}
    stack.client("dynamodb").update_item(  # its time has come
        TableName=stack.table,
        Key={"pk": {"S": f"I#{outbound.id}"}, "sk": {"S": "0"}},
        UpdateExpression="SET due = :past",
        ExpressionAttributeValues={":past": {"S": "2026-01-01T00:00:00.000000Z"}},
    )
    after = send(stack, outbound.id)
    # One that has it and one that never gets it: the mail is not called sent, and nobody gets it twice.
    assert after.state is OutboxState.FAILED
    assert {to: one.state for to, one in after.recipients.items()} == {
        "ann@example.org": OutboxState.SENT,
        "bob@example.org": OutboxState.SENT,
        "carol@example.org": OutboxState.FAILED,
    }
    assert needs_attention(after)
    assert [received.recipients for received in sink.mails] == [("ann@example.org",), ("bob@example.org",)]


@pytest.mark.parametrize(
    ("fault", "code"), [("no_starttls", "STARTTLS"), ("inject_after_starttls", "injected")], ids=["missing", "injected"]
)
def test_nothing_is_sent_without_the_tls_that_was_asked_for(
    stack: AwsStack, sink: SmtpSink, fault: str, code: str
) -> None:
    configure(stack, sink)
    setattr(sink.faults, fault, True)
    outbound = reply_and_send(stack)
    assert outbound.state is OutboxState.DEFERRED
    assert code in outbound.reason
    assert "AUTH" not in sink.commands
    assert sink.mails == []


@pytest.mark.fault(102)
@pytest.mark.feature("X09")
def test_an_answer_to_the_content_that_says_nothing_leaves_the_mail_uncertain_and_sends_it_once(
    stack: AwsStack, sink: SmtpSink
) -> None:
    configure(stack, sink)
    sink.faults.replies["dot"] = "354 go on"
    outbound = reply_and_send(stack)
    assert outbound.state is OutboxState.UNCERTAIN
    assert "neither that it took the mail nor that it did not" in outbound.reason
    for _ in range(4):
        assert send(stack, outbound.id).state is OutboxState.UNCERTAIN
    assert sink.commands.count("DATA") == 1


@pytest.mark.fault(129)
def test_a_refusal_about_us_is_held_warned_of_and_sent_when_it_is_mended(stack: AwsStack, sink: SmtpSink) -> None:
    configure(stack, sink)
    sink.faults.replies["mail"] = "553 5.1.8 <support@example.com>... Domain of sender address does not exist"
    outbound = reply_and_send(stack)
    assert (outbound.state, outbound.code) == (OutboxState.DEFERRED, "sender_refused")
    assert needs_attention(outbound)
    (warning,) = concerns([outbound])["support"]
    assert "outbound server smtp-client" in warning.text
    sink.faults.replies.clear()
    due = outbound.due
    assert due is not None
    assert due - utc_now() < timedelta(minutes=31)
    with patch("postroom.bootstrap.clients.utc_now", lambda: due):
        bootstrap.forget()
        assert send(stack, outbound.id).state is OutboxState.SENT
    bootstrap.forget()
    assert len(sink.mails) == 1


@pytest.mark.fault(129)
def test_a_certificate_that_is_not_trusted_stops_the_sending(stack: AwsStack, sink: SmtpSink) -> None:
    configure(stack, sink, ca_certificate=None)
    outbound = reply_and_send(stack)
    assert outbound.state is OutboxState.DEFERRED
    assert "certificate" in outbound.reason.lower()
    assert "of the outbound server smtp-client" in outbound.reason
    assert needs_attention(outbound)
    assert sink.mails == []
