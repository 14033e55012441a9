"""Which server settings are proposed for an address, in which order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from postroom.errors import Invalid
from postroom.model.configuration.mailbox import Mailbox, Security, Type
from postroom.services.configuration.validation import validate
from postroom.services.mailboxes.guess.propose import Guess, Srv, guess
from postroom.services.mailboxes.guess.providers import PROVIDERS


@dataclass
class Dns:
    """What a name server answers; `silent`: nothing at all."""

    services: dict[str, list[Srv]] = field(default_factory=dict)
    mail: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)
    silent: bool = False
    asked: list[str] = field(default_factory=list)

    def srv(self, name: str) -> Sequence[Srv] | None:
        self.asked.append(name)
        return None if self.silent else self.services.get(name.removesuffix("._tcp.acme.example"), [])

    def mx(self, domain: str) -> Sequence[str] | None:
        self.asked.append(domain)
        return None if self.silent else self.mail

    def exists(self, host: str) -> bool | None:
        self.asked.append(host)
        return None if self.silent else host in self.hosts


def told(found: Guess) -> list[tuple[str, str | None, int | None]]:
    """What is proposed, in short."""
    return [(one.type.value, one.server, one.port) for one in found.proposals]


def test_a_known_provider_needs_no_dns() -> None:
    dns = Dns()
    found = guess('"Anna" <anna@GMail.com>', dns)
    assert told(found) == [("IMAP", "imap.gmail.com", 993), ("POP3", "pop.gmail.com", 995)]
    assert all(one.oauth and one.login == "anna@GMail.com" for one in found.proposals)
    assert dns.asked == []


def test_srv_records_go_by_priority_then_protocol_then_weight() -> None:
    records = {
        "_imaps": [Srv(10, 1, 993, "b.acme.example."), Srv(10, 5, 993, "A.acme.example.")],
        "_imap": [Srv(10, 0, 143, "c.acme.example.")],
        "_pop3s": [Srv(0, 0, 9995, "d.acme.example.")],
    }
    found = guess("x@acme.example", Dns(services=records))
    assert told(found) == [
        ("POP3", "d.acme.example", 9995),
        ("IMAP", "a.acme.example", 993),
        ("IMAP", "b.acme.example", 993),
        ("IMAP", "c.acme.example", 143),
    ]
    assert found.proposals[-1].security is Security.START_TLS_REQUIRED
    assert not any(one.note for one in found.proposals)


def test_srv_comes_before_what_the_mx_says_and_a_strange_host_is_to_be_confirmed() -> None:
    dns = Dns(services={"_imaps": [Srv(0, 0, 993, "imap.host.example.")]}, mail=["mx1.messagingengine.com."])
    found = guess("x@acme.example", dns)
    assert [server for _type, server, _port in told(found)] == [
        "imap.host.example",
        "imap.fastmail.com",
        "pop.fastmail.com",
    ]
    assert "outside acme.example" in found.proposals[0].note


@pytest.mark.parametrize(
    ("hosts", "first"),
    [
        (["acme-example.mail.protection.outlook.com."], ("GRAPH", None, None)),
        (["outlook-com.olc.protection.outlook.com."], ("IMAP", "outlook.office365.com", 993)),
        (["aspmx.l.google.com.", "alt1.aspmx.l.google.com."], ("IMAP", "imap.gmail.com", 993)),
        (["mx.relay.example.", "smtpin.rzone.de."], ("IMAP", "imap.strato.de", 993)),
    ],
)
def test_the_mx_names_the_provider(hosts: list[str], first: tuple[str, str | None, int | None]) -> None:
    assert told(guess("x@acme.example", Dns(mail=hosts)))[0] == first


def test_a_host_that_only_ends_alike_is_no_provider() -> None:
    assert told(guess("x@acme.example", Dns(mail=["mx.notgoogle.com."]))) == []


def test_common_names_are_proposed_where_they_exist() -> None:
    found = guess("x@acme.example", Dns(hosts={"mail.acme.example", "pop.acme.example"}))
    assert told(found) == [
        ("IMAP", "mail.acme.example", 993),
        ("POP3", "pop.acme.example", 995),
        ("POP3", "mail.acme.example", 995),
    ]


def test_a_service_that_dns_says_is_not_there_is_not_proposed() -> None:
    dns = Dns(services={"_pop3s": [Srv(0, 0, 0, ".")]}, hosts={"mail.acme.example"})
    assert told(guess("x@acme.example", dns)) == [("IMAP", "mail.acme.example", 993)]


@pytest.mark.parametrize("resolver", [None, Dns(silent=True)], ids=["without DNS", "DNS is silent"])
def test_without_dns_common_names_are_proposed_and_it_is_said(resolver: Dns | None) -> None:
    found = guess("x@acme.example", resolver)
    assert told(found)[0] == ("IMAP", "imap.acme.example", 993)
    assert len(found.proposals) == 5
    assert "DNS" in found.notes[0]


def test_where_nothing_can_be_proposed_it_is_said_why() -> None:
    for address in ("x@proton.me", "x@acme.example"):
        found = guess(address, Dns())
        assert found.proposals == ()
        assert found.notes


@pytest.mark.parametrize("address", ["", "x", "x@", "a@example.com, b@example.com x", "x@exa\nmple.com"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(Invalid):
        guess(address, None)


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda provider: provider.name)
def test_what_the_table_says_are_settings_that_a_mailbox_takes(provider: object) -> None:
    assert provider in PROVIDERS
    services = next(known.services for known in PROVIDERS if known is provider)
    for service in services:
        given = {"name": "x", "address": "x@example.com", "type": service.type.value}
        if service.type is not Type.GRAPH:
            given |= {"server": str(service.server), "port": str(service.port), "security": service.security.value}
        assert validate(Mailbox, given).findings == ()
