"""Reports, automatic mail, phrases and masking: what kind a mail is decides its queue, through the real handler."""

from __future__ import annotations

from typing import Any

import pytest
from postroom.adapters.clock import utc_now
from postroom.adapters.outbox.suppressions import DynamoSuppressions
from postroom.model.interaction import Interaction, Status, Subtype
from postroom.model.outbound import Delivery

from tests.functional.processing.conftest import CONFIGURATION
from tests.functional.processing.test_threads import sent_message_id
from tests.support.aws_stack import AwsStack
from tests.support.mails import mail


def made(stack: AwsStack, raw: bytes) -> Interaction:
    found = stack.interactions.get(stack.process(raw))
    assert found is not None
    return found


SAID = {
    "failed": "550 5.1.1 User unknown",
    "delayed": "421 4.4.1 Connection timed out",
    "delivered": "250 2.0.0 Delivered",
}


def report(original: str, *, action: str = "failed", status: str = "5.1.1") -> bytes:
    lines = f"""Return-Path: <>
From: Mail Delivery System <MAILER-DAEMON@mx.example.org>
To: support@example.com
Subject: Undelivered Mail Returned to Sender
Message-ID: <report-{action}@mx.example.org>
Auto-Submitted: auto-replied
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

I could not deliver your message.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.org

Final-Recipient: rfc822; ann@example.org
Action: {action}
Status: {status}
Remote-MTA: dns; mail.example.org
Diagnostic-Code: smtp; {SAID[action]}

--b
Content-Type: text/rfc822-headers

Message-ID: {original}
Subject: We have your mail

--b--
"""
    return lines.replace("\n", "\r\n").encode()


@pytest.mark.fault(80)
@pytest.mark.feature("G29")
@pytest.mark.parametrize(
    ("action", "status", "subtype", "delivery"),
    [
        ("failed", "5.1.1", Subtype.INBOUND_NDR, Delivery.BOUNCED),
        ("delayed", "4.4.1", Subtype.INBOUND_NDR, Delivery.DELAYED),
        ("delivered", "2.0.0", Subtype.INBOUND_REPORT, Delivery.DELIVERED),
    ],
)
def test_a_report_becomes_a_child_of_the_mail_it_is_about(
    configured: AwsStack, action: str, status: str, subtype: Subtype, delivery: Delivery
) -> None:
    root = configured.process(mail())
    outbound_id, signed = sent_message_id(configured)
    child = made(configured, report(signed, action=action, status=status))
    assert (child.subtype, child.thread_id, child.parent_id) == (subtype, root, outbound_id)
    assert child.attributes["Final-Recipient"] == "ann@example.org"
    assert (child.attributes["Action"], child.attributes["Status"]) == (action, status)
    assert child.attributes["Remote-MTA"] == "mail.example.org"
    assert child.status is (Status.DONE if subtype is Subtype.INBOUND_REPORT else Status.QUEUED)
    outbound = configured.outbox.get(outbound_id)
    assert outbound is not None
    assert outbound.delivery is delivery
    assert outbound.deliveries == {"ann@example.org": delivery}
    store = DynamoSuppressions(configured.client("dynamodb"), configured.table)
    assert [one.address for one in store.all(now=utc_now())] == (["ann@example.org"] if action == "failed" else [])


@pytest.mark.feature("G29")
def test_a_disposition_says_that_the_mail_was_read(configured: AwsStack) -> None:
    configured.process(mail())
    outbound_id, signed = sent_message_id(configured)
    raw = (
        "Return-Path: <ann@example.org>\r\nFrom: ann@example.org\r\nTo: support@example.com\r\nSubject: Read\r\n"
        "Content-Type: multipart/report; report-type=disposition-notification; boundary=b\r\n\r\n--b\r\n\r\nread\r\n"
        "--b\r\nContent-Type: message/disposition-notification\r\n\r\nFinal-Recipient: rfc822; ann@example.org\r\n"
        f"Original-Message-ID: {signed}\r\nDisposition: manual-action/MDN-sent-manually; displayed\r\n\r\n--b--\r\n"
    ).encode()
    child = made(configured, raw)
    assert (child.subtype, child.parent_id) == (Subtype.INBOUND_DISPOSITION, outbound_id)
    outbound = configured.outbox.get(outbound_id)
    assert outbound is not None
    assert outbound.delivery is Delivery.OPENED


@pytest.mark.fault(79)
def test_a_bounce_with_a_forged_message_id_of_ours_touches_nothing(configured: AwsStack) -> None:
    configured.process(mail())
    outbound_id, signed = sent_message_id(configured)
    forged = signed.replace(signed.split(".")[2][:16], "a" * 16)
    child = made(configured, report(forged))
    assert (child.thread_id, child.parent_id) == (child.id, None)
    outbound = configured.outbox.get(outbound_id)
    assert outbound is not None
    assert outbound.delivery is Delivery.UNKNOWN


