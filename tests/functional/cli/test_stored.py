"""Threads split and merged, mail replayed, attachments settled: through the command, on stored mail."""

from __future__ import annotations

from email.message import EmailMessage
from email.policy import SMTP
from hashlib import sha256
from pathlib import Path

import pytest
from postroom.model import identity

from tests.functional.cli.conftest import Command
from tests.functional.processing.conftest import CONFIGURATION
from tests.support.mails import mail

PASS = "Authentication-Results: mx.example.com; dmarc=pass header.from=example.org"


@pytest.fixture
def command(postroom: Command) -> Command:
    postroom.stack.configure(**CONFIGURATION)
    return postroom


def conversation(command: Command) -> tuple[str, str, str]:
    """A thread of three mails: root, an answer to it, an answer to that."""
    ids = [
        command.stack.process(mail(PASS, message_id="<1@x>", body="one")),
        command.stack.process(mail(PASS, "In-Reply-To: <1@x>", message_id="<2@x>", body="two")),
        command.stack.process(mail(PASS, "In-Reply-To: <2@x>", message_id="<3@x>", body="three")),
    ]
    return ids[0], ids[1], ids[2]


def members(command: Command, interaction_id: str) -> list[str]:
    listed: list[str] = command("thread", "show", interaction_id, "--json").json["members"]
    return listed


@pytest.mark.feature("X06")
def test_a_split_takes_along_what_answers_the_mail_and_undo_brings_it_back(command: Command) -> None:
    one, two, three = conversation(command)
    acknowledged = set(members(command, one)) - {one, two, three}
    done = command("thread", "split", two, "--json").json
    assert (done["thread_id"], done["moved"]) == (two, [two, three])
    assert members(command, two) == [two, three]
    assert set(members(command, one)) == {one} | acknowledged
    assert command("thread", "undo", done["change"]).status == 0
    assert set(members(command, one)) == {one, two, three} | acknowledged


@pytest.mark.feature("X06")
def test_a_merge_moves_a_whole_thread_and_undo_brings_it_back(command: Command) -> None:
    one, two, three = conversation(command)
    before = members(command, one)
    other = command.stack.process(mail(sender="bob@example.net", message_id="<9@y>", body="other"))
    done = command("thread", "merge", two, other, "--json").json
    assert done["thread_id"] == other
    assert {one, two, three, other} <= set(members(command, other))
    assert [event.what for event in command.stack.interactions.history(three)] == ["merged"]
    assert command("thread", "undo", done["change"]).status == 0
    assert members(command, one) == before


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["thread", "split", "nothing"], 3, "no such interaction"),
        (["thread", "undo", "nonsense"], 1, "no change of threads"),
        (["replay"], 1, "Name mails, or a queue"),
    ],
    ids=["split-unknown", "undo-nonsense", "replay-nothing"],
)
def test_what_cannot_be_done_is_refused_with_a_remedy(
    command: Command, arguments: list[str], status: int, words: str
) -> None:
    ran = command(*arguments)
    assert words in ran.err
    assert ran.status in (status, 2)


@pytest.mark.feature("X03")
def test_a_replay_shows_what_todays_rules_change_and_changes_it_only_when_told(command: Command) -> None:
    interaction_id = command.stack.process(mail(body="My card is 4111 1111 1111 1111."))
    command.stack.configure(
        **{
            **CONFIGURATION,
            "masking_patterns": [{"name": "cards", "kind": "card"}],
            "endpoints": [{"name": "support", "queue": "general"}],
        }
    )
    shown = command("replay", interaction_id, "--json").lines[0]
    assert {one["field"] for one in shown["differences"]} == {"queue", "text", "text_reply"}
    assert not shown["applied"]
    body = command.stack.interactions.body(interaction_id)
    assert body is not None
    assert "4111" in body.text
    assert command("replay", "--queue", "support", "--apply", "--json").lines[0]["applied"]
    body = command.stack.interactions.body(interaction_id)
    again = command.stack.interactions.get(interaction_id)
    assert body is not None
    assert again is not None
    assert "4111" not in body.text
    assert again.queue == "general"
    assert [event.what for event in command.stack.interactions.history(interaction_id)] == ["replayed"]
    assert command("replay", interaction_id, "--json").lines[0]["differences"] == []
    assert list(command.stack.interactions.list_queue("support")) == []


def with_program() -> bytes:
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"], message["Subject"] = "ann@example.org", "support@example.com", "Invoice"
    message.set_content("See attached.")
    message.add_attachment(b"MZ" + bytes(50), maintype="application", subtype="pdf", filename="invoice.pdf.exe")
    return message.as_bytes()


