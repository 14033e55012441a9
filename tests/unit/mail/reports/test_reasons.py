"""Reasons: what the words, codes and commands of servers mean."""

from __future__ import annotations

import pytest
from postroom.mail.reports.reasons.by_host import HOST_RULES
from postroom.mail.reports.reasons.classify import reason_for, status_for
from postroom.mail.reports.reasons.lookup import RuleIndex
from postroom.mail.reports.reasons.rule import Rule
from postroom.mail.reports.reasons.system import TEXT_RULES
from postroom.mail.reports.reasons.vocabulary import Command, Failure, Reason, is_permanent
from postroom.mail.reports.report_text import command_in, reply_code_in, status_in

R = Reason


def _reason(text: str, host: str = "mx.example.net", **facts: object) -> Reason:
    return reason_for(
        Failure(
            text=text,
            status=status_in(text),
            reply_code=reply_code_in(text),
            command=command_in(text),
            host=host,
            **facts,  # type: ignore[arg-type]  # rows of a table
        )
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("550 5.1.1 <a@example.net>: Recipient address rejected: User unknown in local recipient table", R.USERUNKNOWN),
        ("550 No such user here", R.USERUNKNOWN),
        ("550 sorry, no mailbox here by that name (#5.1.1 - chkuser)", R.USERUNKNOWN),
        ("550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup", R.USERUNKNOWN),
        ("550-5.1.1 The email account that you tried to reach does not exist.", R.USERUNKNOWN),
        ("User jdoe (jdoe@example.net) not listed in Domino Directory", R.USERUNKNOWN),
        ("552 5.2.2 Mailbox size limit exceeded", R.MAILBOXFULL),
        ("450 4.2.2 user is over quota", R.MAILBOXFULL),
        ("452 4.2.2 The email account that you tried to reach is over quota.", R.MAILBOXFULL),
        ("552 5.3.4 Message size exceeds fixed limit", R.MESGTOOBIG),
        ("552 5.2.3 message too large for this recipient", R.EXCEEDLIMIT),
        ("551 User has moved; please try <new@example.org>", R.HASMOVED),
        ("550 5.2.1 This account has been disabled", R.SUSPEND),
        (
            "554 delivery error: dd Sorry, your message cannot be delivered. This mailbox is disabled (554.30)",
            R.SUSPEND,
        ),
        ("550 5.7.1 Relaying denied. Proper authentication required", R.NORELAYING),
        (
            "550 5.7.26 Unauthenticated email from example.com is not accepted due to domain's DMARC policy",
            R.AUTHFAILURE,
        ),
        ("550 5.7.23 SPF validation failed", R.AUTHFAILURE),
        ("554 5.6.0 Message contains a virus (Eicar-Test-Signature)", R.VIRUSDETECTED),
        ("450 4.7.1 Client host rejected: cannot find your reverse hostname, [192.0.2.1]", R.REQUIREPTR),
        ("550 5.7.25 reverse DNS validation failed", R.REQUIREPTR),
        ("550-5.7.1 likely suspicious due to the very low reputation of the sending IP", R.BADREPUTATION),
        ("554 5.7.1 This message has been identified as spam", R.SPAMDETECTED),
        ("421 4.7.0 Too many concurrent SMTP connections; please try again later.", R.TOOMANYCONN),
        ("450 4.2.1 receiving mail at a rate that prevents additional messages; throttled", R.SPEEDING),
        ("554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org", R.BLOCKED),
        ("550 5.7.606 Access denied, banned sending IP [192.0.2.1]", R.BLOCKED),
        ("550-5.7.1 This message is not RFC 5322 compliant", R.NOTCOMPLIANTRFC),
        ("550 5.1.8 Access denied, bad outbound sender", R.REJECTED),
        ("553 5.1.8 <a@b.example>... Domain of sender address a@b.example does not exist", R.REJECTED),
        ("550 5.1.2 Bad destination system address", R.HOSTUNKNOWN),
        ("Host or domain name not found. Name service error for name=x.example type=A: Host not found", R.HOSTUNKNOWN),
        ("550 5.7.1 Message rejected for policy reasons", R.POLICYVIOLATION),
        ("530 5.7.0 Must issue a STARTTLS command first", R.SECURITYERROR),
        ("452 4.3.1 Insufficient system storage", R.SYSTEMFULL),
        ("451 4.3.0 Internal server error", R.SYSTEMERROR),
        ("554 5.4.6 Hop count exceeded - possible mail loop", R.NETWORKERROR),
        ("connect to mx.example.net[192.0.2.1]:25: No route to host", R.NETWORKERROR),
        ("connect to mx.example.net[192.0.2.1]:25: Connection timed out", R.EXPIRED),
        ("550 4.4.7 QUEUE.Expired; message expired", R.EXPIRED),
        ("556 5.1.10 domain does not accept mail (null MX)", R.NOTACCEPT),
        ("501 5.5.4 Syntax error in parameters", R.SYNTAXERROR),
        ("451 4.7.1 Greylisting in effect, please come back later", R.ONHOLD),
        ("250 2.1.5 Ok", R.DELIVERED),
        ("", R.UNDEFINED),
        ("Something happened that nobody has a word for", R.UNDEFINED),
    ],
)
def test_the_words_of_a_server_name_the_reason(text: str, reason: Reason) -> None:
    assert _reason(text) is reason


