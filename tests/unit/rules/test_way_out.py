"""Which alias, which server, and to whom: one rule for all mail, asked anew when it leaves."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from postroom.model.configuration.document import Configuration
from postroom.model.interaction import InteractionRef, Subtype
from postroom.model.outbound import Outbound
from postroom.rules.way_out import SES, Recipients, alias_of, default_alias, recipients_of, server_name, server_of

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
MAIL = Outbound(
    id="o",
    subtype=Subtype.OUTBOUND_REPLY,
    thread_id="t",
    answers=InteractionRef("p"),
    mailbox="support",
    department="service",
    from_address="Support <Support@Example.com>",
    to=("ann@example.org",),
    cc=("bob@example.org",),
    bcc=("carol@example.org",),
    subject="x",
    text="x",
    created=datetime(2026, 11, 30, tzinfo=UTC),
    server="relay",
)


def configuration(*aliases: dict[str, Any], default: str = "main", servers: tuple[str, ...] = ("main", "relay")) -> Any:
    return Configuration.model_validate(
        {
            "settings": {"default_outbound_server": default},
            "aliases": [{"name": f"a{number}", **alias} for number, alias in enumerate(aliases)],
            "outbound_servers": [{"name": name, "type": "ses"} for name in servers],
        }
    )


SUPPORT = {"address": "support@example.com"}


@pytest.mark.feature("C01")
@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("support@example.com", "a0"),
        ("Support Team <SUPPORT@example.com>", "a0"),
        ("help@example.com", "a0"),
        ("sales@example.com", "a1"),
        ("straße@example.com", None),
        ("STRASSE@example.com", "a1"),
        ("nobody@example.com", None),
        ("", None),
    ],
    ids=["own", "named", "redirected", "own before redirected", "another letter", "upper case", "none", "no address"],
)
def test_an_address_has_the_alias_that_is_it_or_is_redirected_to_it(address: str, found: str | None) -> None:
    aliases = configuration(
        {"address": "support@example.com", "redirection_addresses": ["help@example.com", "sales@example.com"]},
        {"address": "Sales <sales@example.com>", "redirection_addresses": ["strasse@example.com"]},
    )
    alias = alias_of(aliases, address)
    assert (alias.name if alias else None) == found


@pytest.mark.feature("C20")
def test_a_department_has_its_active_default_alias() -> None:
    aliases = configuration(
        {"address": "a@example.com", "default": True, "active": False},
        {"address": "b@example.com", "default": True, "department": "other"},
        {"address": "c@example.com", "default": True, "department": "service"},
    )
    found = default_alias(aliases, "service")
    assert found is not None
    assert found.name == "a2"
    assert default_alias(aliases, "third") is None


@pytest.mark.feature("C04")
@pytest.mark.parametrize(
    ("aliases", "servers", "default", "server"),
    [
        ([SUPPORT], ("main", "relay"), "main", "relay"),
        ([], ("main", "relay"), "main", "main"),
        ([SUPPORT], ("main",), "main", "main"),
        ([], (), "gone", "ses"),
        (
            [{"address": "help@example.com", "redirection_addresses": ["support@example.com"]}],
            ("main", "relay"),
            "main",
            "relay",
        ),
        ([{**SUPPORT, "active": False}], ("main", "relay"), "main", "relay"),
    ],
    ids=["named", "alias deleted", "server deleted", "neither", "redirected", "inactive"],
)
def test_a_mail_leaves_by_the_server_it_names_while_its_alias_is_there(
    aliases: list[dict[str, Any]], servers: tuple[str, ...], default: str, server: str
) -> None:
    found = server_of(configuration(*aliases, servers=servers, default=default), MAIL)
    assert found.name == server
    assert (found is SES) == (server == "ses")


def test_who_writes_a_mail_names_the_server_of_its_alias() -> None:
    aliases = configuration({**SUPPORT, "outbound_server": "relay"}, {"address": "b@example.com"})
    named, other = aliases.aliases
    assert [server_name(aliases, one).outcome for one in (named, other, None)] == ["relay", "main", "main"]


@pytest.mark.feature("C01")
@pytest.mark.parametrize("subtype", [Subtype.OUTBOUND_REPLY, Subtype.OUTBOUND_ACKNOWLEDGEMENT])
def test_the_rules_of_an_alias_for_recipients_hold_for_every_sort_of_mail(subtype: Subtype) -> None:
    mail = replace(MAIL, subtype=subtype)
    plain = Recipients(mail.to, mail.cc, mail.bcc)
    assert recipients_of(configuration(SUPPORT), mail, now=NOW) == plain
    assert (
        recipients_of(configuration({"address": "other@example.com", "send_mail_to": "x@example.com"}), mail, now=NOW)
        == plain
    )
    copied = recipients_of(configuration({**SUPPORT, "automatic_bcc": "archive@example.com"}), mail, now=NOW)
    assert (copied.to, copied.cc, copied.bcc) == (mail.to, mail.cc, (*mail.bcc, "archive@example.com"))
    both = {**SUPPORT, "automatic_bcc": "archive@example.com", "send_mail_to": "sink@example.com"}
    diverted = recipients_of(configuration(both), mail, now=NOW)
    assert (diverted.to, diverted.cc, diverted.bcc, diverted.diverted) == (("sink@example.com",), (), (), True)
    later = {**both, "send_mail_to_until": "2026-11-30T12:00:01Z"}
    assert recipients_of(configuration(later), mail, now=NOW).diverted
    ended = recipients_of(configuration({**both, "send_mail_to_until": "2026-11-30T12:00:00Z"}), mail, now=NOW)
    assert (ended.to, ended.bcc, ended.diverted) == (mail.to, (*mail.bcc, "archive@example.com"), False)
