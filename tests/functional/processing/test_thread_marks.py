"""Our token in a plus-address and in the body: what we send carries it, and answers without References find home."""

from __future__ import annotations

import email
import re
from collections.abc import Iterator
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest
from postroom.model.interaction import Interaction, Subtype
from postroom.model.outbound import Delivery
from postroom.services.inbound.explanation import explain
from postroom.services.policy.compiled import policy_of
from postroom_cli.mailservers import SmtpSink

from tests.functional.processing.conftest import CONFIGURATION
from tests.functional.processing.test_outbound import answer, send
from tests.support.aws_stack import AwsStack
from tests.support.mails import mail


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    with SmtpSink(tls="none") as server:
        yield server


def configure(
    stack: AwsStack, sink: SmtpSink, *, body_marker: bool = False, address: str = "support@example.com", **mailbox: Any
) -> None:
    server = {
        "name": "smtp-client",
        "type": "smtp",
        "host": "127.0.0.1",
        "port": sink.port,
        "security": "none",
        "authentication": "anonymous",
    }
    support = {**CONFIGURATION["mailboxes"][0], "address": address, **mailbox}
    settings = {**CONFIGURATION["settings"], "threads": {"body_marker": body_marker}}
    changes = {"settings": settings, "mailboxes": [support, CONFIGURATION["mailboxes"][1]]}
    stack.configure(**{**CONFIGURATION, **changes, "outbound_servers": [server]})


def arrived(sink: SmtpSink) -> EmailMessage:
    parsed = email.message_from_bytes(sink.wait(1)[-1].content, policy=default)
    assert isinstance(parsed, EmailMessage)
    return parsed


def acknowledged(stack: AwsStack, sink: SmtpSink) -> tuple[str, str, EmailMessage]:
    """A mail, and its acknowledgement as it arrives: root, outbound id, and the message."""
    root = stack.process(mail())
    (message,) = stack.queued("OUTBOUND_QUEUE_URL")
    send(stack, message["outbound"])
    return root, message["outbound"], arrived(sink)


def reply_to(message: EmailMessage) -> Address:
    (address,) = message["Reply-To"].addresses
    assert isinstance(address, Address)
    return address


def come_in(stack: AwsStack, raw: bytes) -> Interaction:
    found = stack.interactions.get(stack.process(raw))
    assert found is not None
    return found


def rules(interaction: Interaction, prefix: str) -> list[str]:
    return [f"{one.rule}: {one.detail}" for one in interaction.decisions if one.rule.startswith(prefix)]


@pytest.mark.feature("X05")
@pytest.mark.parametrize("how", ["acknowledgement", "reply"])
@pytest.mark.parametrize("sender", ["ann@example.org", "carol@elsewhere.example"])
def test_an_answer_to_the_plus_address_joins_whoever_sends_it_and_whatever_its_client_strips(
    stack: AwsStack, sink: SmtpSink, how: str, sender: str
) -> None:
    configure(stack, sink, plus_addressing=True, address="Kundendienst für alle <support@example.com>")
    root, outbound_id, message = acknowledged(stack, sink)
    if how == "reply":
        outbound_id = send(stack, answer(stack, root).outbound.id).id
        message = arrived(sink)
    address = reply_to(message)
    assert address.display_name == "Kundendienst für alle"
    assert re.fullmatch(rf"support\+pr1\.{outbound_id}\.[a-z2-7]{{16}}@example\.com", address.addr_spec)
    assert len(address.username.encode()) <= 64
    assert sink.mails[-1].sender == "support@example.com"  # bounces do not go there
    made = come_in(stack, mail(to=address.addr_spec.upper(), sender=sender, message_id="<2@x>", subject="No subject"))
    assert (made.thread_id, made.parent_id, made.subtype) == (root, outbound_id, Subtype.INBOUND_CUSTOMER_REPLY)
    assert rules(made, "thread.") == [f"thread.token: proven: our signed token for {outbound_id} in its plus-address"]
    assert rules(made, "auto-reply") == [
        "auto-reply: reply: it continues a thread, which was acknowledged when it began"
    ]


QUOTED = {
    "quoted": "Thanks!\r\n\r\n> We have your mail\r\n> {marker}",
    "quoted-twice": "Thanks!\r\n>> {marker}",
    "below-a-header-block": "Thanks!\r\n\r\nFrom: Support\r\nSent: Friday\r\n\r\n{marker}",
    "upper-case": "THANKS {marker}",
}


