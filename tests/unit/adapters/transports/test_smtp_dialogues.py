"""Whole dialogues with SMTP servers: what each comes to, at each recipient, and what was on the wire.

The family: whom a refusal is about (stage, enhanced code, words), and what is certain of whom when a dialogue ends
early. Texts are those of sendmail, Postfix, Exim, OpenSMTPD, Exchange, Gmail and some that are only odd.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import Any

import pytest
from postroom.adapters.transports.smtp import SmtpTransport
from postroom.errors import PostroomError, SendDeferred, SendRefused, SendUncertain
from postroom.model.configuration.document import Authentication, OutboundServer, ServerType, SmtpSecurity
from postroom.model.outbound import Envelope, OutboxState, Sent
from postroom_cli.mailservers.smtp import SmtpSink

ANN, BOB, CY = "ann@example.org", "bob@example.org", "cy@example.net"
SENT, LATER, FAILED, UNSURE = OutboxState.SENT, OutboxState.DEFERRED, OutboxState.FAILED, OutboxState.UNCERTAIN
UNKNOWN_USER = "550 5.1.1 <x>: Recipient address rejected: User unknown"
RELAY = "554 5.7.1 <x>: Relay access denied"
GREY = "450 4.2.0 <x>: Recipient address rejected: Greylisted"


@dataclass(frozen=True)
class Dialogue:
    """What the server does, and what that comes to: the states of ann, bob and cy, and the code of the first."""

    states: tuple[OutboxState, ...]
    code: str = ""
    replies: Mapping[str, str] = field(default_factory=dict)
    recipients: Mapping[str, str] = field(default_factory=dict)
    drop: frozenset[str] = frozenset()
    more: Mapping[str, Any] = field(default_factory=dict)  # of the simulator's faults
    contents: int = 0  # that the server has taken


def at(stage: str, reply: str, *states: OutboxState, code: str = "", contents: int = 0) -> Dialogue:
    return Dialogue(states or (LATER,) * 3, code, {stage: reply}, contents=contents)


def of(*states: OutboxState, code: str = "", contents: int = 1, **recipients: str) -> Dialogue:
    names = {"ann": ANN, "bob": BOB, "cy": CY}
    return Dialogue(states, code, recipients={names[one]: said for one, said in recipients.items()}, contents=contents)


def lost(stage: str, *states: OutboxState) -> Dialogue:
    return Dialogue(states or (LATER,) * 3, drop=frozenset({stage}))


ALL_FAILED, ALL_UNSURE = (FAILED,) * 3, (UNSURE,) * 3

DIALOGUES: dict[str, Dialogue] = {
    "all taken": Dialogue((SENT,) * 3, contents=1),
    # The session is about us.
    "greeting 554": at("connect", "554 No SMTP service here", code="client_refused"),
    "greeting 421": at("connect", "421 4.3.2 Service shutting down"),
    "greeting 521": at("connect", "521 Server does not accept mail", code="client_refused"),
    "greeting odd": at("connect", "777 what"),
    "ehlo 421": at("ehlo", "421 4.7.0 Too many connections"),
    "greeting lost": lost("connect"),
    "ehlo lost": lost("ehlo"),
    # MAIL is ours.
    "sendmail does not know our domain": at(
        "mail", "553 5.1.8 <a@b>... Domain of sender address a@b does not exist", code="sender_refused"
    ),
    "postfix does not know our domain": at(
        "mail", "550 5.1.8 <a@b>: Sender address rejected: Domain not found", code="sender_refused"
    ),
    "a temporary failure of our domain's name": at("mail", "451 4.1.8 Domain of sender address does not resolve"),
    "exim verifies our sender": at("mail", "550 Sender verify failed", code="sender_refused"),
    "opensmtpd": at("mail", "550 Invalid sender", code="sender_refused"),
    "login wanted at MAIL": at("mail", "530 5.7.0 Authentication required", code="client_refused"),
    "starttls wanted at MAIL": at("mail", "530 5.7.0 Must issue a STARTTLS command first", code="client_refused"),
    "too large at MAIL": at("mail", "552 5.3.4 Message size exceeds fixed limit", *ALL_FAILED),
    "a parameter at MAIL": at("mail", "555 5.5.4 Unsupported option: SIZE", *ALL_FAILED),
    "MAIL put off": at("mail", "452 4.3.1 Insufficient system storage"),
    "MAIL lost": lost("mail"),
    # RCPT is theirs, unless the words or the code say that it is us.
    "one unknown": of(SENT, FAILED, SENT, bob=UNKNOWN_USER),
    "one full": of(SENT, FAILED, SENT, bob="552 5.2.2 Mailbox full"),
    "one over quota for now": of(SENT, LATER, SENT, bob="452 4.2.2 Mailbox full"),
    "one greylisted": of(LATER, SENT, SENT, ann=GREY),
    "all greylisted": of(LATER, LATER, LATER, contents=0, ann=GREY, bob=GREY, cy=GREY),
    "all unknown": of(
        *ALL_FAILED, code="recipients_refused", contents=0, ann=UNKNOWN_USER, bob=UNKNOWN_USER, cy=UNKNOWN_USER
    ),
    "one unknown, one greylisted": of(FAILED, LATER, SENT, code="recipients_refused", ann=UNKNOWN_USER, bob=GREY),
    "we may not relay to one": of(SENT, SENT, LATER, cy=RELAY),
    "we may not relay to the first": of(LATER, SENT, SENT, code="relay_denied", ann=RELAY),
    "we may not relay at all": of(*(LATER,) * 3, code="relay_denied", contents=0, ann=RELAY, bob=RELAY, cy=RELAY),
    "exchange's relay": of(
        LATER, SENT, SENT, code="relay_denied", ann="550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain"
    ),
    "sender not owned, at RCPT": of(
        LATER, SENT, SENT, code="sender_refused", ann="553 5.7.1 <a@b>: Sender address rejected: not owned by user u"
    ),
    "blocked by a list, at RCPT": of(
        LATER, SENT, SENT, code="client_refused", ann="554 5.7.1 Service unavailable; Client host blocked using zen"
    ),
    "a policy of the recipient": of(
        FAILED, SENT, SENT, code="recipients_refused", ann="550 5.7.1 Rejected by the recipient's policy"
    ),
    "closing at RCPT": of(LATER, LATER, LATER, contents=0, ann="421 4.7.0 Try again later"),
    "an odd reply to RCPT": of(LATER, SENT, SENT, ann="99 hm"),
    "251 at RCPT": of(SENT, SENT, SENT),
    "too many at once": Dialogue((SENT,) * 3, more={"most_recipients": 2}, contents=2),
    "too many, in the words of old": Dialogue(
        (SENT,) * 3, more={"most_recipients": 1, "too_many": "552 Too many recipients"}, contents=3
    ),
    "too many, and the second lost": Dialogue(
        (SENT, UNSURE, LATER), more={"most_recipients": 1, "drop_at_mail": 2}, contents=1
    ),
    "RCPT lost": lost("rcpt"),
    # DATA and content.
    "DATA refused": at("data", "554 5.5.1 Error: no valid recipients", *ALL_FAILED),
    "DATA put off": at("data", "451 4.3.0 Later"),
    "DATA answered 250": at("data", "250 fine"),
    "DATA lost": lost("data"),
    "content is spam": at("dot", "554 5.7.1 Message looks like spam", *ALL_FAILED),
    "content put off": at("dot", "451 4.7.1 Please try again"),
    "gmail's authenticity": at("dot", "550 5.7.26 Unauthenticated email from b is not accepted", code="sender_refused"),
    "exchange's sender": at("dot", "550 5.7.60 SMTP; Client does not have permissions", code="sender_refused"),
    "sendas": at("dot", "554 5.2.252 SendAsDenied; a@b not allowed to send as c@d", code="sender_refused"),
    "content answered 354": at("dot", "354 go on", *ALL_UNSURE),
    "content answered nothing that is a code": at("dot", "yes", *ALL_UNSURE),
    "content lost": lost("dot", *ALL_UNSURE),
    "content taken, answer lost": Dialogue(ALL_UNSURE, more={"drop_after_storing": True}, contents=1),
    "content taken with 251": at("dot", "251 taken", SENT, SENT, SENT),
    "one unknown, content refused": Dialogue(
        (FAILED, LATER, LATER), "recipients_refused", {"dot": "451 4.7.1 Later"}, {ANN: UNKNOWN_USER}
    ),
    "one unknown, content lost": Dialogue(
        (FAILED, UNSURE, UNSURE), "recipients_refused", recipients={ANN: UNKNOWN_USER}, drop=frozenset({"dot"})
    ),
    "one put off, content refused": Dialogue((LATER, FAILED, FAILED), "", {"dot": "554 no"}, {ANN: GREY}),
}


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    with SmtpSink(tls="none") as server:
        yield server


def transport_to(sink: SmtpSink, *, secret: str = "", **more: Any) -> SmtpTransport:
    given = {
        "name": "relay",
        "type": ServerType.SMTP,
        "host": "127.0.0.1",
        "port": sink.port,
        "security": SmtpSecurity.NONE,
        "authentication": Authentication.ANONYMOUS,
        **more,
    }
    return SmtpTransport(
        OutboundServer.model_validate(given),
        password=secret,
        allowed_networks=[ip_network("127.0.0.0/8")],
        allow_plaintext_credentials=True,
    )


def states_after(sink: SmtpSink) -> tuple[tuple[OutboxState, ...], str]:
    """Send one mail to three; returns what became of it at each, and the code of the first."""
    transport = transport_to(sink)
    try:
        sent = transport.send(
            b"Subject: x\r\n\r\nx\r\n",
            Envelope("us@example.com", (ANN, BOB, CY)),
            outbound_id="o",
            before_data=lambda known=None: None,
        )
    except PostroomError as error:
        state = {SendRefused: FAILED, SendDeferred: LATER, SendUncertain: UNSURE}[type(error)]
        return (state,) * 3, error.code
    found = [sent.others.get(to) for to in (ANN, BOB, CY)]
    return tuple(one.state if one else SENT for one in found), found[0].code if found[0] else ""


@pytest.mark.fault(69)
@pytest.mark.fault(103)
@pytest.mark.fault(129)
@pytest.mark.feature("C03")
@pytest.mark.parametrize("pipelining", [False, True], ids=["one by one", "pipelined"])
@pytest.mark.parametrize("dialogue", DIALOGUES.values(), ids=DIALOGUES.keys())
def test_each_dialogue_comes_to_what_the_server_said_of_whom(
    sink: SmtpSink, dialogue: Dialogue, pipelining: bool
) -> None:
    sink.faults.pipelining = pipelining
    sink.faults.replies = dict(dialogue.replies)
    sink.faults.recipients = dict(dialogue.recipients)
    sink.faults.drop = set(dialogue.drop)
    for name, value in dialogue.more.items():
        setattr(sink.faults, name, value)
    states, code = states_after(sink)
    assert states == dialogue.states
    if dialogue.code:
        assert code == dialogue.code
    assert len(sink.mails) == dialogue.contents
    # What is certain is never called unknown: content whose fate nobody knows was on the wire, and else none is unsure.
    assert (UNSURE in states) <= ("DATA" in sink.commands)


def send_one(
    transport: SmtpTransport, *, to: str = ANN, sender: str = "us@example.com", outbound_id: str = "o"
) -> Sent:
    return transport.send(
        b"Subject: x\r\n\r\nx\r\n",
        Envelope(sender, (to,)),
        outbound_id=outbound_id,
        before_data=lambda known=None: None,
    )


@pytest.mark.feature("G29")
def test_a_server_that_reports_is_told_our_id_and_the_recipient_that_we_wrote_to(sink: SmtpSink) -> None:
    send_one(transport_to(sink), to="ann+a=b@example.org", outbound_id="i 1+")
    assert sink.parameters == ["SIZE=17 RET=HDRS ENVID=i+201+2B", "ORCPT=rfc822;ann+2Ba+3Db@example.org"]


@pytest.mark.parametrize("pipelining", [False, True], ids=["one by one", "pipelined"])
@pytest.mark.parametrize("broken", ["a@b.example>\r\nRCPT TO:<x@y.example", "a\x00@b.example", "é@b.example"])
@pytest.mark.parametrize("field", ["to", "sender"])
def test_an_address_that_would_be_another_command_never_reaches_the_wire(
    sink: SmtpSink, field: str, broken: str, pipelining: bool
) -> None:
    sink.faults.pipelining = pipelining
    with pytest.raises(SendRefused, match="no address may"):
        send_one(transport_to(sink), **{field: broken})
    assert "MAIL" not in sink.commands


LOGIN = {"authentication": "basic", "user": "postroom", "password": {"secret": "smtp"}}


@pytest.mark.feature("C03")
@pytest.mark.parametrize(
    ("replies", "allowed", "leaves"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"auth": "454 4.7.0 Temporary authentication failure"}, True, False),
        ({"auth": "535 5.7.8 hunter2 is wrong"}, True, True),
    ],
    ids=["refused", "not allowed to", "put off", "refused with our password in its words"],
)
def test_without_login_a_mail_leaves_only_where_the_login_is_refused_and_that_is_allowed_and_it_is_told(
    replies: dict[str, str], allowed: bool, leaves: bool
) -> None:
    with SmtpSink({"postroom": "another"}, tls="none") as sink:
        sink.faults.replies = replies
        transport = transport_to(sink, secret="hunter2", unauthenticated_fallback=allowed, **LOGIN)
        if not leaves:
            with pytest.raises(SendDeferred):
                send_one(transport)
            assert sink.mails == []
            return
        sent = send_one(transport)
        assert [one.user for one in sink.mails] == [""]
        assert "sent without login" in sent.warning
        assert "hunter2" not in sent.warning


@pytest.mark.feature("C03")
def test_a_login_that_works_is_never_left_out() -> None:
    with SmtpSink({"postroom": "hunter2"}, tls="none") as sink:
        sent = send_one(transport_to(sink, secret="hunter2", unauthenticated_fallback=True, **LOGIN))
        assert ([one.user for one in sink.mails], sent.warning) == (["postroom"], "")


@pytest.mark.parametrize("recipients", [1, 250])
def test_all_recipients_are_named_in_one_transaction_where_commands_may_be_sent_together(
    sink: SmtpSink, recipients: int
) -> None:
    sink.faults.pipelining = True
    everybody = tuple(f"r{number}@example.org" for number in range(recipients))
    transport = transport_to(sink)
    sent = transport.send(
        b"Subject: x\r\n\r\nx\r\n",
        Envelope("us@example.com", everybody),
        outbound_id="o",
        before_data=lambda known=None: None,
    )
    assert sent.others == {}
    assert [one.recipients for one in sink.mails] == [everybody]
