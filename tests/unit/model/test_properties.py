"""Which mailboxes a property of the reference system's mail library is for: in the check, the importer and the effect.

The family: every property of the table under every protocol name for every type; `ews` ends with an s that is its own.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from postroom.model.configuration.mailbox import Mailbox, Type
from postroom.model.configuration.properties import PROPERTIES, ProtocolBehaviour, behaviour, is_for
from postroom.services.configuration.checks.mailboxes import _properties

OBEYED = {Type.IMAP: {"imap", "imaps"}, Type.POP3: {"pop3", "pop3s"}, Type.EWS: {"ews"}, Type.GRAPH: set()}
_VALUES = ("true", "5", "TLSv1.2", "LOGIN", "mail.example.com")

NAMES = sorted({(known.suffix, protocol) for known in PROPERTIES for protocol in known.types})


def value_of(suffix: str, protocol: str) -> str:
    (known,) = (one for one in PROPERTIES if one.suffix == suffix and protocol in one.types)
    return next(value for value in _VALUES if re.fullmatch(known.values, value))


@pytest.mark.parametrize("type_", list(Type))
def test_a_property_is_for_the_types_of_its_protocol_and_no_other(type_: Type) -> None:
    for suffix, protocol in NAMES:
        properties = {f"mail.{protocol}.{suffix}": value_of(suffix, protocol)}
        mailbox = Mailbox(name="box", address="a@example.com", type=type_, properties=properties)
        refused = [problem for _field, problem, _remedy in _properties(mailbox) if problem.startswith("is for")]
        assert bool(refused) is (protocol not in OBEYED[type_]), (suffix, protocol)
        assert is_for(protocol, type_) is (protocol in OBEYED[type_])


@pytest.mark.parametrize(
    ("type_", "name", "effect"),
    [
        (Type.EWS, "mail.ews.auth.mechanisms", {"mechanisms": ("LOGIN",)}),
        (Type.IMAP, "mail.imaps.auth.mechanisms", {"mechanisms": ("LOGIN",)}),
        (Type.POP3, "mail.pop3.auth.mechanisms", {"mechanisms": ("LOGIN",)}),
        (Type.EWS, "mail.imap.auth.mechanisms", {}),
        (Type.POP3, "mail.imap.auth.mechanisms", {}),
    ],
)
def test_a_property_has_its_effect_where_it_is_accepted(type_: Type, name: str, effect: dict[str, Any]) -> None:
    mailbox = Mailbox(name="box", address="a@example.com", type=type_, properties={name: "LOGIN"})
    assert behaviour(mailbox) == ProtocolBehaviour(**effect)