AUTOMATIC = "Auto-Submitted: auto-replied"


@pytest.mark.feature("C13")
@pytest.mark.feature("C14")
@pytest.mark.feature("X07")
@pytest.mark.parametrize(
    ("headers", "settings", "phrases", "queue", "subtype"),
    [
        (["Return-Path: <>"], {}, [], "exceptions", Subtype.PERMANENT_UNDELIVERABLE),
        (["Return-Path: <>", AUTOMATIC], {}, [], "support", Subtype.INBOUND_AUTOMATIC),
        ([AUTOMATIC], {"mode": "strict"}, [], "exceptions", Subtype.PERMANENT_UNDELIVERABLE),
        ([], {}, [], "support", Subtype.INBOUND_NEW),
        ([], {"mode": "strict"}, [], "exceptions", Subtype.PERMANENT_UNDELIVERABLE),
        ([AUTOMATIC], {"removed": ["subject:Abwesenheitsnotiz"]}, [], "support", Subtype.INBOUND_AUTOMATIC),
        (
            [],
            {"mode": "strict", "removed": ["subject:Abwesenheitsnotiz"]},
            [{"name": "ours", "type": "subject", "phrase": "ferien", "failure": "temporary"}],
            "exceptions",
            Subtype.TEMPORARY_UNDELIVERABLE,
        ),
    ],
    ids=["corroborated", "answering-machine", "strict-machine", "uncorroborated", "strict", "removed", "own-phrase"],
)
def test_a_phrase_diverts_a_mail_only_where_its_structure_agrees_or_phrases_are_strict(
    configured: AwsStack,
    headers: list[str],
    settings: dict[str, Any],
    phrases: list[dict[str, str]],
    queue: str,
    subtype: Subtype,
) -> None:
    given = {**CONFIGURATION["settings"], "delivery_exceptions": settings}
    configured.configure(**{**CONFIGURATION, "settings": given, "delivery_exceptions": phrases})
    found = made(configured, mail(*headers, subject="Abwesenheitsnotiz: Ferien"))
    assert (found.queue, found.subtype) == (queue, subtype)
    if queue == "support" and not settings:
        assert found.attributes["DeliveryException"]  # a hint that people see
        assert any(one.rule == "kind.delivery-exception" and one.outcome == "hint" for one in found.decisions)


CARD = "4111 1111 1111 1111"


@pytest.mark.feature("C15")
def test_what_is_masked_is_nowhere_in_what_is_stored_and_shown_but_in_the_raw_message(configured: AwsStack) -> None:
    configured.configure(
        **{
            **CONFIGURATION,
            "masking_patterns": [
                {"name": "cards", "kind": "card"},
                {"name": "customer", "pattern": "K-[0-9]{6}", "replacement": "x"},
                {"name": "elsewhere", "department": "other", "pattern": "kettle"},
            ],
        }
    )
    raw = (
        "From: ann@example.org\r\nTo: support@example.com\r\nSubject: K-123456 and my card\r\nMIME-Version: 1.0\r\n"
        "Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n"
        f"My card is {CARD}, the kettle is broken.\r\n--b\r\nContent-Type: text/html\r\n\r\n"
        "<p>My card is 4111 <b>1111</b> 1111<br>1111, the kettle is broken.</p>\r\n--b--\r\n"
    ).encode()
    found = made(configured, raw)
    body = configured.interactions.body(found.id)
    assert body is not None
    assert body.html is not None
    assert found.subject == "xxxxxxxx and my card"
    assert "**** **** **** ****" in body.text
    assert "kettle" in body.text
    stored = repr(configured.interactions.item(found.id)) + repr(found) + repr(body)
    assert "1111" not in stored.replace(found.sha256, "").replace(found.raw_key, "").replace(found.id, "")
    content = configured.client("s3").get_object(Bucket=configured.environment["RAW_BUCKET"], Key=found.raw_key)
    assert content["Body"].read() == raw


@pytest.mark.feature("C15")
def test_the_subject_and_an_invitations_summary_are_masked_and_the_subject_is_counted(configured: AwsStack) -> None:
    configured.configure(**{**CONFIGURATION, "masking_patterns": [{"name": "cards", "kind": "card"}]})
    raw = (
        f"From: ann@example.org\r\nTo: support@example.com\r\nSubject: Card {CARD}\r\nMIME-Version: 1.0\r\n"
        "Content-Type: text/calendar; method=REQUEST\r\n\r\nBEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\n"
        f"DTSTART:20261124T090000Z\r\nSUMMARY:Card {CARD}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    ).encode()
    found = made(configured, raw)
    assert found.subject == found.attributes["Calendar-Summary"] == "Card **** **** **** ****"
    assert "cards: 1 in the subject" in [one.detail for one in found.decisions if one.rule == "masking"]
