"""Reports by standard: RFC 3464, RFC 8098, RFC 5965, well and badly formed."""

from __future__ import annotations

import pytest
from postroom.mail.reader import Message, read
from postroom.mail.reports.delivery_report import DeliveryReport, ReportKind
from postroom.mail.reports.fields import field_blocks
from postroom.mail.reports.standard import read_report

HEAD = "From: MAILER-DAEMON@mx.example\r\nTo: ann@example.org\r\nSubject: Undelivered Mail Returned to Sender\r\n"
WORDS = "This is the mail system at host mx.example.\r\n\r\n<bob@example.net>: host mx.example.net said: {answer}\r\n"
RETURNED = "From: ann@example.org\r\nTo: bob@example.net\r\nMessage-ID: <orig@example.org>\r\nSubject: hi\r\n\r\nhi\r\n"


def multipart(*parts: tuple[str, str], kind: str = "report; report-type=delivery-status", head: str = HEAD) -> Message:
    body = "".join(f"--x\r\nContent-Type: {name}\r\n\r\n{text}\r\n" for name, text in parts)
    return read(
        f"{head}MIME-Version: 1.0\r\nContent-Type: multipart/{kind}; boundary=x\r\n\r\n{body}--x--\r\n".encode()
    )


def status(*groups: str) -> str:
    return "\r\n\r\n".join(("Reporting-MTA: dns; mx.example", *groups)) + "\r\n"


def group(**fields: str) -> str:
    given = {
        "Final_Recipient": "rfc822; bob@example.net",
        "Action": "failed",
        "Status": "5.1.1",
        "Remote_MTA": "dns; mx.example.net",
        "Diagnostic_Code": "smtp; 550 5.1.1 <bob@example.net>: User unknown",
    } | fields
    return "\r\n".join(f"{name.replace('_', '-')}: {value}" for name, value in given.items() if value)


def read_ndr(message: Message) -> DeliveryReport:
    report = read_report(message)
    assert report is not None
    return report


def test_a_report_says_who_what_and_why_and_which_mail() -> None:
    report = read_ndr(
        multipart(
            ("text/plain", WORDS.format(answer="550 5.1.1 <bob@example.net>: User unknown")),
            ("message/delivery-status", status(group())),
            ("message/rfc822", RETURNED),
        )
    )
    assert (report.kind, report.rule, report.original_message_id) == (ReportKind.NDR, "rfc3464", "<orig@example.org>")
    (bob,) = report.recipients
    assert (bob.address, bob.action, bob.status, bob.reply_code) == ("bob@example.net", "failed", "5.1.1", "550")
    assert (bob.remote_mta, bob.permanent, bob.reason) == ("mx.example.net", True, "userunknown")
    assert bob.diagnostic is not None
    assert report.permanent


@pytest.mark.parametrize(
    ("fields", "kind", "reason", "permanent"),
    [
        pytest.param(
            {"Action": "delayed", "Status": "4.4.1", "Diagnostic_Code": ""}, "ndr", "expired", False, id="delayed"
        ),
        pytest.param(
            {"Action": "delivered", "Status": "2.0.0", "Diagnostic_Code": ""}, "report", "delivered", False, id="ok"
        ),
        pytest.param(
            {"Action": "relayed", "Status": "2.0.0", "Diagnostic_Code": ""}, "report", "delivered", False, id="on"
        ),
        pytest.param(
            {"Action": "expanded", "Status": "", "Diagnostic_Code": ""}, "report", "delivered", False, id="list"
        ),
        pytest.param(
            {"Status": "5.2.2", "Diagnostic_Code": "smtp; 552 5.2.2 over quota"}, "ndr", "mailboxfull", False, id="full"
        ),
        pytest.param(
            {"Status": "5.0.0", "Diagnostic_Code": "x-unix; procmail: exit 73"}, "ndr", "mailererror", False, id="unix"
        ),
        pytest.param({"Action": "FAILED (really)", "Status": "5.1.1 (bad)"}, "ndr", "userunknown", True, id="comments"),
    ],
)
def test_the_action_and_the_reason_decide(fields: dict[str, str], kind: str, reason: str, permanent: bool) -> None:
    report = read_ndr(multipart(("message/delivery-status", status(group(**fields)))))
    assert report.kind == kind
    assert (report.recipients[0].reason, report.recipients[0].permanent) == (reason, permanent)


def test_the_answer_of_the_server_is_more_exact_than_the_summary() -> None:
    report = read_ndr(
        multipart(("message/delivery-status", status(group(Status="5.0.0", Diagnostic_Code="smtp; 554 5.7.1 is spam"))))
    )
    assert (report.recipients[0].status, report.recipients[0].reason) == ("5.7.1", "spamdetected")


def test_every_recipient_is_read_once() -> None:
    carol = group(Final_Recipient="rfc822; carol@example.net", Status="5.2.2", Diagnostic_Code="smtp; 552 mailbox full")
    report = read_ndr(multipart(("message/delivery-status", status(group(), carol, group()))))
    assert [(each.address, each.reason) for each in report.recipients] == [
        ("bob@example.net", "userunknown"),
        ("carol@example.net", "mailboxfull"),
    ]