@pytest.mark.feature("C11")
@pytest.mark.feature("C12")
def test_a_blocked_attachment_is_seen_restored_and_deleted_with_a_reason(command: Command, tmp_path: Path) -> None:
    interaction_id = command.stack.process(with_program())
    (row,) = command("attachment", "list", interaction_id, "--json").lines
    assert "exe" in row["blocked"]
    file = tmp_path / "saved"
    assert command("attachment", "save", interaction_id, row["sha256"], "--to", str(file)).status == 0
    assert file.read_bytes().startswith(b"MZ")
    assert command("attachment", "restore", interaction_id, row["sha256"][:8], "--reason", " ").status != 0
    assert command("attachment", "restore", interaction_id, row["sha256"][:8], "--reason", "our own tool").status == 0
    (restored,) = command("attachment", "list", interaction_id, "--json").lines
    assert restored["blocked"] is None
    (event,) = command.stack.interactions.history(interaction_id)
    assert event.what == "attachment_restored"
    assert "our own tool" in event.detail


@pytest.mark.feature("C12")
def test_deleting_a_blocked_attachment_keeps_its_name_and_the_mail(command: Command) -> None:
    interaction_id = command.stack.process(with_program())
    (row,) = command("attachment", "list", interaction_id, "--json").lines
    assert command("attachment", "delete", interaction_id, row["sha256"], "--reason", "malware").status == 0
    (deleted,) = command("attachment", "list", interaction_id, "--json").lines
    assert (deleted["deleted"], deleted["name"]) == (True, "invoice.pdf.exe")
    assert command("attachment", "save", interaction_id, row["sha256"], "--to", "unused").status == 3
    again = command("attachment", "delete", interaction_id, row["sha256"], "--reason", "again")
    assert (again.status, "was deleted" in again.err) == (3, True)
    (event,) = command.stack.interactions.history(interaction_id)
    assert event.detail.endswith(": malware")
    assert command.stack.interactions.get(interaction_id) is not None


@pytest.mark.feature("C12")
@pytest.mark.parametrize("copies", [False, True], ids=["two-mails", "two-copies-of-one-mail"])
def test_what_is_deleted_from_one_mail_stays_with_the_other_that_carries_the_same_file(
    command: Command, *, copies: bool
) -> None:
    if copies:
        mailboxes = [{**one, "copy_message_to_recipients": True} for one in CONFIGURATION["mailboxes"]]
        command.stack.configure(**{**CONFIGURATION, "mailboxes": mailboxes})
        program = with_program().replace(b"To: support@example.com", b"To: support@example.com, bob@example.net")
        first = command.stack.process(program)
        other = identity.interaction_id("support", sha256(program).hexdigest(), "bob@example.net")
    else:
        first = command.stack.process(with_program())
        other = command.stack.process(with_program().replace(b"See attached.", b"See it."))
    (row,) = command("attachment", "list", first, "--json").lines
    assert command("attachment", "delete", first, row["sha256"], "--reason", "malware").status == 0
    assert command("attachment", "restore", other, row["sha256"], "--reason", "our own tool").status == 0
    (restored,) = command("attachment", "list", other, "--json").lines
    assert (restored["blocked"], restored["deleted"]) == (None, False)


@pytest.mark.feature("C12")
def test_the_same_file_under_two_names_is_settled_name_by_name(command: Command, tmp_path: Path) -> None:
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"], message["Subject"] = "ann@example.org", "support@example.com", "Scripts"
    message.set_content("See attached.")
    for name in ("notes.txt", "run.js", "again.js"):
        message.add_attachment(b"var a = 1;" * 2_000, maintype="application", subtype="octet-stream", filename=name)
    mail_id = command.stack.process(message.as_bytes())
    content = command("attachment", "list", mail_id, "--json").lines[0]["sha256"]
    assert command("attachment", "delete", mail_id, content, "--reason", "not wanted").status == 0
    assert command("attachment", "restore", mail_id, content, "--reason", "wanted").status == 0
    rows = command("attachment", "list", mail_id, "--json").lines
    assert [(row["name"], bool(row["blocked"]), row["deleted"]) for row in rows] == [
        ("notes.txt", False, False),
        ("run.js", True, True),
        ("again.js", False, False),
    ]
    assert command("attachment", "save", mail_id, content, "--to", str(tmp_path / "saved")).status == 0


def test_a_thread_shows_who_wrote_what_and_when_in_order(command: Command) -> None:
    one, two, three = conversation(command)
    shown = command("thread", "show", two, "--json").json
    assert [row["id"] for row in shown["mails"]] == shown["members"]
    rows = {row["id"]: row for row in shown["mails"]}
    assert {(rows[mine]["direction"], rows[mine]["from"]) for mine in (one, two, three)} == {
        ("inbound", "ann@example.org")
    }
    assert {row["direction"] for name, row in rows.items() if name not in (one, two, three)} <= {"outbound"}
    assert all(row["created"] and row["subject"] for row in rows.values())
    told = command("thread", "show", two).out
    assert "ann@example.org" in told
    assert rows[one]["subject"] in told
