"""Reports that follow neither a standard nor a server we know by its words, and people who show us one."""

from __future__ import annotations

import pytest
from postroom.mail.reader import read
from postroom.mail.reports.delivery_report import ReportKind
from postroom.rules.kind import find_report

from tests.unit.mail.reports.world import Expected, plain, returned, standard

ANN = "ann@example.com"
NO_PATH = "X-Note: the mailbox keeps no return path\n"


def _in_parts(head: str, *parts: str) -> bytes:
    return (f"{head}MIME-Version: 1.0\n\n" + "".join(f"--=b\n{part}\n" for part in parts) + "--=b--\n").encode()


DSN = (
    "From: postmaster@mx.example.net\nTo: service@example.org\nSubject: Delivery Status Notification (Failure)\n"
    'Message-ID: <dsn.1@mx.example.net>\nContent-Type: multipart/report; report-type=delivery-status; boundary="=i"\n'
    "MIME-Version: 1.0\n\n--=i\nContent-Type: text/plain\n\nDelivery to the following recipients failed.\n\n"
    f"       {ANN}\n\n--=i\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example.net\n\n"
    f"Final-Recipient: rfc822;{ANN}\nAction: failed\nStatus: 5.1.1\n\n--=i--\n"
)

FAILURES: dict[str, tuple[bytes, Expected]] = {
    "mailer-daemon-without-a-return-path": (
        plain(
            "Campus mail <MAILER-DAEMON@mx.example.net>",
            "Your message of today",
            f"Hello,\nyour message to {ANN} has reached us, but this email address is no longer valid.\n"
            "It has not been delivered.\n",
            headers=NO_PATH,
        ),
        Expected(ANN, "5", True, "userunknown"),
    ),
    "processing-error": (
        plain(
            "MAILER-DAEMON@mx.example.net",
            "Processing Error",
            f"Intended recipient: {ANN}\n\nThe following mail could not be delivered: an error came up.\n",
            headers="Return-Path: <list-admin@example.org>\n",
        ),
        Expected(ANN, "5", False, "undefined"),
    ),
    "report-without-its-fields": (
        _in_parts(
            "Return-Path: <gateway@mx.example.net>\nTo: service@example.org\nSubject: Utilisateur hors annuaire\n"
            'Content-Type: multipart/report; report-type="delivery-status"; boundary="=b"\n',
            f"Content-Type: text/plain; charset=utf-8\n\nA message could not be delivered to:\n{ANN}\n"
            "L'adresse de messagerie donnée ci-dessus n'existe pas.\n",
            "Content-Type: message/delivery-status\n\nReporting-MTA: mx.example.net\n",
        ),
        Expected(ANN, "5", True, "userunknown"),
    ),
    "report-within-a-notice": (
        _in_parts(
            "From: postmaster@mx.example.net\nTo: service@example.org\nSubject: Delivery Status Notification\n"
            'Message-ID: <dsn.1@mx.example.net>\nContent-Type: multipart/mixed; boundary="=b"\n',
            f"Content-Type: message/rfc822\n\n{DSN}",
            "Content-Type: text/plain\n\nThis mail is confidential and was scanned.\n",
        ),
        Expected(ANN, "5", True, "userunknown"),
    ),
    "gateway-with-a-telling-name": (
        plain(
            '"System Administrator" <sa@gateway.example.net>',
            "Delivery Failure",
            f"Could not deliver message to the following recipient(s):\n\nFailed Recipient: {ANN}\n"
            f"Reason: Remote host said: 550 unknown user <{ANN}>\n",
            headers=NO_PATH,
        ),
        Expected(ANN, "5", True, "userunknown"),
    ),
    "gateway-still-trying": (
        plain(
            "Scanner_Mail_Delivery_Service@gateway.example.net",
            "Delivery failure notification",
            f"Your message could not be delivered to the following recipients:\n\n{ANN}\n\nPlease do not resend your "
            "message.\n\nDelivery attempts will continue to be made for 5 day(s).\n",
            headers=NO_PATH,
        ),
        Expected(ANN, "4", False, "expired"),
    ),
    "gateway-without-a-name-returns-our-mail": (
        plain(
            "ndr@gateway.example.net",
            "Mail delivery failed: returning message to sender",
            f"A message that you sent could not be delivered to all of its recipients.\n\n  {ANN}\n    550 mailbox "
            "full\n\n------ This is a copy of the message, including all the headers. ------\n\n" + returned(ANN),
            headers=NO_PATH,
        ),
        Expected(ANN, "5", False, "mailboxfull"),
    ),
    "transcript-in-which-much-was-accepted": (
        plain(
            "MDaemon@mx.example.net",
            "Permanent Delivery Failure",
            f"YOUR MESSAGE WAS NOT DELIVERED!\n\nThe following addresses did NOT receive a copy:\n\n> {ANN}\n\n"
            "--- Session Transcript ---\n 220 mx.example.com ESMTP ready\n EHLO mx.example.net\n 250 SIZE 40000000\n"
            f" MAIL From:<service@example.org>\n 250 Sender ok\n RCPT To:<{ANN}>\n 552 would exceed mailbox quota\n"
            "--- End Transcript ---\n",
        ),
        Expected(ANN, "5", False, "mailboxfull"),
    ),
    "refused-after-it-came": (
        _in_parts(
            "Return-Path: <>\nFrom: Mail Delivery Subsystem <admin@example.com>\nTo: service@example.org\n"
            "Subject: Automatically rejected mail\nAuto-Submitted: auto-replied (rejected)\n"
            'Content-Type: multipart/report; report-type=disposition-notification; boundary="=b"\n',
            f"Content-Type: text/plain\n\nYour message to <{ANN}> was automatically rejected:\nQuota exceeded\n",
            f"Content-Type: message/disposition-notification\n\nFinal-Recipient: rfc822; {ANN}\n"
            "Original-Message-ID: <out.17@example.org>\n"
            "Disposition: automatic-action/MDN-sent-automatically; deleted\n",
        ),
        Expected(ANN, "5", False, "mailboxfull"),
    ),
    "refused-by-a-filter": (
        _in_parts(
            "Return-Path: <>\nFrom: Ann <ann@example.com>\nTo: service@example.org\nSubject: Automatically rejected\n"
            'Content-Type: multipart/report; report-type=disposition-notification; boundary="=b"\n',
            "Content-Type: text/plain\n\nThis message was refused. I take no offers.\n",
            f"Content-Type: message/disposition-notification\n\nFinal-Recipient: rfc822; {ANN}\n"
            "Disposition: automatic-action/MDN-sent-automatically; deleted\n",
        ),
        Expected(ANN, "5", False, "filtered"),
    ),
    "address-within-a-sentence": (
        plain(
            "MAILER-DAEMON@mx.example.net",
            "Mail could not be delivered",
            f"Your message was not delivered because the mailbox of {ANN} is full.\n\nYours, postmaster@example.net\n",
        ),
        Expected(ANN, "5", False, "mailboxfull"),
    ),
    "address-among-chinese-signs": (
        plain("Postmaster@163.com", "系统退信/Systems bounce", f"收件人邮件地址：{ANN}，不存在，邮件无法送达。\n"),
        Expected(ANN, "5", True, "userunknown"),
    ),
    "language-that-no-row-knows": (
        plain(
            "Mailer-Daemon@mx.example.net",
            "Tilkynning",
            f"Ekki tókst að koma bréfinu til skila:\n\n {ANN}\n\n550 5.1.1 User unknown\n",
        ),
        Expected(ANN, "5", True, "userunknown"),
    ),
    "german-delay": (
        plain(
            "Mailer-Daemon@mx.example.net",
            "Warnung",
            f"Ihre Nachricht konnte seit 24 Stunden nicht zugestellt werden an:\n\n {ANN}\n\nDie Zustellung wird "
            "weiter versucht.\n",
        ),
        Expected(ANN, "4", False, "expired"),
    ),
    "answer-in-a-field-of-the-gateways-own": (
        standard(
            "postmaster@mx.example.net",
            "Delivery Status Notification (Failure)",
            "Delivery to the following recipients failed.\n\n  ann+AEA-example.com\n",
            f"Final-Recipient: rfc822;{ANN}\nAction: failed\nStatus: 5.5.0\n"
            "X-Supplementary-Info: < #5.5.0 smtp;550 Requested action not taken: mailbox\n unavailable (4:4198:-21)>\n",
            to=ANN,
        ),
        Expected(ANN, "5", True, "userunknown"),
    ),
}


