"""Bounces that follow no standard, by server and text."""

from __future__ import annotations

import json

import pytest
from postroom.mail.reports.bounce import read_bounce
from postroom.mail.reports.delivery_report import DeliveryReport, ReportKind

from tests.unit.conftest import MakeMail

RETURNED = (
    "Return-Path: <ann@example.org>\nMessage-ID: <orig@example.org>\nFrom: ann@example.org\nTo: bob@example.net\n"
)
DAEMON = {"From": "MAILER-DAEMON@mx.example", "To": "ann@example.org", "Return_Path": "<>"}

QMAIL = f"""Hi. This is the qmail-send program at mx.example.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<bob@example.net>:
192.0.2.9 does not like recipient.
Remote host said: 552 5.2.2 mailbox full
Giving up on 192.0.2.9.

--- Below this line is a copy of the message.

{RETURNED}"""

EXIM = f"""This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  bob@example.net
    host mx.example.net [192.0.2.9]
    SMTP error from remote mail server after RCPT TO:<bob@example.net>:
    550 5.1.1 No such user here

------ This is a copy of the message, including all the headers. ------

{RETURNED}"""

POSTFIX = f"""This is the mail system at host mx.example.

I'm sorry to have to inform you that your message could not
be delivered to one or more recipients.

<bob@example.net>: host mx.example.net[192.0.2.9] said: 554 5.7.1 This message
    looks like spam (in reply to end of DATA command)

{RETURNED}"""

NOTES = f"""------- Failure Reasons  --------

User not listed in public Name & Address Book
bob@example.net

------- Returned Message --------

{RETURNED}"""

MARSHAL = """Your message:
   From:    ann@example.org
   Subject: Hello

Could not be delivered because of

550 5.1.1 User unknown

The following recipients were affected:
    bob@example.net
"""

JAMES = """Hi. This is the James mail server at mx.example.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

Failed recipient(s):
bob@example.net

Error message:
550 - Requested action not taken: no such user here
"""

V5 = f"""   ----- Transcript of session follows -----
While talking to mx.example.net:
>>> RCPT To:<bob@example.net>
<<< 550 <bob@example.net>, User Unknown
550 <bob@example.net>... User unknown

   ----- Unsent message follows -----
{RETURNED}"""

SWEDISH_GATEWAY = f"""Your message could not be delivered to bob@example.net

The mailbox is full.

----- Original message -----
{RETURNED}"""


@pytest.mark.parametrize(
    ("body", "subject", "rule", "reason", "permanent"),
    [
        pytest.param(QMAIL, "failure notice", "qmail", "mailboxfull", False, id="qmail"),
        pytest.param(EXIM, "Mail delivery failed: returning message to sender", "exim", "userunknown", True, id="exim"),
        pytest.param(POSTFIX, "Undelivered Mail Returned to Sender", "postfix", "spamdetected", False, id="postfix"),
        pytest.param(NOTES, "DELIVERY FAILURE: User not listed", "domino", "userunknown", True, id="notes"),
        pytest.param(MARSHAL, "Undeliverable Mail", "mailmarshal", "userunknown", True, id="mailmarshal"),
        pytest.param(JAMES, "Failed delivery", "qmail", "userunknown", True, id="james"),
        pytest.param(V5, "Returned mail: User unknown", "sendmail", "userunknown", True, id="old-sendmail"),
        pytest.param(SWEDISH_GATEWAY, "Undeliverable", "nonames", "mailboxfull", False, id="unnamed"),
    ],
)
def test_a_bounce_is_read_from_its_text(
    mail: MakeMail, body: str, subject: str, rule: str, reason: str, permanent: bool
) -> None:
    report = read_bounce(mail(body, Subject=subject, **DAEMON))
    assert report is not None
    assert (report.kind, report.rule) == (ReportKind.NDR, f"bounce:{rule}")
    assert [(each.address, each.reason, each.permanent) for each in report.recipients] == [
        ("bob@example.net", reason, permanent)
    ]
    assert report.recipients[0].status is not None
    assert report.recipients[0].status.startswith("5")
    if "Message-ID" in body:
        assert report.original_message_id == "<orig@example.org>"


def test_each_of_several_recipients_has_its_own_reason(mail: MakeMail) -> None:
    body = QMAIL.replace("--- Below", "<carol@example.net>:\nRemote host said: 550 5.1.1 no such user\n\n--- Below")
    report = read_bounce(mail(body, Subject="failure notice", **DAEMON))
    assert report is not None
    assert [(each.address, each.reply_code, each.reason) for each in report.recipients] == [
        ("bob@example.net", "552", "mailboxfull"),
        ("carol@example.net", "550", "userunknown"),
    ]


def test_a_warning_is_temporary(mail: MakeMail) -> None:
    body = """This message was created automatically by mail delivery software.
A message that you sent has not yet been delivered to one or more of its
recipients after more than 24 hours on the queue on mx.example.

  bob@example.net
    Delay reason: connect to mx.example.net: Connection timed out
"""
    report = read_bounce(mail(body, Subject="Warning: message 1abc delayed 24 hours", **DAEMON))
    assert report is not None
    (bob,) = report.recipients
    assert (bob.action, bob.status, bob.permanent, bob.reason) == ("delayed", "4.4.7", False, "expired")


