"""Answers of many makers' servers, each with the reason that it stands for; hosts and addresses are made up."""

from __future__ import annotations

import pytest
from postroom.mail.reports.reasons.classify import reason_for
from postroom.mail.reports.reasons.vocabulary import Failure, Reason
from postroom.mail.reports.report_text import command_in, reply_code_in, status_in

ANSWERS: dict[Reason, tuple[str, ...]] = {
    Reason.BLOCKED: (
        "550 5.2.1 Mailbox unavailable. Your IP address 192.0.2.4 is blacklisted using LIST-X.",
        "550 5.7.1 Client address [192.0.2.4] blocked. You are in the SPAMMER List",
        "554 Connection from 192.0.2.4 rejected for policy reasons. Host found in DNS blacklist at bl.example",
        "451 Currently sending spam, see http://bl.example/lookup?192.0.2.4",
        "550 #5.7.1 Your access to submit messages to this e-mail system has been rejected.",
        "554 mx.example.net 192.0.2.4 found on one or more DNSBLs",
        "553 5.7.2 [TSS09] All messages from 192.0.2.4 will be permanently deferred; retrying will not succeed.",
        "421 HL:REP 163 mx3,AbCdEf 192.0.2.4",
        "550 5.7.1 Helo command rejected: Access denied",
        "554 rbl deny",
        "550 black ip",
        "554 IP=192.0.2.4 - A problem occurred. (Ask your postmaster for help or to contact tosa@example.de.)",
    ),
    Reason.BADREPUTATION: ("554 Your access to this mail system has been rejected due to the host's poor reputation",),
    Reason.USERUNKNOWN: (
        "550 I cannot deliver mail for ann@example.com",
        "550 That recipient is not allowed",
        "550 No such ID",
        "550 Could not deliver. The account or domain may not exist, they may be blacklisted, or missing DNS entries.",
        "550 Recipient verification problem",
        "550 not user of this server",
        "550 ann@example.com is not a valid recipient",
        "550 That mailbox is not hosted here",
        "550 <ann@example.com>: Recipient address rejected: Mailbox has been deleted",
        "550 permanent failure for one or more recipients (ann@example.com:550 5.1.1 no such user)",
    ),
    Reason.HOSTUNKNOWN: (
        "550 5.4.4 Domain name not found in DNS",
        "The destination server for this recipient could not be found in Domain Name Service (DNS).",
        "Could not find a gateway for ann@example.com",
        "Sorry, I couldn't find a mail exchanger or IP address. (#5.4.4)",
        "unable to look up host mx.example.com: No address associated with hostname",
    ),
    Reason.NOTACCEPT: ("498 No MX for example.com", "an MX or SRV record indicated no SMTP service"),
    Reason.HASMOVED: ("551 User not local; please try <ann@example.org>",),
    Reason.SUSPEND: (
        "554 5.2.1 Mailbox blocked due to inactivity",
        "550 This account is not allowed...ann@example.com",
        "550 5.7.13 STOREDRV.Deliver.Exception:AccountDisabledException; Failed to process message",
    ),
    Reason.MAILBOXFULL: (
        "550 Benutzer hat das Speichervolumen ueberschritten.",
        "552 Too much mail data ann@example.com",
        "552 5.2.2 Mailbox limit exeeded for this email address",
        "maildir delivery failed: create maildir file: Disk quota exceeded",
    ),
    Reason.SYSTEMFULL: ("452 4.3.1 Mail system storage is full.",),
    Reason.EXCEEDLIMIT: (
        "552 message is too long",
        "552 Requested mail action aborted: exceeded mailsize limit",
        "Your mail was not delivered. The message has exceeded the largest size that is let in.",
    ),
    Reason.FILTERED: (
        "550 5.7.1 Your message was blocked by the recipient's rules",
        "550 You have been blocked by the recipient",
        "they are not accepting mail from service@example.org",
        "550 mail is not accepted by this recipient",
    ),
    Reason.REJECTED: (
        "421 Sender address blocked",
        "553 host denies the sender",
        "550 Sender <service@example.org> has no A, AAAA, or MX DNS records",
        "550 5.7.1 <service@example.org>... we do not accept mail from this sender",
        "550 5.7.1 We do not accept bounces",
    ),
    Reason.NORELAYING: ("550 isn't allowed to relay", "553 host denies relay"),
    Reason.POLICYVIOLATION: (
        "554 5.7.1 The file is blocked: contains executable",
        "554 5.7.1 Attachments of type .exe are not accepted",
        "550 5.7.1 Banned file name",
        "550 5.7.1 Message rejected: macros not allowed",
        "Mail sent by user nobody being discarded due to sender restrictions",
        "5.x.0 - Message bounced by administrator (delivery attempts: 0)",
    ),
    Reason.SPAMDETECTED: ("571 5.7.1 Message refused, classified as UCE", "554 DT:SPM 163 smtp5,AbCdEf"),
    Reason.AUTHFAILURE: (
        "550 5.7.1 Your mail server is not allowed to send for example.org (SPF)",
        "550 5.7.1 Unauthenticated mail not accepted due to domain policy",
        "550 5.7.23 The message was rejected because of a policy of the domain",
    ),
    Reason.REQUIREPTR: ("450 4.7.1 Unable to resolve your hostname",),
    Reason.SPEEDING: (
        "550-5.2.1 The user you are trying to contact is receiving mail too quickly",
        "421 4.7.1 Messages to ann@example.com deferred due to excessive volume. Try again later",
        "550 5.7.232 Your message can't be sent because your trial tenant has exceeded its daily limit",
    ),
    Reason.TOOMANYCONN: (
        "421 Maximum Concurrent SMTP connections exceeded",
        "432 4.3.2 STOREDRV.Deliver; recipient thread limit exceeded",
        "421 HL:ICC 163 mx3",
    ),
    Reason.ONHOLD: ("450 4.7.0 Greylisting enabled, please retry",),
    Reason.EXPIRED: (
        "Persistent transient failure - routing/network: no answer from host",
        "Message could not be delivered within 24 hours and has been returned",
    ),
    Reason.NETWORKERROR: (
        "Message looping (received 6 times)",
        "No route found to domain EXAMPLE from server HUB/EXAMPLE.",
        "Host or domain name not found. Name service error for name=example.com type=MX: Malformed or unexpected name "
        "server reply",
    ),
    Reason.SYSTEMERROR: (
        "maildir delivery failed: create maildir file /var/mail/ann/tmp: Permission denied",
        "unknown mail transport error",
        "lowest numbered MX record points to local host",
    ),
    Reason.MAILERERROR: ("local delivery failed",),
    Reason.NOTCOMPLIANTRFC: ("550 5.7.1 Messages missing a valid Message-ID header are not accepted",),
}


@pytest.mark.parametrize(
    ("answer", "reason"),
    [(answer, reason) for reason, answers in ANSWERS.items() for answer in answers],
    ids=[f"{reason.value}-{number}" for reason, answers in ANSWERS.items() for number, _ in enumerate(answers)],
)
def test_an_answer_stands_for_its_reason(answer: str, reason: Reason) -> None:
    failure = Failure(
        text=answer,
        status=status_in(answer),
        reply_code=reply_code_in(answer),
        command=command_in(answer),
        host="mx.example.net example.com",
    )
    assert reason_for(failure) is reason
