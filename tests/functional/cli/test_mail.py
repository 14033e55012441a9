"""Interactions, replies, the outbox and dead letters through the command, on mail that the real handlers made."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from postroom.model.event_kinds import EventKind
from postroom.model.identity import outbound_id
from postroom.model.interaction import Event
from postroom.model.outbound import Delivery, OutboxState

from tests.functional.cli.conftest import Command
from tests.functional.processing.conftest import CONFIGURATION

MAIL = (
    b"From: Ann <ann@example.org>\r\nTo: support@example.com\r\nSubject: Broken \x1b[31mlamp\r\n"
    b"Message-ID: <lamp@example.org>\r\nDate: Sat, 21 Nov 2026 01:00:00 +0000\r\n\r\nIt does not light.\r\n"
)


@pytest.fixture
def mail(postroom: Command) -> str:
    """Return the id of the interaction of one mail."""
    postroom.stack.configure(**CONFIGURATION)
    return postroom.stack.process(MAIL)


def test_an_interaction_is_listed_and_shown(postroom: Command, mail: str) -> None:
    assert [row["id"] for row in postroom("interaction", "list", "--json").lines] == [mail]
    assert postroom("interaction", "list", "--queue", "general", "--json").lines == []
    shown = postroom("interaction", "show", mail, "--json").json
    assert shown["body"]["text"].strip() == "It does not light."
    history = postroom("interaction", "history", mail, "--json").json
    assert "route" in {one["rule"] for one in history["decisions"]}


def test_what_strangers_write_cannot_control_the_terminal(postroom: Command, mail: str) -> None:
    for arguments in (("list",), ("show", mail), ("history", mail)):
        ran = postroom("interaction", *arguments)
        assert ran.status == 0
        assert "\x1b" not in ran.out


@pytest.mark.feature("X04")
def test_why_tells_the_decisions_of_a_mail_by_message_id_or_id(postroom: Command, mail: str) -> None:
    for asked in ("<lamp@example.org>", "lamp@example.org", mail):
        told = postroom("why", asked, "--json").lines
        assert [one["id"] for one in told] == [mail]
        assert told[0]["queue"] == "support"
        assert any("support" in decision["outcome"] + decision["detail"] for decision in told[0]["decisions"])


def test_the_raw_mail_comes_back_byte_for_byte(postroom: Command, mail: str, tmp_path: Path) -> None:
    file = tmp_path / "mail.eml"
    ran = postroom("raw", mail, "-o", str(file), "--json")
    assert ran.json["size"] == len(MAIL)
    assert file.read_bytes() == MAIL


def test_a_reply_is_written_once_for_its_key(postroom: Command, mail: str) -> None:
    reply = ("reply", mail, "--file", "-", "--idempotency-key", "k1", "--json")
    first = postroom(*reply, stdin="We send a new one.").json
    again = postroom(*reply, stdin="We send a new one.").json
    assert (first["created"], again["created"], again["id"]) == (True, False, first["id"])
    assert first["id"] == outbound_id(mail, "reply\x00k1")
    assert postroom(*reply, stdin="Something else").status == 7
    rows = postroom("outbox", "list", "--state", "new", "--json").lines
    assert first["id"] in [row["id"] for row in rows]
    shown = postroom("outbox", "show", first["id"], "--json").json
    assert (shown["to"], shown["text"]) == (['"Ann" <ann@example.org>'], "We send a new one.")
    assert postroom("interaction", "show", mail, "--json").json["status"] == "done"


def test_an_empty_reply_sends_nothing(postroom: Command, mail: str) -> None:
    assert postroom("reply", mail, stdin="  \n").status == 2


@pytest.mark.feature("X09")
@pytest.mark.parametrize(("command", "state"), [("resend", "NEW"), ("mark-sent", "SENT")])
def test_an_uncertain_mail_is_settled_by_a_person_and_never_by_itself(
    postroom: Command, mail: str, command: str, state: str
) -> None:
    sent = postroom("reply", mail, "--json", stdin="text").json["id"]
    event = Event(at=datetime.now(UTC), what=EventKind.UNCERTAIN)
    postroom.stack.outbox.settle(sent, was=OutboxState.NEW, state=OutboxState.UNCERTAIN, event=event)
    postroom.stack.queued("OUTBOUND_QUEUE_URL")
    assert [row["id"] for row in postroom("outbox", "list", "--state", "UNCERTAIN", "--json").lines] == [sent]
    assert postroom("outbox", command, sent, "--json").json == {"id": sent, "state": state}
    shown = postroom("outbox", "show", sent, "--json").json
    assert shown["state"] == state
    assert shown["events"][-1]["who"] != "postroom"
    assert len(postroom.stack.queued("OUTBOUND_QUEUE_URL")) == (command == "resend")
    if command == "mark-sent":
        assert postroom("outbox", "resend", sent).status == 7
        assert postroom("outbox", "mark-sent", sent).status == 7


@pytest.mark.fault(105)
def test_every_answer_that_did_not_arrive_is_listed_with_the_reason_in_words(postroom: Command, mail: str) -> None:
    outbox, now = postroom.stack.outbox, datetime.now(UTC)
    unsettled: dict[str, str] = {}
    for state in (OutboxState.UNCERTAIN, OutboxState.FAILED, OutboxState.SENT):
        sent = postroom("reply", mail, "--json", stdin=f"answer {state}").json["id"]
        event = Event(at=now, what=EventKind(state.value.lower()))
        outbox.settle(sent, was=OutboxState.NEW, state=state, event=event)
        unsettled[state.value] = sent
    assert {row["id"] for row in postroom("outbox", "unsettled", "--json").lines} == {
        unsettled["UNCERTAIN"],
        unsettled["FAILED"],
    }
    bounced = Event(at=now, what=EventKind.BOUNCED, detail="Permanent General")
    outbox.report(unsettled["SENT"], report_id="1", delivery=Delivery.BOUNCED, event=bounced)
    told = {row["id"]: row["why"] for row in postroom("outbox", "unsettled", "--json").lines}
    assert told.keys() == set(unsettled.values())
    assert told[unsettled["SENT"]] == "it came back"
    assert "not sent again by itself" in told[unsettled["UNCERTAIN"]]
    assert "tried again" not in told[unsettled["UNCERTAIN"]]
    assert postroom("outbox", "mark-sent", unsettled["UNCERTAIN"]).status == 0
    assert unsettled["UNCERTAIN"] not in {row["id"] for row in postroom("outbox", "unsettled", "--json").lines}


@pytest.mark.fault(105)
@pytest.mark.parametrize("how", [OutboxState.FAILED, *(one for one in Delivery if one.failed)])
def test_an_answer_that_did_not_arrive_raises_alarm_and_warning_until_a_person_takes_note(
    postroom: Command, mail: str, how: OutboxState | Delivery
) -> None:
    outbox, now = postroom.stack.outbox, datetime.now(UTC)

    def seen() -> tuple[int, list[str], list[str]]:
        """Return the alarm's gauge, codes of the mailbox's warnings, and what is listed as unsettled."""
        count = postroom.stack.invoke("Sweep", {})["mails_unarrived_now"]
        warnings = [one["rule"] for one in postroom("mailbox", "show", "support", "--json").json["warnings"]]
        return count, warnings, [row["id"] for row in postroom("outbox", "unsettled", "--json").lines]

    sent = postroom("reply", mail, "--json", stdin="an answer").json["id"]
    before = seen()
    assert (before[0], before[2]) == (0, [])
    assert "unarrived" not in before[1]
    assert postroom("outbox", "acknowledge", sent).status == 7  # it may arrive still
    state = OutboxState.FAILED if how is OutboxState.FAILED else OutboxState.SENT
    outbox.settle(sent, was=OutboxState.NEW, state=state, event=Event(at=now, what=EventKind(state.value.lower())))
    if isinstance(how, Delivery):
        event = Event(at=now, what=EventKind(how.value), detail="Permanent")
        assert outbox.report(sent, report_id="1", delivery=how, event=event)
    after = seen()
    assert (after[0], after[2]) == (1, [sent])
    assert "unarrived" in after[1]
    assert postroom("outbox", "acknowledge", sent, "--json").json == {"id": sent, "acknowledged": True}
    assert postroom("outbox", "acknowledge", sent).status == 0
    assert seen() == before
    events = [one["what"] for one in postroom("outbox", "show", sent, "--json").json["events"]]
    assert events.count("failure_acknowledged") == 1
    if state is OutboxState.FAILED:  # sent again on purpose, it is news again when it fails again
        assert postroom("outbox", "resend", sent).status == 0
        assert seen()[0] == 0
        outbox.settle(sent, was=OutboxState.NEW, state=state, event=Event(at=now, what=EventKind.FAILED))
        assert seen()[0] == 1


def test_dead_letters_are_counted_and_put_back(postroom: Command) -> None:
    sqs = postroom.stack.client("sqs")
    dead = next(row for row in postroom("dlq", "list", "--json").json if row["queue"] == "inbound")["url"]
    bodies = [json.dumps({"number": number}) for number in range(12)]
    for body in bodies:
        sqs.send_message(QueueUrl=dead, MessageBody=body)
    counts = {row["queue"]: row["messages"] for row in postroom("dlq", "list", "--json").json}
    assert (counts["inbound"], counts["outbound"]) == (12, 0)
    assert postroom("dlq", "redrive", "inbound", "--json").json == {"redriven": {"inbound": 12}}
    back = postroom.stack.queued("INBOUND_QUEUE_URL")
    assert sorted(one["number"] for one in back if "number" in one) == list(range(12))


def test_the_newest_of_all_queues_are_listed_first_and_none_is_left_out_by_the_limit(postroom: Command) -> None:
    configured = {
        **CONFIGURATION,
        "mailboxes": [
            *CONFIGURATION["mailboxes"],
            {"name": "other", "address": "other@example.com", "server": "imap.example.com"},
        ],
    }
    postroom.stack.configure(**configured)
    ids = [
        postroom.stack.process(MAIL.replace(b"lamp@", b"%d@" % number), mailbox=mailbox)
        for number, mailbox in enumerate(["support", "other", "support", "other"])
    ]
    rows = postroom("interaction", "list", "--json").lines
    assert {row["id"] for row in rows} == set(ids)
    assert len({row["queue"] for row in rows}) == 2
    assert [row["created"] for row in rows] == sorted((row["created"] for row in rows), reverse=True)
    newest = postroom("interaction", "list", "--limit", "2", "--json").lines
    assert newest == rows[:2]
    assert len({row["queue"] for row in newest}) == 2


@pytest.mark.fault(80)
def test_addresses_that_get_nothing_are_listed_added_and_removed(postroom: Command) -> None:
    assert postroom("suppression", "add", "Ann@Example.org", "--days", "3", "--reason", "asked us", "--json").json == {
        "address": "Ann@Example.org",
        "added": True,
    }
    (row,) = postroom("suppression", "list", "--json").lines
    assert (row["address"], row["reason"], row["detail"]) == ("ann@example.org", "by_hand", "asked us")
    assert row["source"]
    assert row["until"]
    assert "ann@example.org" in postroom("suppression", "list").out
    assert postroom("suppression", "add", "ann@@example.org").status == 2
    assert postroom("suppression", "remove", "ANN@example.org").status == 0
    assert postroom("suppression", "remove", "ann@example.org").status != 0
    assert postroom("suppression", "list", "--json").lines == []


def test_why_says_of_a_failed_mail_that_no_alarm_counts_it_when_its_note_is_gone(postroom: Command, mail: str) -> None:
    sent = postroom("reply", mail, "--json", stdin="an answer").json["id"]
    failed = Event(at=datetime.now(UTC), what=EventKind.FAILED)
    postroom.stack.outbox.settle(sent, was=OutboxState.NEW, state=OutboxState.FAILED, event=failed)
    assert "30 days" not in postroom("why", sent, "--json").json["summary"]
    key = {"pk": {"S": "UNARRIVED"}, "sk": {"S": sent}}
    postroom.stack.client("dynamodb").delete_item(TableName=postroom.stack.table, Key=key)
    assert "It failed more than 30 days ago, or before such mail was counted" in postroom("why", sent, "--json").out
    assert postroom("outbox", "acknowledge", sent).status == 0
    assert "30 days" not in postroom("why", sent, "--json").json["summary"]
