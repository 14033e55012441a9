"""How a mailbox falls ill and gets well again, through the real handlers and the real command (C05)."""

from __future__ import annotations

import socket
from collections.abc import Callable
from datetime import timedelta

import pytest
from postroom.model.mailbox_state import HealthState
from postroom_cli.mailservers.imap import ImapServer

from tests.functional.cli.conftest import Command
from tests.functional.fetching.conftest import PASSWORD, Site
from tests.functional.mailboxes.conftest import Clock
from tests.support.mails import mail

Connect = Callable[..., Site]


def logins(site: Site) -> int:
    """Count how often the server was asked to let somebody in."""
    return sum(command.name in ("LOGIN", "AUTHENTICATE") for command in site.server.log)


def enter_again(postroom: Command) -> None:
    """Enter the right password."""
    assert postroom("secret", "set", "shared", stdin="rotated\n").status == 0


def switch_off_and_on(postroom: Command) -> None:
    """Disable the mailbox and enable it."""
    assert postroom("mailbox", "disable", "box0").status == 0
    assert postroom("mailbox", "enable", "box0").status == 0


def enable_although_it_is(postroom: Command) -> None:
    """Enable the mailbox, which is enabled."""
    done = postroom("mailbox", "enable", "box0")
    assert done.status == 0
    assert "tried again" in done.out


def change_a_setting(postroom: Command) -> None:
    """Change something about the mailbox."""
    assert postroom("mailbox", "change", "box0", "protocol_timeout=00:01:00").status == 0


@pytest.mark.fault(14)
@pytest.mark.feature("C05")
@pytest.mark.parametrize("act", [enter_again, switch_off_and_on, enable_although_it_is, change_a_setting])
def test_a_refused_login_is_tried_again_after_an_administrator_acts_and_not_before(
    connected: Connect, postroom: Command, clock: Clock, act: Callable[[Command], None]
) -> None:
    site = connected()
    before = logins(site)
    site.server.store.users["box0@example.com"] = "rotated"
    site.deliver(mail())
    for _ in range(5):
        site.poll()
        clock.wait(hours=1)
    assert logins(site) == before + 1
    health = site.state().health
    assert (health.state, health.step, health.next_try) == (HealthState.NEEDS_ATTENTION, "login", None)
    act(postroom)
    assert site.state().health.state is HealthState.ACTIVE
    site.poll()
    if act is enter_again:
        assert [raw.content for raw in site.raw()] == [mail()]
        assert site.state().health.state is HealthState.ACTIVE
    else:  # the password is still the wrong one: asked once more, and that is all
        site.poll()
        assert site.state().health.state is HealthState.NEEDS_ATTENTION
        assert logins(site) == before + 2


def test_a_secret_of_other_mailboxes_forgives_nothing(connected: Connect, postroom: Command) -> None:
    site = connected()
    site.server.store.users["box0@example.com"] = "rotated"
    site.poll()
    ran = postroom("secret", "set", "another", "--json", stdin="x\n")
    assert ran.json["tried_again"] == []
    assert site.state().health.state is HealthState.NEEDS_ATTENTION
    ran = postroom("secret", "set", "shared", "--json", stdin="rotated\n")
    assert ran.json["tried_again"] == ["box0"]


@pytest.mark.feature("C05")
@pytest.mark.fault(10)
def test_three_failed_connects_are_enough_and_the_mailbox_is_looked_at_again_after_ten_minutes(
    connected: Connect, clock: Clock
) -> None:
    site = connected()
    site.deliver(mail())
    with socket.create_server(("127.0.0.1", 0)) as unused:
        closed = unused.getsockname()[1]
    site.configure(port=closed)
    for failures in (1, 2, 3):
        site.poll()
        health = site.state().health
        assert (health.state, health.step, health.failures) == (HealthState.RETRYING, "connect", failures)
        assert (health.next_try is None) is (failures < 3)
        clock.wait(seconds=30)
    third = clock.now - timedelta(seconds=30)
    assert health.next_try is not None
    assert abs(health.next_try - third - timedelta(minutes=10)) < timedelta(seconds=1)
    site.poll()
    assert site.state().health == health  # not asked meanwhile
    # The server comes back at its old place: nobody does anything, the probe finds out.
    with ImapServer(store=site.server.store, port=closed):
        clock.wait(minutes=8)
        site.poll()
        assert site.raw() == []
        clock.wait(minutes=2)
        site.poll()
    assert [raw.content for raw in site.raw()] == [mail()]
    assert site.state().health.state is HealthState.ACTIVE


@pytest.mark.feature("C05")
@pytest.mark.fault(14)
def test_wrong_credentials_are_never_tried_again_by_themselves(connected: Connect, clock: Clock) -> None:
    site = connected()
    site.server.store.users["box0@example.com"] = "rotated"
    site.poll()
    before = logins(site)
    for _ in range(20):
        clock.wait(days=1)
        site.poll()
    assert logins(site) == before
    assert PASSWORD not in repr(site.state())
