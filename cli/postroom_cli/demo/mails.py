"""The built-in mails of the demonstration: what a contact centre gets on an ordinary day, and on a bad one."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime

from postroom_cli.local.example import BILLING, CLAIMS, ORDERS, SUPPORT

AUTHSERV_ID = "mx.example.com"
"""The receiving server whose checks (RFC 8601) are believed."""

_PIXEL = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
_PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
_PROGRAM = b"MZ\x90\x00\x03\x00\x00\x00\x04\x00\x00\x00\xff\xff" + b"\x00" * 500


@dataclass(frozen=True, slots=True)
class DemoMail:
    """One mail: the mailbox it lies in, its bytes, and what it is there to show; `later`: after the others."""

    name: str
    mailbox: str
    shows: str
    raw: bytes
    later: bool = False


def built_in_mails(now: datetime) -> list[DemoMail]:
    """Return the mails, dated just before `now`."""
    return [
        DemoMail(name, mailbox, shows, make(format_datetime(now)), later=name in _LATER)
        for name, mailbox, shows, make in _MAILS
    ]


def answer_to(message_id: str, *, to: str, subject: str, now: datetime) -> bytes:
    """Return a customer's answer to a mail of ours, the way mail clients write it."""
    return _mail(
        [
            *_envelope("maria.lindner@example.net", '"Maria Lindner" <maria.lindner@example.net>', to),
            f"Subject: Re: {subject}",
            f"Date: {format_datetime(now)}",
            "Message-ID: <answer-1@example.net>",
            f"In-Reply-To: {message_id}",
            f"References: {message_id}",
            *_PLAIN,
        ],
        "The order number is 4711-B, I had mistyped it.\n\nMaria\n\nOn Friday Example Support wrote:\n"
        "> Thank you for your mail. We have received it.\n",
    )


_PLAIN = ("MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 8bit")


def _envelope(path: str, sender: str, to: str, *, verified: bool = False) -> list[str]:
    # Return-Path is what the receiving server writes (RFC 5321 §4.4), and so is what it found of the sender.
    domain = path.rpartition("@")[2]
    checked = [f"Authentication-Results: {AUTHSERV_ID}; dmarc=pass header.from={domain}"] if verified else []
    return [f"Return-Path: <{path}>", *checked, f"From: {sender}", f"To: {to}"]


def _maria(to: str) -> list[str]:
    return _envelope("maria.lindner@example.net", '"Maria Lindner" <maria.lindner@example.net>', to, verified=True)


def _mail(headers: Iterable[str], body: str | bytes) -> bytes:
    head = "\n".join(headers).encode("utf-8")
    content = body.encode("utf-8") if isinstance(body, str) else body
    return (head + b"\n\n" + content).replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def _wrapped_base64(data: bytes) -> str:
    return base64.encodebytes(data).decode("ascii")


def _new(date: str) -> bytes:
    return _mail(
        [
            *_maria("support@example.com"),
            "Subject: Order 4711 has not arrived",
            f"Date: {date}",
            "Message-ID: <order-4711@example.net>",
            *_PLAIN,
        ],
        "Good morning,\n\nI ordered a lamp ten days ago and it has not come yet. Where is it?\n\n"
        "Kind regards\nMaria Lindner\n-- \nMaria Lindner\nGarden Street 5, 04109 Leipzig\n",
    )


def _follow_up(date: str) -> bytes:
    return _mail(
        [
            *_maria("support@example.com"),
            "Subject: AW: Order 4711 has not arrived",
            f"Date: {date}",
            "Message-ID: <order-4711-again@example.net>",
            "In-Reply-To: <order-4711@example.net>",
            "References: <order-4711@example.net>",
            *_PLAIN,
        ],
        "I forgot: the parcel service says it was handed over on Monday.\n\nMaria\n",
    )


