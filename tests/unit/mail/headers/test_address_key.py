"""Which addresses are one mailbox for us: one function says so, wherever addresses are compared or stored."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from postroom.mail.headers import address_key
from postroom.model.configuration import Configuration
from postroom.rules.way_out import alias_of

CORE = Path(__file__).parents[4] / "layers" / "core" / "postroom"
COMPARED = re.compile(r"address(?:\))?\.(?:lower|casefold)\(\)")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Support@Example.COM", "support@example.com", True),
        ("jörg@example.com", "JÖRG@example.com", True),
        ("straße@example.com", "strasse@example.com", False),
        ("a.b@example.com", "ab@example.com", False),
    ],
)
def test_addresses_that_differ_in_case_alone_are_one(one: str, other: str, same: bool) -> None:
    assert (address_key(one) == address_key(other)) is same
    configuration = Configuration.model_validate({"aliases": [{"name": "a", "address": one}]})
    assert (alias_of(configuration, other) is not None) is same


def test_no_module_beyond_the_reading_of_mail_compares_addresses_in_a_way_of_its_own() -> None:
    paths = [path for path in CORE.rglob("*.py") if path.relative_to(CORE).parts[0] != "mail"]
    assert [path.name for path in paths if COMPARED.search(path.read_text(encoding="utf-8"))] == []
