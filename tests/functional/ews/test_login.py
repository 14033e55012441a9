"""Opening a mailbox by EWS: mechanisms, shared mailboxes, versions, folders, and what a server refuses."""

from __future__ import annotations

import time
from typing import Any

import pytest
from postroom.adapters.ews import EwsConnector
from postroom.errors import (
    AccessRefused,
    ConnectFailed,
    DeadlineExceeded,
    FolderMissing,
    LoginRefused,
    MailboxLocked,
    Permanent,
    PostroomError,
    ServerMisbehaved,
    TlsFailed,
    Transient,
)
from postroom.model.server_mail import Action
from postroom_cli.mailservers.ews import EwsServer
from postroom_cli.mailservers.ews_store import Code, Drip, Fault, Mailbox, Planted, Raw, Status

from tests.functional.ews.opening import ADDRESS, PASSWORD, mailbox, opened
from tests.support import certificates
from tests.support.mails import mail

USERS = {ADDRESS: PASSWORD, "robot@example.com": "robot's"}


@pytest.mark.feature("G24")
@pytest.mark.parametrize(
    ("offers", "options", "schemes"),
    [
        pytest.param(("Basic",), {}, {"", "Basic"}, id="Basic, where the server has nothing else"),
        pytest.param(("NTLM", "Basic"), {}, {"", "NTLM"}, id="NTLM before Basic"),
        pytest.param(("NTLM",), {}, {"", "NTLM"}, id="NTLM alone"),
        pytest.param(
            ("NTLM", "Basic"),
            {"properties": {"mail.ews.auth.mechanisms": "PLAIN"}},
            {"Basic"},
            id="Basic, since the property says so, and without asking first",
        ),
        pytest.param(
            ("NTLM", "Basic"),
            {"properties": {"mail.ews.auth.mechanisms": "NTLM"}},
            {"", "NTLM"},
            id="NTLM, since the property says so",
        ),
        pytest.param((), {"client_id": "app"}, {"Bearer"}, id="a bearer token with a client id"),
    ],
)
def test_each_mechanism_logs_in_and_fetches_on_one_connection(
    offers: tuple[str, ...], options: dict[str, Any], schemes: set[str]
) -> None:
    with EwsServer(USERS, offers=offers) as ews:
        ews.tokens[PASSWORD] = ADDRESS
        item = ews.mailboxes[ADDRESS].deliver(mail())
        with opened(ews, **options) as session:
            listing = session.list(None)
            (result,) = session.fetch(listing.news)
            result.path.unlink()  # type: ignore[union-attr]
            session.act([item.id], Action.DELETE)
        assert ews.mailboxes[ADDRESS].inbox.items == []
        assert (set(ews.authorizations), ews.connections, ews.violations) == (schemes, 1, [])


@pytest.mark.parametrize(
    ("offers", "options"),
    [
        pytest.param(("Basic",), {}, id="Basic"),
        pytest.param(("NTLM",), {}, id="NTLM"),
        pytest.param((), {"client_id": "app"}, id="a token"),
    ],
)
def test_a_refused_login_is_asked_for_once(offers: tuple[str, ...], options: dict[str, Any]) -> None:
    with EwsServer(USERS, offers=offers) as ews:
        with pytest.raises(LoginRefused) as raised, opened(ews, secret="wrong", **options):
            pass
        assert (raised.value.step, raised.value.code) == ("login", "login_refused")
        scheme = offers[0] if offers else "Bearer"
        assert ews.authorizations.count(scheme) == (2 if scheme == "NTLM" else 1)  # NTLM takes two messages
        assert ews.asked == []


def test_a_password_is_never_sent_as_a_token(ews: EwsServer) -> None:
    with pytest.raises(LoginRefused) as raised, opened(ews, properties={"mail.ews.auth.mechanisms": "XOAUTH2"}):
        pass
    assert (raised.value.code, ews.authorizations) == ("no_mechanism", [])


