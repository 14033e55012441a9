"""process_inbound: raw message → interaction, through the real handler and DynamoDB's, S3's and SQS's stand-ins."""

from __future__ import annotations

import dataclasses
from typing import Any
from unittest.mock import patch

import pytest
from postroom.adapters.dynamo.interactions import DynamoInteractions
from postroom.adapters.outbox.store import DynamoOutbox
from postroom.model.automatic_reply import Withheld
from postroom.model.interaction import Added, Interaction, Status, Subtype
from postroom.model.messages import stored_event
from postroom.model.outbound import OutboxState

from tests.functional.processing.conftest import CONFIGURATION
from tests.support.aws_stack import AwsStack, sqs_event
from tests.support.mails import mail


def interaction(stack: AwsStack, interaction_id: str) -> Interaction:
    found = stack.interactions.get(interaction_id)
    assert found is not None
    return found


def detail(found: Interaction, rule: str) -> str:
    return " | ".join(f"{one.outcome}: {one.detail}" for one in found.decisions if one.rule == rule)


def test_a_mail_becomes_one_interaction_with_its_words_and_decisions(configured: AwsStack) -> None:
    made = interaction(configured, configured.process(mail()))
    body = configured.interactions.body(made.id)
    assert body is not None
    assert (made.subject, made.subtype, made.status) == ("Where is my parcel?", Subtype.INBOUND_NEW, Status.QUEUED)
    assert made.sender is not None
    assert made.sender.address == "ann@example.org"
    assert body.text.strip() == "I ordered it two weeks ago."
    assert [one.rule for one in made.decisions] == ["kind", "thread.no-reference", "route", "auto-reply"]


@pytest.mark.fault(44)
@pytest.mark.fault(54)
@pytest.mark.feature("X02")
def test_the_same_event_ten_times_makes_one_interaction_and_one_acknowledgement(configured: AwsStack) -> None:
    key = configured.store_raw(mail())
    event = sqs_event(*[stored_event(configured.environment["RAW_BUCKET"], key)] * 10)
    assert configured.invoke("ProcessInbound", event) == {"batchItemFailures": []}
    assert len(list(configured.interactions.list_queue("support"))) == 1
    assert len({message["outbound"] for message in configured.queued("OUTBOUND_QUEUE_URL")}) == 1


@pytest.mark.feature("X02")
@pytest.mark.parametrize("message_id", [None, "<same@example.org>"], ids=["none", "reused"])
def test_a_missing_or_reused_message_id_costs_no_mail(configured: AwsStack, message_id: str | None) -> None:
    bodies = ("first", "second", "third")
    ids = {configured.process(mail(message_id=message_id, body=body)) for body in bodies}
    assert len(ids) == 3
    assert {interaction(configured, one).preview for one in ids} == set(bodies)


WRITES: dict[str, tuple[type, bytes, int]] = {
    "with-an-acknowledgement": (DynamoOutbox, mail(), 1),
    "alone": (DynamoInteractions, mail("Auto-Submitted: auto-generated"), 0),
}


@pytest.mark.fault(46)
@pytest.mark.parametrize(("writer", "content", "acknowledged"), WRITES.values(), ids=WRITES.keys())
def test_two_workers_with_the_same_message_make_one_interaction(
    configured: AwsStack, writer: Any, content: bytes, acknowledged: int
) -> None:
    # The visibility time-out ended while the first was still at work.
    key = configured.store_raw(content)
    event = sqs_event(stored_event(configured.environment["RAW_BUCKET"], key))
    add = writer.add
    answers: list[Any] = []

    def overtaken(*arguments: Any, **named: Any) -> Added | Withheld:
        with patch.object(writer, "add", add):
            answers.append(configured.invoke("ProcessInbound", event))
        written: Added | Withheld = add(*arguments, **named)
        return written

    with patch.object(writer, "add", overtaken):
        answers.append(configured.invoke("ProcessInbound", event))
    assert answers == [{"batchItemFailures": []}] * 2
    assert len(list(configured.interactions.list_queue("support"))) == 1
    assert len(list(configured.interactions.list_outbox(OutboxState.NEW))) == acknowledged


BROKEN: dict[str, tuple[bytes, str]] = {
    "unknown-charset": (b"Content-Type: text/plain; charset=x-nowhere\r\n\r\nGr\xc3\xbc\xc3\x9fe\r\n", "Grüße"),
    "bad-base64": (
        b"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\naGVsbG8\r\n",
        "hello",
    ),
    "wrong-charset": (b"Content-Type: text/plain; charset=us-ascii\r\n\r\ncaf\xe9\r\n", "café"),
    "no-body": (b"Content-Type: text/plain\r\n\r\n", "***WARNING: Could not get IMAP body text."),
}


