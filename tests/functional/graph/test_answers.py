"""The Graph connector: what the service's answers mean, waiting when told to, and the way there."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from postroom.adapters.graph.session import GraphConnector
from postroom.errors import (
    AccessRefused,
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
from postroom_cli.mailservers.graph import CHUNKED
from postroom_cli.mailservers.graph_calls import error
from postroom_cli.mailservers.https import Reply

from tests.functional.graph.conftest import Site, collect

pytestmark = pytest.mark.feature("G24")

REFUSALS: dict[str, tuple[Callable[[], Reply], type[PostroomError], str, str]] = {
    "token": (lambda: error(401, "InvalidAuthenticationToken"), Transient, "token_ended", "list"),
    "permission": (lambda: error(403, "ErrorAccessDenied"), AccessRefused, "permission_missing", "login"),
    "no-mailbox": (lambda: error(404, "MailboxNotEnabledForRESTAPI"), Permanent, "mailbox_missing", "login"),
    "no-user": (lambda: error(404, "ErrorInvalidUser"), Permanent, "mailbox_missing", "login"),
    "throttled": (lambda: error(429, "ApplicationThrottled", retry_after="600"), MailboxLocked, "throttled", "list"),
    "throttled-without-a-time": (lambda: error(429, "TooManyRequests"), MailboxLocked, "throttled", "list"),
    "store-down": (lambda: error(503, "ErrorMailboxStoreUnavailable"), Transient, "unavailable", "list"),
    "overloaded": (lambda: error(503, "UnknownError", retry_after="600"), MailboxLocked, "throttled", "list"),
    "unknown-mailbox": (lambda: error(404, "ResourceNotFound"), Permanent, "mailbox_missing", "login"),
    "broken": (lambda: Reply(500, b"<html>"), Transient, "unavailable", "list"),
    "bad-gateway": (lambda: Reply(502, b"<html>"), Transient, "unavailable", "list"),
    "folder": (lambda: error(404, "ErrorItemNotFound"), FolderMissing, "folder_missing", "folder"),
    "refused": (lambda: error(400, "BadRequest"), ServerMisbehaved, "command_refused", "list"),
    "redirected": (
        lambda: Reply(302, b"", {"Location": "https://e.example"}),
        ServerMisbehaved,
        "command_refused",
        "list",
    ),
    "another-page": (lambda: Reply(200, b"<html>"), ServerMisbehaved, "not_graph", "list"),
    "no-collection": (lambda: Reply(200, b'{"id": "x"}'), ServerMisbehaved, "not_graph", "list"),
    "cut-short": (lambda: Reply(200, b"x" * 100, cut=10), ServerMisbehaved, "connection_lost", "list"),
}


@pytest.mark.fault(31)
@pytest.mark.parametrize("name", REFUSALS)
def test_every_answer_has_its_own_error_and_tells_nobody_s_name(site: Site, name: str) -> None:
    answer, kind, code, step = REFUSALS[name]
    site.service.fail("GET", "/mailFolders/inbox/messages", answer, times=9)
    with site.session() as session, pytest.raises(kind) as caught:
        session.list(None)
    raised = caught.value
    assert (type(raised), raised.code, raised.step) == (kind, code, step)
    assert raised.remedy
    for secret in ("token-1", "Contoso", "box0@example.com"):
        assert secret not in f"{raised!s}{raised!r}"


@pytest.mark.fault(31)
@pytest.mark.parametrize("retry_after", ["3", "Sat, 21 Nov 2020 12:00:00 GMT"], ids=["seconds", "a-date"])
@pytest.mark.parametrize("status", [429, 503])
def test_a_short_retry_after_is_waited_for(site: Site, status: int, retry_after: str) -> None:
    ids = site.service.deliver(b"1", b"2")
    with site.session() as session:
        site.service.fail("GET", ".*/messages", lambda: error(status, "X", retry_after=retry_after), times=2)
        items = session.list(None).news
        site.service.fail("GET", r".*\$value", lambda: error(status, "X", retry_after=retry_after))
        contents, failures = collect(session, items)
        site.service.fail("PATCH", ".*", lambda: error(status, "X", retry_after=retry_after))
        session.act(ids, Action.MARK_READ)
    assert (list(contents), failures) == (ids, {})
    assert site.waits == [3.0 if retry_after == "3" else 0.0] * 4
    assert all(message.is_read for message in site.service.messages.values())


@pytest.mark.fault(31)
def test_nobody_waits_past_the_deadline(site: Site) -> None:
    with site.session(seconds=8) as session:
        site.service.fail("GET", ".*/messages", lambda: error(429, "X", retry_after="10"), times=9)
        with pytest.raises(MailboxLocked):
            session.list(None)
    assert site.waits == []


@pytest.mark.fault(31)
def test_throttling_while_fetching_ends_the_session_and_blames_no_message(site: Site) -> None:
    site.service.deliver(b"1", b"2", b"3")
    with site.session() as session:
        items = session.list(None).news
        site.service.fail("GET", r".*\$value", lambda: error(429, "X", retry_after="900"), times=9)
        with pytest.raises(MailboxLocked) as caught:
            collect(session, items)
    assert caught.value.step == "fetch"


@pytest.mark.fault(30)
def test_a_dripping_message_ends_at_the_deadline(site: Site) -> None:
    site.service.deliver(b"x")
    stop = threading.Event()

    def drip(write: Callable[[bytes], Any]) -> None:
        while not stop.wait(0.05):
            write(b"1\r\nx\r\n")

    with site.session() as session:
        items = session.list(None).news
        site.service.fail("GET", r".*\$value", Reply(200, headers=CHUNKED, pieces=drip))
        session.extend(time.monotonic() + 0.7)
        try:
            with pytest.raises(DeadlineExceeded) as caught:
                collect(session, items)
        finally:
            stop.set()
    assert caught.value.step == "fetch"


@pytest.mark.parametrize("token", ["wrong", ""])
def test_a_wrong_token_is_refused_when_the_mailbox_is_opened(site: Site, token: str) -> None:
    with pytest.raises(LoginRefused) as caught, site.session(token=token):
        pass
    assert (caught.value.code, caught.value.step) == ("token_refused", "login")


def test_an_untrusted_certificate_gets_no_token(site: Site) -> None:
    with pytest.raises(TlsFailed) as caught, site.session(ca_certificate=None):
        pass
    assert caught.value.step == "tls"
    assert site.service.seen == []


def test_a_private_address_is_refused_unless_it_is_allowed(site: Site) -> None:
    site.connector = replace(site.connector, allowed_networks=())
    with pytest.raises(Permanent) as caught, site.session():
        pass
    assert (caught.value.code, caught.value.step) == ("address_refused", "dns")


@pytest.mark.parametrize(
    ("authority", "host"),
    [
        (None, "graph.microsoft.com"),
        ("https://login.microsoftonline.com", "graph.microsoft.com"),
        ("https://login.microsoftonline.us/t", "graph.microsoft.us"),
        ("https://login.partner.microsoftonline.cn", "microsoftgraph.chinacloudapi.cn"),
        ("https://login.example", "graph.microsoft.com"),
    ],
)
def test_each_cloud_has_its_own_graph(
    site: Site, authority: str | None, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def unresolved(name: str, *_args: Any, **_kwargs: Any) -> Any:
        asked.append(name)
        raise OSError

    monkeypatch.setattr("socket.getaddrinfo", unresolved)
    site.connector = GraphConnector()
    with pytest.raises(Transient), site.session(tenant_authority=authority, server=None):
        pass
    assert asked == [host]
