"""Acknowledgements and the guards that hold them back: the mail itself is never held back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from postroom.model.outbound import OutboxState

from tests.functional.processing.conftest import CONFIGURATION
from tests.support.aws_stack import AwsStack
from tests.support.mails import mail


def acknowledgement(stack: AwsStack, interaction_id: str) -> str:
    found = stack.interactions.get(interaction_id)
    assert found is not None
    return next(f"{one.outcome}: {one.detail}" for one in found.decisions if one.rule == "auto-reply")


def queued(stack: AwsStack) -> list[str]:
    return [message["outbound"] for message in stack.queued("OUTBOUND_QUEUE_URL")]


def test_a_mail_of_a_person_is_acknowledged_by_the_template(configured: AwsStack) -> None:
    interaction_id = configured.process(mail())
    (outbound_id,) = queued(configured)
    outbound = configured.outbox.get(outbound_id)
    assert outbound is not None
    assert (outbound.to, outbound.from_address) == (("ann@example.org",), "support@example.com")
    assert outbound.text.strip() == f"Your number is {interaction_id}."
    assert (outbound.state, outbound.automatic, outbound.answers) == (OutboxState.NEW, True, interaction_id)


GUARDED: dict[str, tuple[bytes, str]] = {
    "auto-submitted": (mail("Auto-Submitted: auto-generated"), "automatic"),
    "precedence": (mail("Precedence: bulk"), "list"),
    "list": (mail("List-Id: <l.example.org>"), "list"),
    "null-return-path": (mail(return_path="<>"), "null-return-path"),
    "missing-return-path": (mail(return_path=None), "missing-return-path"),
    "own-address": (mail(sender="sales@example.com"), "own-address"),
    "no-reply": (mail(sender="no-reply@example.org"), "no-reply"),
    "dmarc": (mail("Authentication-Results: mx.example.com; dmarc=fail header.from=example.org"), "dmarc"),
    "no-sender": (mail(sender="nobody in particular"), "no-sender"),
    "two-from-fields": (mail("From: eve@evil.example"), "no-sender"),
    "two-addresses": (mail(sender="<ann@example.org> <eve@evil.example>"), "no-sender"),
    "a-list-of-two": (mail(sender="ann@example.org, eve@evil.example"), "no-sender"),
    "a-group": (mail(sender="Friends: ann@example.org;"), "no-sender"),
    "nul-between": (mail(sender="ann@example.org\0eve@evil.example"), "no-sender"),
    "a-help-desk": (mail("X-Zendesk-From-Account-Id: 1"), "list"),
}


@pytest.mark.fault(62)
@pytest.mark.fault(64)
@pytest.mark.parametrize(("raw", "guard"), GUARDED.values(), ids=GUARDED.keys())
def test_no_acknowledgement_where_it_could_do_harm(configured: AwsStack, raw: bytes, guard: str) -> None:
    interaction_id = configured.process(raw)
    assert acknowledgement(configured, interaction_id).startswith(f"suppressed: {guard}:")
    assert queued(configured) == []


@pytest.mark.fault(62)
def test_a_bounce_is_not_acknowledged(configured: AwsStack) -> None:
    bounce = (
        b"Return-Path: <mailer@example.org>\r\nFrom: MAILER-DAEMON@example.org\r\nTo: support@example.com\r\n"
        b"Subject: failure notice\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
        b"--b\r\nContent-Type: text/plain\r\n\r\nno such user\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"
        b"Reporting-MTA: dns; example.org\r\n\r\nFinal-Recipient: rfc822; x@example.org\r\nAction: failed\r\n"
        b"Status: 5.1.1\r\n\r\n--b--\r\n"
    )
    assert acknowledgement(configured, configured.process(bounce)).startswith("suppressed: ")


@pytest.mark.feature("X13")
@pytest.mark.fault(84)
@pytest.mark.parametrize("metadata", [{"old": "true"}, {"server-date": "age"}], ids=["first-connection", "age"])
def test_old_mail_is_taken_in_and_gets_no_acknowledgement(configured: AwsStack, metadata: dict[str, str]) -> None:
    ten_days_ago = (datetime.now(UTC) - timedelta(days=10)).isoformat()
    given = {name: ten_days_ago if value == "age" else value for name, value in metadata.items()}
    interaction_id = configured.process(mail(), metadata=given)
    assert acknowledgement(configured, interaction_id).startswith("suppressed: ")
    assert len(list(configured.interactions.list_queue("support"))) == 1


@pytest.mark.fault(84)
@pytest.mark.parametrize(("days", "decision"), [(10, "suppressed: "), (0, "queued: ")], ids=["old", "new"])
def test_a_mail_whose_server_tells_no_dates_is_as_old_as_it_says(
    configured: AwsStack, days: int, decision: str
) -> None:
    written = format_datetime(datetime.now(UTC) - timedelta(days=days))
    raw = mail().replace(b"Fri, 20 Nov 2026 10:00:00 +0000", written.encode())
    assert acknowledgement(configured, configured.process(raw, metadata={"server-date": ""})).startswith(decision)


@pytest.mark.feature("X10")
@pytest.mark.fault(63)
def test_a_peer_that_strips_every_header_gets_one_acknowledgement_a_day(configured: AwsStack) -> None:
    ids = [configured.process(mail(message_id=None, body=f"thank you for your mail {n}")) for n in range(6)]
    decisions = [acknowledgement(configured, one) for one in ids]
    assert decisions[0].startswith("queued: ")
    assert all(one.startswith("suppressed: cap: per_sender_a_day is 1, and the sender had") for one in decisions[1:])
    assert not any("per_thread" in one or "per_hour" in one for one in decisions)
    assert len(queued(configured)) == 1
    assert len(list(configured.interactions.list_queue("support"))) == 6


@pytest.mark.feature("X10")
def test_the_cap_of_a_thread_and_of_the_installation_hold_too(configured: AwsStack) -> None:
    settings = {**CONFIGURATION["settings"], "auto_reply": {"per_sender_a_day": 100, "per_hour": 2}}
    configured.configure(**{**CONFIGURATION, "settings": settings})
    ids = [configured.process(mail(sender=f"p{n}@example.org", message_id=f"<{n}@x>")) for n in range(4)]
    assert [acknowledgement(configured, one).partition(":")[0] for one in ids] == ["queued"] * 2 + ["suppressed"] * 2
    assert acknowledgement(configured, ids[2]).startswith("suppressed: cap: per_hour is 2, and the installation")


@pytest.mark.fault(65)
def test_processing_again_writes_no_second_acknowledgement(configured: AwsStack) -> None:
    interaction_id = configured.process(mail())
    first = queued(configured)
    # The interaction is gone (a restore), its acknowledgement is not: the mail must come back, the answer must not.
    configured.client("dynamodb").delete_item(
        TableName=configured.table, Key={"pk": {"S": f"I#{interaction_id}"}, "sk": {"S": "0"}}
    )
    assert configured.process(mail()) == interaction_id
    assert len(first) == 1
    assert acknowledgement(configured, interaction_id) == "suppressed: repeated: this mail was acknowledged before"
    assert queued(configured) == []


def test_the_subject_of_an_unverified_sender_is_not_echoed(configured: AwsStack) -> None:
    configured.process(mail(subject="Buy pills"))
    passed = "Authentication-Results: mx.example.com; dmarc=pass header.from=example.net"
    configured.process(mail(passed, sender="bob@example.net", subject="My order"))
    texts = [outbound.text for outbound in map(configured.outbox.get, queued(configured)) if outbound]
    assert not any("pills" in text for text in texts)
    assert any("My order" in text for text in texts)


PASSED = "Authentication-Results: mx.example.com; dmarc=pass header.from=example.org"


@pytest.mark.parametrize(
    ("raw", "echoed"),
    [
        pytest.param(mail(PASSED), True, id="verified"),
        pytest.param(mail(), False, id="nobody checked"),
        pytest.param(mail(PASSED, sender="Ann <ann@other.example>"), False, id="another domain passed"),
    ],
)
def test_a_subject_is_echoed_to_a_verified_sender_alone(configured: AwsStack, raw: bytes, echoed: bool) -> None:
    configured.process(raw)
    (outbound_id,) = queued(configured)
    outbound = configured.outbox.get(outbound_id)
    assert outbound is not None
    assert ("Where is my parcel?" in outbound.text) is echoed
