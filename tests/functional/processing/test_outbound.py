"""The outbox through the real send_outbound and track_delivery handlers, by SES and by SMTP."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError, ConnectTimeoutError, ReadTimeoutError
from postroom import bootstrap
from postroom.adapters.clock import utc_now
from postroom.adapters.dynamo import items
from postroom.errors import Conflict, Invalid, LeaseLost
from postroom.model.interaction import Status
from postroom.model.outbound import Delivery, Outbound, OutboxState
from postroom.services.outbound.waiting import wait_after
from postroom.services.outbound.write_reply import Replied, Reply, reply

from tests.functional.processing.conftest import CONFIGURATION
from tests.support.aws_stack import AwsStack, sqs_event
from tests.support.mails import mail

Change = dict[str, Any]

# botocore's one door for every request; there is no public hook that can also count and replace an answer.
CALL: Any = vars(BaseClient)["_make_api_call"]


@pytest.fixture
def verified(configured: AwsStack) -> AwsStack:
    """The stack with an identity that SES sends for."""
    configured.client("ses").verify_email_identity(EmailAddress="support@example.com")
    return configured


class Queue:
    def __init__(self) -> None:
        self.sent: list[Any] = []

    def send(self, message: Any, *, delay: int = 0) -> None:
        self.sent.append(message)


def answer(stack: AwsStack, interaction_id: str, **wanted: Any) -> Replied:
    given = Reply(**{"text": "It is on its way.", "idempotency_key": "k1", "agent": "agent-7", **wanted})
    return reply(
        interaction_id,
        given,
        interactions=stack.interactions,
        outbox=stack.outbox,
        configurations=stack.configurations,
        outbound_queue=Queue(),
        clock=utc_now,
    )


def replied(stack: AwsStack) -> str:
    """A mail and an agent's reply to it, in the outbox; returns the outbound id."""
    interaction_id = stack.process(mail("Auto-Submitted: auto-generated"))
    return answer(stack, interaction_id).outbound.id


def send(stack: AwsStack, outbound_id: str) -> Outbound:
    assert stack.invoke("SendOutbound", sqs_event({"v": 1, "outbound": outbound_id})) == {"batchItemFailures": []}
    outbound = stack.outbox.get(outbound_id)
    assert outbound is not None
    return outbound


@pytest.mark.fault(66)
def test_a_reply_is_written_once_however_often_the_button_is_pressed(verified: AwsStack) -> None:
    interaction_id = verified.process(mail())
    first, again = answer(verified, interaction_id), answer(verified, interaction_id)
    assert (first.created, again.created) == (True, False)
    assert first.outbound.id == again.outbound.id
    other = answer(verified, interaction_id, idempotency_key="k2", text="One more thing.")
    assert other.created
    interaction = verified.interactions.get(interaction_id)
    assert interaction is not None
    assert interaction.status is Status.DONE
    with pytest.raises(Conflict, match="idempotency key"):
        answer(verified, interaction_id, text="Another text under the old key.")


@pytest.mark.parametrize(
    "since",
    [
        {"masking_patterns": [{"name": "number", "pattern": r"\d{6}"}]},
        {"aliases": [{"name": "support", "address": "support@example.com", "send_mail_to": "sink@example.com"}]},
    ],
    ids=["another pattern", "other recipients"],
)
def test_a_reply_repeated_after_a_change_of_the_configuration_is_the_same_reply(
    verified: AwsStack, since: Change
) -> None:
    interaction_id = verified.process(mail())
    first = answer(verified, interaction_id, text="Your number is 123456.")
    verified.configure(**{**CONFIGURATION, **since})
    again = answer(verified, interaction_id, text="Your number is 123456.")
    assert (again.created, again.outbound) == (False, first.outbound)


@pytest.mark.parametrize(
    "other",
    [{"html": "<p>Other.</p>"}, {"cc": ("bob@example.org",)}, {"bcc": ("bob@example.org",)}, {"subject": "Other"}],
    ids=["html", "cc", "bcc", "subject"],
)
def test_another_reply_under_an_old_key_is_refused_and_not_taken_for_sent(verified: AwsStack, other: Change) -> None:
    interaction_id = verified.process(mail())
    answer(verified, interaction_id)
    with pytest.raises(Conflict, match="idempotency key"):
        answer(verified, interaction_id, **other)