@pytest.mark.parametrize(
    ("value", "address"),
    [
        ("rfc822; bob@example.net", "bob@example.net"),
        ("RFC822;<bob@example.net>", "bob@example.net"),
        ("bob@example.net", "bob@example.net"),
        ("rfc822; |/usr/bin/filter bob@example.net /home", "bob@example.net"),
        ("utf-8; bob@example.net", "bob@example.net"),
    ],
)
def test_a_recipient_is_read_however_it_is_written(value: str, address: str) -> None:
    report = read_ndr(multipart(("message/delivery-status", status(group(Final_Recipient=value)))))
    assert report.recipients[0].address == address


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(multipart(("message/delivery-status", status(group())), kind="mixed"), id="multipart/mixed"),
        pytest.param(multipart(("text/plain", "It failed.\r\n\r\n" + status(group()))), id="as-text"),
        pytest.param(read(f"{HEAD}Return-Path: <>\r\n\r\nIt failed.\r\n\r\n{status(group())}".encode()), id="no-mime"),
        pytest.param(
            read(
                f"{HEAD}Content-Type: multipart/report; boundary=nowhere\r\n\r\nNone.\r\n\r\n{status(group())}".encode()
            ),
            id="no-boundary",
        ),
        pytest.param(multipart(("message/delivery-status", group().replace("\r\n", "\n"))), id="one-block-bare-lf"),
    ],
)
def test_a_badly_formed_report_is_read_all_the_same(message: Message) -> None:
    report = read_ndr(message)
    assert [(each.address, each.reason) for each in report.recipients] == [("bob@example.net", "userunknown")]


def test_a_person_who_quotes_a_report_does_not_send_one() -> None:
    quoted = read(
        f"From: ann@example.com\r\nSubject: What does this mean?\r\n\r\nI got:\r\n\r\n{status(group())}".encode()
    )
    assert read_report(quoted) is None


def test_a_report_forwarded_as_an_attachment_is_not_a_report() -> None:
    inner = HEAD + "\r\n" + status(group())
    message = multipart(
        ("text/plain", "see attached"), ("message/rfc822", inner), kind="mixed", head="From: a@b.example\r\n"
    )
    assert read_report(message) is None


@pytest.mark.parametrize("name", ["text/rfc822-headers", "message/rfc822", "message/rfc822-headers"])
def test_the_original_message_id_is_found_in_the_returned_part(name: str) -> None:
    report = read_ndr(multipart(("message/delivery-status", status(group())), (name, RETURNED)))
    assert report.original_message_id == "<orig@example.org>"


def test_without_a_returned_part_there_is_no_original_message_id() -> None:
    assert read_ndr(multipart(("message/delivery-status", status(group())))).original_message_id is None


def test_a_disposition_says_what_the_reader_did_with_which_mail() -> None:
    fields = (
        "Reporting-UA: mail.example\r\nFinal-Recipient: rfc822; bob@example.net\r\n"
        "Original-Message-ID: <orig@example.org>\r\n"
        "Disposition: manual-action/MDN-sent-manually; displayed\r\n"
    )
    report = read_ndr(
        multipart(
            ("text/plain", "Your message was read."),
            ("message/disposition-notification", fields),
            kind="report; report-type=disposition-notification",
            head="From: bob@example.net\r\n",
        )
    )
    assert (report.kind, report.rule, report.original_message_id) == (
        ReportKind.DISPOSITION,
        "rfc8098",
        "<orig@example.org>",
    )
    assert (report.recipients[0].address, report.recipients[0].action) == ("bob@example.net", "displayed")


def test_a_complaint_says_who_complained_about_which_mail() -> None:
    fields = "Feedback-Type: abuse\r\nUser-Agent: Loop/1.0\r\nVersion: 1\r\nOriginal-Rcpt-To: <bob@example.net>\r\n"
    report = read_ndr(
        multipart(
            ("text/plain", "An abuse report."),
            ("message/feedback-report", fields),
            ("message/rfc822", RETURNED),
            kind="report; report-type=feedback-report",
            head="From: feedback@isp.example\r\n",
        )
    )
    assert (report.kind, report.feedback_type, report.original_message_id) == (
        ReportKind.FEEDBACK,
        "abuse",
        "<orig@example.org>",
    )
    assert (report.recipients[0].address, report.recipients[0].reason) == ("bob@example.net", "feedback")


@pytest.mark.parametrize(
    ("sender", "subject", "recognised"),
    [
        ("staff@hotmail.com", "complaint about message from 192.0.2.1", True),
        ("eve@evil.example", "complaint about message from 192.0.2.1", False),
        ("staff@hotmail.com", "A complaint", False),
    ],
)
def test_the_older_form_of_a_complaint_is_known_by_sender_and_subject(
    sender: str, subject: str, recognised: bool
) -> None:
    returned = "X-HmXmrOriginalRecipient: <bob@hotmail.example>\r\n" + RETURNED
    head = f"From: {sender}\r\nSubject: {subject}\r\n"
    report = read_report(multipart(("message/rfc822", returned), kind="mixed", head=head))
    assert (report is not None) is recognised
    if report is not None:
        assert (report.kind, report.original_message_id) == (ReportKind.FEEDBACK, "<orig@example.org>")
        assert report.recipients[0].address == "bob@hotmail.example"


def test_a_delivery_without_status_is_a_success() -> None:
    report = read_ndr(
        multipart(("message/delivery-status", status(group(Action="delivered", Status="", Diagnostic_Code=""))))
    )
    assert report.recipients[0].status == "2.0.0"


def test_a_complaint_without_recipient_takes_it_from_the_mail_itself() -> None:
    report = read_ndr(multipart(("message/feedback-report", "Feedback-Type: abuse\r\n"), ("message/rfc822", RETURNED)))
    assert report.recipients[0].address == "bob@example.net"


def test_folded_and_repeated_fields_are_kept_apart() -> None:
    blocks = field_blocks("Ab: 1\n  2\n\nFinal-Recipient: rfc822; a@b\nStatus: 5.1.1\nFinal-Recipient: rfc822; c@d\n")
    assert blocks == [
        {"ab": "1 2"},
        {"final-recipient": "rfc822; a@b", "status": "5.1.1"},
        {"final-recipient": "rfc822; c@d"},
    ]
