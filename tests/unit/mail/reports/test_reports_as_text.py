"""A report whose fields stand in the text part beside the original: told from a person who shows one to us."""

from __future__ import annotations

import pytest
from postroom.mail.reader import read
from postroom.mail.reports.delivery_report import DeliveryReport
from postroom.rules.kind import find_report

FIELDS = (
    "Reporting-MTA: dns; out.example\n\nAction: failed\nFinal-Recipient: rfc822; kim@y.example\n"
    "Diagnostic-Code: smtp; 550 5.1.1 <kim@y.example>: Recipient address rejected\nStatus: 5.1.1\n"
)
ORIGINAL = "From: desk@cc.example\nTo: kim@y.example\nSubject: Your case\nMessage-ID: <out1@cc.example>\n\nHello\n"


def found(
    *headers: str,
    sender: str = "gateway.example",
    subject: str = "Undelivered Mail Returned to Sender",
    original: str = ORIGINAL,
) -> DeliveryReport | None:
    head = "\n".join([*headers, f"From: {sender}", "To: desk@cc.example", f"Subject: {subject}"])
    raw = (
        f"{head}\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=q\n\n--q\nContent-Type: text/plain\n\n"
        f"An error occurred.\n\nTechnical report:\n\n{FIELDS}\n--q\nContent-Type: message/rfc822\n\n{original}--q--\n"
    )
    return find_report(read(raw.encode()))


def test_fields_in_the_text_beside_our_mail_are_a_report() -> None:
    report = found()
    assert report is not None
    assert report.original_message_id == "<out1@cc.example>"
    (recipient,) = report.recipients
    assert (recipient.address, recipient.status, recipient.reply_code, recipient.permanent) == (
        "kim@y.example",
        "5.1.1",
        "550",
        True,
    )


@pytest.mark.parametrize(
    "report",
    [
        pytest.param(found(subject="Please look at this"), id="no report's title"),
        pytest.param(found("In-Reply-To: <a@cc.example>"), id="an answer"),
        pytest.param(found("User-Agent: Mail"), id="from a mail program"),
        pytest.param(found(original=ORIGINAL.replace("desk@cc.example", "bo@other.example")), id="not our mail"),
        pytest.param(found(sender="desk@cc.example", original=ORIGINAL), id="the writer himself shows what came back"),
    ],
)
def test_a_person_who_shows_a_report_sends_none(report: DeliveryReport | None) -> None:
    assert report is None


def test_the_address_that_was_written_to_is_told_where_an_alias_made_another_of_it() -> None:
    raw = (
        "Return-Path: <>\nFrom: MAILER-DAEMON@mx.example\nTo: desk@cc.example\nSubject: Delivery failed\n"
        "Content-Type: multipart/report; report-type=delivery-status; boundary=q\n\n--q\n\nNo.\n--q\n"
        "Content-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\n"
        "Original-Recipient: rfc822;Kim@Y.example\nFinal-Recipient: rfc822; kim@y.example\nAction: failed\n"
        "Status: 5.1.1\n\nOriginal-Recipient: rfc822;sales@y.example\nFinal-Recipient: rfc822; bo@z.example\n"
        "Action: failed\nStatus: 5.0.0\n\n--q--\n"
    )
    report = find_report(read(raw.encode()))
    assert report is not None
    assert [(one.address, one.original_recipient) for one in report.recipients] == [
        ("kim@y.example", None),
        ("bo@z.example", "sales@y.example"),
    ]
