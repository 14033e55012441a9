"""The demonstration shows what it is there to show, with the built-in mails and with anybody's."""

from __future__ import annotations

from email import message_from_bytes
from io import StringIO
from pathlib import Path

import pytest
from postroom.model.interaction import Subtype
from postroom.model.outbound import Delivery, OutboxState
from postroom_cli.demo.run import DemoFailed, Outcome, Story, read_mails, run_demo, story_of, withheld
from postroom_cli.demo.tell import tell
from postroom_cli.local.mailboxes import OnServer
from rich.console import Console

TEMPLATE = Path(__file__).parents[3] / "template.yaml"


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    return run_demo(TEMPLATE)


@pytest.fixture(scope="module")
def stories(outcome: Outcome) -> dict[str, Story]:
    return dict(story_of(outcome))


@pytest.mark.feature("X16")
def test_every_mail_is_one_interaction_and_its_bytes_are_kept(outcome: Outcome) -> None:
    counts = outcome.counts()
    assert counts["mails"] == counts["interactions"] == counts["raw_identical"] == 18


@pytest.mark.feature("G24", "G03", "G15", "G20", "G21")
@pytest.mark.parametrize(
    ("name", "type_", "login", "mails", "afterwards", "on_server"),
    [
        pytest.param("support", "IMAP", "password", 10, "moved to Processed", OnServer(0, 0, 10), id="IMAP"),
        pytest.param("orders", "POP3", "password", 2, "deleted", OnServer(0, 0, 0), id="POP3"),
        pytest.param("claims", "GRAPH", "OAuth 2.0", 4, "moved to Processed", OnServer(0, 0, 4), id="Graph"),
        pytest.param("billing", "EWS", "NTLM", 2, "left, marked read", OnServer(2, 2, 0), id="EWS"),
    ],
)
def test_each_type_of_mailbox_is_fetched_and_its_server_told(
    outcome: Outcome, name: str, type_: str, login: str, mails: int, afterwards: str, on_server: OnServer
) -> None:
    (fetched,) = (one for one in outcome.fetched if one.mailbox.name == name)
    assert fetched.counts() == {
        "name": name,
        "type": type_,
        "mails": mails,
        "interactions": mails,
        "raw_identical": mails,
        "afterwards": afterwards,
    }
    assert login in fetched.login
    assert fetched.on_server == on_server


@pytest.mark.parametrize(
    ("name", "queue", "subtype"),
    [
        ("new", "support", Subtype.INBOUND_NEW),
        ("follow-up", "support", Subtype.INBOUND_CUSTOMER_REPLY),
        ("stranger", "support", Subtype.INBOUND_NEW),
        ("html", "claims", Subtype.INBOUND_NEW),
        ("bounce", "exceptions", Subtype.INBOUND_NDR),
        ("list", "support", Subtype.INBOUND_AUTOMATIC),
        ("no-message-id", "claims", Subtype.INBOUND_NEW),
        ("order", "orders", Subtype.INBOUND_NEW),
        ("invitation", "billing", Subtype.INBOUND_NEW),
    ],
)
def test_a_mail_is_in_its_queue(stories: dict[str, Story], name: str, queue: str, subtype: Subtype) -> None:
    assert (stories[name].interaction.queue, stories[name].interaction.subtype) == (queue, subtype)


@pytest.mark.feature("G25")
def test_what_cannot_be_parsed_is_wrapped_with_the_reason_and_the_original(stories: dict[str, Story]) -> None:
    monster = stories["monster"]
    assert monster.interaction.wrap_reason is not None
    assert monster.raw_identical
    assert monster.interaction.attachments[0].content_type == "message/rfc822"


@pytest.mark.parametrize("name", ["bounce", "out-of-office", "list", "no-reply", "monster", "follow-up"])
def test_an_automatic_reply_is_withheld_with_a_reason(stories: dict[str, Story], name: str) -> None:
    assert withheld(stories[name].interaction)
    assert stories[name].acknowledgement is None


@pytest.mark.parametrize(("name", "server"), [("new", "smtp-client"), ("html", "ses")])
def test_a_person_is_acknowledged_by_the_server_of_the_alias(
    outcome: Outcome, stories: dict[str, Story], name: str, server: str
) -> None:
    acknowledgement = stories[name].acknowledgement
    assert acknowledgement is not None
    assert (acknowledgement.server, acknowledgement.state) == (server, OutboxState.SENT)
    left = outcome.left_by_smtp if server == "smtp-client" else outcome.left_by_ses
    sent = message_from_bytes(left[acknowledgement.id])
    assert sent["Auto-Submitted"] == "auto-replied"
    assert sent["In-Reply-To"] == stories[name].interaction.message_id


def test_replies_leave_by_smtp_and_by_ses_and_are_followed(outcome: Outcome) -> None:
    by_smtp, by_ses = outcome.replies
    assert by_smtp.id in outcome.left_by_smtp
    assert by_ses.id in outcome.left_by_ses
    assert by_ses.delivery is Delivery.DELIVERED
    assert message_from_bytes(outcome.left_by_smtp[by_smtp.id])["Auto-Submitted"] is None


def test_an_answer_finds_its_thread_by_the_signed_token(outcome: Outcome, stories: dict[str, Story]) -> None:
    assert outcome.answer is not None
    assert outcome.answer.interaction.thread_id == stories["new"].interaction.id


def test_script_is_not_stored(stories: dict[str, Story]) -> None:
    assert "script" not in (stories["html"].body.html or "")
    assert stories["html"].body.remote_images == 1


@pytest.mark.parametrize("width", [80, 120])
def test_what_is_told_fits_a_terminal_and_names_every_mailbox_and_mail(outcome: Outcome, width: int) -> None:
    paper = StringIO()
    tell(outcome, on=Console(file=paper, width=width, highlight=False))
    lines = paper.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    assert "…" not in paper.getvalue()
    for row in ("orders    POP3           password        2", "billing   Exchange EWS   NTLM            2"):
        assert any(line.strip().startswith(row) for line in lines)
    for story in outcome.stories:
        assert any(line.strip().startswith(story.mail.name) for line in lines)
    assert sum(line.strip().startswith(("follow-up ", "bounce ")) for line in lines) == 4  # in the table, and why


def test_mails_of_a_directory_take_the_place_of_the_built_in_ones(tmp_path: Path) -> None:
    head = b"From: Ann <ann@example.net>\nReturn-Path: <ann@example.net>\nTo: support@example.com\nSubject: "
    (tmp_path / "below").mkdir()
    (tmp_path / "one.eml").write_bytes(head + b"one\n\nbare line feeds\n")
    (tmp_path / "below" / "two.EML").write_bytes(head.replace(b"\n", b"\r\n") + b"two\r\n\r\nno end of line")
    (tmp_path / "twin.eml").write_bytes(head + b"one\n\nbare line feeds\n")
    (tmp_path / "empty.eml").write_bytes(b"")
    (tmp_path / "note.txt").write_bytes(b"no mail")
    counts = run_demo(TEMPLATE, mails=read_mails(tmp_path)).counts()
    assert {key: counts[key] for key in ("mails", "interactions", "raw_identical", "acknowledgements", "replies")} == {
        "mails": 4,
        "interactions": 3,  # the twin is the same mail, and a mail is one interaction
        "raw_identical": 4,
        "acknowledgements": 1,  # one a day and sender
        "replies": 1,
    }


def test_a_directory_without_mails_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DemoFailed, match=r"no \.eml files"):
        read_mails(tmp_path)