def test_a_server_without_a_known_mechanism_gets_no_password() -> None:
    with EwsServer(USERS, offers=("Kerberos",)) as ews:
        with pytest.raises(LoginRefused) as raised, opened(ews):
            pass
        assert raised.value.code == "no_mechanism"
        assert set(ews.authorizations) == {""}


@pytest.mark.feature("G23")
@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"service_account": "robot@example.com"}, id="by address"),
        pytest.param(
            {"service_account": "robot@example.com", "address": "desk@example.net", "login": ADDRESS}, id="by login"
        ),
        pytest.param({"service_account": "robot@example.com", "client_id": "app"}, id="by its token"),
    ],
)
def test_a_service_account_opens_the_shared_mailbox(options: dict[str, Any]) -> None:
    with EwsServer(USERS) as ews:
        ews.tokens["robot's"] = "robot@example.com"
        ews.mailboxes["robot@example.com"].deliver(mail(subject="Its own mail"))
        shared = ews.mailboxes[ADDRESS].deliver(mail())
        with pytest.raises(LoginRefused) as raised, opened(ews, secret="robot's", **options):
            pass
        assert raised.value.code == "mailbox_not_permitted"
        ews.may_open.add(("robot@example.com", ADDRESS))
        with opened(ews, secret="robot's", **options) as session:
            assert [item.id for item in session.list(None).news] == [shared.id]
            session.act([shared.id], Action.MOVE_FAILED)
        assert ews.mailboxes[ADDRESS].folder("failedItems").items == [shared]
        assert ews.violations == []


@pytest.mark.feature("G23")
def test_an_application_acts_for_the_mailbox(ews: EwsServer, box: Mailbox) -> None:
    box.deliver(mail())
    ews.tokens["token"] = "the application"
    options: dict[str, Any] = {"client_id": "app", "grant": "client_credentials"}
    with pytest.raises(LoginRefused) as raised, opened(ews, secret="token", **options):
        pass
    assert raised.value.code == "impersonation_denied"
    ews.may_impersonate.add(("the application", ADDRESS))
    with opened(ews, secret="token", **options) as session:
        assert len(session.list(None).news) == 1


@pytest.mark.feature("G12")
@pytest.mark.parametrize(
    ("version", "wire"),
    [
        ("Exchange2010", "Exchange2010"),
        ("Exchange2010_SP1", "Exchange2010_SP1"),
        ("Exchange2010_SP2", "Exchange2010_SP2"),
        ("Exchange2013", "Exchange2013"),
        ("Exchange2013_SP1", "Exchange2013_SP1"),
        ("Exchange2016", "Exchange2016"),
        ("Office365", "Exchange2016"),
        ("", "Exchange2016"),
    ],
)
def test_each_exchange_version_speaks_its_own_schema(version: str, wire: str) -> None:
    with EwsServer(USERS, schema=wire) as ews:
        item = ews.mailboxes[ADDRESS].deliver(mail("Disposition-Notification-To: ann@example.org"))
        with opened(ews, exchange_version=version) as session:
            assert [one.id for one in session.list(None).news] == [item.id]
            session.act([item.id], Action.MARK_READ)
            session.act([item.id], Action.MOVE_FAILED)
        assert item.read
        assert (ews.versions, ews.violations) == ({wire}, [])
        # Servers before 2013 SP1 cannot be asked to keep the receipt back.
        assert ews.receipts == int(wire < "Exchange2013_SP1")


@pytest.mark.feature("G12")
def test_an_older_server_is_spoken_to_in_its_own_version() -> None:
    with EwsServer(USERS, schema="Exchange2010_SP2") as ews:
        item = ews.mailboxes[ADDRESS].deliver(mail())
        with opened(ews, exchange_version="Exchange2016") as session:
            assert [one.id for one in session.list(None).news] == [item.id]
        assert "Exchange2010_SP2" in ews.versions


