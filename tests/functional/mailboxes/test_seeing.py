"""What `postroom mailbox list` and `show` say of mailboxes that real handlers have polled."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from postroom.model.messages import stored_event

from tests.functional.cli.conftest import Command
from tests.functional.fetching.conftest import Site
from tests.functional.mailboxes.conftest import Clock
from tests.support.aws_stack import sqs_event
from tests.support.mails import mail

Connect = Callable[..., Site]


@pytest.mark.feature("X01", "X14")
def test_the_ledger_of_a_poll_that_found_something_are_shown_and_adds_up(connected: Connect, postroom: Command) -> None:
    site = connected(maximum_msg_number=2, leave_msg_on_server=True)
    came = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=90)
    for number in range(3):
        site.deliver(mail(subject=str(number)), internaldate=came + timedelta(minutes=number))
    site.poll(seconds=50)  # too little for the backlog to go on at once
    row = postroom("mailbox", "list", "--json").lines[0]
    ledger = {key: row["last_poll"][key] for key in ("listed", "stored", "left", "even")}
    assert ledger == {"listed": 3, "stored": 2, "left": 1, "even": True}
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


def process(site: Site) -> None:
    """Let the real function make interactions of all that was stored."""
    bucket = site.stack.environment["RAW_BUCKET"]
    for stored in site.raw():
        answer = site.stack.invoke("ProcessInbound", sqs_event(stored_event(bucket, stored.key)))
        assert answer == {"batchItemFailures": []}


@pytest.mark.feature("X14")
def test_how_long_mail_took_from_its_server_to_its_queue_is_shown_and_logged(
    connected: Connect, postroom: Command, caplog: pytest.LogCaptureFixture
) -> None:
    site = connected()
    assert postroom("mailbox", "list", "--json").lines[0]["to_queue"] is None
    now = datetime.now(UTC).replace(microsecond=0)
    for seconds in (10, 90, 300):
        site.deliver(mail(subject=str(seconds)), internaldate=now - timedelta(seconds=seconds))
    site.deliver(mail(subject="old"), internaldate=now - timedelta(days=400))  # from before the mailbox was connected
    site.poll()
    with caplog.at_level("INFO", logger="postroom"):
        process(site)
    logged = sorted(record.to_queue for record in caplog.records if record.getMessage() == "queued")  # type: ignore[attr-defined]
    assert [seconds // 10 for seconds in logged] == [1, 9, 30]
    row = postroom("mailbox", "list", "--json").lines[0]
    assert row["to_queue"]["mails"] == 3
    assert 90 <= row["to_queue"]["median"] < 110
    assert 300 <= row["to_queue"]["longest"] < 320
    shown = postroom("mailbox", "show", "box0", "--json").json
    assert shown["to_queue"] == row["to_queue"]
    assert " s, at most 30" in postroom("mailbox", "list").out
    assert "the newest 3 mails" in postroom("mailbox", "show", "box0").out


@pytest.mark.feature("X14")
def test_what_a_mailbox_costs_a_month_is_told_from_its_settings_and_counted_mail(
    connected: Connect, postroom: Command
) -> None:
    site = connected(cycle_time="00:01:00")
    idle = postroom("mailbox", "costs", "box0", "--json").json["mailboxes"][0]
    assert (idle["mails"], idle["counted_since"]) == (0, None)
    site.deliver(*(mail(subject=str(number)) for number in range(3)))
    site.poll()
    busy = postroom("mailbox", "costs", "--json").json
    (found,) = busy["mailboxes"]
    assert found["mails"] == pytest.approx(3 * 730)  # counted for less than an hour
    assert found["counted_since"]
    assert busy["dollars"] == found["dollars"] > idle["dollars"] > 0
    calls = {line["what"]: line["quantity"] for line in found["calls"]}
    assert calls["DynamoDB write units"] == pytest.approx(3 * 730 * 7 + 730 * 2 + 730 * 60)  # and a look each minute
    more = postroom("mailbox", "costs", "box0", "--mails", "100000", "--json").json
    assert more["dollars"] > 4 * busy["dollars"]
    shown = postroom("mailbox", "show", "box0", "--json").json
    assert shown["monthly_cost"] == pytest.approx(found["dollars"], abs=0.001)
    told = postroom("mailbox", "costs", "box0").out
    assert all(part in told for part in ("us-east-1", "estimate", "DynamoDB write units", "acknowledgements"))
    assert "Together $" in postroom("mailbox", "costs").out
    assert postroom("mailbox", "costs", "nobody").status == 3
