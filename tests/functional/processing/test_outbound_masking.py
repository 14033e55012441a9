"""What must not leave is masked in replies and automatic answers: as they arrive, as they are stored, as is told."""

from __future__ import annotations

import email
import zlib
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest
from postroom.model.outbound import Outbound, OutboxState
from postroom_cli.mailservers import SmtpSink

from tests.functional.processing.conftest import CONFIGURATION
from tests.functional.processing.test_outbound import answer, send
from tests.support.aws_stack import AwsStack
from tests.support.mails import mail

CARD = "4111 1111 1111 1111"
PASS = "Authentication-Results: mx.example.com; dmarc=pass header.from=example.org"


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    with SmtpSink(tls="none") as server:
        yield server


def configure(stack: AwsStack, sink: SmtpSink, *patterns: dict[str, Any], **changes: Any) -> None:
    server = {
        "name": "smtp-client",
        "type": "smtp",
        "host": "127.0.0.1",
        "port": sink.port,
        "security": "none",
        "authentication": "anonymous",
    }
    given = {**CONFIGURATION, "outbound_servers": [server], "masking_patterns": list(patterns), **changes}
    stack.configure(**given)


def cards(**options: Any) -> dict[str, Any]:
    return {"name": "cards", "kind": "card", **options}


def replied(stack: AwsStack, **wanted: Any) -> Outbound:
    """Answer a mail, and let the real handler send it."""
    asked = stack.process(mail("Auto-Submitted: auto-generated", body=wanted.pop("asked", "Where is it?")))
    return send(stack, answer(stack, asked, **wanted).outbound.id)


def arrived(sink: SmtpSink) -> EmailMessage:
    (received,) = sink.wait(1)
    parsed = email.message_from_bytes(received.content, policy=default)
    assert isinstance(parsed, EmailMessage)
    return parsed


def part(message: EmailMessage, kind: str) -> str:
    body = message.get_body((kind,))
    return str(body.get_content()).replace("\r\n", "\n") if body else ""


def everything_stored(stack: AwsStack, outbound_id: str) -> str:
    """All values of the stored item, the packed ones unpacked."""
    item = stack.interactions.item(outbound_id)
    assert item is not None
    texts = []
    for value in item.values():
        (content,) = value.values()
        texts.append(zlib.decompress(content).decode() if isinstance(content, bytes) else str(content))
    return "\n".join(texts)


TEXTS: dict[str, tuple[str, str]] = {
    "in-a-line": (f"Your card {CARD} is blocked.", "Your card **** **** **** **** is blocked."),
    "over-a-line-end": ("Card 4111 1111\r\n1111 1111.", "Card **** ****\n**** ****."),
    "in-the-quoted-original": (
        "Done.\n\n> my card is 4111\n> 1111 1111\n> 1111",
        "Done.\n\n> my card is ****\n* **** ****\n* ****",
    ),
    "around-a-nul": ("4111\x001111 1111 1111", "******** **** ****"),
}


@pytest.mark.feature("C15")
@pytest.mark.parametrize(("written", "sent"), TEXTS.values(), ids=TEXTS.keys())
def test_what_must_not_leave_is_masked_in_the_text_of_a_reply(
    stack: AwsStack, sink: SmtpSink, written: str, sent: str
) -> None:
    configure(stack, sink, cards())
    outbound = replied(stack, text=written)
    assert outbound.state is OutboxState.SENT
    assert part(arrived(sink), "plain").rstrip("\n") == sent
    assert "4111" not in everything_stored(stack, outbound.id)


MARKUP: dict[str, tuple[str, str | None]] = {
    "across-markup": ("<p>Card 4111<b>1111</b> 1111<br>1111</p>", None),
    "as-entities": ("<p>Card &#52;111 1111&nbsp;1111 1111</p>", None),
    "in-a-link": (f'<p><a href="https://example.com/pay" title="{CARD}">pay</a></p>', None),
    "in-a-comment": (f"<p>Done.</p><!-- {CARD} -->", "<p>Done.</p>"),
    "in-an-attribute-of-ours": ("<p data-card='&#52;111 1111 1111 1111'>Done.</p>", "<p>Done.</p>"),
}


@pytest.mark.feature("C15")
@pytest.mark.parametrize(("written", "sent"), MARKUP.values(), ids=MARKUP.keys())
def test_what_must_not_leave_is_masked_in_the_html_of_a_reply(
    stack: AwsStack, sink: SmtpSink, written: str, sent: str | None
) -> None:
    configure(stack, sink, cards())
    outbound = replied(stack, html=written)
    html = part(arrived(sink), "html").strip()
    assert "4111" not in html
    assert "1111" not in html
    if sent is not None:
        assert html == sent
    assert "1111" not in everything_stored(stack, outbound.id)
    assert [(one.rule, one.detail) for one in outbound.decisions][-1] == ("masking", "cards: 1 in the HTML")


def test_html_without_anything_to_mask_leaves_as_it_was_written(stack: AwsStack, sink: SmtpSink) -> None:
    configure(stack, sink, cards())
    html = '<p style="color: red">Order 12345 is on its way.</p>'
    replied(stack, html=html)
    assert part(arrived(sink), "html").strip() == html


