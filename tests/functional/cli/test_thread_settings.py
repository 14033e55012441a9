"""Tokens in plus-addresses and bodies are switched on through the command, and refused where they cannot be."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.functional.cli.conftest import Command
from tests.functional.processing.conftest import CONFIGURATION


@pytest.mark.feature("X05")
@pytest.mark.parametrize(
    "address",
    ["customer.services@example.com", f"support@{'d' * 63}.{'d' * 63}.{'d' * 63}.example.com"],
    ids=["local-part", "domain"],
)
def test_a_mailbox_whose_address_leaves_no_room_for_the_token_is_refused(postroom: Command, address: str) -> None:
    box = {**CONFIGURATION["mailboxes"][0], "address": address}
    postroom.stack.configure(**{**CONFIGURATION, "mailboxes": [box]})
    refused = postroom("mailbox", "change", "support", "plus_addressing=true", "--json")
    assert refused.status == 2
    (problem,) = refused.json["error"]["problems"]
    assert problem["path"].endswith("plus_addressing")
    assert "64 octets" in problem["problem"]
    assert "at most 16 octets" in problem["remedy"]
    assert not postroom.stack.configurations.current().mailboxes[0].plus_addressing


@pytest.mark.feature("X05")
def test_both_are_switched_on_by_a_file(postroom: Command, write: Callable[[str], str]) -> None:
    file = write(
        "settings: {threads: {body_marker: true}}\n"
        "mailboxes:\n"
        "  - {name: support, address: customer-service@example.com, server: mail.example.com, plus_addressing: yes}\n"
    )
    assert postroom("config", "apply", file, "--yes").status == 0
    current = postroom.stack.configurations.current()
    assert (current.settings.threads.body_marker, current.mailboxes[0].plus_addressing) == (True, True)