@pytest.mark.parametrize(
    ("text", "host", "reason"),
    [
        ("550 5.0.0 Unknown user a@docomo.ne.jp (in reply to end of DATA command)", "mfsmax.docomo.ne.jp", R.REJECTED),
        ("550 5.2.0 Unknown user a@docomo.ne.jp (in reply to end of DATA command)", "mfsmax.docomo.ne.jp", R.FILTERED),
        ("550 : User unknown", "lsean.ezweb.ne.jp", R.FILTERED),
        ("550 <a@ezweb.ne.jp>: User unknown", "lsean.ezweb.ne.jp", R.USERUNKNOWN),
        ("421 Service refuse. Veuillez essayer plus tard. OFR005_505 [505]", "smtp-in.orange.fr", R.SYSTEMERROR),
        ("550 5.1.0 sender rejected. AUP#CDRBL", "cxr.mx.a.cloudfilter.net", R.BLOCKED),
        ("550 Ip frequency limited", "mx3.qq.com", R.TOOMANYCONN),
        ("550 DMARC check failed.", "mx3.qq.com", R.AUTHFAILURE),
    ],
)
def test_the_same_words_mean_different_things_at_different_servers(text: str, host: str, reason: Reason) -> None:
    assert _reason(text, host) is reason


def test_user_unknown_after_the_content_is_a_filter() -> None:
    assert _reason("550 5.2.1 user unknown (in reply to end of DATA command)") is R.FILTERED
    assert _reason("550 5.2.1 user unknown (in reply to RCPT TO command)") is R.USERUNKNOWN


def test_the_local_part_of_an_address_is_no_evidence() -> None:
    assert _reason("550 5.7.1 <mailboxfull@example.net> blocked by our blacklist") is R.BLOCKED


def test_a_link_is_no_evidence_unless_it_names_one_error() -> None:
    assert _reason("550 5.7.1 see https://example.net/mailbox-full") is not R.MAILBOXFULL
    assert _reason("550 see https://support.google.com/mail/?p=NoSuchUser x1") is R.USERUNKNOWN


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("5.1.1", R.USERUNKNOWN),
        ("5.2.2", R.MAILBOXFULL),
        ("4.4.7", R.EXPIRED),
        ("5.6.99", R.CONTENTERROR),
        ("5.7.99", R.SECURITYERROR),
        ("5.0.0", R.UNDEFINED),
    ],
)
def test_without_words_the_enhanced_status_decides(status: str, reason: Reason) -> None:
    assert reason_for(Failure("", status=status)) is reason


