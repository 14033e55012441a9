"""`postroom why` answers for every mail seen, also for those that made no new interaction (X04)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

import pytest
from postroom.model.identity import interaction_id
from postroom_cli.mailservers.imap_faults import FetchFault

from tests.functional.cli.conftest import Command
from tests.functional.fetching.conftest import Site
from tests.functional.mailboxes.conftest import Clock
from tests.functional.processing.conftest import CONFIGURATION
from tests.support.aws_stack import AwsStack, sqs_event
from tests.support.mails import mail

pytestmark = pytest.mark.usefixtures("hasty")

Connect = Callable[..., Site]

PASS = "Authentication-Results: mx.example.com; dmarc=pass header.from=example.org"


@pytest.fixture
def command(postroom: Command) -> Command:
    postroom.stack.configure(**CONFIGURATION)
    return postroom


def one(command: Command, asked: str) -> dict[str, Any]:
    """The one mail that is told of."""
    ran = command("why", asked, "--json")
    assert ran.status == 0, ran.out
    (told,) = ran.lines
    assert isinstance(told, dict)
    # What machines get as sentences, people read.
    shown = command("why", asked).out
    for sentence in (told["summary"], *(part["says"] for name in ("decisions", "events") for part in told[name])):
        assert _squeezed(sentence) in _squeezed(shown)
        assert sentence[0].isupper() or sentence[0] == "<"
        assert sentence.endswith((".", "!", "?"))
        assert "{" not in sentence
    return told


def _squeezed(text: str) -> str:
    return re.sub(r"\s", "", text)


def said(told: dict[str, Any], rule: str) -> list[str]:
    return [step["says"] for step in told["decisions"] if step["rule"].startswith(rule)]


def happened(told: dict[str, Any], what: str) -> list[str]:
    return [event["says"] for event in told["events"] if event["what"] == what]


def process_fetched(site: Site) -> None:
    """Run process_inbound on every raw message that is stored."""
    from postroom.model.messages import stored_event

    for raw in site.raw():
        event = stored_event(site.stack.environment["RAW_BUCKET"], raw.key)
        assert site.stack.invoke("ProcessInbound", sqs_event(event)) == {"batchItemFailures": []}


@pytest.mark.feature("X04")
def test_an_ordinary_mail_tells_what_decided_in_order_and_why_it_is_in_its_queue(command: Command) -> None:
    made = command.stack.process(mail())
    told = one(command, "<1@example.org>")
    assert told["summary"] == "It waits in the queue support: endpoint support leads to queue support."
    assert [step["rule"] for step in told["decisions"]] == ["kind", "thread.no-reference", "route", "auto-reply"]
    assert [step["says"] for step in told["decisions"]] == [
        "A person wrote it: no report, nothing automatic, no delivery exception.",
        "It began a thread of its own: it refers to nothing.",
        "It went to the queue support: endpoint support leads to queue support.",
        told["decisions"][3]["says"],
    ]
    assert told["decisions"][3]["says"].startswith("It was acknowledged: template received, as ")
    assert (told["id"], told["state"], told["queue"], told["related"]) == (made, "queued", "support", [])


@pytest.mark.feature("X04")
@pytest.mark.feature("X02")
def test_the_same_bytes_again_are_told_on_the_one_interaction_they_are(connected: Connect, postroom: Command) -> None:
    site = connected(leave_msg_on_server=True)
    for _ in range(2):
        site.deliver(mail())
        site.poll()
    for _ in range(2):  # events come more than once; a repetition is told once
        process_fetched(site)
    first, again = sorted(raw.key for raw in site.raw())
    told = one(postroom, "<1@example.org>")
    assert told["raw_key"] in (first, again)
    (repeated,) = happened(told, "seen_again")
    assert "made no second interaction" in repeated
    assert repeated.rstrip(".").endswith(again if told["raw_key"] == first else first)
    for key in (first, again):
        assert one(postroom, key)["id"] == told["id"]
    assert one(postroom, hashlib.sha256(mail()).hexdigest())["id"] == told["id"]


@pytest.mark.feature("X04")
@pytest.mark.feature("X02")
def test_other_bytes_under_the_same_message_id_are_each_told_and_name_each_other(command: Command) -> None:
    first, second = (command.stack.process(mail(body=text, subject=text)) for text in ("one", "two"))
    told = command("why", "1@example.org", "--json").lines
    assert {row["id"] for row in told} == {first, second}
    for row in told:
        (other,) = row["related"]
        assert other["id"] == ({first, second} - {row["id"]}).pop()
        assert other["how"] == "same-message-id"
        assert "another mail" in other["says"]


@pytest.mark.feature("X04")
def test_one_mail_delivered_to_two_mailboxes_is_linked_although_its_way_left_other_headers(command: Command) -> None:
    support, sales = (
        command.stack.process(mail(f"Delivered-To: {box}@example.com"), mailbox=box) for box in ("support", "sales")
    )
    told = one(command, support)
    assert [(other["id"], other["how"]) for other in told["related"]] == [(sales, "same-mail")]
    assert "mailbox sales is the same mail by Message-ID, sender, date and subject" in told["related"][0]["says"]


@pytest.mark.feature("X04")
@pytest.mark.parametrize("message_id", ["<1@example.org>", None], ids=["message-id", "no-message-id"])
def test_the_same_bytes_in_two_mailboxes_are_linked(command: Command, message_id: str | None) -> None:
    raw = mail(message_id=message_id)
    support, sales = (command.stack.process(raw, mailbox=box) for box in ("support", "sales"))
    told = one(command, support)
    assert [(other["id"], other["how"]) for other in told["related"]] == [(sales, "same-mail")]
    assert "mailbox sales" in told["related"][0]["says"]
    assert {row["mailbox"] for row in command("why", hashlib.sha256(raw).hexdigest(), "--json").lines} == {
        "support",
        "sales",
    }


@pytest.mark.feature("X04")
def test_the_copies_of_a_mail_for_each_recipient_name_each_other(command: Command) -> None:
    box = {**CONFIGURATION["mailboxes"][0], "copy_message_to_recipients": True}
    command.stack.configure(**{**CONFIGURATION, "mailboxes": [box]})
    command.stack.process(mail("Cc: sales@example.com"))
    told = command("why", "<1@example.org>", "--json").lines
    assert [[other["how"] for other in row["related"]] for row in told] == [["copy"], ["copy"]]
    assert all("one for each recipient" in said(row, "copies")[0] for row in told)


@pytest.mark.feature("X04")
@pytest.mark.feature("G08")
@pytest.mark.parametrize("stripping", [True, False], ids=["headers-only", "not-fetched"])
def test_an_over_size_mail_says_why_its_body_is_missing_and_where_it_is(
    connected: Connect, postroom: Command, stripping: bool
) -> None:
    site = connected(maximum_msg_size=1, enable_big_msg_stripping=stripping, leave_msg_on_server=True)
    site.deliver(mail(body="large " * 400_000))
    site.poll()
    process_fetched(site)
    on_server = one(postroom, "box0/1")
    assert on_server["state"] == "over-size"
    assert "maximum_msg_size, 1 MB" in on_server["summary"]
    assert "on the server still" in on_server["summary"]
    assert [row["id"] for row in postroom("why", "box0", "--json").lines] == ["box0/1"]
    if stripping:
        (sentence,) = said(one(postroom, "<1@example.org>"), "over-size")
        assert "maximum_msg_size is 1 MB: only the headers were fetched" in sentence
    else:
        assert "enable_big_msg_stripping is off" in on_server["summary"]


@pytest.mark.feature("X04")
@pytest.mark.feature("G08")
@pytest.mark.fault(39)
def test_an_over_size_mail_whose_deletion_is_refused_says_so_until_it_is_done(
    connected: Connect, postroom: Command, clock: Clock
) -> None:
    site = connected(maximum_msg_size=1, delete_big_msg=True)
    site.deliver(mail(body="large " * 400_000))
    site.server.faults.read_only = True
    site.poll()
    process_fetched(site)
    for _look in range(2):  # nobody hammers: the second look is an idle one
        told = one(postroom, "box0/1")
        assert "It is to be deleted on the server, which the server has refused once" in told["summary"]
        assert postroom("mailbox", "show", "box0", "--json").json["health"]["step"] == "act"
        clock.wait(minutes=1)
        site.poll()
    site.server.faults.read_only = False
    clock.wait(minutes=11)
    site.poll()
    assert site.left() == 0
    told = one(postroom, "box0/1")["summary"]
    assert "By the server's word it was deleted on the server, after it had been refused once." in told
    site.deliver(mail())
    clock.wait(minutes=1)
    site.poll()  # its listing is the proof
    assert "It is no longer" not in (told := one(postroom, "box0/1")["summary"])
    assert "It was deleted on the server, after it had been refused once." in told
    assert postroom("mailbox", "show", "box0", "--json").json["health"]["state"] == "active"
    assert len(site.raw()) == 2


@pytest.mark.feature("X04")
@pytest.mark.feature("G07")
def test_a_mail_on_the_problem_list_says_why_and_that_it_is_on_the_server_still(
    connected: Connect, postroom: Command, clock: Clock
) -> None:
    site = connected(move_failed_ews_item=False)
    site.deliver(mail())
    site.server.faults.fetch[1] = FetchFault.NIL
    states = []
    for _ in range(3):
        site.poll()
        told = one(postroom, "box0/1")
        states.append(told["state"])
        assert said(told, "not-fetched")[0].startswith("The last try to fetch it ended with: ")
        clock.wait(hours=1)
    assert states == ["failing", "failing", "on the problem list"]
    assert "on the server still, where it was" in told["summary"]
    assert site.left() == 1
    missing = postroom("why", "<1@example.org>")
    assert missing.status == 3
    assert "`postroom why box0`" in missing.err


@pytest.mark.feature("X04")
def test_a_mail_of_a_mailbox_says_by_its_id_on_the_server_what_became_of_it(
    connected: Connect, postroom: Command
) -> None:
    site = connected(leave_msg_on_server=True)
    site.deliver(mail())
    site.poll()
    assert (one(postroom, "box0/1")["state"], one(postroom, "box0/2")["state"]) == ("stored", "not seen yet")
    assert "marked as read" in one(postroom, "box0/1")["summary"]


@pytest.mark.feature("X04")
def test_a_raw_message_that_waits_to_be_processed_says_so(command: Command) -> None:
    key = command.stack.store_raw(mail())
    told = one(command, key)
    assert told["state"] == f"stored, {len(mail())} bytes, not processed yet"
    assert "sweeper" in told["summary"]


@pytest.mark.feature("X04")
@pytest.mark.feature("G25")
def test_a_wrapped_mail_says_what_could_not_be_read(command: Command) -> None:
    nested = "".join(f'Content-Type: multipart/mixed; boundary="b{n}"\r\n\r\n--b{n}\r\n' for n in range(3000))
    made = command.stack.process(f"From: a@example.org\r\nMessage-ID: <deep@x>\r\n{nested}x\r\n".encode())
    told = one(command, "<deep@x>")
    assert told["id"] == made
    assert "shown wrapped, with the original attached" in said(told, "wrap")[0]


def bounce(message_id: str) -> bytes:
    return (
        "Return-Path: <>\r\nFrom: MAILER-DAEMON@example.org\r\nTo: support@example.com\r\nMessage-ID: <b@example.org>"
        "\r\nSubject: failure notice\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
        "--b\r\nContent-Type: text/plain\r\n\r\nno such user\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"
        "Reporting-MTA: dns; example.org\r\n\r\nFinal-Recipient: rfc822; ann@example.org\r\nAction: failed\r\n"
        "Status: 5.1.1\r\n\r\n--b\r\nContent-Type: text/rfc822-headers\r\n\r\nSubject: We have your mail\r\n"
        f"Message-ID: {message_id}\r\n\r\n--b--\r\n"
    ).encode()


def acknowledged(stack: AwsStack) -> str:
    """Send the acknowledgement of a mail by SES; return its id."""
    stack.process(mail())
    (message,) = stack.queued("OUTBOUND_QUEUE_URL")
    stack.client("ses").verify_email_identity(EmailAddress="support@example.com")
    assert stack.invoke("SendOutbound", sqs_event(message)) == {"batchItemFailures": []}
    outbound_id: str = message["outbound"]
    return outbound_id


@pytest.mark.feature("X04")
@pytest.mark.feature("G29")
def test_a_bounce_and_the_mail_it_is_about_tell_of_each_other(command: Command) -> None:
    outbound_id = acknowledged(command.stack)
    ours = command.stack.outbox.get(outbound_id)
    assert ours is not None
    made = command.stack.process(bounce(ours.message_id or ""))
    told = one(command, "<b@example.org>")
    assert told["summary"] == "It waits in the queue exceptions: InboundNDR goes to the exception queue."
    assert "a delivery failed" in said(told, "kind.report")[0]
    assert said(told, "thread.report") == [
        f"It was put to the mail that it is about: the report is about our mail {outbound_id}."
    ]
    assert said(told, "auto-reply")[0].startswith("No acknowledgement was sent, by report")
    assert [(other["id"], other["how"]) for other in told["related"]] == [(outbound_id, "answers")]
    about = one(command, ours.message_id or "")
    assert about["id"] == outbound_id
    assert about["summary"] == "The next server has taken it, and reports say that it came back."
    assert "5.1.1" in happened(about, "bounced")[0]
    assert made in happened(about, "bounced")[0]


@pytest.mark.feature("X04")
def test_a_mail_of_ours_says_who_wrote_it_how_it_leaves_and_how_far_it_has_come(command: Command) -> None:
    outbound_id = acknowledged(command.stack)
    told = one(command, outbound_id)
    assert [step["rule"] for step in told["decisions"]] == ["auto-reply", "from", "server", "thread-token"]
    assert said(told, "server") == ["It goes out by the server smtp-client: the default server."]
    assert happened(told, "sent")[0].startswith("It was sent by smtp-client")
    signed = command.stack.outbox.get(outbound_id)
    assert signed is not None
    # SES gave it another Message-ID; the one we signed names it all the same.
    assert one(command, f"<pr1.{outbound_id}.{'a' * 16}@example.com>")["id"] == outbound_id
    assert one(command, f"support+pr1.{outbound_id}.{'a' * 16}@example.com")["id"] == outbound_id
    assert told["related"][0]["how"] == "answers"


@pytest.mark.feature("X04")
@pytest.mark.feature("C11")
def test_a_quarantined_attachment_is_told_with_its_rule(command: Command) -> None:
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"], message["Subject"] = "ann@example.org", "support@example.com", "Invoice"
    message["Message-ID"] = "<invoice@example.org>"
    message.set_content("See attached.")
    message.add_attachment(b"MZ\x90\x00", maintype="application", subtype="octet-stream", filename="invoice.pdf.exe")
    command.stack.process(message.as_bytes())
    (sentence,) = said(one(command, "<invoice@example.org>"), "attachment:")
    assert sentence.startswith("An attachment was put into quarantine: invoice.pdf.exe: ")


@pytest.mark.feature("X04")
@pytest.mark.feature("X10")
def test_a_withheld_acknowledgement_says_by_which_guard(command: Command) -> None:
    command.stack.process(mail("Auto-Submitted: auto-replied", message_id="<auto@x>"))
    told = one(command, "<auto@x>")
    assert said(told, "auto-reply")[0].startswith("No acknowledgement was sent, by automatic: ")
    assert said(told, "kind.automatic")[0].startswith("A program wrote it")


@pytest.mark.feature("X04")
@pytest.mark.fault(58)
def test_a_reply_that_was_healed_into_its_thread_says_why_it_was_alone_and_when_it_joined(command: Command) -> None:
    early = mail(PASS, "In-Reply-To: <1@example.org>", message_id="<2@example.org>", body="Me again.")
    command.stack.process(early)
    root = command.stack.process(mail(PASS))
    told = one(command, "<2@example.org>")
    assert said(told, "thread.") == [
        "It began a thread of its own (thread.parent-missing), "
        "new: it answers <1@example.org>, which is not here (yet)."
    ]
    assert happened(told, "thread_healed") == [f"It joined a thread later: what it answers came in later: {root}."]
    assert (told["thread_id"], told["parent_id"]) == (root, root)
    assert [(other["id"], other["how"]) for other in told["related"]] == [(root, "answers")]


@pytest.mark.feature("X04")
@pytest.mark.parametrize("asked", ["<nobody@nowhere.example>", "a" * 26, "raw/2026/11/21/01/support/x", "nobox/17"])
def test_what_is_unknown_says_what_was_looked_for_and_what_to_try(command: Command, asked: str) -> None:
    ran = command("why", asked, "--json")
    assert ran.status == 3
    error = ran.json["error"]
    assert error["on"] == asked
    assert "looked for as the Message-ID" in error["remedy"]
    assert "never opened yet: support, sales" in error["remedy"]
    assert "`postroom mailbox poll NAME`" in error["remedy"]


def test_a_mailbox_that_left_nothing_is_not_told_to_be_unknown(connected: Connect, postroom: Command) -> None:
    site = connected()
    site.deliver(mail())
    site.poll()
    ran = postroom("why", "box0")
    assert ran.status == 3
    assert "No mail that was seen in this mailbox was left unfetched (box0)" in ran.err
    assert "postroom mailbox show box0" in ran.err


def test_what_strangers_write_cannot_control_the_terminal(command: Command) -> None:
    command.stack.process(mail(subject="Broken \x1b[31mlamp", message_id="<x\x1b[31m@example.org>"))
    made = interaction_id(
        "support", hashlib.sha256(mail(subject="Broken \x1b[31mlamp", message_id="<x\x1b[31m@example.org>")).hexdigest()
    )
    ran = command("why", made)
    assert ran.status == 0
    assert "\x1b" not in ran.out


def test_moves_between_threads_are_told_in_words(command: Command) -> None:
    first = command.stack.process(mail(message_id="<1@x>", body="one"))
    other = command.stack.process(mail(message_id="<2@x>", body="two", sender="bob@example.net"))
    assert command("thread", "merge", first, other).status == 0
    (sentence,) = happened(one(command, first), "merged")
    assert sentence.startswith(f"It was moved into the thread {other} from {first}, ")