@pytest.mark.parametrize(("raw", "expected"), FAILURES.values(), ids=FAILURES.keys())
def test_a_gateway_tells_of_a_failure(raw: bytes, expected: Expected) -> None:
    report = find_report(read(raw))
    assert report is not None
    assert report.kind is ReportKind.NDR
    found = report.recipients[0]
    said = Expected(found.address, (found.status or "")[:1], found.permanent is True, found.reason or "")
    assert said == expected


EXIM = (
    "This message was created automatically by mail delivery software.\n\nA message that you sent could not be "
    "delivered to one or more of its\nrecipients. The following address(es) failed:\n\n  service@example.org\n    550 "
    "user unknown\n\n------ This is a copy of the message, including all the headers. ------\n\n"
    "Message-ID: <1@example.com>\nFrom: Ann <ann@example.com>\nTo: service@example.org\nSubject: hi\n\nhello\n"
)
TITLE = "Mail delivery failed: returning message to sender"
HELLO = "Hello,\nthis is what I got when I answered you:\n\n"

SHOWN: dict[str, bytes] = {
    "pasted-under-the-reports-title": plain(
        "Ann <ann@example.com>", TITLE, HELLO + EXIM, headers="Return-Path: <ann@example.com>\n"
    ),
    "pasted-where-no-return-path-is-kept": plain("Ann <ann@example.com>", TITLE, HELLO + EXIM, headers=NO_PATH),
    "quoted": plain(
        "Bob <bob@example.net>",
        TITLE,
        HELLO + "".join(f"> {line}\n" for line in EXIM.split("\n")),
        headers="Return-Path: <bob@example.net>\n",
    ),
    "written-in-a-mail-program": plain(
        "Bob <bob@example.net>",
        TITLE,
        HELLO + EXIM,
        headers="Return-Path: <bob@example.net>\nUser-Agent: Mozilla Thunderbird\n",
    ),
    "pasted-by-a-colleague-of-the-addressee": plain(
        "Bob <bob@example.com>", TITLE, HELLO + EXIM, headers="Return-Path: <bob@example.com>\n"
    ),
    "attached-under-the-reports-title": _in_parts(
        f"Return-Path: <ann@example.com>\nFrom: Ann <ann@example.com>\nTo: service@example.org\nSubject: {TITLE}\n"
        'Content-Type: multipart/mixed; boundary="=b"\n',
        "Content-Type: text/plain\n\nPlease see the attached mail.\n",
        f"Content-Type: message/rfc822\n\nFrom: MAILER-DAEMON@mx.example.net\nTo: ann@example.com\nSubject: {TITLE}\n\n"
        f"{EXIM}",
    ),
    "forwarded-with-all-of-its-parts": _in_parts(
        "Return-Path: <ann@example.com>\nFrom: Ann <ann@example.com>\nTo: service@example.org\n"
        'Subject: Fwd: Undelivered Mail Returned to Sender\nContent-Type: multipart/mixed; boundary="=b"\n',
        "Content-Type: text/plain\n\nWhat is this?\n\nBegin forwarded message:\n> This is the mail system\n",
        "Content-Type: message/delivery-status; name=details.txt\n\nReporting-MTA: dns; mx.example.net\n\n"
        "Final-Recipient: rfc822; service@example.org\nAction: failed\nStatus: 5.1.1\n",
        "Content-Type: message/rfc822\n\nMessage-ID: <1@example.com>\nFrom: ann@example.com\n\nhello\n",
    ),
    "repeated-by-an-answering-machine": plain(
        "Bob <bob@example.net>",
        "I am away",
        "Back on Monday. You wrote:\n\n" + EXIM,
        headers="Return-Path: <bob@example.net>\nAuto-Submitted: auto-replied\n",
    ),
    "fields-repeated-by-an-answering-machine": plain(
        "Bob <bob@example.net>",
        "Automatic reply: your question",
        "Back on Monday. You wrote:\n\nFinal-Recipient: rfc822; ann@example.com\nAction: failed\nStatus: 5.1.1\n",
        headers="Return-Path: <bob@example.net>\nAuto-Submitted: auto-replied\n",
    ),
    "administrator-answers": plain(
        "System Administrator <admin@partner.example>",
        "Undeliverable mail of last night",
        "Your message to ann@example.com could not be delivered, the mailbox is full. I made room, send it again.\n",
        headers="Return-Path: <admin@partner.example>\nIn-Reply-To: <out.17@example.org>\n",
    ),
    "administrator-asks": plain(
        "System Administrator <it@partner.example>",
        "Undeliverable mail",
        "Hi,\nour mail to ann@example.com is returned: 550 5.1.1 user unknown.\nWhat is the new address?\n\n"
        "it@partner.example\n",
        headers=NO_PATH,
    ),
    "carrier-with-a-telling-name": plain(
        "Mail Delivery Service <info@parcels.example>",
        "Undeliverable parcel 4411",
        "Your parcel could not be delivered to the recipient, address unknown. Write to bob@parcels.example.\n",
        headers=NO_PATH,
    ),
    "mailer-tells-of-a-success": plain(
        "MAILER-DAEMON@mx.example.net", "Your letter", f"It was successfully delivered:\n\n {ANN}\n"
    ),
    "read-and-deleted": _in_parts(
        "From: Ann <ann@example.com>\nTo: service@example.org\nSubject: Not read: Your contract\n"
        'Content-Type: multipart/report; report-type=disposition-notification; boundary="=b"\n',
        "Content-Type: text/plain\n\nYour message was deleted without being read.\n",
        f"Content-Type: message/disposition-notification\n\nFinal-Recipient: rfc822; {ANN}\n"
        "Disposition: automatic-action/MDN-sent-automatically; deleted\n",
    ),
}


@pytest.mark.parametrize("raw", SHOWN.values(), ids=SHOWN.keys())
def test_a_report_that_somebody_shows_is_no_failure(raw: bytes) -> None:
    report = find_report(read(raw))
    assert report is None or report.kind is not ReportKind.NDR


def test_who_gets_a_report_is_not_whom_it_is_about() -> None:
    text = "This is the mail system at host mx.example.net.\n\nYour mail could not be delivered.\n\n"
    raw = plain("MAILER-DAEMON@mx.example.net", "Undelivered Mail Returned to Sender", text)
    embedded = (
        raw.replace(b"Content-Type: text/plain", b"Content-Type: text/plain") + returned("service@example.org").encode()
    )
    report = find_report(read(embedded))
    assert report is None or all(each.address != "service@example.org" for each in report.recipients)
