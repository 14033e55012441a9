"""Reports of many mail systems and languages, and mail that reads like a report and is none."""

from __future__ import annotations

import pytest
from postroom.mail.reader import read
from postroom.mail.reports.delivery_report import ReportKind
from postroom.rules.kind import find_report

from tests.unit.mail.reports.world import Expected, plain, returned, standard

DEAD = True
ALIVE = False


def _fields(to: str, status: str, diagnostic: str, *, action: str = "failed", remote: str = "") -> str:
    mta = f"Remote-MTA: dns; {remote}\n" if remote else ""
    return (
        f"Final-Recipient: rfc822; {to}\nAction: {action}\nStatus: {status}\n{mta}Diagnostic-Code: smtp; {diagnostic}\n"
    )


def _exchange_online(subject: str, text: str, to: str, status: str, diagnostic: str) -> bytes:
    return standard(
        "Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@contoso.onmicrosoft.com>",
        subject,
        f"<html><body><p>{text}</p><p><a href='mailto:{to}'>{to}</a></p><p>{diagnostic}</p></body></html>",
        _fields(to, status, diagnostic),
        to=to,
        subtype="html",
        reporter="DB9PR01MB1234.eurprd01.prod.exchangelabs.com",
    )


def _exim(to: str, said: str, *, subject: str = "Mail delivery failed: returning message to sender") -> bytes:
    text = (
        "This message was created automatically by mail delivery software.\n\nA message that you sent could not be "
        "delivered to one or more of its\nrecipients. This is a permanent error. The following address(es) failed:\n\n"
        f"  {to}\n{said}\n\n------ This is a copy of the message, including all the headers. ------\n\n"
    )
    return plain(
        "Mail Delivery System <Mailer-Daemon@mx.example.net>",
        subject,
        text + returned(to),
        headers=f"Return-Path: <>\nX-Failed-Recipients: {to}\nAuto-Submitted: auto-replied\n",
    )


def _postfix(to: str, said: str, status: str, *, action: str = "failed", text: str = "") -> bytes:
    words = text or (
        "This is the mail system at host mx.example.net.\n\nI'm sorry to have to inform you that your message could "
        "not\nbe delivered to one or more recipients. It's attached below.\n\n                   The mail system\n\n"
    )
    return standard(
        "MAILER-DAEMON@mx.example.net (Mail Delivery System)",
        "Undelivered Mail Returned to Sender",
        f"{words}<{to}>: {said}\n",
        _fields(to, status, said.partition("said: ")[2] or said, action=action),
        to=to,
    )


def _qmail(to: str, said: str) -> bytes:
    text = (
        "Hi. This is the qmail-send program at mx.example.net.\nI'm afraid I wasn't able to deliver your message to "
        "the following addresses.\nThis is a permanent error; I've given up. Sorry it didn't work out.\n\n"
        f"<{to}>:\n{said}\n\n--- Below this line is a copy of the message.\n\nReturn-Path: <service@example.org>\n"
    )
    return plain("MAILER-DAEMON@mx.example.net", "failure notice", text + returned(to))


def _sendmail(to: str, said: str, status: str) -> bytes:
    text = (
        "The original message was received at Mon, 2 Nov 2026 09:00:00 GMT\nfrom app.example.org [192.0.2.7]\n\n"
        f"   ----- The following addresses had permanent fatal errors -----\n<{to}>\n    (reason: {said})\n\n"
        "   ----- Transcript of session follows -----\n... while talking to mx.example.com.:\n>>> RCPT To:<"
        f"{to}>\n<<< {said}\n550 5.1.1 <{to}>... User unknown\n"
    )
    return standard(
        "Mail Delivery Subsystem <MAILER-DAEMON@mx.example.net>",
        "Returned mail: see transcript for details",
        text,
        _fields(to, status, said),
        to=to,
    )


