"""A poller that is dead must not look like mailboxes without mail: the last look is told, and that there is none."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from tests.functional.cli.conftest import Command
from tests.functional.fetching.conftest import Site
from tests.functional.mailboxes.conftest import Clock
from tests.support.aws_stack import sqs_event
from tests.support.mails import mail

HALF_AN_HOUR = timedelta(minutes=30)


@pytest.fixture
def applied_yesterday(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let configurations be in force since yesterday: what is to be polled was to be polled long ago."""
    monkeypatch.setattr("tests.support.aws_stack.utc_now", lambda: datetime.now(UTC) - timedelta(days=1))


def row(postroom: Command, name: str = "box0") -> Any:
    return next(one for one in postroom("mailbox", "list", "--json").lines if one["name"] == name)


def warned(shown: Any) -> list[str]:
    return [warning["rule"] for warning in shown["warnings"]]


@pytest.mark.feature("C05", "X01")
def test_the_last_look_of_an_idle_mailbox_is_shown_though_nothing_of_it_is_written(
    site: Site, postroom: Command, clock: Clock, applied_yesterday: None
) -> None:
    site.configure(2)
    site.poll("box0", "box1")
    clock.wait(seconds=30)
    before = site.state()
    site.poll("box0", "box1")
    assert site.state() == before
    for name in ("box0", "box1"):
        shown = row(postroom, name)
        assert datetime.fromisoformat(shown["last_look"]) == clock.now
        assert (shown["health"]["state"], shown["last_poll"], warned(shown)) == ("active", None, [])
    told = f"{clock.now:%Y-%m-%d %H:%M:%S}"
    assert told in postroom("mailbox", "list").out
    assert told in postroom("mailbox", "show", "box0").out


@pytest.mark.feature("C05", "X01")
def test_a_mailbox_that_nobody_polls_any_more_is_told_with_its_last_look(
    site: Site, postroom: Command, clock: Clock, applied_yesterday: None
) -> None:
    site.configure(2)
    clock.now -= HALF_AN_HOUR  # the command goes by the real clock
    site.poll("box0", "box1")
    looked = clock.now
    clock.now += HALF_AN_HOUR
    site.poll("box1")
    shown = row(postroom)
    since = f"{looked:%Y-%m-%d %H:%M:%S}"
    assert datetime.fromisoformat(shown["last_look"]) == looked
    assert (shown["health"]["state"], shown["health"]["code"]) == ("needs-attention", "not_polled")
    assert shown["health"]["reason"] == f"It was not looked at since {since} UTC"
    assert warned(shown) == ["not-polled"]
    assert 1800 <= shown["lag"] < 1860
    assert shown["lag_exact"] is False
    assert f"Warning, box0: It was not looked at since {since} UTC. Nothing is wrong" in postroom("mailbox", "list").out
    assert "schedule_polls" in postroom("mailbox", "show", "box0").out
    assert (row(postroom, "box1")["health"]["state"], warned(row(postroom, "box1"))) == ("active", [])
    site.poll("box0")
    assert (row(postroom)["health"]["state"], warned(row(postroom))) == ("active", [])


def test_a_mailbox_that_was_never_polled_is_told_when_the_configuration_has_asked_for_it_long_enough(
    site: Site, postroom: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.configure()
    assert (row(postroom)["health"]["state"], row(postroom)["last_look"]) == ("active", None)
    yesterday = datetime.now(UTC) - timedelta(days=1)
    monkeypatch.setattr("tests.support.aws_stack.utc_now", lambda: yesterday)
    site.configure()
    shown = row(postroom)
    assert (shown["health"]["state"], shown["last_look"]) == ("needs-attention", None)
    assert f"to be polled since {yesterday:%Y-%m-%d %H:%M:%S} UTC" in shown["health"]["reason"]
    postroom("mailbox", "disable", "box0")
    assert (row(postroom)["health"]["state"], warned(row(postroom))) == ("inactive", [])


def test_a_poll_request_that_comes_too_late_is_no_look(
    site: Site, postroom: Command, clock: Clock, applied_yesterday: None
) -> None:
    site.configure()
    late = {"v": 1, "mailboxes": ["box0"], "planned": int(clock.now.timestamp()) - 60}
    site.stack.invoke("FetchMailboxes", sqs_event(late))
    assert row(postroom)["last_look"] is None


def test_a_mailbox_that_waits_for_its_next_try_is_polled_and_shows_no_look(
    site: Site, postroom: Command, clock: Clock, applied_yesterday: None
) -> None:
    site.configure()
    site.enter_secret("wrong")
    site.poll()
    site.poll()
    shown = row(postroom)
    assert (shown["health"]["code"], shown["last_look"], warned(shown)) == ("login_refused", None, [])
    postroom("secret", "set", "shared", stdin="correct horse\n")
    assert (row(postroom)["health"]["state"], warned(row(postroom))) == ("active", [])


@pytest.mark.fault(93)
def test_mail_is_fetched_though_the_look_cannot_be_noted(connected: Callable[..., Site]) -> None:
    site = connected()
    site.deliver(mail())
    site.aws.before["PutItem"] = EndpointConnectionError(endpoint_url="https://dynamodb")
    assert site.poll() == {"batchItemFailures": []}
    assert "PutItem" not in site.aws.before
    assert len(site.raw()) == 1
