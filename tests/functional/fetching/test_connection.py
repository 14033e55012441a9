"""Testing a connection: each way to fail names its step, why, and what to do, in eleven seconds at most (C09)."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from typing import Any

import pytest
from postroom.adapters.imap.session import ImapConnector
from postroom.adapters.probe import NetworkProbe
from postroom.model.configuration.mailbox import Type
from postroom.services.mailboxes import connection_check as test_connection
from postroom.services.mailboxes.connection_check import ConnectionTest, check_connection
from postroom.services.mailboxes.first_connection_preview import preview
from postroom_cli.mailservers.certificates import Authority, Certificate
from postroom_cli.mailservers.imap import ImapServer

from tests.support.mails import mail
from tests.unit.services.polling.fakes import Secrets, a_mailbox

AUTHORITY = Authority()
USER, PASSWORD = "box@example.com", "correct horse"
LOOPBACK = (ip_network("127.0.0.0/8"),)


@dataclass
class Try:
    """One test of a connection: what the mailbox says, and how the server is."""

    options: dict[str, Any] = field(default_factory=dict)
    secret: str | None = PASSWORD
    tls: str = "implicit"
    faults: Mapping[str, Any] = field(default_factory=dict)
    certificate: Callable[[], Certificate] | None = None

    def run(self) -> ConnectionTest:
        """Run it against a server of its own."""
        certificate = self.certificate() if self.certificate else None
        with ImapServer({USER: PASSWORD}, tls=self.tls, certificate=certificate) as server:
            server.append(USER, "INBOX", mail())
            for name, value in self.faults.items():
                setattr(server.faults, name, value)
            trusted = AUTHORITY.pem if self.certificate else server.ca_pem or None
            settings = {"server": "127.0.0.1", "port": server.port, "ca_certificate": trusted}
            mailbox = a_mailbox("box", **{**settings, **self.options})
            return check_connection(
                mailbox,
                connectors={Type.IMAP: ImapConnector(allowed_networks=LOOPBACK)},
                secrets=Secrets(),
                probe=NetworkProbe(allowed_networks=LOOPBACK),
                secret=self.secret,
            )


def expired() -> Certificate:
    """A certificate that was valid until yesterday."""
    yesterday = datetime.now(UTC) - timedelta(days=1)
    return AUTHORITY.issue(not_before=yesterday - timedelta(days=9), not_after=yesterday)


@pytest.mark.feature("C09")
@pytest.mark.parametrize(
    ("tls", "security", "steps"),
    [
        ("implicit", "ssl-tls", ["dns", "connect", "tls", "greeting", "login", "folder", "count"]),
        ("starttls", "start-tls-required", ["dns", "connect", "greeting", "tls", "login", "folder", "count"]),
    ],
)
def test_a_connection_that_works_times_its_steps_and_counts_the_mail(tls: str, security: str, steps: list[str]) -> None:
    tested = Try({"security": security}, tls=tls).run()
    assert tested.ok
    assert [step.name for step in tested.steps] == steps
    assert tested.messages == 1
    assert all(step.seconds is not None for step in tested.steps if step.name in ("dns", "connect", "login", "count"))
    assert sum(step.seconds or 0 for step in tested.steps) <= tested.seconds + 0.01


@pytest.mark.feature("C09")
@pytest.mark.parametrize(
    ("attempt", "step", "code"),
    [
        pytest.param(Try({"server": "no-such-host.invalid"}), "dns", "dns", id="no such host"),
        pytest.param(Try({"server": "169.254.169.254"}), "dns", "address_refused", id="address refused"),
        pytest.param(Try({"server": "10.1.2.3"}), "dns", "address_refused", id="private address"),
        pytest.param(Try({"port": 1}), "connect", "connect_refused", id="connection refused"),
        pytest.param(Try(tls="none"), "tls", "not_tls", id="not TLS on a TLS port"),
        pytest.param(Try({"ca_certificate": None}), "tls", "certificate", id="certificate not trusted"),
        pytest.param(Try(certificate=expired), "tls", "certificate_expired", id="certificate expired"),
        pytest.param(
            Try(certificate=lambda: AUTHORITY.issue("mx.example")),
            "tls",
            "certificate_wrong_host",
            id="wrong host",
        ),
        pytest.param(
            Try(certificate=lambda: AUTHORITY.issue(self_signed=True)), "tls", "certificate", id="self-signed"
        ),
        pytest.param(
            Try({"security": "start-tls-required"}, tls="none"), "tls", "starttls_refused", id="STARTTLS not offered"
        ),
        pytest.param(Try({"security": "none"}, tls="none"), "tls", "plaintext_refused", id="plain text"),
        pytest.param(Try(secret="wrong"), "login", "login_refused", id="wrong password"),
        pytest.param(Try(faults={"login_refusal": "[UNAVAILABLE] Try later"}), "login", "", id="server unavailable"),
        pytest.param(Try({"folder_path": "None"}), "folder", "folder_missing", id="folder missing"),
        pytest.param(Try({"type": "POP3"}), "connect", "no_connector", id="no connector"),
    ],
)
def test_what_fails_names_its_step_and_a_remedy(attempt: Try, step: str, code: str) -> None:
    tested = attempt.run()
    assert not tested.ok
    failed = tested.steps[-1]
    assert [one.ok for one in tested.steps] == [True] * (len(tested.steps) - 1) + [False]
    assert failed.name == step
    assert code in failed.code
    assert failed.reason
    assert failed.remedy
    assert tested.messages is None
    assert PASSWORD not in repr(tested)


@pytest.mark.feature("C09")
@pytest.mark.parametrize(
    ("attempt", "step"),
    [
        pytest.param(Try(faults={"silent_greeting": True}), "greeting", id="silent"),
        pytest.param(Try(faults={"drip_greeting": 0.3}), "greeting", id="dripping"),
    ],
)
def test_a_server_that_hangs_ends_with_the_deadline(attempt: Try, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(test_connection, "IN_ALL", 1.0)
    started = time.monotonic()
    tested = attempt.run()
    assert time.monotonic() - started < 9
    assert (tested.steps[-1].name, tested.steps[-1].code) == (step, "deadline_exceeded")
    assert test_connection.IN_ALL == 1.0


def test_the_deadline_of_a_test_is_within_eleven_seconds() -> None:
    assert test_connection.IN_ALL < 11


@contextmanager
def black_hole() -> Iterator[int]:
    """A port that takes a connection and never says a word, not even TLS."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