@pytest.mark.feature("C15")
def test_the_subject_is_masked_and_what_was_masked_is_told_by_kind_and_count_only(
    stack: AwsStack, sink: SmtpSink
) -> None:
    configure(stack, sink, cards(replacement="X"), {"name": "orders", "pattern": r"\bK-\d{6}\b"})
    outbound = replied(stack, subject=f"Card {CARD}", text=f"K-123456 and K-654321, {CARD}")
    assert arrived(sink)["Subject"] == "Card XXXX XXXX XXXX XXXX"
    assert [one.detail for one in outbound.decisions if one.rule == "masking"] == [
        "cards: 1 in the subject",
        "cards: 1 in the text",
        "orders: 2 in the text",
    ]
    stored = everything_stored(stack, outbound.id)
    assert not any(value in stored for value in ("4111", "123456", "654321"))


DIRECTIONS: dict[str, tuple[dict[str, Any], bool, bool]] = {
    "both": ({}, True, True),
    "inbound-only": ({"outbound": False}, True, False),
    "outbound-only": ({"inbound": False}, False, True),
    "another-department": ({"department": "legal"}, False, False),
    "its-department": ({"department": "service"}, True, True),
}


@pytest.mark.feature("C15")
@pytest.mark.parametrize(("options", "inbound", "outbound"), DIRECTIONS.values(), ids=DIRECTIONS.keys())
def test_a_pattern_masks_the_directions_and_the_department_it_is_for(
    stack: AwsStack, sink: SmtpSink, options: dict[str, Any], inbound: bool, outbound: bool
) -> None:
    configure(stack, sink, cards(**options), departments=[{"name": "service"}, {"name": "legal"}])
    asked = stack.process(mail("Auto-Submitted: auto-generated", body=f"My card is {CARD}."))
    body = stack.interactions.body(asked)
    assert body is not None
    assert (CARD not in body.text) is inbound
    sent = send(stack, answer(stack, asked, text=f"> My card is {CARD}.\nThanks.").outbound.id)
    assert (CARD not in part(arrived(sink), "plain")) is outbound
    assert (CARD not in everything_stored(stack, sent.id)) is outbound


@pytest.mark.feature("C15")
def test_a_mailbox_without_department_is_masked_as_the_one_its_mail_belongs_to(stack: AwsStack, sink: SmtpSink) -> None:
    settings = {name: value for name, value in CONFIGURATION["settings"].items() if name != "default_department"}
    configure(stack, sink, cards(department="service"), settings=settings)
    asked = stack.process(mail("Auto-Submitted: auto-generated", body=f"My card is {CARD}."))
    found, body = stack.interactions.get(asked), stack.interactions.body(asked)
    assert found is not None
    assert body is not None
    assert (found.department, CARD in body.text) == ("service", False)
    send(stack, answer(stack, asked, text=CARD).outbound.id)
    assert CARD not in part(arrived(sink), "plain")


@pytest.mark.feature("C15")
def test_an_automatic_answer_is_masked_where_it_repeats_what_the_sender_wrote(stack: AwsStack, sink: SmtpSink) -> None:
    template = {
        "name": "received",
        "subject": "We have: {{subject}}",
        "text": "You wrote: {{subject}}",
        "html": "<p>You wrote: <i>{{subject}}</i></p>",
    }
    configure(stack, sink, cards(inbound=False), templates=[template])
    stack.process(mail(PASS, subject=f"Card {CARD}"))
    (message,) = stack.queued("OUTBOUND_QUEUE_URL")
    outbound = send(stack, message["outbound"])
    parsed = arrived(sink)
    assert parsed["Subject"] == "We have: Card **** **** **** ****"
    assert part(parsed, "plain").strip() == "You wrote: Card **** **** **** ****"
    assert "Card **** **** **** ****" in part(parsed, "html")
    assert "4111" not in everything_stored(stack, outbound.id)
    assert [one.detail for one in outbound.decisions if one.rule == "masking"] == [
        f"cards: 1 in the {where}" for where in ("subject", "text", "HTML")
    ]


@pytest.mark.feature("C15")
def test_the_same_reply_twice_is_one_mail_although_what_is_stored_is_masked(stack: AwsStack, sink: SmtpSink) -> None:
    configure(stack, sink, cards())
    asked = stack.process(mail("Auto-Submitted: auto-generated"))
    first, again = (answer(stack, asked, text=f"Card {CARD}") for _ in range(2))
    assert (first.created, again.created, again.outbound.id) == (True, False, first.outbound.id)


@pytest.mark.feature("C15")
def test_the_names_of_recipients_are_masked_and_their_addresses_are_not(stack: AwsStack, sink: SmtpSink) -> None:
    configure(stack, sink, cards())
    named = {"to": (f"Ann {CARD} <ann@example.org>",), "cc": (f'"{CARD}" <bob@example.org>',)}
    outbound = replied(stack, bcc=(f"{CARD} <carol@example.org>",), **named)
    parsed = arrived(sink)
    assert str(parsed["To"]) == "Ann **** **** **** **** <ann@example.org>"
    assert str(parsed["Cc"]) == "**** **** **** **** <bob@example.org>"
    assert sink.mails[0].recipients == ("ann@example.org", "bob@example.org", "carol@example.org")
    assert "4111" not in everything_stored(stack, outbound.id)
    told = [one.detail for one in outbound.decisions if one.rule == "masking"]
    assert told == [f"cards: 1 in the name of a recipient ({field})" for field in ("to", "cc", "bcc")]
