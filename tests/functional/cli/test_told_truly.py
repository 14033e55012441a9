"""What was done is told as what it is: a secret that nothing names, a change."""

from __future__ import annotations

import pytest

from tests.functional.cli.conftest import Command
from tests.functional.processing.conftest import CONFIGURATION


def test_a_secret_that_nothing_names_is_stored_and_told(postroom: Command) -> None:
    postroom.stack.configure(**CONFIGURATION)
    ran = postroom("secret", "set", "mistyped", stdin="y")
    assert (ran.status, "No option names it" in ran.err) == (0, True)
    assert postroom("secret", "set", "mistyped", "--json", stdin="y").json["named_by"] == []
    assert postroom("mailbox", "change", "support", "password=secret:mistyped").status == 0
    ran = postroom("secret", "set", "mistyped", stdin="y")
    assert (ran.status, ran.err) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        pytest.param(("change", "support", "cycle_time=00:01:01"), "Mailbox support was changed; it is ", id="change"),
        pytest.param(("enable", "support"), "Mailbox support is enabled.", id="enable"),
    ],
)
def test_a_change_is_told_as_what_it_is(postroom: Command, arguments: tuple[str, ...], told: str) -> None:
    postroom.stack.configure(**CONFIGURATION)
    if arguments[0] == "enable":
        postroom("mailbox", "disable", "support")
    assert told in postroom("mailbox", *arguments).out
