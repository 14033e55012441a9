"""Options of mailboxes through the real handlers and the real command: addresses, periods, ports, properties."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from email import message_from_bytes
from email.header import decode_header, make_header
from typing import Any

import pytest
from postroom.adapters.net import connect as network
from postroom.adapters.net import stream
from postroom.adapters.transports.ses import SesTransport
from postroom.errors import ConnectFailed
from postroom.model.mailbox_state import HealthState
from postroom.model.outbound import Sent
from postroom_cli.mailservers.imap import ImapServer
from postroom_cli.mailservers.pop3 import Pop3Server

from tests.functional.cli.conftest import Command
from tests.functional.fetching.conftest import PASSWORD, Site
from tests.functional.processing.conftest import CONFIGURATION
from tests.support.aws_stack import AwsStack, sqs_event
from tests.support.mails import mail

Connect = Callable[..., Site]

ADD = ("mailbox", "add", "--server", "imap.example.com", "--address")


@pytest.mark.feature("G01")
@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param("legal@example.com", "legal@example.com", id="the same"),
        pytest.param('"Legal Dpt" <legal@example.com>', "LEGAL@Example.com", id="display name and case"),
        pytest.param("=?Cp1252?Q?R=E9clamations?= <legal@example.com>", '"L" <legal@example.com>', id="encoded words"),
    ],
)
def test_the_address_of_another_mailbox_is_refused_by_that_mailboxs_name(
    postroom: Command, first: str, second: str
) -> None:
    assert postroom(*ADD, first, "the-first").status == 0
    refused = postroom(*ADD, second, "another", "--json")
    assert refused.status == 2
    (problem,) = refused.json["error"]["problems"]
    assert "`the-first`" in problem["problem"]
    assert [row["name"] for row in postroom("mailbox", "list", "--json").lines] == ["the-first"]


@pytest.mark.feature("G01")
@pytest.mark.parametrize("address", ["", "legal", "a@example.com, b@example.com", "legal@exa\nmple.com"])
def test_what_is_not_one_address_is_refused(postroom: Command, address: str) -> None:
    refused = postroom(*ADD, address, "another", "--json")
    assert refused.status == 2
    assert [problem["path"] for problem in refused.json["error"]["problems"]] == ["address"]


@pytest.mark.feature("G01")
@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("support@example.com", ""),
        ('"Legal Dpt" <support@example.com>', "Legal Dpt"),
        ("=?Cp1252?Q?R=E9clamations?= <support@example.com>", "Réclamations"),
    ],
)
def test_the_address_with_its_name_is_the_from_of_an_acknowledgement(
    stack: AwsStack, monkeypatch: pytest.MonkeyPatch, address: str, name: str
) -> None:
    boxes = [
        {**box, **({"address": address} if box["name"] == "support" else {})} for box in CONFIGURATION["mailboxes"]
    ]
    stack.configure(**{**CONFIGURATION, "mailboxes": boxes})
    stack.process(mail())
    (message,) = stack.queued("OUTBOUND_QUEUE_URL")
    sent: list[dict[str, Any]] = []

    def send(_self: Any, content: bytes, envelope: Any, **_rest: Any) -> Any:
        sent.append({"content": content, "sender": envelope.sender})
        return Sent(provider_id="1")

    monkeypatch.setattr(SesTransport, "send", send)
    stack.invoke("SendOutbound", sqs_event(message))
    written = message_from_bytes(sent[0]["content"])
    shown, _, bare = str(make_header(decode_header(str(written["From"])))).rpartition("<")
    assert (shown.strip().strip('"'), bare.strip(">")) == (name, "support@example.com")


@contextmanager
def black_hole() -> Iterator[int]:
    """A port that answers no connection request: its queue is full and nobody takes from it."""
    with ExitStack() as stack:
        listening = stack.enter_context(socket.socket())
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        for _ in range(10):
            waiting = stack.enter_context(socket.socket())
            waiting.settimeout(0.2)
            try:
                waiting.connect(listening.getsockname())
            except TimeoutError:
                break
        else:
            pytest.skip("this system queues any number of connections")
        yield listening.getsockname()[1]


@pytest.mark.feature("G04")
@pytest.mark.parametrize(("period", "seconds"), [("00:00:01", 1), ("00:00:02", 2)])
def test_connect_timeout_ends_the_wait_for_a_server_that_does_not_answer(site: Site, period: str, seconds: int) -> None:
    with black_hole() as port:
        site.configure(port=port, connect_timeout=period)
        started = time.monotonic()
        site.poll()
        took = time.monotonic() - started
    assert seconds <= took < seconds + 7
    health = site.state().health
    assert (health.state, health.step, health.code) == (HealthState.RETRYING, "connect", "connect_timed_out")


@pytest.mark.feature("G04")
@pytest.mark.parametrize("option", ["connect_timeout", "protocol_timeout", "cycle_time"])
def test_periods_are_written_in_hours_minutes_and_seconds(postroom: Command, option: str) -> None:
    assert postroom(*ADD, "a@example.com", "a", "--set", f"{option}=01:02:03").status == 0
    assert postroom("mailbox", "show", "a", "--json").json["settings"][option] == "01:02:03"
    refused = postroom("mailbox", "change", "a", f"{option}=61 parsecs", "--json")
    assert refused.status == 2
    assert [problem["path"] for problem in refused.json["error"]["problems"]] == [option]


def tick(site: Site) -> list[str]:
    """Let the real schedule run, and take the names of the mailboxes it queues."""
    site.stack.invoke("SchedulePolls", {})
    return [name for message in site.stack.queued("POLL_QUEUE_URL") for name in message["mailboxes"]]


@pytest.mark.feature("G09")
def test_a_disabled_mailbox_is_not_looked_at_from_the_next_cycle_on(site: Site, postroom: Command) -> None:
    site.configure()
    assert "box0" in tick(site)
    site.poll()
    site.deliver(mail())
    assert postroom("mailbox", "disable", "box0").status == 0
    asked = len(site.server.log)
    site.poll()  # a message of the cycle before, still in flight
    assert tick(site) == []
    assert len(site.server.log) == asked
    assert site.raw() == []
    assert postroom("mailbox", "enable", "box0").status == 0
    assert "box0" in tick(site)
    site.poll()
    assert [raw.content for raw in site.raw()] == [mail()]


@pytest.mark.feature("C02", "G20")
@pytest.mark.parametrize(
    ("type_", "security", "port"),
    [("IMAP", "ssl-tls", 993), ("IMAP", "start-tls", 143), ("POP3", "ssl-tls", 995), ("POP3", "start-tls", 110)],
)
def test_each_protocol_has_its_port_unless_another_is_given(
    site: Site, monkeypatch: pytest.MonkeyPatch, type_: str, security: str, port: int
) -> None:
    asked: list[int] = []

    def connect(_addresses: object, port: int, **_rest: object) -> socket.socket:
        asked.append(port)
        raise ConnectFailed("Nobody is there", step="connect", code="connect_refused")

    monkeypatch.setattr(network, "connect_any", connect)
    site.configure(type=type_, security=security, port=None)
    site.poll()
    site.configure(type=type_, security=security, port=10_143)
    site.poll()
    assert asked == [port, 10_143]


@pytest.mark.feature("C02")
def test_an_incoming_server_is_imap_with_a_folder_or_pop3_without_one(site: Site, postroom: Command) -> None:
    site.configure(folder_path="Support", leave_msg_on_server=True)
    site.server.store.create(site_user(), "Support")
    site.deliver(mail(), folder="Support")
    site.poll()
    assert [raw.content for raw in site.raw()] == [mail()]
    with Pop3Server({site_user(): PASSWORD}) as server:
        server.append(site_user(), mail(subject="by POP3"))
        site.configure(type="POP3", port=server.port, ca_certificate=server.ca_pem)
        site.poll()
    assert sorted(raw.content for raw in site.raw()) == sorted([mail(), mail(subject="by POP3")])
    refused = postroom("mailbox", "change", "box0", "folder_path=Support", "--json")
    assert refused.status == 2
    (problem,) = refused.json["error"]["problems"]
    assert problem["path"].endswith("folder_path")


def site_user() -> str:
    """The user of box0."""
    return "box0@example.com"


@pytest.mark.feature("G16")
@pytest.mark.parametrize("made", [ImapServer, Pop3Server], ids=["IMAP", "POP3"])
@pytest.mark.parametrize(
    ("properties", "said", "unsaid"),
    [
        pytest.param({}, "LOGIN", "PLAIN", id="by itself"),
        pytest.param({"auth.mechanisms": "PLAIN LOGIN"}, "PLAIN", "LOGIN", id="order"),
        pytest.param({"auth.login.disable": "true"}, "PLAIN", "LOGIN", id="not LOGIN"),
        pytest.param({"auth.plain.disable": "true"}, "LOGIN", "PLAIN", id="not PLAIN"),
        pytest.param({"auth.mechanisms": "XOAUTH2 LOGIN"}, "LOGIN", "PLAIN", id="a password is no token"),
    ],
)
def test_the_mechanisms_of_the_properties_are_what_a_mailbox_logs_in_by(
    site: Site, made: Any, properties: dict[str, str], said: str, unsaid: str
) -> None:
    with made({site_user(): PASSWORD}) as server:
        kind = "imap" if made is ImapServer else "pop3"
        named = {f"mail.{kind}.{suffix}": value for suffix, value in properties.items()}
        site.configure(type=kind.upper(), port=server.port, ca_certificate=server.ca_pem, properties=named)
        site.poll()
        log = [getattr(one, "name", one) for one in server.log]
    assert site.state().health.state is HealthState.ACTIVE
    words = {"LOGIN": {"LOGIN", "USER"}, "PLAIN": {"AUTHENTICATE", "AUTH", "AUTH PLAIN"}}
    heard = {word.split(" ")[0] for word in log}
    assert heard & words[said]
    assert not heard & words[unsaid]


@pytest.mark.feature("G16")
@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
def test_only_the_tls_versions_of_the_properties_are_offered(
    site: Site, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    spoken: list[str | None] = []
    start = stream.Stream.start_tls

    def start_tls(self: Any, context: Any, name: str) -> None:
        start(self, context, name)
        spoken.append(self._sock.version())

    monkeypatch.setattr(stream.Stream, "start_tls", start_tls)
    site.configure(properties={"mail.imap.ssl.protocols": version})
    site.poll()
    assert spoken == [version]
    assert site.state().health.state is HealthState.ACTIVE


@pytest.mark.feature("G16")
def test_fetchsize_bounds_what_is_asked_for_at_once(connected: Connect) -> None:
    bodies = [mail(subject=str(number), body="x" * 3000) for number in range(6)]
    fetches = []
    for size in ("4000", "9000000"):
        site = connected(properties={"mail.imap.fetchsize": size}, leave_msg_on_server=False)
        site.deliver(*bodies)
        before = len(site.server.log)
        site.poll()
        fetches.append(sum("BODY.PEEK[]" in repr(command) for command in site.server.log[before:]))
        assert site.left() == 0
    assert fetches[0] > fetches[1] == 1


@pytest.mark.feature("G16")
@pytest.mark.parametrize(
    ("pair", "named"),
    [
        ("mail.imap.nosuchthing=1", "nosuchthing"),
        ("mail.imap.ssl.checkserveridentity=false", "checkserveridentity"),
        ("mail.imap.ssl.protocols=SSLv3", "ssl.protocols"),
        ("mail.imap.ssl.trust=*", "ssl.trust"),
        ("mail.imap.connectiontimeout=1", "connect_timeout"),
    ],
)
def test_a_property_that_is_unknown_unsafe_or_an_option_is_refused_by_name(
    postroom: Command, pair: str, named: str
) -> None:
    refused = postroom(*ADD, "a@example.com", "a", "--set", f"properties.{pair}", "--json")
    assert refused.status == 2
    (problem,) = refused.json["error"]["problems"]
    assert named in problem["path"] + problem["problem"] + problem["remedy"]


@pytest.mark.feature("G16")
@pytest.mark.parametrize(
    "options",
    [
        pytest.param(["mail.imap.auth.mechanisms=NTLM"], id="NTLM only"),
        pytest.param(["mail.imap.auth.login.disable=true", "mail.imap.auth.plain.disable=true"], id="both disabled"),
    ],
)
def test_properties_that_leave_no_way_to_log_in_are_refused(postroom: Command, options: list[str]) -> None:
    given = [word for option in options for word in ("--set", f"properties.{option}")]
    refused = postroom(*ADD, "a@example.com", "a", *given, "--json")
    assert refused.status == 2
    (problem,) = refused.json["error"]["problems"]
    assert "no way to log in" in problem["problem"]