@pytest.mark.feature("G14")
@pytest.mark.parametrize(
    ("options", "folder"),
    [
        pytest.param({"folder_path": ""}, "", id="empty is the Inbox"),
        pytest.param({"folder_path": "INBOX"}, "", id="the Inbox by name"),
        pytest.param({"folder_path": "Support"}, "Support", id="below the Inbox"),
        pytest.param({"folder_path": "support/grüße"}, "Support/Grüße", id="nested, in any case and language"),
        pytest.param({"folder_path": "Inbox/Support"}, "Support", id="the Inbox named first"),
        pytest.param({"folder_path": "Support.Grüße", "folder_separator": "."}, "Support/Grüße", id="own separator"),
    ],
)
def test_any_folder_is_fetched_from_relative_to_the_inbox(
    ews: EwsServer, box: Mailbox, options: dict[str, Any], folder: str
) -> None:
    support = box.add_folder("Support", box.inbox.id)
    box.add_folder("Grüße", support.id)
    for path in ("", "Support", "Support/Grüße"):
        box.deliver(mail(subject=path), folder=path)
    with opened(ews, **options) as session:
        assert [item.id for item in session.list(None).news] == [box.folder(folder).items[0].id]


@pytest.mark.feature("G14")
def test_a_folder_that_is_not_there_is_named(ews: EwsServer, box: Mailbox) -> None:
    box.add_folder("Support", box.inbox.id)
    with pytest.raises(FolderMissing) as raised, opened(ews, folder_path="Support/Nowhere"):
        pass
    assert (raised.value.step, raised.value.code) == ("folder", "folder_missing")
    assert "Nowhere" in raised.value.what


@pytest.mark.fault(31)
@pytest.mark.parametrize(
    ("planted", "error", "code"),
    [
        pytest.param(Fault("ErrorServerBusy", back_off=30_000), Transient, "server_busy", id="busy, with a pause"),
        pytest.param(Code("ErrorServerBusy"), Transient, "server_busy", id="busy, in the response message"),
        pytest.param(Fault("ErrorExceededConnectionCount"), Transient, "throttled", id="too many connections"),
        pytest.param(Status(503, {"Retry-After": "120"}), Transient, "server_busy", id="503"),
        pytest.param(Status(429), Transient, "server_busy", id="429"),
        pytest.param(Status(502), ServerMisbehaved, "http_status", id="502"),
        pytest.param(Status(403), AccessRefused, "ews_blocked", id="403"),
        pytest.param(Status(404), Permanent, "not_ews", id="404"),
        pytest.param(Status(302, {"Location": "https://evil.example/"}), Permanent, "redirected", id="redirect"),
        pytest.param(Code("ErrorMailboxStoreUnavailable"), MailboxLocked, "unavailable", id="store unavailable"),
        pytest.param(Code("ErrorMailboxMoveInProgress"), MailboxLocked, "unavailable", id="mailbox is being moved"),
        pytest.param(Fault("ErrorInternalServerTransientError"), Transient, "server_error", id="internal error"),
        pytest.param(Code("ErrorAccessDenied"), AccessRefused, "mailbox_not_permitted", id="access denied"),
        pytest.param(Code("ErrorNonExistentMailbox"), LoginRefused, "mailbox_not_found", id="no such mailbox"),
        pytest.param(Fault("ErrorPasswordExpired"), LoginRefused, "password_expired", id="password expired"),
        pytest.param(Fault("ErrorAccountDisabled"), LoginRefused, "account_disabled", id="account disabled"),
        pytest.param(Code("ErrorFolderNotFound"), FolderMissing, "folder_missing", id="folder not found"),
        pytest.param(Raw(b"<html>hello"), ServerMisbehaved, "command_refused", id="no SOAP"),
    ],
)
def test_what_a_server_refuses_is_told_apart(
    ews: EwsServer, planted: Planted, error: type[PostroomError], code: str
) -> None:
    ews.plant("GetFolder", planted)
    with pytest.raises(error) as raised, opened(ews):
        pass
    assert (raised.value.code, raised.value.step) == (code, "login")
    assert type(raised.value) is error
    assert ews.asked.count("GetFolder") == 1  # nothing is tried again here


def test_the_pause_that_a_busy_server_wants_is_told(ews: EwsServer) -> None:
    ews.plant("GetFolder", Fault("ErrorServerBusy", back_off=30_000))
    with pytest.raises(Transient, match="30 seconds"), opened(ews):
        pass