def test_a_reply_that_was_stored_without_its_mark_is_compared_by_text_and_recipients(verified: AwsStack) -> None:
    interaction_id = verified.process(mail())
    outbound = answer(verified, interaction_id).outbound
    unmarked = replace(outbound, attributes={"agent": "agent-7"})
    verified.client("dynamodb").put_item(TableName=verified.table, Item=items.outbound_item(unmarked))
    assert not answer(verified, interaction_id).created
    with pytest.raises(Conflict, match="idempotency key"):
        answer(verified, interaction_id, text="Another text under the old key.")


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"text": " "}, "text"),
        ({"to": ("not an address",)}, "to"),
        ({"cc": ("a@b.example, c@d.example",)}, "cc"),
        ({"idempotency_key": ""}, "idempotency_key"),
    ],
    ids=["text", "to", "cc", "key"],
)
def test_a_reply_that_cannot_be_sent_names_the_field_and_writes_nothing(
    verified: AwsStack, wanted: Change, field: str
) -> None:
    interaction_id = verified.process(mail())
    with pytest.raises(Invalid) as refused:
        answer(verified, interaction_id, **wanted)
    assert [problem.path for problem in refused.value.problems] == [field]
    assert verified.interactions.get(interaction_id).status is Status.QUEUED  # type: ignore[union-attr]


def test_a_reply_leaves_by_ses_with_the_headers_that_keep_the_thread(verified: AwsStack) -> None:
    sent: list[Change] = []
    original = CALL

    def recording(client: Any, operation: str, arguments: Change) -> Any:
        if operation == "SendEmail":
            sent.append(arguments)
        return original(client, operation, arguments)

    with patch("botocore.client.BaseClient._make_api_call", recording):
        outbound = send(verified, replied(verified))
    assert outbound.state is OutboxState.SENT
    (arguments,) = sent
    content = arguments["Content"]["Raw"]["Data"].decode()
    assert arguments["EmailTags"] == [{"Name": "postroom-outbound", "Value": outbound.id}]
    assert "In-Reply-To: <1@example.org>" in content
    assert "Subject: Re: Where is my parcel?" in content
    assert f"pr1.{outbound.id}." in content
    assert "Auto-Submitted" not in content
    assert "\n" not in content.replace("\r\n", "")


@pytest.mark.fault(67)
def test_the_same_request_many_times_and_at_once_sends_once(verified: AwsStack) -> None:
    outbound_id = replied(verified)
    requests = 0
    original = CALL

    def overtaken(client: Any, operation: str, arguments: Change) -> Any:
        nonlocal requests
        if operation == "SendEmail":
            requests += 1
            if requests == 1:
                send(verified, outbound_id)  # another sender, while this one is at work
        return original(client, operation, arguments)

    with patch("botocore.client.BaseClient._make_api_call", overtaken):
        for _ in range(3):
            send(verified, outbound_id)
    assert requests == 1


def _client_error(code: str, status: int, said: str = "no") -> ClientError:
    return ClientError(
        {"Error": {"Code": code, "Message": said}, "ResponseMetadata": {"HTTPStatusCode": status}},  # type: ignore[typeddict-item]  # the rest of the metadata
        "SendEmail",
    )


def _unverified(identity: str) -> ClientError:
    said = "Email address is not verified. The following identities failed the check in region US-EAST-1: "
    return _client_error("MessageRejected", 400, f"{said}{identity}")


SES_FAULTS: list[tuple[str, Exception, OutboxState]] = [
    ("throttled", _client_error("TooManyRequestsException", 429), OutboxState.DEFERRED),
    ("paused", _client_error("SendingPausedException", 400), OutboxState.DEFERRED),
    ("suspended", _client_error("AccountSuspendedException", 400), OutboxState.DEFERRED),
    ("rejected", _client_error("MessageRejected", 400), OutboxState.FAILED),
    ("not-verified", _client_error("MailFromDomainNotVerifiedException", 400), OutboxState.DEFERRED),
    ("sender-not-verified", _unverified("support@example.com"), OutboxState.DEFERRED),
    ("recipient-not-verified", _unverified("technical.support@example.com"), OutboxState.DEFERRED),
    ("500", _client_error("InternalFailure", 500), OutboxState.UNCERTAIN),
    ("no-connection", ConnectTimeoutError(endpoint_url="https://ses"), OutboxState.DEFERRED),
    ("lost-answer", ReadTimeoutError(endpoint_url="https://ses"), OutboxState.UNCERTAIN),
]