@pytest.mark.feature("X05")
@pytest.mark.parametrize("body", QUOTED.values(), ids=QUOTED.keys())
@pytest.mark.parametrize("html", [None, "<html><body><p>We have your mail</p></body></html>"], ids=["text", "html"])
def test_an_answer_that_quotes_the_marker_joins_when_a_participant_sends_it(
    stack: AwsStack, sink: SmtpSink, body: str, html: str | None
) -> None:
    configure(stack, sink, body_marker=True)
    root = stack.process(mail("Auto-Submitted: auto-generated"))
    outbound = send(stack, answer(stack, root, html=html).outbound.id)
    message = arrived(sink)
    assert message["Reply-To"] is None
    found = message.get_body(("html",) if html else ("plain",))
    assert found is not None
    content = str(found.get_content())
    (marker,) = re.findall(rf"\[ref:pr1\.{outbound.id}\.[a-z2-7]{{16}}\]", content)
    if html is None:
        assert content.splitlines()[-1] == marker
    else:
        assert content.strip().endswith(f"<p>{marker}</p></body></html>")
    quoted = body.format(marker=marker.upper() if "THANKS" in body else marker)
    made = come_in(stack, mail(message_id="<2@x>", subject="Hello again", body=quoted))
    assert (made.thread_id, made.parent_id) == (root, outbound.id)
    assert rules(made, "thread.")[0].startswith("thread.body-marker: verified")
    stranger = come_in(stack, mail(message_id="<3@x>", sender="eve@evil.example", body=quoted))
    assert stranger.thread_id == stranger.id
    assert f"thread {root} is suggested" in rules(stranger, "thread.body-marker")[0]


@pytest.mark.feature("X05")
@pytest.mark.fault(59)
@pytest.mark.parametrize("place", ["plus-address", "body"])
def test_a_forged_token_starts_a_new_thread_and_says_so(stack: AwsStack, sink: SmtpSink, place: str) -> None:
    configure(stack, sink, body_marker=True, plus_addressing=True)
    _root, _outbound_id, message = acknowledged(stack, sink)
    address = reply_to(message)
    forged = address.username[:-1] + ("a" if address.username[-1] != "a" else "b")
    if place == "plus-address":
        made = come_in(stack, mail(to=f"{forged}@example.com", message_id="<2@x>"))
    else:
        made = come_in(stack, mail(message_id="<2@x>", body=f"> [ref:{forged.partition('+')[2]}]"))
    assert made.thread_id == made.id
    assert rules(made, "thread.forged-token")
    assert made.queue == "support"


def test_nothing_of_it_is_there_by_default(stack: AwsStack, sink: SmtpSink) -> None:
    configure(stack, sink)
    _root, _outbound_id, message = acknowledged(stack, sink)
    assert message["Reply-To"] is None
    assert "[ref:" not in str(message.get_content())


@pytest.mark.feature("G05")
@pytest.mark.feature("X05")
def test_our_address_with_the_token_is_one_recipient_with_the_address_without(stack: AwsStack, sink: SmtpSink) -> None:
    configure(stack, sink, plus_addressing=True, copy_message_to_recipients=True)
    root, _outbound_id, message = acknowledged(stack, sink)
    plus = reply_to(message).addr_spec
    raw = mail(f"Cc: Support@example.com, bob+pr1.x@example.org, {plus}", to=plus, message_id="<2@x>")
    made = come_in(stack, raw)
    copies = {
        one.attributes["X-Genesys-To"]
        for one in map(stack.interactions.get, stack.interactions.thread(root))
        if one and one.sha256 == made.sha256
    }
    assert copies == {"support@example.com", "bob+pr1.x@example.org"}
    assert made.attributes["X-Genesys-To"] == "support@example.com"


def test_explain_knows_the_mailbox_by_its_plus_address(stack: AwsStack, sink: SmtpSink) -> None:
    configure(stack, sink, plus_addressing=True)
    _root, _outbound_id, message = acknowledged(stack, sink)
    policy = policy_of(stack.configurations.current())
    told = explain(mail(to=reply_to(message).addr_spec), source="x", policy=policy)
    assert (told["mailbox"], told["queue"]) == ("support", "support")