def test_a_dripping_server_ends_at_the_deadline(ews: EwsServer) -> None:
    ews.plant("GetFolder", Drip(0.05))
    started = time.monotonic()
    with pytest.raises(DeadlineExceeded) as raised, opened(ews, seconds=0.7):
        pass
    assert time.monotonic() - started < 8
    assert raised.value.step == "login"


def test_an_address_that_is_not_allowed_is_not_connected_to(ews: EwsServer) -> None:
    with pytest.raises(Permanent) as raised:
        EwsConnector().open(mailbox(ews), secret=PASSWORD, deadline=time.monotonic() + 5)
    assert (raised.value.code, raised.value.step) == ("address_refused", "dns")
    assert ews.connections == 0


def test_a_server_that_is_not_there_is_told_by_its_step(ews: EwsServer) -> None:
    with pytest.raises(ConnectFailed) as raised, opened(ews, server="https://localhost:1/EWS/Exchange.asmx"):
        pass
    assert (raised.value.code, raised.value.step) == ("connect_refused", "connect")


@pytest.mark.parametrize("server", ["mail.example.com", "http://mail.example.com/EWS/Exchange.asmx", "https:///EWS"])
def test_only_an_https_url_is_connected_to(ews: EwsServer, server: str) -> None:
    with pytest.raises(Permanent) as raised, opened(ews, server=server):
        pass
    assert raised.value.code == "not_ews"


@pytest.mark.parametrize(
    ("certificate", "code"),
    [
        pytest.param(certificates.expired, "certificate_expired", id="expired"),
        pytest.param(certificates.self_signed, "certificate_self_signed", id="self-signed"),
        pytest.param(certificates.wrong_host, "certificate_wrong_host", id="for another host"),
        pytest.param(certificates.unknown_authority, "certificate_untrusted", id="of an unknown authority"),
    ],
)
def test_a_bad_certificate_sees_no_password(certificate: Any, code: str) -> None:
    with EwsServer(USERS, offers=("Basic",), certificate=certificate()) as ews:
        with pytest.raises(TlsFailed) as raised, opened(ews, ca_certificate=certificates.authority().pem):
            pass
        assert (raised.value.code, raised.value.step) == (code, "tls")
        assert ews.authorizations == []


def test_the_environment_gives_neither_a_proxy_nor_a_password(
    ews: EwsServer, box: Mailbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine localhost login other password stolen\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(netrc))
    with opened(ews) as session:
        assert session.list(None).news == ()


@pytest.mark.fault(31)
@pytest.mark.parametrize(
    ("planted", "seconds"),
    [
        pytest.param(Fault("ErrorServerBusy", back_off=30_000), 30.0, id="BackOffMilliseconds"),
        pytest.param(Status(503, {"Retry-After": "120"}), 120.0, id="Retry-After"),
        pytest.param(Status(503, {"Retry-After": "Fri, 01 Jan 2010 00:00:00 GMT"}), 0.0, id="until a date"),
        pytest.param(Status(503, {"Retry-After": "soon"}), None, id="nonsense"),
        pytest.param(Fault("ErrorServerBusy"), None, id="busy, and no more said"),
    ],
)
def test_a_pause_that_the_server_asks_for_goes_with_the_error(
    ews: EwsServer, planted: Planted, seconds: float | None
) -> None:
    ews.plant("GetFolder", planted)
    with pytest.raises(Transient) as raised, opened(ews):
        pass
    assert raised.value.retry_after == seconds


@pytest.mark.parametrize("secret", ["", "line\nbreak"], ids=["empty", "with a line break"])
def test_an_impossible_password_is_not_sent(ews: EwsServer, secret: str) -> None:
    with pytest.raises(LoginRefused), opened(ews, secret=secret):
        pass
    assert ews.connections == 0


def test_sessions_of_the_same_login_share_nothing(ews: EwsServer, box: Mailbox) -> None:
    with opened(ews) as one, opened(ews) as other:
        one.close()
        assert other.list(None).news == ()
    assert ews.connections == 2
