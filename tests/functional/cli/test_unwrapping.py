"""A wrapped mail that can be read is made whole by a replay: as it would be, had it been read at first (fault 87)."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from hashlib import sha256
from unittest.mock import patch

import pytest
from postroom import bootstrap
from postroom.adapters.dynamo.interaction_changes import DynamoInteractionChanges
from postroom.errors import Conflict
from postroom.model.event_kinds import EventKind
from postroom.model.identity import interaction_id
from postroom.model.interaction import Event, Interaction, Status, Subtype
from postroom.model.messages import stored_event
from postroom.model.outbound import OutboxState

from tests.functional.cli.conftest import Command
from tests.functional.processing.conftest import CONFIGURATION
from tests.support.aws_stack import sqs_event
from tests.support.mails import mail

PASS = "Authentication-Results: mx.example.com; dmarc=pass header.from=example.org"


@pytest.fixture
def command(postroom: Command) -> Command:
    postroom.stack.configure(**CONFIGURATION)
    return postroom


def capped(command: Command, **auto_reply: int) -> None:
    command.stack.configure(**{**CONFIGURATION, "settings": {**CONFIGURATION["settings"], "auto_reply": auto_reply}})


def with_file(answers: str = "") -> bytes:
    message = EmailMessage(policy=SMTP)
    message["Return-Path"], message["Authentication-Results"] = "<ann@example.org>", PASS.partition(": ")[2]
    message["From"], message["To"], message["Subject"] = "ann@example.org", "support@example.com", "Report"
    message["Message-ID"] = "<wrapped@example.org>"
    message["Date"] = datetime.now(UTC)
    if answers:
        message["In-Reply-To"] = answers
    message.set_content("The report is attached.")
    message.add_attachment(b"a,b\n" * 5000, maintype="text", subtype="csv", filename="report.csv")
    return message.as_bytes()


def wrapped(command: Command, content: bytes) -> str:
    """Bring a mail through the dead letters of a process_inbound that fails at it, by the sweeper."""
    stack = command.stack
    event = stored_event(stack.environment["RAW_BUCKET"], stack.store_raw(content), repeated=datetime.now(UTC))
    dead = stack.environment["INBOUND_DEAD_LETTER_QUEUE_URL"]
    stack.client("sqs").send_message(QueueUrl=dead, MessageBody=json.dumps(event))
    bootstrap.forget()
    assert stack.invoke("Sweep", {})["wrapped_from_dead_letters"] == 1
    bootstrap.forget()
    made = interaction_id("support", sha256(content).hexdigest())
    assert read(command, made).wrap_reason is not None
    return made


def read(command: Command, wanted: str) -> Interaction:
    found = command.stack.interactions.get(wanted)
    assert found is not None
    return found


def outcome_of_reply(command: Command, wanted: str) -> str:
    return next(str(one.outcome) for one in read(command, wanted).decisions if one.rule == "auto-reply")


@pytest.mark.fault(87)
@pytest.mark.feature("X03")
def test_a_wrapped_mail_becomes_what_it_would_have_been(command: Command) -> None:
    made = wrapped(command, with_file())
    before = read(command, made)
    shown = command("replay", made, "--json").lines[0]
    assert {"wrap_reason", "attachments", "acknowledgement", "text"} <= {one["field"] for one in shown["differences"]}
    assert read(command, made) == before  # a dry run
    assert command.stack.queued("OUTBOUND_QUEUE_URL") == []
    applied = command("replay", made, "--apply", "--json").lines[0]
    assert applied["differences"] == shown["differences"]
    after = read(command, made)
    assert (after.wrap_reason, after.created, after.status) == (None, before.created, before.status)
    (file,) = after.attachments
    assert file.name == "report.csv"
    assert file.key is not None
    assert command.stack.contents.get(file.key) == b"a,b\n" * 5000
    (request,) = command.stack.queued("OUTBOUND_QUEUE_URL")
    sent = next(one["after"] for one in shown["differences"] if one["field"] == "acknowledgement")
    assert sent in str(request)
    written = command.stack.outbox.get(sent)
    assert written is not None
    assert (written.answers, written.to, written.state) == (made, ("ann@example.org",), OutboxState.NEW)
    assert outcome_of_reply(command, made) == "queued"
    # Again it is a mail like any other: nothing changes, and nothing is sent.
    assert command("replay", made, "--apply", "--json").lines[0]["differences"] == []
    assert command.stack.queued("OUTBOUND_QUEUE_URL") == []


@pytest.mark.fault(87)
def test_a_wrapped_reply_joins_the_thread_that_it_answers(command: Command) -> None:
    content = with_file("<first@example.org>")
    made = wrapped(command, content)
    first = command.stack.process(mail(PASS, message_id="<first@example.org>", body="first"))
    assert command("replay", made, "--apply").status == 0
    after = read(command, made)
    assert (after.thread_id, after.parent_id, after.subtype) == (first, first, Subtype.INBOUND_CUSTOMER_REPLY)
    assert made in command("thread", "show", first, "--json").json["members"]


@pytest.mark.fault(87)
def test_a_replay_that_died_after_the_acknowledgement_writes_it_once(command: Command) -> None:
    capped(command, per_thread=1, per_sender_a_day=1)
    made = wrapped(command, with_file())
    with patch.object(DynamoInteractionChanges, "rewrite", side_effect=Conflict("changed meanwhile", on=made)):
        assert command("replay", made, "--apply").status == 7
    assert read(command, made).wrap_reason is not None
    assert command("replay", made, "--apply").status == 0
    assert outcome_of_reply(command, made) == "queued"
    assert len(list(command.stack.interactions.list_outbox(OutboxState.NEW))) == 1


@pytest.mark.fault(87)
@pytest.mark.parametrize("why", ["old", "answered", "cap"])
def test_nobody_is_acknowledged_late_twice_or_over_a_cap(command: Command, why: str) -> None:
    capped(command, per_sender_a_day=1)
    if why == "cap":
        command.stack.process(mail(PASS, message_id="<other@example.org>", body="another of the same sender"))
    before = len(list(command.stack.interactions.list_outbox(OutboxState.NEW)))
    made = wrapped(command, with_file())
    if why == "answered":
        assert command("reply", made, stdin="We have it.").status == 0
        before += 1
    later = datetime.now(UTC) + (timedelta(days=9) if why == "old" else timedelta())
    with patch("postroom_cli.stack.Stack.clock", lambda _stack: later):
        assert command("replay", made, "--apply").status == 0
    after = read(command, made)
    assert after.wrap_reason is None
    assert [one.name for one in after.attachments] == ["report.csv"]
    assert outcome_of_reply(command, made) == "suppressed"
    assert after.status is (Status.DONE if why == "answered" else Status.QUEUED)
    assert len(list(command.stack.interactions.list_outbox(OutboxState.NEW))) == before


def test_a_mail_that_cannot_be_read_today_either_stays_wrapped(command: Command) -> None:
    made = wrapped(command, with_file())
    with patch("postroom.services.inbound.understand_mail.read", side_effect=RecursionError):
        assert command("replay", made, "--apply").status == 0
    after = read(command, made)
    assert after.wrap_reason is not None
    assert [one.name for one in after.attachments] == ["original.eml"]


@pytest.mark.fault(87)
def test_the_history_says_who_made_it_whole(command: Command) -> None:
    made = wrapped(command, with_file())
    assert command("replay", made, "--apply").status == 0
    events: list[Event] = list(command.stack.interactions.history(made))
    assert [one.what for one in events] == [EventKind.REPLAYED]
    assert events[0].who != "postroom"
    # The event that failed comes once more: the mail is there, and stays as it is.
    again = stored_event(command.stack.environment["RAW_BUCKET"], read(command, made).raw_key)
    command.stack.invoke("ProcessInbound", sqs_event(again))
    assert read(command, made).wrap_reason is None