def test_a_port_that_never_speaks_tls_ends_with_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(test_connection, "IN_ALL", 0.5)
    with black_hole() as port:
        tested = Try({"port": port}).run()
    assert (tested.steps[-1].name, tested.steps[-1].code) == ("tls", "deadline_exceeded")


def test_what_is_given_is_tested_not_what_is_saved() -> None:
    assert Try(secret=None).run().steps[-1].name == "login"  # the stored secret is another one
    assert Try(secret=PASSWORD).run().ok


@pytest.mark.feature("X13")
@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        pytest.param({}, 3, id="all"),
        pytest.param({"first_connection": "from-now"}, 0, id="from now"),
        pytest.param({"first_connection": "since", "first_connection_since": "2026-11-10"}, 2, id="since"),
    ],
)
def test_a_preview_says_how_many_how_old_and_how_big_and_changes_nothing(options: dict[str, Any], wanted: int) -> None:
    begin = datetime(2026, 11, 1, 12, tzinfo=UTC)
    with ImapServer({USER: PASSWORD}) as server:
        for days in (0, 10, 15):
            server.append(USER, "INBOX", mail(subject=str(days)), internaldate=begin + timedelta(days=days))
        settings = {"server": "127.0.0.1", "port": server.port, "ca_certificate": server.ca_pem, "login": USER}
        shown = preview(
            a_mailbox("box", **{**settings, **options}),
            connectors={Type.IMAP: ImapConnector(allowed_networks=LOOPBACK)},
            secrets=Secrets(**{"box-password": PASSWORD}),
        )
        assert all(not message.flags for message in server.folder(USER, "INBOX").messages)
    assert (shown.messages, shown.wanted, shown.sized, shown.oversize) == (3, wanted, 3, 0)
    assert (shown.oldest, shown.newest) == (begin, begin + timedelta(days=15))
    assert shown.size == sum(len(mail(subject=str(days))) for days in (0, 10, 15))
