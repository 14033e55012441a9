"""IMAP servers that drop, hang, drip, lie and inject: nothing wrong is taken, and nothing waits for ever."""

from __future__ import annotations

import time

import pytest
from postroom.errors import DeadlineExceeded, PostroomError, ServerMisbehaved, TlsFailed
from postroom.model.configuration.mailbox import Security
from postroom.model.mailbox_state import Position
from postroom.model.server_mail import Action
from postroom_cli.mailservers import ImapServer
from postroom_cli.mailservers.certificates import Certificate
from postroom_cli.mailservers.imap_faults import Fault, FetchFault

from tests.functional.mail_protocols.hosts import PASSWORD, USERS, Embedded
from tests.functional.mail_protocols.opening import collect, imap_session, mailbox, on_host
from tests.support import certificates

MAILS = [b"Subject: %d\r\n\r\n" % number + b"text of it\r\n" * 50 for number in range(8)]


def fill(host: Embedded) -> None:
    """Append the mails; their UIDs are 1 to 8."""
    for raw in MAILS:
        host.append(raw)


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(FetchFault.DROP_MID_LITERAL, marks=pytest.mark.fault(24)),
        pytest.param(FetchFault.SHORT_LITERAL, marks=pytest.mark.fault(25)),
        pytest.param(FetchFault.LONG_LITERAL, marks=pytest.mark.fault(25)),
        pytest.param(FetchFault.NIL, marks=pytest.mark.fault(25)),
        pytest.param(FetchFault.NO_ROW, marks=pytest.mark.fault(25)),
        pytest.param(FetchFault.OTHER_UID, marks=pytest.mark.fault(25)),
        pytest.param(FetchFault.NO_UID, marks=pytest.mark.fault(25)),
        pytest.param(FetchFault.HUGE_LITERAL, marks=pytest.mark.fault(26)),
    ],
)
@pytest.mark.parametrize("lasting", [True, False], ids=["always", "once"])
def test_a_message_that_comes_wrong_is_never_taken_and_the_others_are(
    embedded: Embedded, fault: FetchFault, lasting: bool
) -> None:
    fill(embedded)
    (embedded.server.faults.fetch if lasting else embedded.server.faults.fetch_once)[4] = fault
    with on_host(embedded) as session:
        contents, failures = collect(session, session.list(None).news)
    right = {str(uid): raw for uid, raw in enumerate(MAILS, 1) if uid != 4 or "4" in contents}
    assert contents == right
    if lasting:
        assert list(failures) == ["4"]
        assert not failures["4"].gone
        assert failures["4"].reason
    elif fault in (FetchFault.SHORT_LITERAL, FetchFault.LONG_LITERAL):
        assert list(failures) == ["4"]  # tried again by the next poll
    else:
        assert failures == {}


@pytest.mark.fault(25)
@pytest.mark.parametrize("fault", [FetchFault.UID_LAST, FetchFault.TWICE])
def test_answers_that_are_unusual_but_right_are_taken_once(embedded: Embedded, fault: FetchFault) -> None:
    fill(embedded)
    embedded.server.faults.fetch[4] = fault
    with on_host(embedded) as session:
        contents, failures = collect(session, session.list(None).news)
    assert list(contents.values()) == MAILS
    assert failures == {}


@pytest.mark.fault(25)
def test_rows_and_lines_that_nobody_asked_for_are_ignored(embedded: Embedded) -> None:
    fill(embedded)
    embedded.server.faults.untagged = (
        b"* 3 FETCH (FLAGS (\\Seen))\r\n* 7 RECENT\r\n* OK Here\r\n* 2 FETCH (UID 2 FLAGS (\\Seen) MODSEQ (12))\r\n"
        b'* 5 FETCH (UID 900 BODY[] "not yours")\r\n* LIST () "/" {4}\r\nName\r\n'
    )
    with on_host(embedded) as session:
        contents, failures = collect(session, session.list(None).news)
    assert list(contents.values()) == MAILS
    assert failures == {}


def test_a_server_that_only_estimates_sizes_is_believed(embedded: Embedded) -> None:
    fill(embedded)
    embedded.server.faults.wrong_size = {2: len(MAILS[1]) - 17, 5: len(MAILS[4]) + 100}
    with on_host(embedded) as session:
        contents, failures = collect(session, session.list(None).news)
    assert contents == {str(uid): raw for uid, raw in enumerate(MAILS, 1)}
    assert failures == {}