@pytest.mark.feature("X10")
def test_a_mail_from_our_own_plus_address_is_ours_and_gets_no_answer(stack: AwsStack, sink: SmtpSink) -> None:
    configure(stack, sink, plus_addressing=True)
    _root, _outbound_id, message = acknowledged(stack, sink)
    made = come_in(stack, mail(sender=reply_to(message).addr_spec, message_id="<2@x>", subject="Loop"))
    assert rules(made, "auto-reply")[0].startswith("auto-reply: own-address")
    assert stack.queued("OUTBOUND_QUEUE_URL") == []


@pytest.mark.feature("X05")
def test_the_marker_and_the_token_are_never_masked(stack: AwsStack, sink: SmtpSink) -> None:
    configure(stack, sink, body_marker=True, plus_addressing=True)
    current = stack.configurations.current().model_dump(mode="json")
    stack.configure(**{**current, "masking_patterns": [{"name": "all", "pattern": r"[a-z0-9.:\[\]@+]+"}]})
    _root, outbound_id, message = acknowledged(stack, sink)
    assert f"[ref:pr1.{outbound_id}." in str(message.get_content())
    assert reply_to(message).username.startswith(f"support+pr1.{outbound_id}.")


def bounce(*, text: str, returned: str = "", as_type: str = "message/rfc822") -> bytes:
    """A bounce that says nothing of the mail's Message-ID."""
    part = f"--b\nContent-Type: {as_type}\n\n{returned}\n" if returned else ""
    lines = f"""Return-Path: <>
From: Mail Delivery System <MAILER-DAEMON@mx.example.org>
To: support@example.com
Subject: Undelivered Mail Returned to Sender
Message-ID: <report@mx.example.org>
Auto-Submitted: auto-replied
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

{text}
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.org

Final-Recipient: rfc822; ann@example.org
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 User unknown

{part}--b--
"""
    return lines.replace("\n", "\r\n").encode()


BOUNCES: dict[str, dict[str, str]] = {
    "quoted-in-its-text": {"text": "I could not deliver this:\n> We have your mail\n> {marker}"},
    "in-the-mail-it-returns": {
        "text": "No such user.",
        "returned": "Subject: Hello\nContent-Transfer-Encoding: quoted-printable\n\nYour=20number\n{marker}",
    },
    "in-the-html-it-returns": {
        "text": "No such user.",
        "returned": "Subject: We have your mail\nContent-Type: text/html\n\n<p>Your number</p><p>{marker}</p>",
    },
    "reply-to-it-returns": {"text": "No such user.", "returned": "Subject: We have your mail\nReply-To: <{plus}>\n\nx"},
    "reply-to-in-headers-it-returns": {
        "text": "No such user.",
        "returned": "Subject: We have your mail\nReply-To: Support <{plus}>",
        "as_type": "text/rfc822-headers",
    },
}


@pytest.mark.fault(78)
@pytest.mark.fault(79)
@pytest.mark.feature("G29")
@pytest.mark.feature("X05")
@pytest.mark.parametrize("forged", [False, True], ids=["ours", "forged"])
@pytest.mark.parametrize("parts", BOUNCES.values(), ids=BOUNCES.keys())
def test_a_bounce_that_carries_only_our_marks_is_tied_to_its_mail_when_they_are_proven(
    stack: AwsStack, sink: SmtpSink, parts: dict[str, str], forged: bool
) -> None:
    configure(stack, sink, body_marker=True, plus_addressing=True)
    root, outbound_id, message = acknowledged(stack, sink)
    plus = reply_to(message).addr_spec
    if forged:
        local, _at, domain = plus.partition("@")
        plus = f"{local[:-1]}{'a' if local[-1] != 'a' else 'b'}@{domain}"
    marker = f"[ref:{plus.partition('+')[2].partition('@')[0]}]"
    made = come_in(stack, bounce(**{name: part.format(marker=marker, plus=plus) for name, part in parts.items()}))
    outbound = stack.outbox.get(outbound_id)
    assert outbound is not None
    assert made.subtype is Subtype.INBOUND_NDR
    if forged:
        assert (made.thread_id, outbound.delivery) == (made.id, Delivery.UNKNOWN)
        return
    assert (made.thread_id, made.parent_id) == (root, outbound_id)
    assert outbound.delivery is Delivery.BOUNCED
    assert rules(made, "thread.")[0].endswith("by our signed token in what it returns")
