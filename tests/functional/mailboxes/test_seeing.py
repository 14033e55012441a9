"""What `postroom mailbox list` and `show` say of mailboxes that real handlers have polled."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.functional.cli.conftest import Command
from tests.functional.fetching.conftest import Site
from tests.functional.mailboxes.conftest import Clock
from tests.support.mails import mail

Connect = Callable[..., Site]


@pytest.mark.feature("X01", "X14")
def test_the_books_of_a_poll_that_found_something_are_shown_and_add_up(connected: Connect, postroom: Command) -> None:
    site = connected(maximum_msg_number=2, leave_msg_on_server=True)
    came = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=90)
    for number in range(3):
        site.deliver(mail(subject=str(number)), internaldate=came + timedelta(minutes=number))
    site.poll()
    row = postroom("mailbox", "list", "--json").lines[0]
    books = {key: row["last_poll"][key] for key in ("listed", "stored", "left", "even")}
    assert books == {"listed": 3, "stored": 2, "left": 1, "even": True}
    assert datetime.fromisoformat(row["waiting_since"]) == came + timedelta(minutes=2)
    assert 88 * 60 <= row["lag"] < 89 * 60
    assert row["lag_exact"] is True
    assert "01:28:" in postroom("mailbox", "list").out
    assert "3 = 2 stored, 1 left" in postroom("mailbox", "list").out
    site.poll()
    shown = postroom("mailbox", "show", "box0", "--json").json
    assert [balance["stored"] for balance in shown["balances"]] == [2, 1]
    assert all(balance["even"] for balance in shown["balances"])
    assert (shown["waiting_since"], shown["lag"]) == (None, 0.0)
    assert shown["health"]["last_success"]
    assert "even" in postroom("mailbox", "show", "box0").out


@pytest.mark.feature("C05")
def test_what_is_shown_of_a_mailbox_says_why_since_when_and_when_it_is_tried_next(
    connected: Connect, postroom: Command, clock: Clock
) -> None:
    site = connected()
    clock.now -= timedelta(hours=2)  # the command goes by the real clock
    began = clock.now
    site.server.stop()
    for _ in range(3):
        site.poll()
        clock.wait(seconds=30)
    row = postroom("mailbox", "list", "--json").lines[0]
    health = row["health"]
    assert (health["state"], health["step"]) == ("retrying", "connect")
    assert health["since"].startswith(f"{began:%Y-%m-%dT%H:%M:%S}")
    assert health["next_try"].startswith(f"{began + timedelta(seconds=60, minutes=10):%Y-%m-%dT%H:%M}")
    assert 7200 <= row["lag"] < 7300
    table = postroom("mailbox", "list").out
    assert all(part in table for part in ("retrying", "up to 02:00:", health["reason"], f"{began:%Y-%m-%d %H:%M:%S}"))
    shown = postroom("mailbox", "show", "box0").out
    assert health["remedy"] in shown
    postroom("mailbox", "disable", "box0")
    row = postroom("mailbox", "list", "--json").lines[0]
    assert (row["health"]["state"], row["health"]["next_try"], row["lag"]) == ("inactive", None, 0.0)
    assert row["health"]["reason"]  # it stays readable


@pytest.mark.feature("X08")
def test_a_secret_that_is_about_to_expire_is_told_ahead(site: Site, postroom: Command, clock: Clock) -> None:
    site.configure()
    tomorrow = (clock.now + timedelta(days=1)).date()
    assert postroom("mailbox", "list", "--json").lines[0]["warnings"] == []
    postroom("secret", "set", "shared", "--valid-until", str(tomorrow), stdin="x\n")
    (warning,) = postroom("mailbox", "show", "box0", "--json").json["warnings"]
    assert warning["rule"] == "secret-expires"
    assert str(tomorrow) in warning["text"]
    for command in (("list",), ("show", "box0")):
        assert f"expires on {tomorrow}" in postroom("mailbox", *command).out


@pytest.mark.feature("X08")
@pytest.mark.parametrize(
    ("options", "rule"),
    [
        pytest.param(
            {"type": "EWS", "server": "https://outlook.office365.com/EWS/Exchange.asmx", "port": None},
            "ews-exchange-online",
            id="EWS in Exchange Online",
        ),
        pytest.param({"server": "outlook.office365.com"}, "password-exchange-online", id="basic authentication"),
        pytest.param({"server": "imap.gmail.com"}, "password-google", id="password at Google"),
        pytest.param({"security": "none"}, "plain-text", id="plain text"),
    ],
)
def test_what_providers_switch_off_and_what_is_unsafe_stands_as_a_warning(
    site: Site, postroom: Command, options: dict[str, Any], rule: str
) -> None:
    site.configure(**options)
    warnings = postroom("mailbox", "list", "--json").lines[0]["warnings"]
    assert [warning["rule"] for warning in warnings] == [rule]
    assert warnings[0]["text"] in postroom("mailbox", "show", "box0").out


def test_a_mailbox_that_was_never_looked_at_says_so(site: Site, postroom: Command) -> None:
    site.configure()
    assert postroom("mailbox", "list", "--json").lines[0]["looked_at"] is False
    assert "never looked at yet" in postroom("mailbox", "show", "box0").out