@pytest.mark.fault(26)
def test_a_message_far_larger_than_announced_is_refused_unread(embedded: Embedded) -> None:
    embedded.append(b"Subject: x\r\n\r\n" + b"y" * 500_000)
    embedded.server.faults.wrong_size = {1: 1000}
    with on_host(embedded) as session:
        contents, failures = collect(session, session.list(None).news)
    assert contents == {}
    assert "500,014 bytes" in failures["1"].reason


@pytest.mark.fault(30)
@pytest.mark.parametrize("fault", [FetchFault.HANG_MID_LITERAL, FetchFault.DRIP], ids=["hangs", "drips"])
def test_a_message_that_never_ends_costs_its_time_and_no_other(embedded: Embedded, fault: FetchFault) -> None:
    fill(embedded)
    embedded.server.faults.fetch[2] = fault
    started = time.monotonic()
    with on_host(embedded, protocol_timeout="00:00:01") as session:
        contents, failures = collect(session, session.list(None).news)
    assert time.monotonic() - started < 20
    assert list(failures) == ["2"]
    assert sorted(contents) == ["1", "3", "4", "5", "6", "7", "8"]


@pytest.mark.fault(30)
def test_the_deadline_of_the_session_ends_a_drip(embedded: Embedded) -> None:
    fill(embedded)
    embedded.server.faults.fetch[2] = FetchFault.DRIP
    started = time.monotonic()
    box = mailbox(embedded.port, embedded.ca_pem, user=embedded.user)
    with imap_session(box, seconds=3.0) as session:
        results = session.fetch(session.list(None).news)
        first = next(results)
        assert first.item.id == "1"
        first.path.unlink()  # type: ignore[union-attr]  # it was fetched
        with pytest.raises(DeadlineExceeded) as raised:
            next(results)
    assert raised.value.step == "fetch"
    assert time.monotonic() - started < 20


@pytest.mark.fault(13)
@pytest.mark.parametrize("drip", [0.0, 0.2], ids=["silent", "dripping"])
def test_a_slow_greeting_ends_at_the_deadline(embedded: Embedded, drip: float) -> None:
    embedded.server.faults.silent_greeting = not drip
    embedded.server.faults.drip_greeting = drip
    started = time.monotonic()
    box = mailbox(embedded.port, embedded.ca_pem)
    with pytest.raises(DeadlineExceeded) as raised, imap_session(box, seconds=1.0):
        pass
    assert raised.value.step == "greeting"
    assert time.monotonic() - started < 15


@pytest.mark.parametrize(
    ("command", "step"),
    [("LOGIN", "login"), ("EXAMINE", "folder"), ("UID SEARCH", "list"), ("UID FETCH", "list"), ("UID STORE", "act")],
)
@pytest.mark.parametrize("fault", [Fault.DROP, Fault.HANG])
def test_every_step_that_fails_is_named(command: str, step: str, fault: Fault) -> None:
    with ImapServer(USERS, greeting="An unknown server is ready") as server:  # so that nothing is sent ahead
        host = Embedded(server)
        fill(host)
        server.faults.commands[command] = [fault]
        expected = DeadlineExceeded if fault is Fault.HANG else ServerMisbehaved
        with pytest.raises(expected) as raised:
            _list_and_mark(host)
    assert raised.value.step == step


def _list_and_mark(host: Embedded) -> None:
    with on_host(host, protocol_timeout="00:00:01") as session:
        session.list(None)
        session.act(["1"], Action.MARK_READ)


@pytest.mark.fault(12)
@pytest.mark.parametrize(
    ("tls", "starttls", "greeting", "security", "code"),
    [
        ("none", "", None, Security.START_TLS_REQUIRED, "starttls_refused"),
        ("starttls", "refuse", None, Security.START_TLS_REQUIRED, "starttls_refused"),
        ("starttls", "refuse", None, Security.START_TLS, "plaintext_refused"),
        ("none", "", None, Security.NONE, "plaintext_refused"),
        ("starttls", "inject", None, Security.START_TLS, "starttls_injection"),
        ("starttls", "inject", None, Security.START_TLS_REQUIRED, "starttls_injection"),
        ("starttls", "", b"* PREAUTH Welcome back\r\n", Security.START_TLS_REQUIRED, "preauth"),
        ("starttls", "", b"* PREAUTH Welcome back\r\n", Security.START_TLS, "preauth"),
    ],
)
def test_no_password_without_tls(
    tls: str, starttls: str, greeting: bytes | None, security: Security, code: str
) -> None:
    with ImapServer(USERS, tls=tls) as server:
        server.faults.starttls = starttls
        server.faults.greeting = greeting
        box = mailbox(server.port, server.ca_pem, security=security)
        with pytest.raises(PostroomError) as raised, imap_session(box):
            pass
    assert raised.value.code == code
    assert not {"LOGIN", "AUTHENTICATE"} & {command.name for command in server.log}