def _stranger(date: str) -> bytes:
    return _mail(
        [
            *_envelope("mallory@example.org", "Maria Lindner <mallory@example.org>", "support@example.com"),
            "Subject: Re: Order 4711 has not arrived",
            f"Date: {date}",
            "Message-ID: <new-address@example.org>",
            "In-Reply-To: <order-4711@example.net>",
            "References: <order-4711@example.net>",
            *_PLAIN,
        ],
        "Please send the lamp to my new address, and tell me what else is in my file.\n",
    )


def _html(date: str) -> bytes:
    return _mail(
        [
            *_envelope("tom.becker@example.org", "Tom Becker <tom.becker@example.org>", "claims@example.com"),
            "Subject: Water damage in the kitchen",
            f"Date: {date}",
            "Message-ID: <water@example.org>",
            "MIME-Version: 1.0",
            'Content-Type: multipart/related; boundary="rel"',
        ],
        "--rel\nContent-Type: text/html; charset=utf-8\n\n"
        '<html><body onload="steal()"><h1>Water damage</h1><p>The <b>dishwasher</b> has leaked, see the picture.</p>'
        '<img src="cid:kitchen"><script>steal()</script>'
        '<img src="https://track.example.org/open?id=77" width="1" height="1"></body></html>\n'
        "--rel\nContent-Type: image/gif\nContent-ID: <kitchen>\nContent-Disposition: inline; filename=kitchen.gif\n"
        f"Content-Transfer-Encoding: base64\n\n{_wrapped_base64(_PIXEL)}--rel--\n",
    )


def _attachments(date: str) -> bytes:
    def part(name: str, kind: str, data: bytes) -> str:
        return (
            f'--mix\nContent-Type: {kind}; name="{name}"\nContent-Disposition: attachment; filename="{name}"\n'
            f"Content-Transfer-Encoding: base64\n\n{_wrapped_base64(data)}"
        )

    return _mail(
        [
            *_envelope("office@example.org", "Builder & Sons <office@example.org>", "claims@example.com"),
            "Subject: Estimate and invoice for claim 88",
            f"Date: {date}",
            "Message-ID: <estimate@example.org>",
            "MIME-Version: 1.0",
            'Content-Type: multipart/mixed; boundary="mix"',
        ],
        "--mix\nContent-Type: text/plain; charset=utf-8\n\nBoth are attached.\n"
        + part("estimate.pdf", "application/pdf", _PDF)
        + part("invoice.pdf.exe", "application/pdf", _PROGRAM)
        + "--mix--\n",
    )


def _bounce(date: str) -> bytes:
    return _mail(
        [
            *_envelope("", "Mail Delivery System <MAILER-DAEMON@mx.example.net>", "support@example.com"),
            "Subject: Undelivered Mail Returned to Sender",
            f"Date: {date}",
            "Message-ID: <bounce-1@mx.example.net>",
            "Auto-Submitted: auto-replied",
            "MIME-Version: 1.0",
            'Content-Type: multipart/report; report-type=delivery-status; boundary="rep"',
        ],
        "--rep\nContent-Type: text/plain\n\nYour mail could not be delivered.\n"
        "--rep\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example.net\n\n"
        "Final-Recipient: rfc822; nobody@example.net\nAction: failed\nStatus: 5.1.1\n"
        "Remote-MTA: dns; mail.example.net\nDiagnostic-Code: smtp; 550 5.1.1 User unknown\n\n"
        "--rep\nContent-Type: text/rfc822-headers\n\nFrom: support@example.com\nTo: nobody@example.net\n"
        "Subject: Your order\nMessage-ID: <unknown@example.com>\n\n--rep--\n",
    )


def _out_of_office(date: str) -> bytes:
    return _mail(
        [
            *_envelope("j.weber@example.net", "Jana Weber <j.weber@example.net>", "support@example.com"),
            "Subject: Automatic reply: Your order",
            f"Date: {date}",
            "Message-ID: <away@example.net>",
            "Auto-Submitted: auto-replied",
            *_PLAIN,
        ],
        "I am out of the office until Monday.\n",
    )