def _gmail(to: str, text: str, status: str, diagnostic: str, *, subject: str, action: str = "failed") -> bytes:
    return standard(
        "Mail Delivery Subsystem <mailer-daemon@googlemail.com>",
        subject,
        f"** {text} **\n\n{to}\n\n{diagnostic}\n",
        _fields(to, status, diagnostic, action=action),
        to=to,
        reporter="googlemail.com",
        headers="Return-Path: <>\nAuto-Submitted: auto-replied\nX-Failed-Recipients: " + to + "\n",
    )


ANN = "ann@example.com"
_NO_MAILBOX = "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient ann@example.com not found by SMTP address lookup"

FAILURES: dict[str, tuple[bytes, Expected]] = {
    "exchange-online-de": (
        _exchange_online(
            "Unzustellbar: Ihr Vertrag",
            "Ihre Nachricht an ann@example.com konnte nicht zugestellt werden. ann wurde auf example.com nicht "
            "gefunden.",
            ANN,
            "5.1.10",
            _NO_MAILBOX,
        ),
        Expected(ANN, "5", DEAD, "userunknown"),
    ),
    "exchange-online-fr": (
        _exchange_online(
            "Non remis : Votre contrat",
            "Votre message à ann@example.com n’a pas pu être remis. La boîte aux lettres du destinataire est pleine.",
            ANN,
            "5.2.2",
            "554 5.2.2 mailbox full; STOREDRV.Deliver.Exception:QuotaExceededException.MapiExceptionShutoff"
            "QuotaExceeded; Failed to process message due to a permanent exception",
        ),
        Expected(ANN, "5", ALIVE, "mailboxfull"),
    ),
    "exchange-online-es": (
        _exchange_online(
            "No se puede entregar: Su contrato",
            "No se pudo entregar el mensaje a ann@example.com.",
            ANN,
            "5.7.1",
            "550 5.7.1 TRANSPORT.RULES.RejectMessage; the message was rejected by organization policy",
        ),
        Expected(ANN, "5", ALIVE, "filtered"),
    ),
    "exchange-online-it": (
        _exchange_online(
            "Non recapitabile: contratto",
            "Il messaggio inviato a ann@example.com non è stato recapitato.",
            ANN,
            "5.4.1",
            "550 5.4.1 Recipient address rejected: Access denied. [AM5EUR02FT012.eop-EUR02.prod.protection"
            ".outlook.com]",
        ),
        Expected(ANN, "5", DEAD, "userunknown"),
    ),
    "exchange-online-pt": (
        _exchange_online(
            "Não é possível entregar: contrato",
            "Não foi possível entregar a mensagem para ann@example.com.",
            ANN,
            "5.1.1",
            "550 5.1.1 RESOLVER.ADR.ExRecipNotFound; not found",
        ),
        Expected(ANN, "5", DEAD, "userunknown"),
    ),
    "exchange-online-nl": (
        _exchange_online(
            "Onbestelbaar: uw contract",
            "Uw bericht aan ann@example.com kan niet worden bezorgd.",
            ANN,
            "5.2.3",
            "550 5.2.3 RESOLVER.RST.RecipSizeLimit; message too large for this recipient",
        ),
        Expected(ANN, "5", ALIVE, "exceedlimit"),
    ),
    "exchange-online-pl": (
        _exchange_online(
            "Niedostarczalne: Umowa",
            "Nie można dostarczyć wiadomości do adresata ann@example.com.",
            ANN,
            "5.7.133",
            "550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required; Delivery "
            "restriction check failed because the sender was not authenticated when sending to this group",
        ),
        Expected(ANN, "5", ALIVE, "securityerror"),
    ),
    "exchange-online-ja": (
        _exchange_online(
            "配信不能: 契約", "ann@example.com へのメッセージを配信できませんでした。", ANN, "5.1.10", _NO_MAILBOX
        ),
        Expected(ANN, "5", DEAD, "userunknown"),
    ),
    "exchange-online-zh": (
        _exchange_online("未送达: 合同", "您发送给 ann@example.com 的邮件未能送达。", ANN, "5.1.10", _NO_MAILBOX),
        Expected(ANN, "5", DEAD, "userunknown"),
    ),
    "exchange-online-ru": (
        _exchange_online(
            "Не удается доставить: Договор",
            "Не удалось доставить ваше сообщение для ann@example.com.",
            ANN,
            "5.4.310",
            "550 5.4.310 DNS domain example.com does not exist [Message=InfoDomainNonexistent]",
        ),
        Expected(ANN, "5", DEAD, "hostunknown"),
    ),
    "gmail-user-unknown": (
        _gmail(
            "ann@gmail.com",
            "Address not found",
            "5.1.1",
            "550-5.1.1 The email account that you tried to reach does not exist. Please try double-checking the "
            "recipient's email address for typos or unnecessary spaces. For more information, go to "
            "https://support.google.com/mail/?p=NoSuchUser a1-20020a05 - gsmtp",
            subject="Delivery Status Notification (Failure)",
        ),
        Expected("ann@gmail.com", "5", DEAD, "userunknown"),
    ),
    "gmail-delay-de": (
        _gmail(
            ANN,
            "Zustellung nicht abgeschlossen",
            "4.4.1",
            "The recipient server did not accept our requests to connect. Learn more at "
            "https://support.google.com/mail/answer/7720 [mx.example.com 192.0.2.25: timed out]",
            subject="Delivery Status Notification (Delay)",
            action="delayed",
        ),
        Expected(ANN, "4", ALIVE, "expired"),
    ),
    "gmail-over-quota": (
        _gmail(
            "ann@gmail.com",
            "Message not delivered",
            "4.2.2",
            "452-4.2.2 The recipient's inbox is out of storage space. Please direct the recipient to "
            "https://support.google.com/mail/?p=OverQuotaTemp x2-2005 - gsmtp",
            subject="Delivery Status Notification (Failure)",
        ),
        Expected("ann@gmail.com", "4", ALIVE, "mailboxfull"),
    ),
    "postfix-unknown-domain": (
        _postfix(
            ANN,
            "Host or domain name not found. Name service error for name=example.com type=A: Host not found",
            "5.4.4",
        ),
        Expected(ANN, "5", DEAD, "hostunknown"),
    ),
    "postfix-expired": (
        _postfix(ANN, "connect to mx.example.com[192.0.2.25]:25: Connection timed out", "4.4.1"),
        Expected(ANN, "4", ALIVE, "expired"),
    ),
    "postfix-local-german": (
        _postfix(
            ANN,
            "host mx.example.com[192.0.2.25] said: 550 5.1.1 <ann@example.com>: Recipient address rejected: User "
            "unknown in virtual mailbox table (in reply to RCPT TO command)",
            "5.1.1",
            text="Dies ist das Mailsystem auf mx.example.net.\n\nIhre Nachricht konnte nicht zugestellt werden.\n\n",
        ),
        Expected(ANN, "5", DEAD, "userunknown"),
    ),
    "postfix-spam-proofpoint": (
        _postfix(
            ANN,
            "host mxa-001.pphosted.com[192.0.2.25] said: 550 5.7.0 Local Policy Violation - suspected spam (in "
            "reply to end of DATA command)",
            "5.7.0",
        ),
        Expected(ANN, "5", ALIVE, "spamdetected"),
    ),
    "exim-full": (
        _exim(
            ANN,
            "    SMTP error from remote mail server after end of data:\n    552 5.2.2 <ann@example.com>: Mailbox "
            "size limit exceeded",
        ),
        Expected(ANN, "5", ALIVE, "mailboxfull"),
    ),
    "exim-t-online": (
        _exim(
            "ann@t-online.de",
            "    host mx00.t-online.de [192.0.2.25]\n    SMTP error from remote mail server after "
            "initial connection:\n    554 IP=192.0.2.7 - A problem occurred. (Ask your postmaster for help or to "
            "contact tosa@rx.t-online.de to clarify.)",
        ),
        Expected("ann@t-online.de", "5", ALIVE, "blocked"),
    ),
    "gmx": (
        plain(
            '"GMX Mailer Daemon" <mailer-daemon@gmx.de>',
            "Mail delivery failed: returning message to sender",
            "This message was created automatically by mail delivery software.\n\nA message that you sent could "
            "not be "
            "delivered to one or more of\nits recipients. This is a permanent error.\n\nThe following address failed:"
            "\n\nann@gmx.de:\nSMTP error from remote server for RCPT TO command, host: mx00.emig.gmx.net (192.0.2.25) "
            "reason: 550 Requested action not taken: mailbox unavailable\nFor explanation visit "
            "https://postmaster.gmx.net/en/error-messages?ip=192.0.2.7&c=nim\n\n--- The header of the original "
            "message "
            "is following. ---\n\n" + returned("ann@gmx.de"),
        ),
        Expected("ann@gmx.de", "5", DEAD, "userunknown"),
    ),
    "qmail-no-mailbox": (
        _qmail(ANN, "Sorry, no mailbox here by that name. (#5.1.1)"),
        Expected(ANN, "5", DEAD, "userunknown"),
    ),
    "qmail-remote": (
        _qmail(
            ANN,
            "192.0.2.25 failed after I sent the message.\nRemote host said: 554 5.7.1 Message contains spam or "
            "content filtering",
        ),
        Expected(ANN, "5", ALIVE, "spamdetected"),
    ),
    "sendmail": (
        _sendmail(ANN, "550 5.1.1 <ann@example.com>... User unknown", "5.1.1"),
        Expected(ANN, "5", DEAD, "userunknown"),
    ),
    "domino-de": (
        standard(
            "Postmaster@notes.example.net",
            "DELIVERY FAILURE: User ann (ann@example.com) not listed in Domino Directory",
            "Your message\n\n  Subject: Your contract\n\nwas not delivered to:\n\n  "
            "ann@example.com\n\nbecause:\n\n  User "
            "ann (ann@example.com) not listed in Domino Directory\n",
            "Final-Recipient: rfc822;ann@example.com\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: X-Notes; "
            "User ann "
            "(ann@example.com) not listed in Domino Directory\n",
            to=ANN,
        ),
        Expected(ANN, "5", DEAD, "userunknown"),
    ),
    "groupwise": (
        plain(
            "Mailer-Daemon@groupwise.example.net",
            "Message status - undeliverable",
            "The message that you sent was undeliverable to the following:\n\tann@example.com (user not found)\n\n"
            "Possibly truncated original message follows:\n\n" + returned(ANN),
        ),
        Expected(ANN, "5", DEAD, "userunknown"),
    ),
    "amazon-ses": (
        standard(
            "MAILER-DAEMON@eu-west-1.amazonses.com",
            "Delivery Status Notification (Failure)",
            "An error occurred while trying to deliver the mail to the following recipients:\nann@example.com\n",
            _fields(
                ANN,
                "5.3.0",
                "550 5.2.1 The email account that you tried to reach is disabled.",
                remote="mx.example.com",
            ),
            to=ANN,
            reporter="a4-1.smtp-out.eu-west-1.amazonses.com",
        ),
        Expected(ANN, "5", ALIVE, "suspend"),
    ),
    "mimecast": (
        plain(
            "Postmaster <postmaster@eu-smtp-1.mimecast.com>",
            "[Postmaster] Email Delivery Failure",
            "This is a delivery failure notification message indicating that an email you addressed to email "
            "address :\n"
            "-- ann@example.com\n\ncould not be delivered. The problem appears to be :\n-- Recipient email server "
            "rejected the message\n\nAdditional information follows :\n-- 550 5.1.1 User unknown\n\nThis condition "
            "occurred after 1 attempt(s) to deliver over a period of 0 hour(s).\n",
        ),
        Expected(ANN, "5", DEAD, "userunknown"),
    ),
    "barracuda": (
        _postfix(
            ANN,
            "host d1.ess.barracudanetworks.com[192.0.2.25] said: 550 permanent failure for one or more "
            "recipients (ann@example.com:blocked) (in reply to end of DATA command)",
            "5.0.0",
        ),
        Expected(ANN, "5", ALIVE, "filtered"),
    ),
    "yahoo": (
        plain(
            "MAILER-DAEMON@yahoo.com",
            "Failure Notice",
            "Sorry, we were unable to deliver your message to the following address.\n\n<ann@example.com>:\n550: "
            "5.7.1 "
            "Message rejected due to DMARC policy of the sender's domain\n\n--- Below this line is a copy of the "
            "message.\n\n" + returned(ANN),
        ),
        Expected(ANN, "5", ALIVE, "authfailure"),
    ),
    "zoho": (
        plain(
            "mailer-daemon@mail.zoho.com",
            "Undelivered Mail Returned to Sender",
            "This message was created automatically by mail delivery software.\n A message that you sent could not be "
            "delivered to one or more of its recipients. This is a permanent error. \n\nann@example.com Invalid "
            "Recipients, ERROR_CODE :550, ERROR_CODE :5.1.1 User does not exist\n\n" + returned(ANN),
        ),
        Expected(ANN, "5", DEAD, "userunknown"),
    ),
    "mail.ru": (
        _exim(
            "ann@mail.ru",
            "    SMTP error from remote mail server after RCPT TO:<ann@mail.ru>:\n    host mxs.mail.ru "
            "[192.0.2.25]: 550 Message was not accepted -- invalid mailbox.  Local mailbox ann@mail.ru is "
            "unavailable: user is terminated",
        ),
        Expected("ann@mail.ru", "5", DEAD, "userunknown"),
    ),
    "yandex-ru": (
        plain(
            "mailer-daemon@yandex.ru",
            "Недоставленное сообщение",
            "Это письмо отправлено почтовым сервером yandex.ru.\n\nК сожалению, мы вынуждены сообщить Вам о том, что "
            "Ваше письмо не может\nбыть отправлено одному или нескольким адресатам. Причина указана ниже.\n\n"
            "<ann@example.com>: host mx.example.com[192.0.2.25] said: 550 5.1.1\n    <ann@example.com>: User unknown "
            "(in reply to RCPT TO command)\n\nЗаголовки исходного письма:\n" + returned(ANN),
        ),
        Expected(ANN, "5", DEAD, "userunknown"),
    ),
    "orange-fr": (
        _postfix(
            "ann@orange.fr",
            "host smtp-in.orange.fr[192.0.2.25] said: 550 5.1.1 Adresse d au moins un "
            "destinataire invalide. Invalid recipient. OFR_416 [416] (in reply to RCPT TO command)",
            "5.1.1",
        ),
        Expected("ann@orange.fr", "5", DEAD, "userunknown"),
    ),
    "free-fr": (
        _postfix(
            "ann@free.fr",
            "host mx1.free.fr[192.0.2.25] said: 451 too many errors from your ip (192.0.2.7), "
            "please visit http://postmaster.free.fr/ (in reply to RCPT TO command)",
            "4.0.0",
        ),
        Expected("ann@free.fr", "4", ALIVE, "blocked"),
    ),
    "icloud-full": (
        _postfix(
            "ann@icloud.com",
            "host mx01.mail.icloud.com[192.0.2.25] said: 552 5.2.2 <ann@icloud.com>: user is over "
            "quota (in reply to RCPT TO command)",
            "5.2.2",
        ),
        Expected("ann@icloud.com", "5", ALIVE, "mailboxfull"),
    ),
    "qq-zh": (
        plain(
            "PostMaster@qq.com",
            "来自qq.com的退信",
            ""
            ""
            "尊敬的用户，您好！\n\n您的邮件未能送达以下收件人：\n\nann@example.com\n\n退信原因：收件人邮箱地址不存在，无法送达。\n"
            "host mx.example.com[192.0.2.25] said: 550 5.1.1 <ann@example.com>: User not found (in reply to RCPT TO "
            "command)\n",
        ),
        Expected(ANN, "5", DEAD, "userunknown"),
    ),
    "163-zh": (
        plain(
            "Postmaster@163.com",
            "系统退信/Systems bounce",
            "抱歉，您的邮件被退回来了……\n\n原邮件信息：\n收件人：ann@example.com\n\n退信原因：\n"
            "收件人的邮箱空间已满 SMTP error, RCPT TO: 552 5.2.2 Mailbox full\n",
        ),
        Expected(ANN, "5", ALIVE, "mailboxfull"),
    ),
    "docomo-ja": (
        standard(
            "Mail Delivery Subsystem <mailer-daemon@docomo.ne.jp>",
            "Undelivered Mail Returned to Sender",
            "The following recipient(s) could not be delivered.\n\n<ann@docomo.ne.jp>: 550 Unknown user "
            "ann@docomo.ne.jp (in reply to RCPT TO command)\n",
            _fields("ann@docomo.ne.jp", "5.1.1", "550 Unknown user ann@docomo.ne.jp (in reply to RCPT TO command)"),
            to="ann@docomo.ne.jp",
            reporter="mfsmax.docomo.ne.jp",
        ),
        Expected("ann@docomo.ne.jp", "5", DEAD, "userunknown"),
    ),
    "au-ja": (
        plain(
            "Postmaster@ezweb.ne.jp",
            "Mail System Error - Returned Mail",
            "The user(s) account is temporarily over quota.\n\n<ann@ezweb.ne.jp>\n\n",
            headers="Return-Path: <>\n",
        ),
        Expected("ann@ezweb.ne.jp", "4", ALIVE, "mailboxfull"),
    ),
    "postfix-greylisted-delay": (
        _postfix(
            ANN,
            "host mx.example.com[192.0.2.25] said: 451 4.7.1 Greylisting in action, please come back later (in "
            "reply to RCPT TO command)",
            "4.7.1",
            action="delayed",
        ),
        Expected(ANN, "4", ALIVE, "onhold"),
    ),
    "moved": (
        _sendmail(ANN, "551 5.1.6 User has moved; please try <ann@example.net>", "5.1.6"),
        Expected(ANN, "5", DEAD, "hasmoved"),
    ),
    "office365-outbound-blocked": (
        _postfix(
            "ann@outlook.com",
            "host outlook-com.olc.protection.outlook.com[192.0.2.25] said: 550 5.7.1 "
            "Unfortunately, messages from [192.0.2.7] weren't sent. Please contact your Internet service provider "
            "since part of their network is on our block list (S3150). (in reply to MAIL FROM command)",
            "5.7.1",
        ),
        Expected("ann@outlook.com", "5", ALIVE, "blocked"),
    ),
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_is_told_with_its_recipient_and_why(name: str) -> None:
    raw, expected = FAILURES[name]
    report = find_report(read(raw))
    assert report is not None
    assert report.kind is ReportKind.NDR
    found = report.recipients[0]
    told = Expected(found.address, (found.status or "")[:1], found.permanent is True, found.reason or "")
    assert told == expected
    if b"<out.17@example.org>" in raw:
        assert report.original_message_id == "<out.17@example.org>"


def _person(sender: str, subject: str, text: str, headers: str = "") -> bytes:
    return plain(sender, subject, text, headers=f"Return-Path: <{sender}>\n{headers}")


ORDINARY: dict[str, bytes] = {
    "newsletter-about-delivery": _person(
        "news@shop.example",
        "Delivery failed? How to keep your mail out of the spam folder",
        "Dear customer,\nthis month: why mail is undeliverable, what 550 5.1.1 means, and how a full mailbox is "
        "emptied.\nUser unknown: ann@example.com is an example.\n",
        "List-Unsubscribe: <mailto:u@shop.example>\nPrecedence: bulk\n",
    ),
    "agent-writes-undeliverable": _person(
        "bob@partner.example",
        "Undeliverable: contract 4711",
        "Hello,\nthe letter to ann@example.com was undeliverable, she has moved. Could you check the address?\nBob\n",
    ),
    "parcel-delivery-failed": _person(
        "noreply@parcels.example",
        "Delivery failed: we missed you",
        "We could not deliver your parcel 00340 today. Recipient unknown at this address.\nBook a new date.\n",
        "Auto-Submitted: auto-generated\n",
    ),
    "parcel-german": _person(
        "noreply@paket.example",
        "Zustellung fehlgeschlagen",
        "Ihr Paket konnte nicht zugestellt werden: Empfänger nicht angetroffen. Abholung in der Filiale.\n",
        "Auto-Submitted: auto-generated\nPrecedence: bulk\n",
    ),
    "customer-quotes-a-bounce": _person(
        "ann@example.com",
        "Re: your mail",
        "Hi, my answer came back, see below. What is the right address?\n\n> This is the mail system at host "
        "mx.example.org.\n> <service@example.org>: host mx said: 550 5.1.1 User unknown\n",
    ),
    "customer-forwards-a-bounce": _person(
        "ann@example.com",
        "Fwd: Undelivered Mail Returned to Sender",
        "I got this:\n\n---------- Forwarded message ---------\nFrom: MAILER-DAEMON@mx.example.org\nSubject: "
        "Undelivered "
        "Mail Returned to Sender\n\n<service@example.org>: 550 5.1.1 User unknown\n",
    ),
    "out-of-office-mentions-bounces": _person(
        "ann@example.com",
        "Automatic reply: Your contract",
        "I have left the company. Mail to this address will bounce as undeliverable from December.\nWrite to "
        "bob@example.com.\n",
        "Auto-Submitted: auto-replied\nX-Auto-Response-Suppress: All\n",
    ),
    "out-of-office-null-path": plain(
        "Ann <ann@example.com>",
        "Abwesenheit: Ihr Vertrag",
        "Ich bin bis 9. November nicht im Büro. Ihre Nachricht wird nicht weitergeleitet.\nVertretung: "
        "bob@example.com\n",
        headers="Return-Path: <>\nAuto-Submitted: auto-replied\n",
    ),
    "calendar-decline": (
        b"Return-Path: <ann@example.com>\nFrom: ann@example.com\nTo: service@example.org\nSubject: Declined: Meeting\n"
        b'MIME-Version: 1.0\nContent-Type: multipart/alternative; boundary="=b"\n\n--=b\nContent-Type: text/plain\n\n'
        b"I cannot come: my mailbox is full of work.\n--=b\nContent-Type: text/calendar; "
        b"method=REPLY\n\nBEGIN:VCALENDAR"
        b"\nMETHOD:REPLY\nBEGIN:VEVENT\nUID:1\nATTENDEE;PARTSTAT=DECLINED:mailto:ann@example.com\nEND:VEVENT\n"
        b"END:VCALENDAR\n--=b--\n"
    ),
    "postmaster-is-a-person": _person(
        "postmaster@partner.example",
        "Your mail to our users",
        "Hello,\nyour server is sending to an unknown user, bob@partner.example. Please remove it from your list.\n"
        "Carl, postmaster\n",
    ),
    "monitoring-alarm": _person(
        "alerts@monitor.example",
        "ALERT: SMTP delivery failure rate above 5 %",
        "mx.example.org: 550 user unknown 12 times, mailbox full 3 times in the last hour.\n",
        "Auto-Submitted: auto-generated\n",
    ),
    "ticket-about-mailbox-full": _person(
        "carla@example.com",
        "Mailbox full",
        "Hello, my mailbox is full and people say they get 'mailbox full, user over quota'. Please help.\nCarla\n",
    ),
    "bank-returned-debit": _person(
        "service@bank.example",
        "Returned payment: account unknown",
        "The direct debit was returned: account does not exist, recipient unknown.\n",
        "Auto-Submitted: auto-generated\n",
    ),
    "japanese-shop": _person(
        "info@shop.example.jp",
        "配送できませんでした",
        "ご不在のため商品を配達できませんでした。再配達をご依頼ください。\n",
        "Auto-Submitted: auto-generated\n",
    ),
}


@pytest.mark.parametrize("raw", ORDINARY.values(), ids=ORDINARY.keys())
def test_mail_that_reads_like_a_failure_is_none(raw: bytes) -> None:
    report = find_report(read(raw))
    assert report is None or report.kind is not ReportKind.NDR
