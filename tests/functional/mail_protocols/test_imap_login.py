"""Logging in by IMAP: passwords, tokens, TLS, and servers that have no room now."""

from __future__ import annotations

import pytest
from postroom.errors import FolderMissing, LoginRefused, MailboxLocked
from postroom.model.configuration.mailbox import Security, Type
from postroom.model.server_mail import Action
from postroom_cli.mailservers import ImapServer
from postroom_cli.mailservers.imap_faults import FetchFault

from tests.functional.mail_protocols.hosts import PASSWORD, USERS, Embedded, Host, Real
from tests.functional.mail_protocols.mails import mail, stored_up_to
from tests.functional.mail_protocols.opening import imap_session, mailbox, on_host, pop3_session
from tests.support.dovecot import Dovecot, dovecot
from tests.support.token_server import introspection


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


def test_login_folder_and_search_go_out_together_where_the_server_bears_it(host: Host) -> None:
    host.append(mail(1))
    with on_host(host) as session:
        listing = session.list(None)
        session.act(["1"], Action.MARK_READ)
    position = stored_up_to(listing, 1)
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


def test_passwords_are_for_the_right_user(host: Host) -> None:
    box = mailbox(host.port, host.ca_pem, user="nobody-here")
    with pytest.raises(LoginRefused), imap_session(box, secret=PASSWORD):
        pass


@pytest.mark.feature("G10")
def test_a_password_that_a_server_repeats_when_it_is_dialled_again_is_in_no_error(embedded: Embedded) -> None:
    embedded.append(mail(1))
    with on_host(embedded) as session:
        listing = session.list(None)
        embedded.server.faults.login_refusal = f"The password {PASSWORD} is wrong"
        embedded.server.faults.fetch = {1: FetchFault.DROP_MID_LITERAL}
        with pytest.raises(LoginRefused) as raised:
            list(session.fetch(listing.news))
    assert "(not shown) is wrong" in str(raised.value)
    assert PASSWORD not in str(raised.value) + repr(raised.value)
    assert raised.value.__cause__ is None
