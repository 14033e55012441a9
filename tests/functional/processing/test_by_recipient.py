"""One mail, several recipients: what became of it at each is recorded, shown, and decides who gets it again.

The family: what happens to some recipients of a mail, at each step at which a sender can end: refused beside uncertain,
a second transaction that fails, a sender that dies between two contents, a report about one of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from postroom.adapters.clock import utc_now
from postroom.model.outbound import AtRecipient, Outbound, OutboxState
from postroom.services.outbound.settle import mark_sent, resend
from postroom.services.outbound.view import by_recipient, concerns, held_for_person, missed
from postroom_cli.mailservers import SmtpSink

from tests.functional.processing.test_outbound import Queue, answer, event, send
from tests.functional.processing.test_outbound_troubles import send_at
from tests.functional.processing.test_smtp import configure, reply_and_send
from tests.support.aws_stack import AwsStack, sqs_event
from tests.support.mails import mail

ANN, BOB, EVE = "ann@example.org", "bob@example.org", "eve@example.org"
SENT, DEFERRED, FAILED, UNCERTAIN = (
    OutboxState.SENT,
    OutboxState.DEFERRED,
    OutboxState.FAILED,
    OutboxState.UNCERTAIN,
)


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    with SmtpSink({"postroom": "hunter2"}, require_login=True) as server:
        yield server


def states(outbound: Outbound) -> Mapping[str, OutboxState]:
    return {one["address"]: one["state"] for one in by_recipient(outbound)}


def get(stack: AwsStack, outbound_id: str) -> Outbound:
    found = stack.outbox.get(outbound_id)
    assert found is not None
    return found


@pytest.mark.fault(103)
@pytest.mark.fault(102)
@pytest.mark.feature("X09")
def test_resend_asks_for_exactly_those_of_whom_nobody_knows_or_who_were_refused(
    stack: AwsStack, sink: SmtpSink
) -> None:
    configure(stack, sink)
    sink.faults.recipients = {BOB: "451 4.2.1 Later", EVE: "550 5.7.1 Not wanted"}
    sink.faults.replies["dot"] = "354 go on"
    outbound = reply_and_send(stack, cc=(BOB, EVE))
    assert states(outbound) == {ANN: UNCERTAIN, BOB: DEFERRED, EVE: FAILED}
    assert outbound.state is DEFERRED
    assert "nobody knows whether it reached ann@example.org" in outbound.reason
    (warning,) = concerns([outbound])["support"]
    assert "nobody knows whether it reached ann@example.org" in warning.text
    # The one that is put off is tried again by itself; the one of whom nobody knows is not.
    sink.faults.replies.clear()
    del sink.faults.recipients[BOB]
    assert outbound.due is not None
    after = send_at(stack, outbound.id, outbound.due + timedelta(seconds=1))
    assert (after.state, states(after)) == (UNCERTAIN, {ANN: UNCERTAIN, BOB: SENT, EVE: FAILED})
    assert [one.recipients for one in sink.mails] == [(BOB,)]
    sink.faults.recipients.clear()
    assert resend(outbound.id, outbox=stack.outbox, queue=Queue(), clock=utc_now, who="ann") == (ANN, EVE)
    assert (send(stack, outbound.id).state, get(stack, outbound.id).recipients) == (SENT, {})
    assert [one.recipients for one in sink.mails] == [(BOB,), (ANN, EVE)]


@pytest.mark.fault(103)
def test_a_person_marks_only_what_was_uncertain_as_sent(stack: AwsStack, sink: SmtpSink) -> None:
    configure(stack, sink)
    sink.faults.recipients = {EVE: "550 5.7.1 Not wanted"}
    sink.faults.drop.add("dot")
    outbound = reply_and_send(stack, cc=(EVE,))
    assert (outbound.state, states(outbound)) == (UNCERTAIN, {ANN: UNCERTAIN, EVE: FAILED})
    assert mark_sent(outbound.id, outbox=stack.outbox, clock=utc_now, who="ann") is FAILED
    after = get(stack, outbound.id)
    assert states(after) == {ANN: SENT, EVE: FAILED}
    assert missed(after)
    assert outbound.id in set(stack.outbox.unarrived())


@pytest.mark.fault(103)
@pytest.mark.parametrize("code", ["452 4.5.3 Too many recipients", "552 too many recipients", "451 4.5.3 Enough"])
def test_recipients_beyond_what_a_server_takes_at_once_get_it_in_a_second_transaction(
    stack: AwsStack, sink: SmtpSink, code: str
) -> None:
    configure(stack, sink)
    sink.faults.most_recipients, sink.faults.too_many = 2, code
    cc = tuple(f"c{number}@example.org" for number in range(4))
    outbound = reply_and_send(stack, cc=cc)
    assert (outbound.state, outbound.recipients) == (SENT, {})
    assert [one.recipients for one in sink.mails] == [(ANN, cc[0]), cc[1:3], cc[3:]]
    assert len({one.content for one in sink.mails}) == 1


@pytest.mark.fault(103)
def test_what_the_first_transaction_brought_stays_sent_when_the_second_is_lost(stack: AwsStack, sink: SmtpSink) -> None:
    configure(stack, sink)
    sink.faults.most_recipients = 1
    sink.faults.drop_at_mail = 2
    outbound = reply_and_send(stack, cc=(BOB, EVE))
    assert states(outbound) == {ANN: SENT, BOB: UNCERTAIN, EVE: DEFERRED}
    assert [one.recipients for one in sink.mails] == [(ANN,)]


@pytest.mark.fault(71)
@pytest.mark.fault(103)
def test_a_sender_that_dies_with_a_second_content_leaves_only_its_recipients_uncertain(
    stack: AwsStack, sink: SmtpSink
) -> None:
    configure(stack, sink)
    outbound_id = answer(stack, stack.process(mail("Auto-Submitted: auto-generated")), cc=(BOB, EVE)).outbound.id
    before = utc_now() - timedelta(minutes=20)
    stack.outbox.claim(outbound_id, claim="c", message_id="<x@x>", now=before, abandoned_before=before)
    on_wire = {ANN: AtRecipient(SENT), BOB: AtRecipient(OutboxState.DATA), EVE: AtRecipient(DEFERRED)}
    stack.outbox.mark_data(outbound_id, claim="c", now=before, recipients=on_wire)
    assert stack.invoke("Sweep", {})["uncertain"] == 1
    after = get(stack, outbound_id)
    assert (after.state, after.remaining) == (DEFERRED, (EVE,))
    assert states(after) == {ANN: SENT, BOB: UNCERTAIN, EVE: DEFERRED}
    assert send(stack, outbound_id).state is UNCERTAIN
    assert [one.recipients for one in sink.mails] == [(EVE,)]


@pytest.mark.fault(78)
@pytest.mark.fault(103)
def test_a_report_settles_the_recipients_that_it_names(stack: AwsStack, sink: SmtpSink) -> None:
    configure(stack, sink)
    sink.faults.recipients = {EVE: "550 5.7.1 Not wanted"}
    sink.faults.drop.add("dot")
    outbound = reply_and_send(stack, cc=(BOB, EVE))
    assert states(outbound) == {ANN: UNCERTAIN, BOB: UNCERTAIN, EVE: FAILED}
    for number, kind in enumerate(("Delivery", "Delivery")):  # the same twice changes nothing more
        told = event(kind, outbound.id, delivery={"recipients": [BOB]})
        stack.invoke("TrackDelivery", sqs_event({**told, "id": f"e{number}"}))
    after = get(stack, outbound.id)
    assert states(after) == {ANN: UNCERTAIN, BOB: SENT, EVE: FAILED}
    assert {one["address"]: str(one["delivery"]) for one in by_recipient(after)}[BOB] == "delivered"


@pytest.mark.fault(103)
def test_what_was_certain_stays_so_when_an_error_of_ours_ends_the_second_content(
    stack: AwsStack, sink: SmtpSink
) -> None:
    configure(stack, sink)
    sink.faults.most_recipients = 1

    from postroom.adapters.transports.smtp_client import SmtpClient

    content, calls = SmtpClient.content, []

    def failing(self: Any, text: bytes) -> Any:
        calls.append(1)
        if len(calls) == 2:
            raise ZeroDivisionError
        return content(self, text)

    with patch.object(SmtpClient, "content", failing):
        outbound = reply_and_send(stack, cc=(BOB, EVE))
    assert states(outbound) == {ANN: SENT, BOB: UNCERTAIN, EVE: DEFERRED}


@pytest.mark.fault(72)
def test_one_refused_beside_one_put_off_is_no_alarm_before_the_mail_is_finished(
    stack: AwsStack, sink: SmtpSink
) -> None:
    configure(stack, sink)
    sink.faults.recipients = {BOB: "451 4.2.1 Later", EVE: "550 5.7.1 Not wanted"}
    outbound = reply_and_send(stack, cc=(BOB, EVE))
    assert outbound.state is DEFERRED
    assert not held_for_person(outbound)
    assert concerns([outbound]) == {}


@pytest.mark.fault(72)
def test_a_thousand_recipients_that_differ_fit_their_item(stack: AwsStack, sink: SmtpSink) -> None:
    configure(stack, sink, maximum_recipients=1000)
    cc = tuple(f"c{number}@{number}.example.org" for number in range(998))
    sink.faults.recipients = {to: f"550 5.1.1 <{to}>: {'unknown ' * 40}" for to in cc[::2]}
    outbound = reply_and_send(stack, cc=cc)
    assert outbound.state is FAILED
    assert sum(state is FAILED for state in states(outbound).values()) == 499
    assert outbound.revision == 1