@pytest.mark.fault(11)
@pytest.mark.parametrize(
    ("certificate", "code"),
    [
        pytest.param(certificates.expired, "certificate_expired", id="expired"),
        pytest.param(certificates.not_yet_valid, "certificate_not_yet_valid", id="not-yet-valid"),
        pytest.param(certificates.self_signed, "certificate_self_signed", id="self-signed"),
        pytest.param(certificates.wrong_host, "certificate_wrong_host", id="wrong-host"),
        pytest.param(certificates.unknown_authority, "certificate_untrusted", id="unknown-authority"),
    ],
)
@pytest.mark.parametrize("tls", ["implicit", "starttls"])
def test_a_bad_certificate_is_refused_before_the_password(certificate: Certificate, code: str, tls: str) -> None:
    security = Security.SSL_TLS if tls == "implicit" else Security.START_TLS_REQUIRED
    with ImapServer(USERS, tls=tls, certificate=certificate()) as server:  # type: ignore[operator]  # made when needed
        box = mailbox(server.port, certificates.authority().pem, server="127.0.0.1", security=security)
        with pytest.raises(TlsFailed) as raised, imap_session(box):
            pass
    assert (raised.value.step, raised.value.code) == ("tls", code)
    assert "LOGIN" not in {command.name for command in server.log}


@pytest.mark.fault(11)
def test_tls_older_than_1_2_is_refused() -> None:
    import ssl
    import warnings

    with ImapServer(USERS, certificate=certificates.good()) as server:
        assert server.context is not None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            server.context.minimum_version = ssl.TLSVersion.TLSv1
            server.context.maximum_version = ssl.TLSVersion.TLSv1_1
        server.context.set_ciphers("ALL:@SECLEVEL=0")
        with pytest.raises(TlsFailed), imap_session(mailbox(server.port, certificates.authority().pem)):
            pass
    assert server.log == []


def test_a_port_without_tls_is_told_from_a_bad_certificate() -> None:
    with (
        ImapServer(USERS, tls="none") as server,
        pytest.raises(TlsFailed) as raised,
        imap_session(mailbox(server.port)),
    ):
        pass
    assert raised.value.code == "not_tls"


@pytest.mark.slow
@pytest.mark.fault(19)
def test_two_hundred_thousand_messages_are_listed_range_by_range(embedded: Embedded) -> None:
    folder = embedded.server.folder(embedded.user, "INBOX")
    raw = b"Subject: x\r\n\r\n"
    embedded.append(raw)
    moment = folder.messages[0].internaldate
    folder.uidnext = 1_000_000  # seven digits: more than imaplib's line limit of 1,000,000 bytes in one answer
    for _ in range(199_999):
        folder.add(raw, internaldate=moment)
    started = time.monotonic()
    with on_host(embedded) as session:
        listing = session.list(None)
        assert len(listing.news) == 1000  # the oldest; the rest follow as these are dealt with
        assert session.look(Position(listing.position.epoch, "0", "1199997"))
        late = session.list(Position(listing.position.epoch, "1199997", "1199997"))
    assert [item.id for item in late.news] == ["1199998"]
    searches = [command for command in embedded.server.log if command.name == "UID SEARCH"]
    assert len(searches) >= 4
    assert time.monotonic() - started < 60


def test_an_answer_that_is_no_imap_is_an_error_with_its_step(embedded: Embedded) -> None:
    fill(embedded)
    embedded.server.faults.untagged = b"HTTP/1.1 400 Bad Request\r\n"
    with on_host(embedded) as session, pytest.raises(ServerMisbehaved) as raised:
        session.list(None)
    assert (raised.value.step, raised.value.code) == ("list", "no_imap")


def test_a_flood_of_untagged_answers_is_cut_off(embedded: Embedded) -> None:
    embedded.server.faults.greeting = b"* OK " + b"x" * (17 * 1024 * 1024) + b"\r\n"
    with pytest.raises(ServerMisbehaved) as raised, on_host(embedded):
        pass
    assert raised.value.code == "line_too_long"


def test_the_password_is_in_no_error_and_no_log(embedded: Embedded, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(0)
    for fault in (Fault.DROP, Fault.HANG):
        embedded.server.faults.commands["LOGIN"] = [fault]
        with (
            pytest.raises(PostroomError) as raised,
            imap_session(mailbox(embedded.port, embedded.ca_pem), secret=PASSWORD, seconds=0.7),
        ):
            pass
        assert PASSWORD not in str(raised.value)
    assert PASSWORD not in caplog.text
