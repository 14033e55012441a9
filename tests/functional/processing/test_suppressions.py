"""Nothing more goes to an address that is dead or whose owner complained, and why is shown with each mail withheld.

The family: what tells of one recipient: events of SES, refusals by SMTP, reports that come as mail; and what says
nothing of an address: a full mailbox, a policy, a report about somebody the mail never went to.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from postroom.adapters.clock import utc_now
from postroom.adapters.outbox.suppressions import DynamoSuppressions
from postroom.model.outbound import Outbound, OutboxState, Suppression, SuppressionReason
from postroom.services.outbound.dead_addresses import BOUNCE_LASTS
from postroom.services.outbound.settle import resend
from postroom_cli.mailservers import SmtpSink

from tests.functional.processing.test_outbound import BOUNCE, Queue, answer, event, replied, send, verified
from tests.functional.processing.test_smtp import configure, reply_and_send
from tests.support.aws_stack import AwsStack, sqs_event
from tests.support.mails import mail

__all__ = ["verified"]

ANN, BOB = "ann@example.org", "bob@example.org"


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    with SmtpSink({"postroom": "hunter2"}, require_login=True) as server:
        yield server


def suppressions(stack: AwsStack) -> DynamoSuppressions:
    return DynamoSuppressions(stack.client("dynamodb"), stack.table)


def suppressed(stack: AwsStack) -> dict[str, SuppressionReason]:
    return {one.address: one.reason for one in suppressions(stack).all(now=utc_now())}


def with_bounce(kind: str, subtype: str, **more: Any) -> dict[str, Any]:
    return {"bounce": {**BOUNCE["bounce"], "bounceType": kind, "bounceSubType": subtype, **more}}


EVENTS: dict[str, tuple[str, dict[str, Any], dict[str, SuppressionReason]]] = {
    "permanent": ("Bounce", with_bounce("Permanent", "General"), {ANN: SuppressionReason.BOUNCED}),
    "no such address": ("Bounce", with_bounce("Permanent", "NoEmail"), {ANN: SuppressionReason.BOUNCED}),
    "transient": ("Bounce", with_bounce("Transient", "MailboxFull"), {}),
    "too large": ("Bounce", with_bounce("Permanent", "MessageTooLarge"), {}),
    "undetermined": ("Bounce", with_bounce("Undetermined", "Undetermined"), {}),
    "of somebody else": (
        "Bounce",
        with_bounce("Permanent", "General", bouncedRecipients=[{"emailAddress": "ceo@example.com"}]),
        {},
    ),
    "complaint": (
        "Complaint",
        {
            "complaint": {
                "complainedRecipients": [{"emailAddress": "Ann@EXAMPLE.org"}],
                "complaintFeedbackType": "abuse",
            }
        },
        {ANN: SuppressionReason.COMPLAINED},
    ),
    "taken out of junk": (
        "Complaint",
        {"complaint": {"complainedRecipients": [{"emailAddress": ANN}], "complaintFeedbackType": "not-spam"}},
        {},
    ),
    "delivery": ("Delivery", {"delivery": {"recipients": [ANN]}}, {}),
}


@pytest.mark.fault(80)
@pytest.mark.parametrize(("kind", "detail", "expected"), EVENTS.values(), ids=EVENTS.keys())
def test_an_event_of_ses_suppresses_whom_it_says_is_dead_or_complains(
    verified: AwsStack, kind: str, detail: dict[str, Any], expected: dict[str, SuppressionReason]
) -> None:
    outbound_id = send(verified, replied(verified)).id
    for number in range(2):
        assert verified.invoke("TrackDelivery", sqs_event(event(kind, outbound_id, f"e{number}", **detail)))
    assert suppressed(verified) == expected


@pytest.mark.fault(80)
@pytest.mark.parametrize(
    ("said", "dead"),
    [
        ("550 5.1.1 <x>: Recipient address rejected: User unknown", True),
        ("550 No such user here", True),
        ("552 5.2.2 Mailbox full", False),
        ("550 5.7.1 Rejected by policy", False),
        ("554 5.7.1 <x>: Relay access denied", False),
        ("450 4.1.1 User unknown", False),
    ],
)
def test_a_refusal_of_a_dead_address_suppresses_it_and_no_other_refusal_does(
    stack: AwsStack, sink: SmtpSink, said: str, dead: bool
) -> None:
    configure(stack, sink)
    sink.faults.recipients = {BOB: said}
    reply_and_send(stack, cc=(BOB,))
    assert suppressed(stack) == ({BOB: SuppressionReason.BOUNCED} if dead else {})


def again(stack: AwsStack, **wanted: Any) -> Outbound:
    interaction_id = stack.process(mail("Auto-Submitted: auto-generated", message_id="<later@example.org>"))
    return send(stack, answer(stack, interaction_id, **wanted).outbound.id)


@pytest.mark.fault(80)
@pytest.mark.parametrize("others", [(), (BOB,)], ids=["alone", "beside another"])
def test_a_suppressed_recipient_gets_nothing_is_shown_with_the_reason_and_gets_it_once_it_is_let_go(
    stack: AwsStack, sink: SmtpSink, others: tuple[str, ...]
) -> None:
    configure(stack, sink)
    store = suppressions(stack)
    assert store.add(Suppression("ANN@example.org", SuppressionReason.COMPLAINED, utc_now(), "mail 1"))
    withheld = again(stack, cc=others)
    assert withheld.state is OutboxState.FAILED
    assert "its owner complained" in withheld.reason
    assert "postroom suppression remove ann@example.org" in withheld.reason
    assert [one.recipients for one in sink.mails] == ([others] if others else [])
    assert store.remove(ANN)
    resend(withheld.id, outbox=stack.outbox, queue=Queue(), clock=utc_now, who="eve")
    assert send(stack, withheld.id).state is OutboxState.SENT
    assert sink.mails[-1].recipients == (ANN,)


@pytest.mark.fault(80)
def test_what_is_withheld_stays_so_when_the_rest_is_uncertain(stack: AwsStack, sink: SmtpSink) -> None:
    configure(stack, sink)
    suppressions(stack).add(Suppression(ANN, SuppressionReason.BY_HAND, utc_now(), "eve"))
    sink.faults.drop.add("dot")
    outbound = again(stack, cc=(BOB,))
    assert {to: one.state for to, one in outbound.recipients.items()} == {
        ANN: OutboxState.FAILED,
        BOB: OutboxState.UNCERTAIN,
    }


def test_a_longer_suppression_is_not_shortened_and_one_that_ended_holds_no_mail(
    stack: AwsStack, sink: SmtpSink
) -> None:
    store, now = suppressions(stack), utc_now()
    bounced = Suppression(ANN, SuppressionReason.BOUNCED, now, "mail 1", expires=now + BOUNCE_LASTS)
    assert store.add(bounced)
    assert not store.add(bounced)
    assert store.add(Suppression(ANN, SuppressionReason.COMPLAINED, now, "mail 2"))
    assert not store.add(bounced)
    assert suppressed(stack) == {ANN: SuppressionReason.COMPLAINED}
    assert store.remove(ANN)
    assert not store.remove(ANN)
    store.add(Suppression(ANN, SuppressionReason.BOUNCED, now, "mail 1", expires=now - timedelta(minutes=1)))
    assert suppressed(stack) == {}
    configure(stack, sink)
    assert again(stack).state is OutboxState.SENT
