"""The POP3 connector against the embedded server and a real Dovecot."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from postroom.errors import DeadlineExceeded, LoginRefused, MailboxLocked, PostroomError, ServerMisbehaved, Transient
from postroom.model.configuration.mailbox import Mailbox, Security, Type
from postroom.model.mailbox_state import LeftAlone, Position
from postroom.model.server_mail import Action, Fetched
from postroom_cli.mailservers import Pop3Server
from postroom_cli.mailservers.pop3 import CAPABILITIES

from tests.functional.mail_protocols.hosts import PASSWORD, USERS, Real
from tests.functional.mail_protocols.opening import collect, mailbox, pop3_session
from tests.support import certificates
from tests.support.dovecot import Dovecot, dovecot

USER = "user0"


def box(server: Pop3Server, **options: object) -> Mailbox:
    """A mailbox on the embedded server."""
    options.setdefault("leave_msg_on_server", False)
    return mailbox(server.port, server.ca_pem, user=USER, type_=Type.POP3, **options)


@pytest.fixture
def server() -> Iterator[Pop3Server]:
    """An embedded POP3 server."""
    with Pop3Server(USERS) as running:
        yield running


ODD_MAILS = {
    "dots": b".first line\r\n..two\r\n.\r\nafter a lone dot\r\n.\r\n",
    "long-line": b"Subject: x\r\n\r\n" + b"y" * 300_000 + b"\r\n",
    "eight-bit": b"Subject: \xff\xfe\r\n\r\n\x00\x80\xff\r\n",
    "empty-body": b"Subject: x\r\n\r\n",
    "no-header": b"\r\nbody\r\n",
    "ends-with-dot": b"Subject: x\r\n\r\nend.\r\n.",
    "only-newlines": b"\r\n" * 5_000,
}


@pytest.mark.fault(28)
@pytest.mark.parametrize("pipelining", [True, False], ids=["pipelined", "one-by-one"])
def test_odd_mails_come_byte_for_byte(pipelining: bool) -> None:
    capabilities = [word for word in CAPABILITIES if pipelining or word != "PIPELINING"]
    with Pop3Server(USERS, capabilities=capabilities) as server:
        for raw in ODD_MAILS.values():
            server.append(USER, raw)
        with pop3_session(box(server)) as session:
            items = session.list(None).news
            contents, failures = collect(session, items)
    expected = [raw if raw.endswith(b"\r\n") else raw + b"\r\n" for raw in ODD_MAILS.values()]
    assert [contents[item.id] for item in items] == expected
    assert failures == {}


@pytest.mark.fault(28)
def test_bare_line_feeds_are_kept_and_do_not_end_the_message(server: Pop3Server) -> None:
    raw = b"Subject: x\n\nbare\n..\nstill the same mail\r\nend\r\n"
    server.append(USER, raw, as_it_is=True)
    server.append(USER, b"Subject: next\r\n\r\n")
    with pop3_session(box(server)) as session:
        items = session.list(None).news
        contents, _ = collect(session, items)
    first, second = (contents[item.id] for item in items)
    assert second == b"Subject: next\r\n\r\n"
    assert first.startswith(b"Subject: x\n\nbare\n")
    assert first.endswith(b"still the same mail\r\nend\r\n")


@pytest.mark.feature("G24")
def test_dovecot_gives_the_same_bytes_and_is_emptied(real: Dovecot) -> None:
    host = Real(real)
    mails = [b"Subject: %d\r\n\r\n.dot\r\n" % number + b"z" * (number * 997) + b"\r\n" for number in range(40)]
    real.append_all(host.user, mails)
    pop3 = mailbox(real.pop3s, real.ca_pem, user=host.user, type_=Type.POP3, leave_msg_on_server=False)
    with pop3_session(pop3) as session:
        listing = session.list(None)
        assert [item.size for item in listing.news] == [len(raw) for raw in mails]
        contents, _ = collect(session, listing.news)
        assert list(contents.values()) == mails
        session.act(list(contents), Action.DELETE)
        session.act(list(contents), Action.DELETE)  # gone: harmless
    with pop3_session(pop3) as session:
        assert not session.look(listing.position)
    assert host.contents() == []


def test_looking_at_a_known_mailbox_finds_nothing(server: Pop3Server) -> None:
    server.append(USER, b"Subject: 1\r\n\r\n")
    with pop3_session(box(server, leave_msg_on_server=True)) as session:
        assert session.look(None)
        listing = session.list(None)
        (fetched,) = session.fetch(listing.news)
        assert isinstance(fetched, Fetched)
        fetched.path.unlink()
        one = listing.news[0].id
        position = replace(listing.position, known=frozenset({one}), prints={one: fetched.print})
        assert not session.look(position)
        assert session.look(Position())
    with pop3_session(box(server, leave_msg_on_server=False)) as session:
        assert session.look(position)  # stored, but not deleted yet
        assert session.list(position).unfinished == (one,)
        assert not session.look(Position(problems={listing.news[0].id: LeftAlone.GIVEN_UP}))
        assert session.look(Position(problems={listing.news[0].id: 1}))


def test_ids_that_left_the_server_are_forgotten(server: Pop3Server) -> None:
    with pop3_session(box(server)) as session:
        listing = session.list(Position(known=frozenset({"gone"}), problems={"gone too": 3}))
    assert listing.position.known == frozenset()
    assert listing.position.problems == {}


@pytest.mark.fault(23)
@pytest.mark.parametrize("fault", ["no_uidl", "same_uidl"])
@pytest.mark.parametrize("top", [True, False], ids=["with-top", "without-top"])
def test_without_usable_uidl_messages_are_known_by_what_they_contain(server: Pop3Server, fault: str, top: bool) -> None:
    setattr(server.faults, fault, True)
    for raw in (b"Subject: 1\r\n\r\nx\r\n", b"Subject: 2\r\n\r\nx\r\n", b"Subject: 1\r\n\r\nx\r\n"):
        server.append(USER, raw)
    options = {} if top else {"properties": {"mail.pop3.disabletop": "true"}}
    with pop3_session(box(server, leave_msg_on_server=True, **options)) as session:
        listing = session.list(None)
        assert len({item.id for item in listing.news}) == 3
        contents, _ = collect(session, listing.news)
        assert len(contents) == 3
        known = replace(listing.position, known=frozenset(contents))
    server.append(USER, b"Subject: 3\r\n\r\n")
    with pop3_session(box(server, leave_msg_on_server=True, **options)) as session:
        assert session.look(known)
        assert [session.headers(item) for item in session.list(known).news] == [b"Subject: 3\r\n\r\n"]


@pytest.mark.feature("G16")
@pytest.mark.parametrize("top", [True, False], ids=["top", "no-top"])
def test_headers_of_a_large_mail_come_without_its_body(server: Pop3Server, top: bool) -> None:
    server.append(USER, b"Subject: big\r\n\r\n" + b"x" * 70 + b"\r\n" * 500_000)
    options = {} if top else {"properties": {"mail.pop3.disabletop": "true"}}
    with pop3_session(box(server, **options)) as session:
        item = session.list(None).news[0]
        assert session.headers(item) == b"Subject: big\r\n\r\n"
        assert session.headers(item) == b"Subject: big\r\n\r\n"
    assert ("TOP 1 0" in server.log) is top


@pytest.mark.fault(24)
def test_a_connection_lost_within_a_message_gives_nothing_of_it(server: Pop3Server) -> None:
    for number in range(5):
        server.append(USER, b"Subject: %d\r\n\r\nx\r\n" % number)
    server.faults.drop_in_message = 3
    received = []
    with pop3_session(box(server)) as session:
        results = session.fetch(session.list(None).news)
        for result in itertools.islice(results, 2):
            assert isinstance(result, Fetched)
            received.append(result.path.read_bytes())
            result.path.unlink()
        with pytest.raises(ServerMisbehaved) as raised:
            next(results)
        assert raised.value.step == "fetch"
        server.faults.drop_in_message = 0
        contents, _ = collect(session, session.list(None).news)
    assert len(received) == 2
    assert len(contents) == 5


@pytest.mark.fault(30)
@pytest.mark.parametrize("fault", ["hang_in_message", "drip_in_message"])
def test_a_message_that_does_not_end_ends_at_the_deadline(server: Pop3Server, fault: str) -> None:
    server.append(USER, b"Subject: x\r\n\r\n" + b"x\r\n" * 500)
    setattr(server.faults, fault, 1)
    started = time.monotonic()
    with pop3_session(box(server), seconds=1.0) as session, pytest.raises(DeadlineExceeded):
        list(session.fetch(session.list(None).news))
    assert time.monotonic() - started < 15


@pytest.mark.fault(26)
def test_a_message_without_end_is_cut_off_by_its_announced_size(server: Pop3Server) -> None:
    server.append(USER, b"Subject: x\r\n\r\n")
    server.faults.endless_message = 1
    with pop3_session(box(server)) as session, pytest.raises(ServerMisbehaved) as raised:
        list(session.fetch(session.list(None).news))
    assert raised.value.code == "message_too_long"


def test_a_message_that_the_server_refuses_does_not_stop_the_others(server: Pop3Server) -> None:
    for number in range(3):
        server.append(USER, b"Subject: %d\r\n\r\n" % number)
    server.faults.refuse_message = 2
    with pop3_session(box(server)) as session:
        contents, failures = collect(session, session.list(None).news)
    assert len(contents) == 2
    assert [failure.gone for failure in failures.values()] == [False]


@pytest.mark.fault(40)
def test_deletions_whose_quit_was_lost_are_an_error_and_repeated(server: Pop3Server) -> None:
    server.append(USER, b"Subject: x\r\n\r\n")
    with pop3_session(box(server)) as session:
        listing = session.list(None)
        (fetched,) = session.fetch(listing.news)
        assert isinstance(fetched, Fetched)
        fetched.path.unlink()
        server.faults.drop_at_quit = True
        with pytest.raises(Transient) as raised:
            session.act([listing.news[0].id], Action.DELETE)
    assert raised.value.step == "act"
    assert len(server.folder(USER).messages) == 1
    server.faults.drop_at_quit = False
    one = listing.news[0].id
    position = replace(listing.position, known=frozenset({one}), prints={one: fetched.print})
    with pop3_session(box(server)) as session:
        session.act(session.list(position).unfinished, Action.DELETE)
        assert session.list(position).known == 0  # the session goes on after its QUIT
    assert server.folder(USER).messages == []


@pytest.mark.fault(16)
def test_a_mailbox_that_another_session_holds_is_locked_not_refused(server: Pop3Server) -> None:
    with pop3_session(box(server)), pytest.raises(MailboxLocked) as raised, pop3_session(box(server)):
        pass
    assert raised.value.step == "login"


@pytest.mark.slow
@pytest.mark.fault(16)
def test_dovecot_says_in_use_after_a_while() -> None:
    with dovecot(USERS, extra="protocol pop3 {\n  pop3_lock_session = yes\n}\n") as running:
        host = Real(running)
        host.append(b"Subject: x\r\n\r\n")
        pop3 = mailbox(running.pop3s, running.ca_pem, user=host.user, type_=Type.POP3)
        with pop3_session(pop3), pytest.raises(MailboxLocked), pop3_session(pop3, seconds=60):
            pass


@pytest.mark.fault(14)
@pytest.mark.parametrize("answer", ["", "[AUTH] No", "[SYS/TEMP] Later", "[LOGIN-DELAY] Later", "mailbox is locked"])
def test_refusals_of_a_login_are_told_apart(server: Pop3Server, answer: str) -> None:
    server.faults.login_refusal = answer
    expected = LoginRefused if answer in ("", "[AUTH] No") else MailboxLocked
    with pytest.raises(expected) as raised, pop3_session(box(server), secret="canary-9"):
        pass
    assert raised.value.step == "login"
    assert "canary" not in str(raised.value)


@pytest.mark.feature("G03")
def test_a_mailbox_with_a_client_id_logs_in_with_its_access_token() -> None:
    with Pop3Server(USERS, tokens=["token-1"]) as server:
        with pop3_session(box(server, client_id="app"), secret="token-1") as session:
            assert session.list(None).news == ()
        with pytest.raises(LoginRefused) as raised, pop3_session(box(server, client_id="app"), secret="token-2"):
            pass
    assert raised.value.code == "token_refused"


@pytest.mark.feature("G19")
@pytest.mark.parametrize("security", [Security.START_TLS, Security.START_TLS_REQUIRED])
def test_stls_protects_the_login(real: Dovecot, security: Security) -> None:
    pop3 = mailbox(real.pop3, real.ca_pem, user=Real(real).user, type_=Type.POP3, security=security)
    with pop3_session(pop3) as session:
        assert session.list(None).news == ()


@pytest.mark.fault(12)
@pytest.mark.parametrize(
    ("tls", "starttls", "security", "code"),
    [
        ("none", "", Security.START_TLS_REQUIRED, "starttls_refused"),
        ("starttls", "refuse", Security.START_TLS, "plaintext_refused"),
        ("none", "", Security.NONE, "plaintext_refused"),
        ("starttls", "inject", Security.START_TLS, "starttls_injection"),
        ("starttls", "inject", Security.START_TLS_REQUIRED, "starttls_injection"),
    ],
)
def test_no_password_without_tls(tls: str, starttls: str, security: Security, code: str) -> None:
    with Pop3Server(USERS, tls=tls) as server:
        server.faults.starttls = starttls
        with pytest.raises(PostroomError) as raised, pop3_session(box(server, security=security)):
            pass
    assert raised.value.code == code
    assert not {"USER", "PASS", "AUTH"} & set(server.log)


@pytest.mark.fault(11)
def test_a_certificate_for_another_host_is_refused() -> None:
    with Pop3Server(USERS, certificate=certificates.wrong_host()) as server:
        wrong = mailbox(server.port, certificates.authority().pem, user=USER, type_=Type.POP3)
        with pytest.raises(PostroomError) as raised, pop3_session(wrong):
            pass
    assert raised.value.code == "certificate_wrong_host"
    assert server.log == []


@pytest.mark.fault(13)
def test_a_silent_server_ends_at_the_deadline(server: Pop3Server) -> None:
    server.faults.silent_greeting = True
    with pytest.raises(DeadlineExceeded) as raised, pop3_session(box(server), seconds=0.7):
        pass
    assert raised.value.step == "greeting"


@pytest.mark.feature("G16")
def test_without_capa_nothing_is_sent_ahead(server: Pop3Server) -> None:
    for number in range(3):
        server.append(USER, b"Subject: %d\r\n\r\n" % number)
    with pop3_session(box(server, properties={"mail.pop3.disablecapa": "true"})) as session:
        contents, _ = collect(session, session.list(None).news)
    assert len(contents) == 3
    assert "CAPA" not in server.log


@pytest.mark.feature("G10")
def test_a_password_that_a_server_repeats_after_a_quit_is_in_no_error(server: Pop3Server) -> None:
    server.append(USER, b"Subject: x\r\n\r\n")
    with pop3_session(box(server)) as session:
        listing = session.list(None)
        session.act([listing.news[0].id], Action.DELETE)
        server.faults.login_refusal = f"The password {PASSWORD} is wrong"
        with pytest.raises(LoginRefused) as raised:
            session.list(None)
    assert "(not shown) is wrong" in str(raised.value)
    assert PASSWORD not in str(raised.value) + repr(raised.value)