def _list(date: str) -> bytes:
    return _mail(
        [
            *_envelope("news-bounces@lists.example.org", "Shop News <news@lists.example.org>", "support@example.com"),
            "Subject: Our offers in November",
            f"Date: {date}",
            "Message-ID: <news-11@lists.example.org>",
            "List-Id: Shop News <news.lists.example.org>",
            "List-Unsubscribe: <https://lists.example.org/leave>",
            "Precedence: bulk",
            *_PLAIN,
        ],
        "Lamps are cheaper this week.\n",
    )


def _no_reply(date: str) -> bytes:
    return _mail(
        [
            *_envelope("no-reply@parcels.example", "Parcel Service <no-reply@parcels.example>", "support@example.com"),
            "Subject: Your parcel is on its way",
            f"Date: {date}",
            "Message-ID: <parcel-9@parcels.example>",
            *_PLAIN,
        ],
        "Parcel 4711 was handed over. Do not answer this mail.\n",
    )


def _monster(date: str) -> bytes:
    depth = 6_000
    opening = "".join(f'Content-Type: multipart/mixed; boundary="b{level}"\n\n--b{level}\n' for level in range(depth))
    return _mail(
        [
            *_envelope("odd@example.net", "Odd Machine <odd@example.net>", "support@example.com"),
            "Subject: Six thousand envelopes in one another",
            f"Date: {date}",
            "Message-ID: <monster@example.net>",
            "MIME-Version: 1.0",
            opening.rstrip("\n"),
        ],
        "Content-Type: text/plain\n\nHello from the innermost.\n",
    )


def _cyrillic(date: str) -> bytes:
    text = "Здравствуйте, где мой заказ?\nС уважением, Иван\n".encode("windows-1251")
    subject = base64.b64encode("Вопрос о заказе".encode("koi8-r")).decode("ascii")
    return _mail(
        [
            *_envelope("ivan@example.net", "=?windows-1251?B?yOLg7Q==?= <ivan@example.net>", "support@example.com"),
            f"Subject: =?koi8-r?B?{subject}?=",
            f"Date: {date}",
            "Message-ID: <question@example.net>",
            "MIME-Version: 1.0",
            "Content-Type: text/plain; charset=windows-1251",
            "Content-Transfer-Encoding: 8bit",
        ],
        text,
    )


def _no_message_id(date: str) -> bytes:
    head = _mail(
        [*_envelope("grete@example.net", "Grete M?ller <grete@example.net>", "claims@example.com"), f"Date: {date}"],
        "Please call me back about my claim, my number is in your files.\n",
    )
    # 8-bit octets in a header, as old devices write them; no Message-ID, no Subject, no MIME.
    return head.replace(b"M?ller", b"M\xfcller")


def _forward(date: str) -> bytes:
    return _mail(
        [
            *_envelope("li@example.org", "Li Chen <li@example.org>", "claims@example.com"),
            "Subject: Fwd: Your contract",
            f"Date: {date}",
            "Message-ID: <forward@example.org>",
            "MIME-Version: 1.0",
            'Content-Type: multipart/mixed; boundary="fwd"',
        ],
        "--fwd\nContent-Type: text/plain; charset=utf-8\n\nIs this mail really from you?\n"
        "--fwd\nContent-Type: message/rfc822\nContent-Disposition: attachment\n\n"
        "From: Example Insurance <bills@example.invalid>\nTo: li@example.org\nSubject: Your contract\n"
        "Message-ID: <phish@example.invalid>\n\nPay at once: http://198.51.100.7/pay\n--fwd--\n",
    )


def _order(date: str) -> bytes:
    return _mail(
        [
            *_envelope("kim@example.org", "Kim Park <kim@example.org>", "orders@example.com"),
            "Subject: Please add two bulbs to order 4712",
            f"Date: {date}",
            "Message-ID: <bulbs@example.org>",
            *_PLAIN,
        ],
        "Hello,\n\nplease add these to my order:\n. two bulbs, warm white\n.. and the long cable\n\nKim\n",
    )