@pytest.mark.fault(73)
@pytest.mark.feature("X09")
@pytest.mark.parametrize(("_id", "fault", "state"), SES_FAULTS, ids=[row[0] for row in SES_FAULTS])
def test_ses_is_asked_once_and_what_it_says_decides_the_state(
    verified: AwsStack, _id: str, fault: Exception, state: OutboxState
) -> None:
    outbound_id = replied(verified)
    requests = 0
    original = CALL

    def failing(client: Any, operation: str, arguments: Change) -> Any:
        nonlocal requests
        if operation == "SendEmail":
            requests += 1
            raise fault
        return original(client, operation, arguments)

    with patch("botocore.client.BaseClient._make_api_call", failing):
        outbound = send(verified, outbound_id)
        assert outbound.state is state
        assert outbound.reason
        send(verified, outbound_id)  # not due, or finished: nothing leaves
    assert requests == 1
    last = verified.outbox.history(outbound_id)[-1].what
    assert last == ("rate" if _id == "throttled" else state.value.lower())


@pytest.mark.fault(68)
def test_a_sender_that_died_before_the_content_is_followed_by_another(verified: AwsStack) -> None:
    outbound_id = replied(verified)
    long_ago = utc_now() - timedelta(minutes=20)
    verified.outbox.claim(
        outbound_id, claim="dead", message_id="<x@example.com>", now=long_ago, abandoned_before=long_ago
    )
    assert verified.invoke("Sweep", {})["sends_queued_again"] == 1
    (message,) = verified.queued("OUTBOUND_QUEUE_URL")
    assert send(verified, message["outbound"]).state is OutboxState.SENT
    with pytest.raises(LeaseLost):
        verified.outbox.mark_data(outbound_id, claim="dead", now=utc_now())


@pytest.mark.fault(71)
@pytest.mark.feature("X09")
def test_a_sender_that_died_with_the_content_on_the_wire_leaves_it_uncertain(verified: AwsStack) -> None:
    outbound_id = replied(verified)
    long_ago = utc_now() - timedelta(minutes=20)
    verified.outbox.claim(
        outbound_id, claim="dead", message_id="<x@example.com>", now=long_ago, abandoned_before=long_ago
    )
    verified.outbox.mark_data(outbound_id, claim="dead", now=long_ago)
    assert verified.invoke("Sweep", {})["uncertain"] == 1
    outbound = send(verified, outbound_id)
    assert outbound.state is OutboxState.UNCERTAIN
    assert verified.queued("OUTBOUND_QUEUE_URL") == []


@pytest.mark.fault(75)
def test_a_mail_put_off_again_and_again_is_given_up_after_five_days(verified: AwsStack) -> None:
    outbound_id = replied(verified)
    original = CALL

    def turned_away(client: Any, operation: str, arguments: Change) -> Any:
        if operation == "SendEmail":
            raise _client_error("RequestExpired", 403)
        return original(client, operation, arguments)

    moment = utc_now()
    states = []
    with patch("botocore.client.BaseClient._make_api_call", turned_away):
        while moment < utc_now() + timedelta(days=6):
            with patch("postroom.bootstrap.clients.utc_now", lambda moment=moment: moment):
                bootstrap.forget()
                outbound = send(verified, outbound_id)
            states.append(outbound.state)
            if outbound.state is OutboxState.FAILED:
                break
            moment += max(wait_after(outbound.tries), timedelta(minutes=5))
    assert states[-1] is OutboxState.FAILED
    assert set(states[:-1]) == {OutboxState.DEFERRED}
    assert "given up after 5 days" in outbound.reason
    assert 30 < len(states) < 60