def test_the_failed_recipients_header_outranks_the_text(mail: MakeMail) -> None:
    body = EXIM.replace("  bob@example.net\n", "  robert@internal.example.net\n    (generated from bob@example.net)\n")
    report = read_bounce(mail(body, X_Failed_Recipients="bob@example.net", **DAEMON))
    assert report is not None
    assert [each.address for each in report.recipients] == ["bob@example.net"]
    assert report.recipients[0].reason == "userunknown"


def test_html_alone_is_read_too(mail: MakeMail) -> None:
    html = (
        "<html><body><p>Delivery has failed to these recipients:</p><p>bob@example.net</p>"
        "<p>Remote server returned &#39;550 5.1.10 Recipient not found&#39;</p></body></html>"
    )
    report = read_bounce(mail(html, Subject="Undeliverable: hi", Content_Type="text/html", **DAEMON))
    assert report is not None
    assert [(each.address, each.reason) for each in report.recipients] == [("bob@example.net", "userunknown")]


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        pytest.param(QMAIL, {"Subject": "Fwd: failure notice"}, id="forwarded-by-a-person"),
        pytest.param("My mailbox is full, what can I do?", {"Subject": "Delivery failed"}, id="question"),
        pytest.param("Our user unknown <bob@example.net> called.", {"Subject": "user unknown"}, id="words-of-bounces"),
        pytest.param(
            "bob@example.net\nmailbox full", {"From": "postmaster@customer.example"}, id="postmaster-is-a-person"
        ),
        pytest.param(
            "I am away. Undeliverable parcels go to bob@example.net",
            {"Auto_Submitted": "auto-replied", "Return_Path": "<>", "Subject": "Away"},
            id="absence-notice",
        ),
        pytest.param("Your parcel is undeliverable", {"List_Unsubscribe": "<mailto:u@x.example>"}, id="newsletter"),
        pytest.param("", {"Return_Path": "<>"}, id="empty"),
    ],
)
def test_what_is_no_bounce_is_not_called_one(mail: MakeMail, body: str, fields: dict[str, str]) -> None:
    assert read_bounce(mail(body, **fields)) is None


def _sns(event: dict[str, object], *, wrapped: bool) -> str:
    return json.dumps({"Type": "Notification", "Message": json.dumps(event)}) if wrapped else json.dumps(event)


def _read_sns(mail: MakeMail, event: dict[str, object], *, wrapped: bool = False) -> DeliveryReport | None:
    body = _sns(event, wrapped=wrapped) + "\n\n--\nIf you wish to stop receiving notifications {…}\n"
    return read_bounce(mail(body, From="SES <no-reply@sns.amazonaws.com>"))


@pytest.mark.parametrize("wrapped", [False, True], ids=["plain", "wrapped"])
def test_a_notification_of_ses_by_mail_is_a_report(mail: MakeMail, wrapped: bool) -> None:
    bounced = {"emailAddress": "bob@example.net", "status": "5.1.1", "diagnosticCode": "smtp; 550 5.1.1 user unknown"}
    event: dict[str, object] = {
        "notificationType": "Bounce",
        "bounce": {"bouncedRecipients": [bounced]},
        "mail": {"messageId": "0100-abc"},
    }
    report = _read_sns(mail, event, wrapped=wrapped)
    assert report is not None
    assert (report.kind, report.original_message_id) == (ReportKind.NDR, "<0100-abc@email.amazonses.com>")
    assert [(each.address, each.reason) for each in report.recipients] == [("bob@example.net", "userunknown")]


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        (
            {"notificationType": "Complaint", "complaint": {"complainedRecipients": [{"emailAddress": "b@x.example"}]}},
            ReportKind.FEEDBACK,
        ),
        (
            {
                "notificationType": "Delivery",
                "delivery": {"recipients": ["b@x.example"], "smtpResponse": "250 2.6.0 ok"},
            },
            ReportKind.REPORT,
        ),
    ],
)
def test_complaints_and_deliveries_of_ses_are_told_apart(
    mail: MakeMail, event: dict[str, object], kind: ReportKind
) -> None:
    report = _read_sns(mail, event)
    assert report is not None
    assert report.kind is kind


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "[]",
        '{"notificationType": 1}',
        '{"notificationType": "Bounce", "bounce": []}',
        "{" * 50_000,
        "not json",
    ],
)
def test_a_notification_that_is_none_is_no_report(mail: MakeMail, body: str) -> None:
    assert read_bounce(mail(body, From="no-reply@sns.amazonaws.com")) is None


def test_flufl_is_asked_last_and_finds_an_address_that_the_rules_leave_out(mail: MakeMail) -> None:
    # Somebody wrote to himself: the address that failed is the one the report goes to.
    body = QMAIL.partition("--- Below")[0].replace("bob@example.net", "ann@example.org")
    report = read_bounce(mail(body, Subject="failure notice", **DAEMON))
    assert report is not None
    assert report.rule == "bounce:flufl"
    assert [(each.address, each.reason) for each in report.recipients] == [("ann@example.org", "mailboxfull")]


def test_a_mail_that_flufl_chokes_on_is_no_bounce_and_no_error(mail: MakeMail) -> None:
    broken = mail(
        "Nothing to see", From="\xff\xfe <mailer-daemon@x.example>", Subject="failure notice", Return_Path="<>"
    )
    assert read_bounce(broken) is None