def _long_line(date: str) -> bytes:
    return _mail(
        [
            *_envelope("shop@example.net", "Web Shop <shop@example.net>", "orders@example.com"),
            "Subject: Order form",
            f"Date: {date}",
            "Message-ID: <form@example.net>",
            *_PLAIN,
        ],
        "article=lamp&remark=" + "please+deliver+to+the+back+door+" * 160 + "\n",
    )


def _invoice(date: str) -> bytes:
    return _mail(
        [
            *_envelope(
                "b.novak@example.net", "=?utf-8?Q?Bo=C5=BEena?= Novak <b.novak@example.net>", "billing@example.com"
            ),
            "Subject: =?utf-8?Q?Invoice_R-2026-118:_why_=E2=82=AC_84=3F?=",
            f"Date: {date}",
            "Message-ID: <invoice-118@example.net>",
            "MIME-Version: 1.0",
            "Content-Type: text/plain; charset=utf-8",
            "Content-Transfer-Encoding: quoted-printable",
        ],
        "The offer said =E2=82=AC 79. Please explain the difference, or send a new invo=\nice.\n\nBo=C5=BEena Novak\n",
    )


def _invitation(date: str) -> bytes:
    event = (
        "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//Example//Calendar//EN\nMETHOD:REQUEST\nBEGIN:VEVENT\n"
        "UID:audit-2026@example.org\nDTSTAMP:20261101T080000Z\nDTSTART:20261201T090000Z\nDTEND:20261201T100000Z\n"
        "SUMMARY:Yearly audit\nORGANIZER:mailto:audit@example.org\nATTENDEE:mailto:billing@example.com\n"
        "END:VEVENT\nEND:VCALENDAR\n"
    )
    return _mail(
        [
            *_envelope("audit@example.org", "Audit Office <audit@example.org>", "billing@example.com"),
            "Subject: Invitation: Yearly audit",
            f"Date: {date}",
            "Message-ID: <audit@example.org>",
            "MIME-Version: 1.0",
            'Content-Type: multipart/alternative; boundary="cal"',
        ],
        "--cal\nContent-Type: text/plain; charset=utf-8\n\nYearly audit, 1 December, 9 to 10 UTC.\n"
        f"--cal\nContent-Type: text/calendar; method=REQUEST; charset=utf-8\n\n{event}--cal--\n",
    )


_MAILS: tuple[tuple[str, str, str, Callable[[str], bytes]], ...] = (
    ("new", SUPPORT, "a new mail, acknowledged by SMTP", _new),
    ("follow-up", SUPPORT, "joins the thread; one acknowledgement a day and sender", _follow_up),
    ("stranger", SUPPORT, "refers to somebody else's thread, and does not get into it", _stranger),
    ("html", CLAIMS, "HTML made harmless, a tracking image blocked; acknowledged by SES", _html),
    ("attachments", CLAIMS, "two attachments, one of them a program in disguise", _attachments),
    ("bounce", SUPPORT, "a delivery report", _bounce),
    ("out-of-office", SUPPORT, "an automatic reply gets no automatic reply", _out_of_office),
    ("list", SUPPORT, "a mailing list", _list),
    ("no-reply", SUPPORT, "a sender where nobody reads", _no_reply),
    ("monster", SUPPORT, "cannot be parsed, and is not lost", _monster),
    ("charsets", SUPPORT, "two Cyrillic charsets in one mail", _cyrillic),
    ("no-message-id", CLAIMS, "no Message-ID, no Subject, 8-bit octets in From", _no_message_id),
    ("forward", CLAIMS, "a mail inside the mail", _forward),
    ("order", ORDERS, "lines that begin with dots, which POP3 stuffs", _order),
    ("long-line", ORDERS, "a line of five thousand octets", _long_line),
    ("invoice", BILLING, "letters of other languages in quoted-printable", _invoice),
    ("invitation", BILLING, "a calendar invitation", _invitation),
)

_LATER = frozenset({"follow-up", "stranger", "order", "long-line"})
"""The first two refer to a mail that must be there before. POP3 tells no dates: what lies there at the first look
counts as old, and old mail gets no automatic reply."""
