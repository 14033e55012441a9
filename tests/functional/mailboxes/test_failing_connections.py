"""More ways in which a tested connection fails, by POP3, with tokens, and with servers that say nothing (C09)."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from typing import Any

import pytest
from postroom.adapters.imap.session import ImapConnector
from postroom.adapters.net import dial
from postroom.adapters.pop3.session import Pop3Connector
from postroom.adapters.probe import NetworkProbe
from postroom.model.configuration.mailbox import Mailbox, Type
from postroom.services.mailboxes import connection_check as test_connection
from postroom.services.mailboxes.connection_check import ConnectionTest, check_connection
from postroom_cli.mailservers.certificates import Authority, Certificate
from postroom_cli.mailservers.imap import ImapServer
from postroom_cli.mailservers.pop3 import Pop3Server

from tests.functional.cli.conftest import Command
from tests.functional.fetching.conftest import PASSWORD, Site
from tests.functional.mailboxes.test_options import black_hole
from tests.unit.services.polling.fakes import Secrets, a_mailbox

AUTHORITY = Authority()
USER = "box@example.com"
LOOPBACK = (ip_network("127.0.0.0/8"),)


class Tokens:
    """Gives out one token, and the same again when it is refused."""

    def access_token(self, mailbox: Mailbox, *, deadline: float, refused: str = "") -> str:
        assert mailbox.client_id
        assert deadline > time.monotonic()
        return "canary-token" if not refused else "canary-token-2"


@dataclass
class Try:
    """One test of a connection: the protocol, what the mailbox says, and how the server is."""

    type: str
    options: dict[str, Any] = field(default_factory=dict)
    secret: str = PASSWORD
    tls: str = "implicit"
    faults: Mapping[str, Any] = field(default_factory=dict)
    certificate: Certificate | None = None

    def run(self, *, port: int | None = None) -> ConnectionTest:
        """Run it against a server of its own, or a port where something else listens."""
        made: Any = ImapServer if self.type == "IMAP" else Pop3Server
        with made({USER: PASSWORD}, tls=self.tls, certificate=self.certificate, tokens=["good"]) as server:
            for name, value in self.faults.items():
                setattr(server.faults, name, value)
            trusted = AUTHORITY.pem if self.certificate else server.ca_pem or None
            settings = {"type": self.type, "server": "127.0.0.1", "port": port or server.port, "login": USER}
            return check_connection(
                a_mailbox("box", **{**settings, "ca_certificate": trusted, **self.options}),
                connectors={
                    Type.IMAP: ImapConnector(allowed_networks=LOOPBACK),
                    Type.POP3: Pop3Connector(allowed_networks=LOOPBACK),
                },
                secrets=Secrets(),
                probe=NetworkProbe(allowed_networks=LOOPBACK),
                tokens=Tokens(),
                secret=self.secret,
            )


def _expired() -> Certificate:
    yesterday = datetime.now(UTC) - timedelta(days=1)
    return AUTHORITY.issue(not_before=yesterday - timedelta(days=9), not_after=yesterday)


def _failed_as(tested: ConnectionTest, step: str, code: str) -> None:
    failed = tested.steps[-1]
    assert not tested.ok
    assert [one.ok for one in tested.steps] == [True] * (len(tested.steps) - 1) + [False]
    assert (failed.name, failed.code) == (step, code)
    assert failed.reason
    assert failed.remedy
    assert not any(canary in repr(tested) for canary in (PASSWORD, "canary-token"))


@pytest.mark.feature("C09")
@pytest.mark.parametrize(
    ("attempt", "step", "code"),
    [
        pytest.param(Try("IMAP", {"client_id": "app"}), "login", "token_refused", id="IMAP: XOAUTH2 refused"),
        pytest.param(
            Try("IMAP", faults={"login_refusal": f"[AUTHENTICATIONFAILED] {PASSWORD}?"}),
            "login",
            "login_refused",
            id="IMAP: password echoed",
        ),
        pytest.param(
            Try("IMAP", faults={"answers": {"EXAMINE": ["NO [NOPERM] Not yours"]}}),
            "folder",
            "folder_not_permitted",
            id="IMAP: no permission",
        ),
        pytest.param(
            Try("IMAP", {"properties": {"mail.imap.auth.mechanisms": "NTLM"}}),
            "login",
            "no_mechanism",
            id="IMAP: no mechanism left",
        ),
        pytest.param(
            Try("IMAP", {"security": "start-tls-required"}, tls="starttls", faults={"starttls": "inject"}),
            "tls",
            "starttls_injection",
            id="IMAP: plain text behind STARTTLS",
        ),
        pytest.param(Try("POP3", secret="wrong"), "login", "login_refused", id="POP3: wrong password"),
        pytest.param(Try("POP3", {"client_id": "app"}), "login", "token_refused", id="POP3: XOAUTH2 refused"),
        pytest.param(
            Try("POP3", faults={"login_refusal": "[IN-USE] locked"}), "login", "mailbox_locked", id="POP3: locked"
        ),
        pytest.param(
            Try("POP3", faults={"login_refusal": "[SYS/TEMP] later"}), "login", "unavailable", id="POP3: unavailable"
        ),
        pytest.param(Try("POP3", tls="none"), "tls", "not_tls", id="POP3: not TLS on a TLS port"),
        pytest.param(
            Try("POP3", {"security": "start-tls-required"}, tls="none"),
            "tls",
            "starttls_refused",
            id="POP3: STLS not offered",
        ),
        pytest.param(Try("POP3", {"security": "none"}, tls="none"), "tls", "plaintext_refused", id="POP3: plain text"),
        pytest.param(
            Try("POP3", certificate=AUTHORITY.issue("mx.example")),
            "tls",
            "certificate_wrong_host",
            id="POP3: wrong host",
        ),
        pytest.param(Try("POP3", certificate=_expired()), "tls", "certificate_expired", id="POP3: certificate expired"),
        pytest.param(
            Try("POP3", faults={"greeting": b"220 smtp.example.com ESMTP\r\n"}),
            "greeting",
            "no_pop3",
            id="POP3: another protocol",
        ),
    ],
)
def test_what_fails_names_its_step_its_code_and_a_remedy(attempt: Try, step: str, code: str) -> None:
    _failed_as(attempt.run(), step, code)


@pytest.mark.feature("C09")
@pytest.mark.parametrize(
    ("attempt", "step"),
    [
        pytest.param(Try("POP3", faults={"silent_greeting": True}), "greeting", id="POP3: silent"),
        pytest.param(Try("POP3", faults={"drip_greeting": 0.3}), "greeting", id="POP3: dripping"),
        pytest.param(
            Try("IMAP", {"security": "start-tls-required"}, "secret", "none", {"silent_greeting": True}),
            "greeting",
            id="IMAP: silent in plain text too",
        ),
    ],
)
def test_a_server_that_says_nothing_ends_with_the_deadline(
    attempt: Try, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(test_connection, "IN_ALL", 1.0)
    started = time.monotonic()
    tested = attempt.run()
    assert time.monotonic() - started < 9
    _failed_as(tested, step, "deadline_exceeded")


@pytest.mark.feature("C09")
@pytest.mark.parametrize("type_", ["IMAP", "POP3"])
@pytest.mark.parametrize("security", ["none", "start-tls", "start-tls-required"])
@pytest.mark.parametrize("certificate", [None, AUTHORITY.issue("mx.example")], ids=["", "of another host"])
def test_a_port_for_tls_is_told_from_a_silent_server_and_the_remedy_named(
    type_: str, security: str, certificate: Certificate | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dial, "PATIENCE", 0.1)
    started = time.monotonic()
    tested = Try(type_, {"security": security}, certificate=certificate).run()
    assert time.monotonic() - started < 9
    _failed_as(tested, "greeting", "tls_expected")
    assert tested.steps[-1].remedy == "Set `security` to ssl-tls."


@pytest.mark.feature("C09")
@pytest.mark.parametrize("type_", ["IMAP", "POP3"])
def test_an_alert_of_tls_in_place_of_a_greeting_is_recognised(type_: str) -> None:
    alert = Try(type_, {"security": "start-tls"}, tls="none", faults={"greeting": b"\x15\x03\x01\x00\x02\x02\x0a"})
    _failed_as(alert.run(), "greeting", "tls_expected")


@pytest.mark.feature("C09", "C07")
@pytest.mark.parametrize("type_", ["IMAP", "POP3"])
def test_a_refused_token_names_the_command_that_a_person_consents_by(type_: str) -> None:
    of_account = Try(type_, {"client_id": "app", "account": "team"}).run().steps[-1]
    assert of_account.code == "token_refused"
    assert "`postroom oauth login team`" in of_account.remedy
    of_application = Try(type_, {"client_id": "app"}).run().steps[-1]
    assert "oauth login" not in of_application.remedy
    assert USER in of_application.remedy


@pytest.mark.feature("C09")
def test_a_black_hole_and_a_name_server_that_hangs_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(test_connection, "IN_ALL", 1.0)
    with black_hole() as port:
        _failed_as(Try("IMAP").run(port=port), "connect", "connect_timed_out")
    looked_up, released = socket.getaddrinfo, threading.Event()

    def hang(host: str, *rest: Any, **options: Any) -> Any:
        if host == "mail.example.com":
            released.wait(30)
        return looked_up(host, *rest, **options)

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    started = time.monotonic()
    tested = Try("IMAP", {"server": "mail.example.com"}).run()
    released.set()
    _failed_as(tested, "dns", "dns_timed_out")
    assert time.monotonic() - started < 15


@pytest.mark.feature("C09")
def test_the_command_tests_the_saved_mailbox_another_password_and_an_unsaved_file(
    site: Site, postroom: Command, tmp_path: Any
) -> None:
    site.configure()
    site.server.store.users["box0@example.com"] = "changed"
    refused = postroom("mailbox", "test", "box0", "--json")
    assert (refused.status, refused.json["steps"][-1]["code"]) == (5, "login_refused")
    assert refused.json["steps"][-1]["remedy"]
    assert postroom("mailbox", "test", "box0", "--password", "--json", stdin="changed\n").json["ok"] is True
    exported = postroom("config", "export").out
    file = tmp_path / "unsaved.yaml"
    file.write_text(exported.replace("enabled: true", "enabled: true\n    folder_path: Nowhere", 1), "utf-8")
    unsaved = postroom("mailbox", "test", "box0", "--file", str(file), "--password", "--json", stdin="changed\n")
    assert (unsaved.status, unsaved.json["steps"][-1]["name"]) == (5, "folder")
    assert site.state().health.code == ""  # a test changes nothing


@pytest.mark.feature("X13")
def test_the_command_previews_a_first_connection_and_changes_nothing(site: Site, postroom: Command) -> None:
    site.configure(first_connection="since", first_connection_since="2026-11-10")
    for day in (1, 11, 21):
        site.deliver(b"Subject: x\r\n\r\n%d\r\n" % day, internaldate=datetime(2026, 11, day, 12, tzinfo=UTC))
    shown = postroom("mailbox", "preview", "box0", "--json").json
    assert (shown["messages"], shown["wanted"]) == (3, 2)
    assert shown["oldest"].startswith("2026-11-01")
    assert "2 (first_connection: since)" in postroom("mailbox", "preview", "box0").out
    assert site.raw() == []
    assert all(not message.flags for message in site.server.folder("box0@example.com", "INBOX").messages)
    site.poll()
    assert len(site.raw()) == 2