@pytest.mark.fault(52)
@pytest.mark.parametrize(("content", "text"), BROKEN.values(), ids=BROKEN.keys())
def test_what_a_sender_broke_is_read_as_well_as_it_can_be(configured: AwsStack, content: bytes, text: str) -> None:
    head = b"From: ann@example.org\r\nTo: support@example.com\r\nSubject: x\r\nMIME-Version: 1.0\r\n"
    made = interaction(configured, configured.process(head + content))
    body = configured.interactions.body(made.id)
    assert body is not None
    assert made.wrap_reason is None
    assert body.text.strip() == text


@pytest.mark.fault(45)
def test_the_test_event_of_s3_is_ignored_and_encoded_keys_are_decoded(configured: AwsStack) -> None:
    announcement = {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "raw"}
    assert configured.invoke("ProcessInbound", sqs_event(announcement)) == {"batchItemFailures": []}
    key = configured.store_raw(mail(), mailbox="a+b.é")
    event = stored_event(configured.environment["RAW_BUCKET"], key)
    assert "%C3%A9" in event["Records"][0]["s3"]["object"]["key"]
    assert configured.invoke("ProcessInbound", sqs_event(event)) == {"batchItemFailures": []}


@pytest.mark.fault(47)
@pytest.mark.fault(53)
def test_one_bad_record_of_ten_goes_back_alone(configured: AwsStack) -> None:
    bucket = configured.environment["RAW_BUCKET"]
    keys = [configured.store_raw(mail(body=f"mail {number}")) for number in range(10)]
    configured.client("s3").delete_object(Bucket=bucket, Key=keys[4])
    answer = configured.invoke("ProcessInbound", sqs_event(*[stored_event(bucket, key) for key in keys]))
    assert answer == {"batchItemFailures": [{"itemIdentifier": "4"}]}
    assert len(list(configured.interactions.list_queue("support"))) == 9


ROUTES: list[tuple[str, dict[str, Any], str, str]] = [
    ("support", {}, "support", "endpoint support leads to queue support"),
    ("sales", {}, "general", "no endpoint applies: the default inbound queue"),
    ("sales", {"settings": {"default_endpoint": "support"}}, "support", "endpoint support leads to queue support"),
    ("support", {"endpoints": []}, "general", "no endpoint applies: the default inbound queue"),
    (
        "support",
        {"queues": [{"name": "general"}, {"name": "exceptions"}]},
        "exceptions",
        "queue support does not exist",
    ),
    (
        "support",
        {"queues": [{"name": "support", "active": False}, {"name": "exceptions"}]},
        "exceptions",
        "queue support is not active",
    ),
    ("gone", {}, "general", "no endpoint applies: the default inbound queue"),
]


@pytest.mark.feature("G11")
@pytest.mark.fault(60)
@pytest.mark.parametrize(
    ("mailbox", "changes", "queue", "why"),
    ROUTES,
    ids=["endpoint", "default-queue", "default-endpoint", "unknown-endpoint", "no-queue", "inactive", "no-mailbox"],
)
def test_a_mail_always_finds_a_queue(
    configured: AwsStack, mailbox: str, changes: dict[str, Any], queue: str, why: str
) -> None:
    settings = {**CONFIGURATION["settings"], **changes.get("settings", {})}
    configured.configure(**{**CONFIGURATION, **changes, "settings": settings})
    made = interaction(configured, configured.process(mail(), mailbox=mailbox))
    assert made.queue == queue
    assert why in detail(made, "route")


@pytest.mark.fault(61)
def test_without_any_configuration_a_mail_waits_in_the_default_queue(stack: AwsStack) -> None:
    made = interaction(stack, stack.process(mail()))
    assert (made.queue, made.department) == ("inbound", "default")


