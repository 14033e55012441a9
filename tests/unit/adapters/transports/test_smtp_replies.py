"""What a server's reply decides, at each stage of a transaction: one table, and the transport itself on the wire."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_network

import pytest
from postroom.adapters.transports.smtp import SmtpTransport
from postroom.adapters.transports.smtp_replies import ABOUT_US, TLS_SETTINGS, Stage, Verdict, about_us, judge
from postroom.errors import PostroomError, SendDeferred, SendRefused, SendUncertain
from postroom.model.configuration.document import Authentication, OutboundServer, ServerType, SmtpSecurity
from postroom.model.outbound import Envelope, OutboxState, Sent
from postroom.services.outbound import waiting
from postroom_cli.mailservers.smtp import SmtpSink

ODD = ("199 ?", "600 ?", "999 ?", "25 OK", "-1", "", "OK", "354 go on", "334 ", "\xff\xfe")
"""Answers that no server gives to a content by RFC 5321, and some do."""


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    with SmtpSink(tls="none") as server:
        yield server


def send(sink: SmtpSink, *recipients: str) -> Sent | PostroomError:
    """Make one attempt; the error is the answer, too."""
    server = OutboundServer(
        name="relay",
        type=ServerType.SMTP,
        host="127.0.0.1",
        port=sink.port,
        security=SmtpSecurity.NONE,
        authentication=Authentication.ANONYMOUS,
    )
    envelope = Envelope(sender="us@example.com", recipients=recipients or ("ann@example.org",))
    try:
        return SmtpTransport(server, password="", allowed_networks=[ip_network("127.0.0.0/8")]).send(
            b"Subject: x\r\n\r\nx\r\n", envelope, outbound_id="o", before_data=lambda known=None: None
        )
    except PostroomError as error:
        return error


@pytest.mark.fault(102)
@pytest.mark.parametrize("reply", [f"{code} done" for code in (200, 220, 221, 235, 250, 251, 252, 299)])
def test_any_2xx_to_the_content_means_that_the_mail_was_taken(sink: SmtpSink, reply: str) -> None:
    sink.faults.replies["dot"] = reply
    sent = send(sink)
    assert isinstance(sent, Sent)
    assert sent.provider_id == reply


@pytest.mark.fault(102)
@pytest.mark.parametrize("reply", ODD)
def test_an_odd_answer_to_the_content_is_neither_success_nor_a_reason_to_send_again(sink: SmtpSink, reply: str) -> None:
    sink.faults.replies["dot"] = reply
    assert isinstance(send(sink), SendUncertain)


@pytest.mark.fault(102)
@pytest.mark.parametrize("stage", ["mail", "rcpt"])
@pytest.mark.parametrize("code", [200, 220, 251, 252])
def test_any_2xx_to_sender_and_recipient_goes_on(sink: SmtpSink, stage: str, code: int) -> None:
    # The simulator takes its own word for what it knows: what is on the wire after the odd reply is what counts.
    sink.faults.replies[stage] = f"{code} fine"
    send(sink)
    assert ("RCPT" if stage == "mail" else "DATA") in sink.commands


@pytest.mark.fault(102)
@pytest.mark.parametrize("stage", ["mail", "rcpt", "data"])
@pytest.mark.parametrize("reply", [one for one in ODD if not one.startswith("3")])
def test_an_odd_answer_before_the_content_puts_the_mail_off_and_refuses_nothing(
    sink: SmtpSink, stage: str, reply: str
) -> None:
    sink.faults.replies[stage] = reply
    assert isinstance(send(sink), SendDeferred)
    assert sink.mails == []


ABOUT = {
    # What servers wrote (sendmail 8.17, Postfix 3.7, Exim 4.96, OpenSMTPD 7, Exchange), and whom it is about.
    "sendmail's unknown domain": (Stage.MAIL, 553, "5.1.8 <a@b.invalid>... Domain of sender address does not exist"),
    "postfix's unknown domain": (Stage.RCPT, 550, "5.1.8 <a@b.invalid>: Sender address rejected: Domain not found"),
    "postfix's relay": (Stage.RCPT, 554, "5.7.1 <ann@example.org>: Relay access denied"),
    "sendmail's relay": (Stage.RCPT, 550, "5.7.1 <ann@example.org>... Relaying denied"),
    "exim's relay": (Stage.RCPT, 550, "relay not permitted"),
    "exchange's relay": (Stage.RCPT, 550, "5.7.54 SMTP; Unable to relay recipient in non-accepted domain"),
    "postfix's owner": (Stage.RCPT, 553, "5.7.1 <a@b>: Sender address rejected: not owned by user x"),
    "exchange's sender": (Stage.CONTENT, 550, "5.7.60 SMTP; Client does not have permissions to send as this sender"),
    "outlook's sender": (Stage.CONTENT, 554, "5.2.252 SendAsDenied; a@b not allowed to send as c@d"),
    "login wanted": (Stage.MAIL, 530, "5.7.0 Must issue a STARTTLS command first"),
    "login wanted at the recipient": (Stage.RCPT, 530, "Authentication required"),
    "blocked": (Stage.RCPT, 554, "5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org"),
    "gmail's authenticity": (Stage.CONTENT, 550, "5.7.26 Unauthenticated email is not accepted due to DMARC policy"),
    "no service": (Stage.SESSION, 554, "No SMTP service here"),
    "a sender without reason": (Stage.MAIL, 550, "no"),
}
NOT_ABOUT = {
    "unknown user": (Stage.RCPT, 550, "5.1.1 <ann@example.org>: Recipient address rejected: User unknown"),
    "full": (Stage.RCPT, 552, "5.2.2 Mailbox full"),
    "too large at MAIL": (Stage.MAIL, 552, "5.3.4 Message size exceeds fixed maximum message size"),
    "too large at MAIL, another code": (Stage.MAIL, 554, "5.3.4 Message too big for system"),
    "policy of theirs": (Stage.RCPT, 550, "5.7.1 Message rejected by the recipient's policy"),
    "spam": (Stage.CONTENT, 554, "5.7.1 Message looks like spam"),
    "smtp-sink": (Stage.MAIL, 500, "5.3.0 Error: command failed"),
}


@pytest.mark.fault(129)
@pytest.mark.parametrize(("stage", "code", "text"), ABOUT.values(), ids=ABOUT.keys())
def test_a_refusal_about_us_is_not_taken_for_one_of_the_recipient(stage: Stage, code: int, text: str) -> None:
    assert judge(code, text, stage) is Verdict.ABOUT_US
    assert about_us(code, text, stage) in ABOUT_US


@pytest.mark.fault(129)
@pytest.mark.parametrize(("stage", "code", "text"), NOT_ABOUT.values(), ids=NOT_ABOUT.keys())
def test_a_refusal_about_the_recipient_or_the_mail_is_final(stage: Stage, code: int, text: str) -> None:
    assert judge(code, text, stage) is Verdict.REFUSED


@pytest.mark.fault(129)
def test_recipients_that_we_may_not_relay_to_wait_beside_those_that_have_the_mail(sink: SmtpSink) -> None:
    sink.faults.recipients = {
        "ann@example.org": "554 5.7.1 <ann@example.org>: Relay access denied",
        "eve@example.org": "550 5.1.1 Unknown",
    }
    sent = send(sink, "ann@example.org", "bob@example.com", "eve@example.org")
    assert isinstance(sent, Sent)
    assert {to: (one.state, one.code) for to, one in sent.others.items()} == {
        "ann@example.org": (OutboxState.DEFERRED, "relay_denied"),
        "eve@example.org": (OutboxState.FAILED, "recipients_refused"),
    }
    nobody = send(sink, "ann@example.org", "eve@example.org")
    assert isinstance(nobody, Sent)
    assert nobody.others == sent.others
    refused = send(sink, "ann@example.org")
    assert isinstance(refused, SendDeferred)
    assert refused.code == "relay_denied"
    assert "relay" in refused.remedy


def test_a_recipient_that_is_refused_alone_fails(sink: SmtpSink) -> None:
    sink.faults.recipients = {"ann@example.org": "550 5.1.1 Unknown"}
    assert isinstance(send(sink), SendRefused)


def test_every_code_that_an_administrator_mends_is_waited_for() -> None:
    assert ABOUT_US == waiting.REFUSED_US
    assert TLS_SETTINGS == waiting.TLS_SETTINGS
    assert ABOUT_US | TLS_SETTINGS <= waiting.WAITS_FOR_SETTINGS
