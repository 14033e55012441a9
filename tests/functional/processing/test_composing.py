"""What agents send, parsed back as it arrives: answers, forwards, new mail, quotes, pictures, files."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from postroom.adapters.aws.s3 import S3Contents
from postroom.adapters.clock import utc_now
from postroom.errors import Invalid
from postroom.model.outbound import OutboxState
from postroom.services.outbound.uploads import begin_upload
from postroom.services.outbound.wanted import FileWanted, Mode, NewMail
from postroom.services.outbound.write_reply import Reply, preview_reply, reply, write_new
from postroom_cli.mailservers.smtp import SmtpSink

from tests.functional.processing.conftest import CONFIGURATION
from tests.functional.processing.test_outbound import Queue, send
from tests.support.aws_stack import AwsStack
from tests.support.mails import crlf

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
EXE = b"MZ" + b"\0" * 400
PDF = b"%PDF-1.4\n" + b"x" * 9_000


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    with SmtpSink() as running:
        yield running


@pytest.fixture
def sending(stack: AwsStack, sink: SmtpSink) -> AwsStack:
    configure(stack, sink)
    return stack


def configure(stack: AwsStack, sink: SmtpSink, **changes: Any) -> None:
    server = {
        "name": "smtp-client",
        "type": "smtp",
        "host": "127.0.0.1",
        "port": sink.port,
        "security": "none",
        "authentication": "anonymous",
        **changes.pop("server", {}),
    }
    alias = {
        "name": "support",
        "address": "Example Support <support@example.com>",
        "default": True,
        "redirection_addresses": ["hello@example.com"],
        **changes.pop("alias", {}),
    }
    settings = {**CONFIGURATION["settings"], **changes.pop("settings", {})}
    stack.configure(
        **{**CONFIGURATION, "settings": settings, "outbound_servers": [server], "aliases": [alias], **changes}
    )


def original(*, to: str = "support@example.com", cc: str = "") -> bytes:
    """A German mail with HTML, a picture in it, a harmless file and a program."""
    lines = [
        "Return-Path: <ann@example.org>",
        "From: Ann <ann@example.org>",
        f"To: {to}",
        *([f"Cc: {cc}"] if cc else []),
        "Subject: =?utf-8?q?AW=3A_Gr=C3=BC=C3=9Fe?=",
        "Date: Fri, 20 Nov 2026 10:00:00 +0000",
        "Message-ID: <1@example.org>",
        "References: <0@example.org>",
        "Auto-Submitted: no",
        'Content-Type: multipart/mixed; boundary="m"',
        "",
        "--m",
        'Content-Type: multipart/related; boundary="r"',
        "",
        "--r",
        "Content-Type: text/html; charset=utf-8",
        "",
        "<p>Ich habe die Bestellung nicht erhalten und bitte um eine Antwort. <img src='cid:logo@x'></p>",
        "--r",
        "Content-Type: image/png; name=logo.png",
        "Content-ID: <logo@x>",
        "Content-Disposition: inline; filename=logo.png",
        "Content-Transfer-Encoding: base64",
        "",
        base64.b64encode(PNG).decode(),
        "--r--",
        "--m",
        "Content-Type: application/pdf; name=bill.pdf",
        "Content-Disposition: attachment; filename=bill.pdf",
        "Content-Transfer-Encoding: base64",
        "",
        base64.b64encode(PDF).decode(),
        "--m",
        "Content-Type: application/octet-stream; name=setup.exe",
        "Content-Disposition: attachment; filename=setup.exe",
        "Content-Transfer-Encoding: base64",
        "",
        base64.b64encode(EXE).decode(),
        "--m--",
        "",
    ]
    return crlf(lines)


def contents(stack: AwsStack) -> S3Contents:
    return S3Contents(stack.client("s3"), stack.environment["CONTENT_BUCKET"])


def services(stack: AwsStack) -> dict[str, Any]:
    return {
        "interactions": stack.interactions,
        "outbox": stack.outbox,
        "configurations": stack.configurations,
        "outbound_queue": Queue(),
        "clock": utc_now,
        "contents": contents(stack),
    }


def write(stack: AwsStack, interaction_id: str, **wanted: Any) -> Any:
    given = Reply(**{"text": "Es ist unterwegs.", "idempotency_key": "k1", "agent": "agent-7", **wanted})
    return reply(interaction_id, given, **services(stack)).outbound


def arrived(stack: AwsStack, sink: SmtpSink, outbound: Any) -> EmailMessage:
    assert send(stack, outbound.id).state is OutboxState.SENT
    received = message_from_bytes(sink.wait(1)[-1].content, policy=policy.default)
    assert isinstance(received, EmailMessage)
    assert [defect for part in received.walk() for defect in part.defects] == []
    return received


def said(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert isinstance(part, EmailMessage)
    return str(part.get_content()).replace("\r\n", "\n")


def names(message: EmailMessage) -> list[str]:
    return [str(part.get_filename()) for part in message.walk() if part.get_filename()]


@pytest.mark.feature("A09")
@pytest.mark.feature("A08")
@pytest.mark.feature("S09")
def test_an_answer_carries_signature_and_quote_in_the_mails_language_with_its_picture(
    stack: AwsStack, sink: SmtpSink
) -> None:
    configure(
        stack,
        sink,
        settings={"languages": ["en", "de"], "sending": {"quote": "below", "signature": "installation"}},
        alias={"sending": {"signature": "{{agent.name|we}}, {{alias.name|us}}"}},
    )
    interaction_id = stack.process(original())
    message = arrived(stack, sink, write(stack, interaction_id))
    assert message["Subject"] == "Re: Grüße"
    assert message["In-Reply-To"] == "<1@example.org>"
    assert message["References"].split()[:2] == ["<0@example.org>", "<1@example.org>"]
    assert "List-Unsubscribe" not in message
    text = said(message, "plain")
    html = said(message, "html")
    assert text.startswith(
        "Es ist unterwegs.\n\n-- \nagent-7, Example Support\n\nAm 20.11.2026 um 10:00 UTC schrieb Ann"
    )
    assert "\n> Ich habe die Bestellung" in text
    assert "installation" not in text
    assert "<blockquote" in html
    assert "cid:logo@x" in html
    pictures = [part for part in message.walk() if part.get_content_type() == "image/png"]
    assert [(part["Content-ID"], part.get_payload(decode=True)) for part in pictures] == [("<logo@x>", PNG)]
    assert names(message) == ["logo.png"]


@pytest.mark.feature("A09")
def test_an_answer_to_all_goes_to_everybody_but_us(sending: AwsStack, sink: SmtpSink) -> None:
    mail = original(to="support@example.com, Bob <bob@example.net>", cc="hello@example.com, carol@example.net")
    outbound = write(sending, sending.process(mail), mode=Mode.ALL)
    assert outbound.to == ('"Ann" <ann@example.org>',)
    assert outbound.cc == ('"Bob" <bob@example.net>', "carol@example.net")
    assert "hello" not in str(arrived(sending, sink, outbound)["Cc"])


@pytest.mark.feature("C01")
def test_an_answer_leaves_from_the_redirection_address_that_the_mail_came_through(
    sending: AwsStack, sink: SmtpSink
) -> None:
    message = arrived(sending, sink, write(sending, sending.process(original(to="Hello@example.com"))))
    assert str(message["From"]) == "Example Support <hello@example.com>"


@pytest.mark.feature("A09")
def test_a_forward_in_line_carries_text_and_files_but_no_blocked_one(sending: AwsStack, sink: SmtpSink) -> None:
    interaction_id = sending.process(original())
    outbound = write(sending, interaction_id, mode=Mode.FORWARD, to=("Partner <partner@example.net>",), text="Bitte.")
    message = arrived(sending, sink, outbound)
    assert message["Subject"] == "Fwd: AW: Grüße"
    assert (message["In-Reply-To"], outbound.answers, outbound.thread_id) == (None, None, outbound.id)
    text = said(message, "plain")
    assert "Ann <ann@example.org>" in text
    assert sorted(names(message)) == ["bill.pdf", "logo.png"]
    assert any("setup.exe" in one.detail for one in outbound.decisions)


@pytest.mark.feature("A09")
@pytest.mark.feature("C15")
def test_a_forward_as_attachment_is_the_mail_as_its_reader_sees_it(stack: AwsStack, sink: SmtpSink) -> None:
    configure(stack, sink, masking_patterns=[{"name": "x", "pattern": "Bestellung", "replacement": "X"}])
    interaction_id = stack.process(original())
    wanted = {"mode": Mode.FORWARD, "forward": "attachment", "to": ("partner@example.net",), "text": ""}
    message = arrived(stack, sink, write(stack, interaction_id, **wanted))
    enclosed = next(part for part in message.walk() if part.get_content_type() == "message/rfc822").get_payload(0)
    assert isinstance(enclosed, EmailMessage)
    assert (enclosed["Message-ID"], str(enclosed["From"])) == ("<1@example.org>", "Ann <ann@example.org>")
    assert sorted(names(enclosed)) == ["bill.pdf", "logo.png"]
    content = sink.wait(1)[-1].content
    assert b"Bestellung" not in content
    assert next(part for part in enclosed.walk() if part.get_filename() == "bill.pdf").get_payload(decode=True) == PDF


@pytest.mark.feature("C20")
def test_a_new_mail_leaves_by_the_default_alias_and_begins_a_thread(sending: AwsStack, sink: SmtpSink) -> None:
    wanted = NewMail(
        text="",
        html="<p>Guten Tag, <b>Ann</b></p>",
        idempotency_key="n1",
        agent="agent-7",
        to=("Ann <ann@bücher.example>",),
        subject="Ihr Auftrag",
    )
    first = write_new(wanted, **services(sending))
    assert (first.created, write_new(wanted, **services(sending)).created) == (True, False)
    message = arrived(sending, sink, first.outbound)
    assert str(message["To"]) == "Ann <ann@xn--bcher-kva.example>"
    assert str(message["From"]) == "Example Support <support@example.com>"
    assert "Guten Tag, Ann" in said(message, "plain")
    assert first.outbound.thread_id == first.outbound.id


def uploaded(
    stack: AwsStack, name: str, kind: str, data: bytes, *, whole: bool = True, age: timedelta | None = None
) -> str:
    shelf = contents(stack)
    begun = begin_upload(name, kind, len(data), contents=shelf, addresses=shelf, now=utc_now() - (age or timedelta()))
    assert "X-Amz-Signature" in begun.url or "Signature=" in begun.url
    if whole:
        shelf.put(f"uploads/{begun.id}", data, content_type=kind)
    return begun.id


@pytest.mark.feature("A11")
def test_an_upload_and_a_stored_file_go_with_a_mail_and_outlast_the_upload(sending: AwsStack, sink: SmtpSink) -> None:
    interaction_id = sending.process(original())
    interaction = sending.interactions.get(interaction_id)
    assert interaction is not None
    bill = next(one for one in interaction.attachments if one.name == "bill.pdf")
    upload = uploaded(sending, "Größe ü.png", "image/png", PNG)
    files = (FileWanted(upload=upload), FileWanted(interaction=interaction_id, sha256=bill.sha256))
    outbound = write(sending, interaction_id, files=files)
    contents(sending).delete(f"uploads/{upload}")
    message = arrived(sending, sink, outbound)
    assert names(message) == ["Größe ü.png", "bill.pdf"]
    assert [part.get_payload(decode=True) for part in message.iter_attachments()] == [PNG, PDF]


@pytest.mark.feature("A11")
@pytest.mark.parametrize(
    ("named", "words"),
    [
        (lambda stack, _one: FileWanted(upload=uploaded(stack, "x.exe", "application/pdf", EXE)), "blocked"),
        (
            lambda stack, _one: FileWanted(upload=uploaded(stack, "x.pdf", "application/pdf", PDF, whole=False)),
            "not arrived",
        ),
        (
            lambda stack, _one: FileWanted(
                upload=uploaded(stack, "x.pdf", "application/pdf", PDF, age=timedelta(hours=25))
            ),
            "expired",
        ),
        (lambda _stack, _one: FileWanted(upload="../raw/x"), "no upload"),
        (lambda _stack, one: FileWanted(interaction=one.id, sha256=one.attachments[-1].sha256), "blocked"),
        (lambda _stack, one: FileWanted(interaction=one.id, sha256="0" * 64), "no such file"),
        (lambda _stack, _one: FileWanted(), "names no file"),
    ],
    ids=["program", "not arrived", "expired", "no id", "stored and blocked", "unknown", "nothing"],
)
def test_a_file_that_cannot_be_sent_is_refused_by_its_place_and_nothing_is_written(
    stack: AwsStack, sink: SmtpSink, named: Any, words: str
) -> None:
    configure(stack, sink, settings={"attachments": {"scan": "both"}})
    interaction_id = stack.process(original())
    one = stack.interactions.get(interaction_id)
    before = list(stack.outbox.waiting(OutboxState.NEW, before=utc_now() + timedelta(days=1)))  # acknowledgements
    with pytest.raises(Invalid) as caught:
        write(stack, interaction_id, files=(named(stack, one),))
    (problem,) = caught.value.problems
    assert (problem.path, words in problem.problem) == ("files[0]", True)
    assert problem.remedy
    assert list(stack.outbox.waiting(OutboxState.NEW, before=utc_now() + timedelta(days=1))) == before


@pytest.mark.feature("S08")
@pytest.mark.fault(74)
def test_a_file_that_is_gone_fails_the_mail_before_anything_is_sent(sending: AwsStack, sink: SmtpSink) -> None:
    interaction_id = sending.process(original())
    outbound = write(sending, interaction_id, files=(FileWanted(upload=uploaded(sending, "a.png", "image/png", PNG)),))
    contents(sending).delete(outbound.files[0].key)
    failed = send(sending, outbound.id)
    assert (failed.state, failed.code) == (OutboxState.FAILED, "file_missing")
    assert "a.png" in failed.reason
    assert sink.mails == []


@pytest.mark.feature("S08")
def test_limits_are_told_before_the_mail_is_written(stack: AwsStack, sink: SmtpSink) -> None:
    configure(stack, sink, server={"maximum_size": 1, "maximum_attachment_size": 1})
    interaction_id = stack.process(original())
    upload = uploaded(stack, "a.png", "image/png", PNG + b"x" * 1_000_001)
    with pytest.raises(Invalid) as caught:
        write(stack, interaction_id, files=(FileWanted(upload=upload),))
    assert sorted(one.path for one in caught.value.problems) == ["files", "files[0]"]
    assert "maximum_attachment_size" in str(caught.value)


@pytest.mark.feature("G29")
def test_a_mail_asks_for_receipts_where_it_is_told_to(stack: AwsStack, sink: SmtpSink) -> None:
    configure(
        stack,
        sink,
        queues=[{"name": "general"}, {"name": "exceptions"}, {"name": "support", "sending": {"receipts": "both"}}],
    )
    interaction_id = stack.process(original())
    outbound = write(stack, interaction_id)
    assert (outbound.ask_read, outbound.ask_delivery) == (True, True)
    assert arrived(stack, sink, outbound)["Disposition-Notification-To"] == "support@example.com"
    other = write(stack, interaction_id, receipts=None, idempotency_key="k2")
    assert other.ask_read


@pytest.mark.feature("C01")
def test_a_diverted_mail_shows_whom_it_was_written_to(stack: AwsStack, sink: SmtpSink) -> None:
    configure(stack, sink, alias={"send_mail_to": "test@example.com"})
    interaction_id = stack.process(original())
    message = arrived(stack, sink, write(stack, interaction_id, html="<body><p>x</p></body>"))
    assert str(message["To"]) == "test@example.com"
    for kind in ("plain", "html"):
        assert "ann@example.org" in said(message, kind)


@pytest.mark.feature("S02")
@pytest.mark.parametrize(
    ("server", "text", "charset", "encoding"),
    [
        ({}, "Schöne Grüße aus dem Lager", "utf-8", "quoted-printable"),
        ({}, "plain", "utf-8", "7bit"),
        ({}, "日本語" * 60, "utf-8", "base64"),
        (
            {"body_charset": "iso-8859-1", "body_encoding": "quoted-printable"},
            "Grüße",
            "iso-8859-1",
            "quoted-printable",
        ),
        ({"body_charset": "iso-8859-1", "body_encoding": "base64"}, "Preis 5 €", "utf-8", "base64"),
        ({"body_encoding": "7bit"}, "x" * 2_000, "utf-8", "quoted-printable"),
    ],
    ids=["short", "ascii", "japanese", "latin", "no euro in latin", "long line"],
)
def test_a_body_travels_as_the_server_is_configured_and_falls_back_safely(
    stack: AwsStack, sink: SmtpSink, server: dict[str, str], text: str, charset: str, encoding: str
) -> None:
    configure(stack, sink, server=server)
    message = arrived(stack, sink, write(stack, stack.process(original()), text=text))
    assert (message.get_content_charset(), message["Content-Transfer-Encoding"]) == (charset, encoding)
    assert message.get_content().strip() == text


def test_a_preview_tells_everything_and_writes_nothing(sending: AwsStack) -> None:
    interaction_id = sending.process(original())
    wanted = Reply(text="x", idempotency_key="k", agent="a", cc=("noreply@shop.example",))
    given = {name: value for name, value in services(sending).items() if name not in ("outbox", "outbound_queue")}
    prepared = preview_reply(interaction_id, wanted, **given)
    assert prepared.outbound.from_address == "Example Support <support@example.com>"
    assert any("nobody reads" in one for one in prepared.warnings)
    assert prepared.size > 4_000
    assert sending.outbox.get(prepared.outbound.id) is None