@pytest.mark.feature("G25")
@pytest.mark.fault(50)
@pytest.mark.parametrize(
    ("head", "subject", "sender"),
    [
        ("From: Ann <ann@example.org>\r\nSubject: Deep\r\n", "Deep", "ann@example.org"),
        ("From: not an address\r\n", "Unknown subject", "unknown@example.com"),
        ("", "Unknown subject", "unknown@example.com"),
    ],
    ids=["header-readable", "from-invalid", "no-header"],
)
def test_what_cannot_be_parsed_is_wrapped_with_the_original(
    configured: AwsStack, head: str, subject: str, sender: str
) -> None:
    nested = "".join(
        f'Content-Type: multipart/mixed; boundary="b{level}"\r\n\r\n--b{level}\r\n' for level in range(3000)
    )
    raw = (head + nested + "Content-Type: text/plain\r\n\r\nthe end\r\n").encode()
    made = interaction(configured, configured.process(raw))
    body = configured.interactions.body(made.id)
    assert body is not None
    assert made.wrap_reason
    assert (made.subject, made.sender and made.sender.address) == (subject, sender)
    first, *reason, last = body.text.splitlines()
    assert first == "Error encountered during preprocessing of this message"
    assert reason == [made.wrap_reason]
    assert last == "Original Incoming Email is attached to this Email."
    assert made.attributes["_WrappingMessageReason"] == made.wrap_reason
    (original,) = made.attachments
    assert (original.content_type, original.size, original.key) == ("message/rfc822", len(raw), made.raw_key)


@pytest.mark.feature("G26")
def test_the_names_of_attached_files_are_an_attribute(configured: AwsStack) -> None:
    made = interaction(configured, configured.process(with_files([("report.pdf", b"%PDF-1.4"), ("notes.txt", b"hi")])))
    assert made.attributes["_AttachmentFileNames"] == "report.pdf; notes.txt"


@pytest.mark.feature("S05")
def test_small_files_lie_in_the_record_and_large_ones_under_their_hash_and_day(configured: AwsStack) -> None:
    large = b"%PDF-1.4" + bytes(20_000)
    raw = with_files([("small.txt", b"hi"), ("large.pdf", large)])
    made = interaction(configured, configured.process(raw))
    small, big = made.attachments
    assert small.inline_data == b"hi"
    assert big.inline_data is None
    assert big.key is not None
    assert big.key == f"attachments/{made.created:%Y/%m/%d}/{big.sha256}"
    assert configured.contents.get(big.key) == large


def test_an_empty_attachment_is_an_attachment(configured: AwsStack) -> None:
    made = interaction(configured, configured.process(with_files([("empty.txt", b"")])))
    assert [(one.name, one.size) for one in made.attachments] == [("empty.txt", 0)]


@pytest.mark.fault(56)
def test_a_body_too_large_for_an_item_goes_to_the_bucket(configured: AwsStack) -> None:
    words = " ".join(f"word{number * 7919 % 100_003}" for number in range(60_000))
    made = interaction(configured, configured.process(mail(body=words)))
    body = configured.interactions.body(made.id)
    assert body is not None
    assert body.text.split() == words.split()


def with_files(files: list[tuple[str, bytes]]) -> bytes:
    from email.message import EmailMessage
    from email.policy import SMTP

    message = EmailMessage(policy=SMTP)
    message["From"], message["To"], message["Subject"] = "ann@example.org", "support@example.com", "Papers"
    message["Message-ID"] = "<papers@example.org>"
    message.set_content("See attached.")
    for name, content in files:
        message.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    return message.as_bytes()


ODD: dict[str, bytes] = {
    "empty": b"",
    "no-message-id": mail(message_id=None),
    "no-from": b"Subject: x\r\n\r\nhello\r\n",
    "eight-bit-headers": b"From: J\xfcrgen <j@example.org>\r\nSubject: Gr\xfc\xdfe\r\n\r\nhello\r\n",
    "nested-comment": b"From: " + b"(" * 512 + b"x" + b")" * 512 + b" ann@example.org\r\nSubject: x\r\n\r\nhello\r\n",
    "headers-only": b"From: ann@example.org\r\nSubject: x",
    "nulls": b"From: ann@example.org\r\nSubject: a\x00b\r\n\r\n\x00\x00\r\n",
}


@pytest.mark.parametrize("raw", ODD.values(), ids=ODD.keys())
def test_odd_mail_is_an_interaction_and_the_next_one_is_processed(configured: AwsStack, raw: bytes) -> None:
    odd = interaction(configured, configured.process(raw))
    assert odd.wrap_reason is None
    assert interaction(configured, configured.process(mail())).wrap_reason is None


def test_an_interaction_reads_back_as_it_was_written(configured: AwsStack) -> None:
    made = interaction(configured, configured.process(with_files([("a.txt", b"hi")])))
    again = interaction(configured, made.id)
    assert dataclasses.asdict(again) == dataclasses.asdict(made)
