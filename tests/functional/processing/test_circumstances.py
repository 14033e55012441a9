"""What is known beside a mail's bytes: over-size mail, copies for recipients, two mailboxes, the wrong order."""

from __future__ import annotations

import pytest
from postroom.model.interaction import Subtype

from tests.functional.processing.conftest import CONFIGURATION
from tests.support.aws_stack import AwsStack
from tests.support.mails import mail

PASS = "Authentication-Results: mx.example.com; dmarc=pass header.from=example.org"


@pytest.mark.feature("S03")
@pytest.mark.fault(27)
def test_over_size_mail_is_an_interaction_of_its_headers_that_says_so(configured: AwsStack) -> None:
    head = mail(subject="A very long film").partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    made = configured.interactions.get(
        configured.process(head, metadata={"oversize": "true", "size": "31457280", "uid": "42"})
    )
    assert made is not None
    body = configured.interactions.body(made.id)
    assert body is not None
    assert body.text == "*** ERROR: Mail was too big, body and attachments dropped ***"
    assert (made.subject, made.attributes["OverSize"], made.attributes["ServerId"]) == (
        "A very long film",
        "31457280",
        "42",
    )
    assert "maximum_msg_size is 25 MB" in made.attributes["OverSizeReason"]


@pytest.mark.feature("S04")
def test_a_mail_without_text_shows_the_configured_replacement(configured: AwsStack) -> None:
    settings = {**CONFIGURATION["settings"], "texts": {"no_body": "(nothing was written)"}}
    configured.configure(**{**CONFIGURATION, "settings": settings})
    body = configured.interactions.body(configured.process(mail(body="")))
    assert body is not None
    assert body.text == "(nothing was written)"


@pytest.mark.feature("G05")
def test_a_mailbox_that_copies_makes_one_interaction_a_recipient_up_to_its_limit(configured: AwsStack) -> None:
    support = {**CONFIGURATION["mailboxes"][0], "copy_message_to_recipients": True, "inbound_msg_copy_limit": 3}
    configured.configure(**{**CONFIGURATION, "mailboxes": [support]})
    to = "a@example.com, B@example.com, b@example.com, support@example.com"
    raw = mail("Cc: c@example.com", to=to)
    configured.process(raw)
    configured.process(raw)
    made = [configured.interactions.get(row["id"]) for row in configured.interactions.list_queue("support")]
    assert {one.attributes["X-Genesys-To"] for one in made if one} == {
        "a@example.com",
        "b@example.com",
        "support@example.com",
    }
    assert len({one.sha256 for one in made if one}) == 1
    assert len({message["outbound"] for message in configured.queued("OUTBOUND_QUEUE_URL")}) == 1


@pytest.mark.feature("X02")
def test_the_same_mail_in_two_mailboxes_is_two_interactions_that_know_each_other(configured: AwsStack) -> None:
    raw = mail()
    first, second = configured.process(raw), configured.process(raw, mailbox="sales")
    hits = configured.interactions.by_message_ids(["<1@example.org>"])
    assert first != second
    assert {hit.interaction_id for hit in hits} == {first, second}


@pytest.mark.fault(58)
@pytest.mark.parametrize("proven", [True, False], ids=["proven", "unproven"])
def test_a_reply_that_came_before_its_parent_is_healed_when_its_sender_is_proven(
    configured: AwsStack, proven: bool
) -> None:
    headers = [PASS] if proven else []
    reply = configured.process(mail(*headers, "In-Reply-To: <1@example.org>", message_id="<2@example.org>"))
    root = configured.process(mail(message_id="<1@example.org>"))
    made = configured.interactions.get(reply)
    assert made is not None
    if proven:
        assert (made.thread_id, made.parent_id, made.subtype) == (root, root, Subtype.INBOUND_CUSTOMER_REPLY)
        assert configured.interactions.thread(root) == [root, reply]
        assert [event.what for event in configured.interactions.history(reply)] == ["thread_healed"]
    else:
        assert made.thread_id == reply
