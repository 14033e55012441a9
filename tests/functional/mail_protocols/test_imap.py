"""The IMAP connector against the embedded server and a real Dovecot: look, list, fetch, act."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from postroom.errors import FolderMissing, LoginRefused, MailboxLocked, Transient
from postroom.model.mailbox import FirstConnection, Security, Type
from postroom.model.polling import GIVEN_UP, Position
from postroom.ports import Action, Fetched
from postroom_cli.mailservers import ImapServer
from postroom_cli.mailservers.imap import CAPABILITIES

from tests.functional.mail_protocols.hosts import PASSWORD, USERS, Embedded, Host, Real
from tests.functional.mail_protocols.opening import collect, imap_session, mailbox, on_host, pop3_session
from tests.support.dovecot import Dovecot, dovecot
from tests.support.token_server import introspection


def mail(number: int, *, size: int = 0) -> bytes:
    """A mail that differs from all others, CRLF throughout."""
    return (
        b"Subject: mail %d\r\nMessage-ID: <%d@example.com>\r\n\r\n.line\r\nText \xff\xfe %d\r\n"
        % (
            number,
            number,
            number,
        )
        + b"x" * 70
        + b"\r\n" * (size // 2)
    )


def stored_up_to(position: Position, cursor: int) -> Position:
    """What is remembered after everything up to the cursor was stored."""
    return replace(position, cursor=str(cursor))


@pytest.mark.feature("G20", "G24")
def test_every_message_comes_byte_for_byte_in_order_and_unread(host: Host) -> None:
    mails = [mail(number, size=number * 300) for number in range(130)]
    host.append_all(mails)
    with on_host(host) as session:
        listing = session.list(None)
        assert [item.size for item in listing.news] == [len(raw) for raw in mails]
        results = list(session.fetch(listing.news))
    assert [result.item for result in results] == list(listing.news)
    for result, raw in zip(results, mails, strict=True):
        assert isinstance(result, Fetched)
        assert result.path.read_bytes() == raw
        assert result.sha256 == hashlib.sha256(raw).hexdigest()
        result.path.unlink()
    assert not any("\\Seen" in flags for flags in host.flags().values())


@pytest.mark.parametrize("leave", [True, False], ids=["left-on-server", "deleted"])
def test_looking_at_an_unchanged_folder_finds_nothing(host: Host, leave: bool) -> None:
    with on_host(host, leave_msg_on_server=leave) as session:
        position = session.list(None).position
        assert not session.look(position)
        host.append(mail(1))
    with on_host(host, leave_msg_on_server=leave) as session:
        assert session.look(position)
        listing = session.list(position)
        session.act([item.id for item in listing.news], Action.MARK_READ if leave else Action.DELETE)
        position = stored_up_to(listing.position, int(listing.news[-1].id))
    with on_host(host, leave_msg_on_server=leave) as session:
        assert not session.look(position)
        assert session.list(position).news == ()


@pytest.mark.fault(37)
@pytest.mark.parametrize("leave", [True, False], ids=["left-on-server", "deleted"])
def test_what_was_stored_but_not_told_to_the_server_is_found_again(host: Host, leave: bool) -> None:
    host.append_all([mail(number) for number in range(3)])
    with on_host(host, leave_msg_on_server=leave) as session:
        listing = session.list(None)
        position = stored_up_to(listing.position, int(listing.news[-1].id))
        assert session.look(position)
        again = session.list(position)
        assert again.news == ()
        assert again.unfinished == tuple(item.id for item in listing.news)
        session.act(again.unfinished, Action.MARK_READ if leave else Action.DELETE)
        session.act(again.unfinished, Action.MARK_READ if leave else Action.DELETE)  # repeating is harmless
    with on_host(host, leave_msg_on_server=leave) as session:
        assert not session.look(position)
    if leave:
        assert all("\\Seen" in flags for flags in host.flags().values())
    else:
        assert host.contents() == []


def test_messages_on_the_problem_list_are_left_alone_and_failed_ones_tried_again(host: Host) -> None:
    host.append_all([mail(number) for number in range(3)])
    with on_host(host) as session:
        ids = [item.id for item in session.list(None).news]
        listed = session.list(None).position
        given_up = replace(listed, cursor="0", known=frozenset(ids[2:]), problems={ids[0]: GIVEN_UP, ids[1]: 1})
        listing = session.list(given_up)
        assert [item.id for item in listing.news] == [ids[1]]
        assert listing.unfinished == (ids[2],)
        session.act(ids, Action.MARK_READ)
        assert session.look(given_up)  # the failed one, though somebody has read it
        assert not session.look(replace(given_up, problems=dict.fromkeys(ids[:2], GIVEN_UP)))


@pytest.mark.feature("X13")
def test_from_now_on_takes_nothing_that_lies_there(host: Host) -> None:
    host.append(mail(1))
    with on_host(host, first_connection=FirstConnection.FROM_NOW) as session:
        first = session.list(None)
        assert first.news == ()
        assert first.known == 1
    host.append(mail(2))
    with on_host(host, first_connection=FirstConnection.FROM_NOW) as session:
        assert session.look(first.position)
        contents, _ = collect(session, session.list(first.position).news)
    assert list(contents.values()) == [mail(2)]


def test_arrival_is_listed_with_its_zone(host: Host) -> None:
    moment = datetime(2026, 11, 3, 10, 20, 30, tzinfo=UTC)
    host.append(mail(1), date=moment)
    with on_host(host) as session:
        assert [item.date for item in session.list(None).news] == [moment]


@pytest.mark.fault(20)
def test_a_renumbered_folder_is_taken_from_the_beginning(host: Host) -> None:
    host.append(mail(1))
    with on_host(host) as session:
        listing = session.list(None)
        position = stored_up_to(listing.position, 1)
        session.act(["1"], Action.MARK_READ)
    host.renumber()
    with on_host(host) as session:
        assert session.look(position)
        again = session.list(position)
    assert again.resynced
    assert again.position.epoch != position.epoch
    assert len(again.news) == 1


@pytest.mark.fault(21)
def test_a_message_that_vanished_is_reported_gone_and_no_other_comes_in_its_place(host: Host) -> None:
    host.append_all([mail(number) for number in range(4)])
    with on_host(host) as session:
        news = session.list(None).news
        host.remove(int(news[1].id))
        contents, failures = collect(session, news)
    assert list(contents.values()) == [mail(0), mail(2), mail(3)]
    assert {one: failure.gone for one, failure in failures.items()} == {news[1].id: True}


@pytest.mark.fault(42)
def test_a_message_that_another_client_has_read_is_still_fetched(host: Host) -> None:
    with on_host(host) as session:
        position = session.list(None).position
    host.append(mail(1), flags=["\\Seen"])
    with on_host(host) as session:
        assert session.look(position)
        contents, _ = collect(session, session.list(position).news)
    assert list(contents.values()) == [mail(1)]


def test_deleting_takes_only_what_was_asked(host: Host) -> None:
    host.append_all([mail(number) for number in range(3)])
    host.mark(2, "\\Deleted")  # somebody else's mark
    with on_host(host, leave_msg_on_server=False) as session:
        session.act(["1"], Action.DELETE)
    assert host.contents() == [mail(1), mail(2)]
    assert "\\Deleted" in host.flags()[2]


def test_without_uidplus_the_marks_of_others_are_spared() -> None:
    capabilities = [word for word in CAPABILITIES if word not in ("UIDPLUS", "MOVE")]
    with ImapServer(USERS, capabilities=capabilities) as server:
        host = Embedded(server)
        host.append_all([mail(number) for number in range(3)])
        host.mark(2, "\\Deleted")
        with on_host(host, leave_msg_on_server=False) as session:
            session.act(["1"], Action.DELETE)
        assert host.contents() == [mail(1), mail(2)]
        assert "\\Deleted" in host.flags()[2]


@pytest.mark.feature("G21", "G13")
@pytest.mark.parametrize("action", [Action.MOVE, Action.MOVE_FAILED], ids=["processed", "failed"])
def test_moving_makes_the_folder_when_it_is_missing(host: Host, action: Action) -> None:
    host.append_all([mail(number) for number in range(3)])
    options = {"processed_items_folder_name": "Done", "failed_items_folder_name": "Failed"}
    with on_host(host, **options) as session:
        session.act(["1", "3"], action)
        session.act(["1", "3"], action)  # gone: no error
    assert host.contents() == [mail(1)]
    assert host.contents("Done" if action is Action.MOVE else "Failed") == [mail(0), mail(2)]


@pytest.mark.feature("G21")
def test_without_the_move_extension_messages_are_copied_and_deleted() -> None:
    with ImapServer(USERS, capabilities=[word for word in CAPABILITIES if word != "MOVE"]) as server:
        host = Embedded(server)
        host.append_all([mail(number) for number in range(3)])
        with on_host(host, processed_items_folder_name="Done") as session:
            session.act(["1", "3"], Action.MOVE)
        assert host.contents() == [mail(1)]
        assert host.contents("Done") == [mail(0), mail(2)]
        assert [command.name for command in server.log if "MOVE" in command.name] == []


@pytest.mark.feature("G14")
@pytest.mark.parametrize(
    "path",
    ["INBOX", "inbox", "Support", "Müller & Söhne", "日本語", 'quo"ted\\name', "Kunden/Eingang/Ü"],
)
def test_folders_of_any_name_are_read(host: Host, path: str) -> None:
    from imapclient import imap_utf7

    on_the_wire = imap_utf7.encode(path).decode("ascii").replace("\\", "\\\\").replace('"', '\\"')
    if isinstance(host, Embedded):
        host.server.append(host.user, imap_utf7.encode(path).decode("ascii"), mail(1))
    else:
        host.append(mail(1), folder=on_the_wire)
    with on_host(host, folder_path=path) as session:
        contents, _ = collect(session, session.list(None).news)
    assert list(contents.values()) == [mail(1)]


@pytest.mark.feature("G14")
def test_the_servers_own_separator_and_prefix_are_found_out() -> None:
    with ImapServer(USERS, separator=".", prefix="INBOX.") as server:
        host = Embedded(server)
        host.append(mail(1), folder="INBOX.Kunden.Eingang")
        with on_host(host, folder_path="Kunden/Eingang", processed_items_folder_name="Kunden/Fertig") as session:
            session.act([session.list(None).news[0].id], Action.MOVE)
        assert host.contents("INBOX.Kunden.Fertig") == [mail(1)]


@pytest.mark.feature("G14")
def test_dovecot_with_dots_between_folders() -> None:
    with dovecot(USERS, separator=".", prefix="INBOX.") as server:
        host = Real(server)
        host.append(mail(1), folder="INBOX.Kunden.Eingang")
        with on_host(host, folder_path="Kunden/Eingang", processed_items_folder_name="Kunden/Fertig") as session:
            session.act([session.list(None).news[0].id], Action.MOVE)
        assert host.contents("INBOX.Kunden.Fertig") == [mail(1)]


@pytest.mark.fault(22)
def test_a_missing_folder_is_named_and_not_made(host: Host) -> None:
    with pytest.raises(FolderMissing) as raised, on_host(host, folder_path="Nowhere"):
        pass
    assert raised.value.step == "folder"
    assert host.contents("Nowhere") == []


@pytest.mark.fault(14)
def test_a_wrong_password_is_refused_once_and_shown_nowhere(host: Host) -> None:
    box = mailbox(host.port, host.ca_pem, user=host.user)
    with pytest.raises(LoginRefused) as raised, imap_session(box, secret="canary-7Qp"):
        pass
    assert raised.value.step == "login"
    assert "canary" not in str(raised.value) + repr(raised.value)


@pytest.mark.feature("G17")
@pytest.mark.parametrize("password", ['qu"ote\\back', "spaces in it", "Ümläut-密码", "{5}"], ids=ascii)
def test_passwords_with_any_characters_log_in(password: str) -> None:
    with (
        ImapServer({"Ann Ü": password}) as server,
        imap_session(mailbox(server.port, server.ca_pem, user="Ann Ü"), secret=password) as session,
    ):
        assert session.list(None).news == ()
    for text in ("Ann", password):
        assert not any(text in command.text for command in server.log)


@pytest.mark.feature("G03")
def test_a_mailbox_with_a_client_id_logs_in_with_its_access_token() -> None:
    with ImapServer(USERS, tokens=["token-1"]) as server:
        box = mailbox(server.port, server.ca_pem, client_id="app")
        with imap_session(box, secret="token-1") as session:
            assert session.list(None).news == ()
        with pytest.raises(LoginRefused) as raised, imap_session(box, secret="token-2"):
            pass
    assert raised.value.code == "token_refused"


@pytest.mark.feature("G03")
@pytest.mark.parametrize("type_", [Type.IMAP, Type.POP3])
def test_dovecot_takes_an_access_token_that_its_issuer_confirms(type_: Type) -> None:
    with introspection({"token-1": "user0"}) as url, dovecot(USERS, introspection_url=url) as server:
        port = server.imaps if type_ is Type.IMAP else server.pop3s
        box = mailbox(port, server.ca_pem, type_=type_, client_id="app")
        opened = imap_session if type_ is Type.IMAP else pop3_session
        with opened(box, secret="token-1") as session:
            assert session.list(None).news == ()
        with pytest.raises(LoginRefused) as raised, opened(box, secret="token-2"):
            pass
    assert (raised.value.step, raised.value.code) == ("login", "token_refused")


@pytest.mark.fault(17)
def test_too_many_connections_mean_later(real: Dovecot) -> None:
    with dovecot(USERS, connections=1) as server:
        host = Real(server)
        with on_host(host), pytest.raises(MailboxLocked) as raised, on_host(host):
            pass
    assert raised.value.code == "too_many_connections"


@pytest.mark.fault(17)
def test_a_server_that_is_unavailable_means_later(embedded: Embedded) -> None:
    embedded.server.faults.login_refusal = "[UNAVAILABLE] Try later"
    with pytest.raises(MailboxLocked) as raised, on_host(embedded):
        pass
    assert (raised.value.code, raised.value.step) == ("unavailable", "login")


@pytest.mark.feature("G19")
@pytest.mark.parametrize("security", [Security.START_TLS, Security.START_TLS_REQUIRED])
def test_starttls_protects_the_login(security: Security, real: Dovecot) -> None:
    host = Real(real)
    host.append(mail(1))
    box = mailbox(real.imap, real.ca_pem, user=host.user, security=security)
    with imap_session(box) as session:
        assert len(session.list(None).news) == 1


@pytest.mark.feature("G19")
def test_without_tls_only_where_it_is_allowed(real: Dovecot) -> None:
    host = Real(real)
    box = mailbox(real.imap, user=host.user, security=Security.NONE)
    with imap_session(box, plaintext=True) as session:
        assert session.list(None).news == ()


@pytest.mark.fault(39)
def test_a_full_mailbox_is_named_and_the_mail_stays() -> None:
    # A copy needs room, a move within the mailbox does not: so this server hides that it can move.
    quota = "plugin {\n  quota = maildir:User\n  quota_rule = *:storage=1M\n}\n"
    hidden = "protocol imap {\n  imap_capability = IMAP4rev1 LITERAL+ SASL-IR NAMESPACE UIDPLUS UNSELECT\n}\n"
    with dovecot(USERS, plugins="quota imap_quota", extra=quota + hidden) as server:
        host = Real(server)
        raw = mail(1) + b"y" * 700_000 + b"\r\n"
        host.append(raw)
        with on_host(host, processed_items_folder_name="Done") as session, pytest.raises(Transient) as raised:
            session.act([session.list(None).news[0].id], Action.MOVE)
        assert (raised.value.step, raised.value.code) == ("act", "over_quota")
        assert host.contents() == [raw]


@pytest.mark.fault(39)
@pytest.mark.parametrize(
    ("answer", "code"),
    [("NO [OVERQUOTA] Quota exceeded", "over_quota"), ("NO [NOPERM] Not yours", "read_only")],
    ids=["over-quota", "no-permission"],
)
def test_a_refused_move_is_an_error_that_says_what_to_do(embedded: Embedded, answer: str, code: str) -> None:
    embedded.append(mail(1))
    embedded.append(mail(2), folder="Done")
    embedded.server.faults.answers["UID MOVE"] = [answer]
    with on_host(embedded, processed_items_folder_name="Done") as session:
        with pytest.raises(Transient) as raised:
            session.act(["1"], Action.MOVE)
        assert (raised.value.step, raised.value.code) == ("act", code)
        session.act(["1"], Action.MOVE)  # repeated when there is room
    assert embedded.contents("Done") == [mail(2), mail(1)]


@pytest.mark.fault(39)
def test_a_folder_that_opens_read_only_is_fetched_but_not_changed(embedded: Embedded) -> None:
    embedded.append(mail(1))
    embedded.server.faults.read_only = True
    with on_host(embedded) as session:
        contents, _ = collect(session, session.list(None).news)
        with pytest.raises(Transient) as raised:
            session.act(["1"], Action.MARK_READ)
    assert contents == {"1": mail(1)}
    assert raised.value.code == "read_only"


@pytest.mark.fault(41)
def test_a_move_that_stopped_half_way_is_found_and_finished() -> None:
    from postroom_cli.mailservers.imap_faults import Fault

    with ImapServer(USERS, capabilities=[word for word in CAPABILITIES if word != "MOVE"]) as server:
        host = Embedded(server)
        host.append(mail(1))
        server.store.create(host.user, "Done")
        server.faults.commands["UID STORE"] = [Fault.DROP]  # copied, but neither marked nor expunged
        with on_host(host, processed_items_folder_name="Done") as session:
            position = stored_up_to(session.list(None).position, 1)
            with pytest.raises(Transient):
                session.act(["1"], Action.MOVE)
        assert (host.contents(), host.contents("Done")) == ([mail(1)], [mail(1)])
        with on_host(host, processed_items_folder_name="Done") as session:
            assert session.list(position).unfinished == ("1",)
            session.act(["1"], Action.MOVE)
        assert host.contents() == []


@pytest.mark.fault(29)
def test_a_kicked_session_goes_on_over_a_new_connection(host: Host) -> None:
    mails = [mail(number) for number in range(120)]
    host.append_all(mails)
    received: list[bytes] = []
    with on_host(host) as session:
        for result in session.fetch(session.list(None).news):
            assert isinstance(result, Fetched)
            received.append(result.path.read_bytes())
            result.path.unlink()
            if len(received) == 10:
                if isinstance(host, Embedded):
                    host.server.kick()
                elif isinstance(host, Real):
                    host.server.doveadm("kick", host.user)
    assert sorted(received) == sorted(mails)


def test_a_receiver_that_stops_in_the_middle_does_not_confuse_what_follows(host: Host) -> None:
    host.append_all([mail(number) for number in range(120)])
    with on_host(host) as session:
        news = session.list(None).news
        results = session.fetch(news)
        first = next(results)
        assert isinstance(first, Fetched)
        first.path.unlink()
        results.close()  # type: ignore[attr-defined]  # it is a generator
        contents, _ = collect(session, news[5:7])
        assert list(contents.values()) == [mail(5), mail(6)]
        session.act([news[0].id], Action.MARK_READ)
    assert "\\Seen" in host.flags()[int(news[0].id)]


def test_headers_come_alone(host: Host) -> None:
    host.append(mail(1, size=100_000))
    with on_host(host) as session:
        item = session.list(None).news[0]
        assert session.headers(item) == mail(1).partition(b"\r\n\r\n")[0] + b"\r\n\r\n"


def test_login_folder_and_search_go_out_together_where_the_server_bears_it(host: Host) -> None:
    host.append(mail(1))
    with on_host(host) as session:
        listing = session.list(None)
        session.act(["1"], Action.MARK_READ)
    position = stored_up_to(listing.position, 1)
    box = mailbox(host.port, host.ca_pem, user=host.user)
    with imap_session(box, ask=position) as session:
        assert session._link.opened.search is not None
        assert not session.look(position)
    host.append(mail(2))
    with imap_session(box, ask=position) as session:
        assert session.look(position)
    with pytest.raises(LoginRefused), imap_session(box, secret="wrong", ask=position):
        pass
    with pytest.raises(FolderMissing), imap_session(box.model_copy(update={"folder_path": "No"}), ask=position):
        pass


def test_old_mail_has_its_date_so_that_it_can_be_left_alone(host: Host) -> None:
    old = datetime.now(UTC).replace(microsecond=0) - timedelta(days=400)
    host.append(mail(1), date=old)
    host.append(mail(2))
    with on_host(host, first_connection=FirstConnection.SINCE, first_connection_since=old.date()) as session:
        assert [item.date is not None for item in session.list(None).news] == [True, True]


def test_passwords_are_for_the_right_user(host: Host) -> None:
    box = mailbox(host.port, host.ca_pem, user="nobody-here")
    with pytest.raises(LoginRefused), imap_session(box, secret=PASSWORD):
        pass