@pytest.mark.parametrize(
    ("command", "reason"),
    [(Command.CONNECT, R.BLOCKED), (Command.MAIL, R.REJECTED), (Command.DATA, R.FILTERED), (Command.RCPT, R.UNDEFINED)],
)
def test_without_words_and_status_the_refused_command_decides(command: Command, reason: Reason) -> None:
    assert reason_for(Failure("554 no", reply_code="554", command=command)) is reason


def test_a_program_that_failed_is_a_mailer_error() -> None:
    assert reason_for(Failure("exit 1", status="5.0.0", is_smtp=False)) is R.MAILERERROR


@pytest.mark.parametrize(
    ("reason", "status", "permanent"),
    [
        (R.USERUNKNOWN, "5.1.1", True),
        (R.USERUNKNOWN, "4.1.1", True),
        (R.HOSTUNKNOWN, "5.1.2", True),
        (R.HASMOVED, "5.1.6", True),
        (R.NOTACCEPT, "5.1.10", True),
        (R.NOTACCEPT, "4.0.0", False),
        (R.MAILBOXFULL, "5.2.2", False),
        (R.SPAMDETECTED, "5.7.1", False),
        (R.SUSPEND, "5.2.1", False),
    ],
)
def test_only_a_dead_address_is_permanent(reason: Reason, status: str, permanent: bool) -> None:
    assert is_permanent(reason, status) is permanent


@pytest.mark.parametrize(
    ("text", "status", "code"),
    [
        ("550 5.1.1 <a@b>... User unknown", "5.1.1", "550"),
        ("550-5.7.26 This mail has been blocked", "5.7.26", "550"),
        ("said: 550 #5.1.0 Address rejected.", "5.1.0", "550"),
        ("host 192.0.2.1 said: 452 4.2.2 full", "4.2.2", "452"),
        ("unknown error 550-'5.7.1 <x>... Access denied'", "5.7.1", "550"),
        ("Sorry. (#5.5.0)", "5.5.0", ""),
        ("ERROR_CODE :421, ERROR_CODE :, Host not reachable", "", "421"),
        ("connect to mx[5.1.1.7]:25: timed out", "", ""),
        ("Could not deliver for the last 432000 seconds", "", ""),
        ("sent 550 kilobytes", "", "550"),
    ],
)
def test_codes_are_found_and_addresses_are_not_codes(text: str, status: str, code: str) -> None:
    assert (status_in(text), reply_code_in(text)) == (status, code)


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("550 no (in reply to RCPT TO command)", Command.RCPT),
        ("550 no (in reply to end of DATA command)", Command.DATA),
        ("SMTP error from remote mail server after MAIL FROM:<a@b> SIZE=1", Command.MAIL),
        ("after initial connection:", Command.CONNECT),
        (">>> DATA\n<<< 550 no", Command.DATA),
        ("while performing the HELO handshake", Command.HELO),
        ("nothing", None),
    ],
)
def test_the_refused_command_is_read_from_the_words(text: str, command: Command | None) -> None:
    assert command_in(text) is command


def test_a_status_is_made_up_from_the_reason_where_none_was_given() -> None:
    assert status_for(R.USERUNKNOWN, temporary=False) == "5.1.1"
    assert status_for(R.EXPIRED, temporary=True) == "4.4.7"
    assert status_for(R.UNDEFINED, temporary=False) == "5.0.0"


@pytest.mark.parametrize("rules", [HOST_RULES, TEXT_RULES], ids=["hosts", "texts"])
def test_the_index_finds_the_row_that_a_look_at_every_row_finds(rules: tuple[Rule, ...]) -> None:
    index = RuleIndex(rules)
    for rule in rules:
        for piece in rule.any_of[:3]:
            text = f"550 5.7.1 sorry, {' '.join(rule.all_of)} {piece} {' '.join(rule.with_any[:1])} said mail.example"
            failure = Failure(text, status="5.7.1", reply_code="550")
            host = " ".join(rule.host)
            assert index.first(text, failure, host) is next(
                (row for row in rules if row.matches(text, failure, host)), None
            )