@pytest.mark.feature("S08")
@pytest.mark.parametrize(
    ("server", "text", "limit"),
    [
        ({"maximum_recipients": 1}, "hello", "maximum_recipients"),
        ({"maximum_size": 1}, "x" * 999_000 + " y" * 400, "maximum_size"),
    ],
    ids=["recipients", "size"],
)
def test_a_limit_of_the_server_is_named_before_anything_is_sent(
    verified: AwsStack, server: Change, text: str, limit: str
) -> None:
    interaction_id = verified.process(mail("Auto-Submitted: auto-generated"))
    written = answer(verified, interaction_id, cc=("bob@example.org",), text=text).outbound
    verified.configure(**{**CONFIGURATION, "outbound_servers": [{"name": "smtp-client", "type": "ses", **server}]})
    with pytest.raises(Invalid, match=limit):  # whoever writes one now is told at once
        answer(verified, interaction_id, cc=("bob@example.org",), text=text, idempotency_key="k2")
    outbound = send(verified, written.id)  # and one that was written before fails before it is sent
    assert outbound.state is OutboxState.FAILED
    assert limit in outbound.reason


def event(kind: str, outbound_id: str | None, event_id: str = "e1", **detail: Any) -> Change:
    tags = {"postroom-outbound": [outbound_id]} if outbound_id else {}
    return {"id": event_id, "source": "aws.ses", "detail": {"eventType": kind, "mail": {"tags": tags}, **detail}}


BOUNCE: Change = {
    "bounce": {
        "bounceType": "Permanent",
        "bounceSubType": "General",
        "timestamp": "2026-11-21T00:00:00.000Z",
        "bouncedRecipients": [{"emailAddress": "ann@example.org", "status": "5.1.1", "diagnosticCode": "550 no"}],
    }
}


@pytest.mark.fault(79)
def test_a_bounce_event_twice_is_one_entry_with_its_diagnostic(verified: AwsStack) -> None:
    outbound_id = send(verified, replied(verified)).id
    for _ in range(2):
        assert verified.invoke("TrackDelivery", sqs_event(event("Bounce", outbound_id, **BOUNCE)))
    outbound = verified.outbox.get(outbound_id)
    assert outbound is not None
    assert outbound.delivery is Delivery.BOUNCED
    entries = [entry for entry in verified.outbox.history(outbound_id) if entry.what == "bounced"]
    assert len(entries) == 1
    assert "5.1.1" in entries[0].detail


@pytest.mark.fault(79)
def test_an_event_for_no_mail_of_ours_is_noted_and_changes_nothing(verified: AwsStack) -> None:
    from postroom.adapters.dynamo.notices import DynamoNotices

    for number, outbound_id in enumerate((None, "nobody")):
        answer = verified.invoke("TrackDelivery", sqs_event(event("Bounce", outbound_id, f"e{number}", **BOUNCE)))
        assert answer == {"batchItemFailures": []}
    notices = list(DynamoNotices(verified.client("dynamodb"), verified.table).of_day(utc_now()))
    assert [notice.what for notice in notices] == ["unmatched_report"] * 2


@pytest.mark.fault(78)
@pytest.mark.feature("X09")
def test_an_event_settles_a_mail_whose_sending_was_uncertain(verified: AwsStack) -> None:
    outbound_id = replied(verified)
    now = utc_now()
    verified.outbox.claim(outbound_id, claim="c", message_id="<x@example.com>", now=now, abandoned_before=now)
    verified.outbox.mark_data(outbound_id, claim="c", now=now - timedelta(minutes=20))
    verified.invoke("TrackDelivery", sqs_event(event("Delivery", outbound_id)))
    assert verified.invoke("Sweep", {})["uncertain"] == 0
    outbound = verified.outbox.get(outbound_id)
    assert outbound is not None
    assert (outbound.state, outbound.delivery) == (OutboxState.SENT, Delivery.DELIVERED)


def test_reports_in_any_order_end_in_the_same_word(verified: AwsStack) -> None:
    outbound_id = send(verified, replied(verified)).id
    for number, kind in enumerate(["Complaint", "Delivery", "DeliveryDelay", "Send"]):
        verified.invoke("TrackDelivery", sqs_event(event(kind, outbound_id, f"e{number}")))
    outbound = verified.outbox.get(outbound_id)
    assert outbound is not None
    assert outbound.delivery is Delivery.COMPLAINED


@pytest.fixture(autouse=True)
def _one_at_a_time() -> Iterator[None]:
    """Clients are cached a process: forget those that a patched clock or client was made with."""
    yield
    bootstrap.forget()
