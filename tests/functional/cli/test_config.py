"""Configuration as code through the command: plan, apply, export, history, roll back."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.functional.cli.conftest import Command

EXAMPLE = (Path(__file__).parents[3] / "docs" / "examples" / "full.yaml").read_text("utf-8")
MAILBOX = "mailboxes:\n  - {name: support, address: support@example.com, server: imap.example.com}\n"

Write = Callable[[str], str]


@pytest.mark.feature("X11")
def test_a_file_is_applied_exported_changed_and_rolled_back(postroom: Command, write: Write) -> None:
    applied = postroom("config", "apply", write(EXAMPLE), "--yes", "--note", "first", "--json")
    assert applied.status == 0
    assert applied.json["version"] == 1
    exported = postroom("config", "export").out
    assert postroom("config", "apply", write(exported), "--yes", "--json").json["changes"] == []
    fewer = exported.replace("body_encoding", "body_encoding")
    changed = postroom(
        "config", "apply", write(fewer.replace("    port: 587\n", "    port: 2525\n")), "--yes", "--json"
    )
    assert [
        (one["section"], one["name"], [part["field"] for part in one["fields"]]) for one in changed.json["changes"]
    ] == [("outbound_servers", "smtp-client", ["port"])]
    back = postroom("config", "rollback", "1", "--yes", "--json")
    assert back.json["version"] == 3
    assert postroom("config", "export").out == exported
    history = postroom("config", "history", "--json").json
    assert [(one["version"], one["note"]) for one in history] == [(3, "back to version 1"), (2, ""), (1, "first")]


def test_the_plan_is_shown_and_nothing_is_changed_without_a_yes(postroom: Command, write: Write) -> None:
    ran = postroom("config", "apply", write(MAILBOX))
    assert ran.status == 2
    assert "+ mailboxes support" in ran.out
    assert "--yes" in ran.err
    dry = postroom("config", "apply", write(MAILBOX), "--dry-run")
    assert (dry.status, dry.out.splitlines()[-1]) == (0, "Nothing was changed.")
    assert postroom("config", "history", "--json").json == []


def test_a_bad_file_changes_nothing_and_every_problem_is_listed_with_path_and_line(
    postroom: Command, write: Write
) -> None:
    bad = (
        MAILBOX
        + "  - name: support\n    address: SUPPORT@example.com\n    cycle_time: 0\nendpoints: [{name: e, queue: q}]\n"
    )
    ran = postroom("config", "apply", write(bad), "--yes", "--json")
    assert ran.status == 2
    listed = [(one["path"], one["line"]) for one in ran.json["error"]["problems"]]
    assert listed == [
        ("mailboxes[1].name", 3),
        ("mailboxes[1].server", 3),
        ("mailboxes[1].address", 4),
        ("mailboxes[1].cycle_time", 5),
        ("endpoints[0].queue", 6),
    ]
    assert postroom("config", "history", "--json").json == []


@pytest.mark.feature("D04")
def test_an_enabled_mailbox_is_not_removed(postroom: Command, write: Write) -> None:
    text = MAILBOX.replace("imap.example.com}", "imap.example.com, password: {secret: s}, enabled: yes}")
    assert postroom("config", "apply", write(text), "--yes").status == 0
    ran = postroom("config", "apply", write("{}"), "--yes", "--json")
    assert ran.status == 2
    assert ran.json["error"]["problems"][0]["path"] == "mailboxes[name=support]"
    assert postroom("mailbox", "remove", "support").status == 2
    assert postroom("mailbox", "disable", "support").status == 0
    assert postroom("mailbox", "remove", "support").status == 0


def test_check_needs_no_stack(postroom: Command, write: Write, tmp_path: Path) -> None:
    path = write(MAILBOX)
    ran = postroom("--state", str(tmp_path / "nowhere"), "config", "check", path, "--json")
    assert (ran.status, ran.json["objects"]) == (0, {"mailboxes": 1})


@pytest.mark.parametrize("path", ["missing.yaml", "."])
def test_a_file_that_cannot_be_read_is_said(postroom: Command, path: str) -> None:
    ran = postroom("config", "check", path)
    assert ran.status == 2
    assert "cannot be read" in ran.err


def test_a_file_is_read_from_standard_input(postroom: Command) -> None:
    assert postroom("config", "apply", "-", "--yes", stdin=MAILBOX).status == 0


def test_the_schema_is_one_json_document(postroom: Command) -> None:
    assert "mailboxes" in json.loads(postroom("config", "schema").out)["properties"]


def test_without_a_stack_the_command_says_how_to_start_one(postroom: Command, tmp_path: Path) -> None:
    ran = postroom("--state", str(tmp_path / "nowhere"), "config", "history")
    assert ran.status == 3
    assert "postroom local" in ran.err


def test_secrets_that_a_file_names_and_nobody_entered_are_warned_of(postroom: Command, write: Write) -> None:
    named = MAILBOX.replace("}", ", password: {secret: shared}}") + (
        "  - {name: b, address: b@example.com, server: imap.example.com, password: {secret: shared}}\n"
        "  - {name: c, address: c@example.com, server: imap.example.com, password: {secret: there}}\n"
    )
    postroom("secret", "set", "there", stdin="x")
    warnings = postroom("config", "apply", write(named), "--yes", "--json").json["warnings"]
    assert [(one["path"], one["remedy"]) for one in warnings] == [
        ("mailboxes[name=support].password, mailboxes[name=b].password", "Enter it: `postroom secret set shared`.")
    ]
