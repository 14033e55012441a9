"""Mailboxes and secrets through the command."""

from __future__ import annotations

import pytest

from tests.functional.cli.conftest import Command

ADD = ("mailbox", "add", "support", "--address", "support@example.com", "--server", "imap.example.com")


@pytest.mark.feature("D04", "G09")
def test_a_mailbox_is_added_disabled_and_switched_on_and_off(postroom: Command) -> None:
    assert postroom(*ADD, "--password", stdin="hunter2-canary\n").status == 0
    assert postroom("mailbox", "list", "--json").lines[0]["enabled"] is False
    assert postroom("mailbox", "enable", "support", "--json").json["enabled"] is True
    shown = postroom("mailbox", "show", "support", "--json")
    assert shown.json["settings"]["password"]["secret"] == "mailbox.support"
    assert "hunter2-canary" not in shown.out
    assert postroom("mailbox", "disable", "support").status == 0
    assert postroom("mailbox", "list", "--json").lines[0]["enabled"] is False


@pytest.mark.feature("D04")
def test_a_mailbox_is_not_added_enabled(postroom: Command) -> None:
    (problem,) = postroom(*ADD, "--set", "enabled=yes", "--json").json["error"]["problems"]
    assert (problem["path"], problem["remedy"]) == ("enabled", "Test it, then enable it.")
    assert postroom("mailbox", "list", "--json").lines == []


def test_the_secret_is_stored_encrypted_and_for_its_name_only(postroom: Command) -> None:
    postroom(*ADD, "--password", stdin="hunter2-canary\n")
    scanned = postroom.stack.client("dynamodb").scan(TableName=postroom.stack.table)["Items"]
    assert b"hunter2-canary" not in repr(scanned).encode()
    assert any("ciphertext" in item for item in scanned)


def test_any_option_can_be_given_and_changed(postroom: Command) -> None:
    assert postroom(*ADD, "--set", "cycle_time=00:02:00", "--set", "leave-msg-on-server=yes").status == 0
    assert postroom("mailbox", "change", "support", "maximum_msg_size=10", "cycle_time=00:00:30").status == 0
    settings = postroom("mailbox", "show", "support", "--json").json["settings"]
    assert (settings["cycle_time"], settings["maximum_msg_size"], settings["leave_msg_on_server"]) == (
        "00:00:30",
        10,
        True,
    )


def test_the_same_name_or_address_twice_is_refused(postroom: Command) -> None:
    postroom(*ADD)
    assert postroom(*ADD).status == 2
    other = postroom(
        "mailbox", "add", "b", "--address", "Support@Example.com", "--server", "imap.example.com", "--json"
    )
    assert other.status == 2
    assert "`support`" in other.json["error"]["problems"][0]["problem"]


def test_a_poll_is_queued_for_enabled_mailboxes_of_each_kind(postroom: Command) -> None:
    postroom(*ADD, "--password", stdin="x")
    ews = ("--type", "EWS", "--server", "https://mail.example.com/EWS/Exchange.asmx")
    postroom("mailbox", "add", "e", "--address", "e@example.com", *ews, "--password", stdin="x")
    assert postroom("mailbox", "poll", "support").status == 2  # not enabled
    postroom("mailbox", "enable", "support")
    postroom("mailbox", "enable", "e")
    assert set(postroom("mailbox", "poll", "--json").json["polled"]) == {"support", "e"}
    assert postroom.stack.queued("POLL_QUEUE_URL") == [{"v": 1, "mailboxes": ["support"], "backlog": False}]
    assert postroom.stack.queued("EWS_POLL_QUEUE_URL") == [{"v": 1, "mailboxes": ["e"], "backlog": False}]


def test_a_secret_in_use_is_not_removed(postroom: Command) -> None:
    postroom(*ADD, "--password", stdin="x")
    ran = postroom("secret", "remove", "mailbox.support", "--json")
    assert ran.status == 7
    assert "mailboxes[name=support].password" in ran.json["error"]["message"]
    assert postroom("secret", "set", "other", "--valid-until", "2999-01-01", stdin="y").status == 0
    assert postroom("secret", "remove", "other").status == 0


def test_a_connection_test_that_fails_names_the_step_and_ends_with_status_five(postroom: Command) -> None:
    postroom("mailbox", "add", "t", "--address", "t@example.com", "--server", "name.invalid", "--password", stdin="x")
    ran = postroom("mailbox", "test", "t", "--json")
    assert ran.status == 5
    assert ran.json["steps"][-1]["name"] == "dns"
    assert ran.json["ok"] is False


def test_a_secret_that_was_never_entered_is_warned_of_with_the_command_that_enters_it(postroom: Command) -> None:
    postroom(*ADD, "--password", stdin="x")
    ran = postroom("mailbox", "change", "support", "password=secret:nosuch")
    assert ran.status == 0
    assert "`postroom secret set nosuch`" in ran.err
    (warning,) = postroom("mailbox", "enable", "support", "--json").json["warnings"]
    assert (warning["path"], "`nosuch`" in warning["problem"]) == ("mailboxes[name=support].password", True)
    postroom("secret", "set", "nosuch", stdin="y")
    assert postroom("mailbox", "disable", "support", "--json").json["warnings"] == []


def test_a_change_that_changes_nothing_writes_no_version(postroom: Command) -> None:
    postroom(*ADD, "--set", "cycle_time=00:02:00")
    ran = postroom("mailbox", "change", "support", "cycle_time=120", "--json")
    assert (ran.status, ran.json["changed"], ran.json["version"]) == (0, False, 1)
    assert "Nothing was changed" in postroom("mailbox", "disable", "support").out
    assert len(postroom("config", "history", "--json").json) == 1
    assert postroom("mailbox", "change", "support", "cycle_time=60", "--json").json["changed"] is True
    assert len(postroom("config", "history", "--json").json) == 2
