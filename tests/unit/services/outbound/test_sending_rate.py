"""SES's limits, each met in its own way: a rate in seconds, a spent day in hours, what a person mends with an alarm.

A counting fake of SES, in simulated time: so many mails a second, the rest turned away unread.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from postroom.adapters.transports.ses import SesTransport
from postroom.errors import SendDeferred
from postroom.model.configuration.document import Configuration
from postroom.model.interaction import Event, InteractionRef, Subtype
from postroom.model.outbound import Envelope, Outbound, OutboxState
from postroom.services.outbound import send_mail as sending
from postroom.services.outbound.send_mail import send
from postroom.services.outbound.waiting import QUOTA, RATE, wait_after, waiting_for

START = datetime(2026, 11, 30, 9, tzinfo=UTC)
RATE_OF_SES = 14  # mails a second, usual at first
SENDERS = 5  # SendConcurrency
SECONDS_A_CALL = 0.1


def _error(code: str, status: int, said: str) -> ClientError:
    return ClientError(
        {"Error": {"Code": code, "Message": said}, "ResponseMetadata": {"HTTPStatusCode": status}},  # type: ignore[typeddict-item]  # the rest of the metadata
        "SendEmail",
    )


TOO_FAST = _error("TooManyRequestsException", 429, "Maximum sending rate exceeded.")


@dataclass
class World:
    """Outbox, queue, SES and clock of a simulation; seconds since START."""

    mails: dict[str, Outbound] = field(default_factory=dict)
    now: float = 0.0
    queue: list[tuple[float, str]] = field(default_factory=list)
    sent: dict[str, float] = field(default_factory=dict)
    requests: int = 0
    taken_at: list[float] = field(default_factory=list)

    class meta:  # noqa: N801 - as botocore's clients have it
        region_name = "eu-central-1"

    def clock(self) -> datetime:
        return START + timedelta(seconds=self.now)

    # --- SES ---
    def send_email(self, **request: Any) -> Mapping[str, str]:
        self.requests += 1
        self.taken_at = [one for one in self.taken_at if one > self.now - 1]
        if len(self.taken_at) >= RATE_OF_SES:
            raise TOO_FAST
        self.taken_at.append(self.now)
        return {"MessageId": request["EmailTags"][0]["Value"]}

    # --- the queue ---
    def send(self, message: Mapping[str, Any], *, delay: int = 0) -> None:
        heapq.heappush(self.queue, (self.now + delay, message["outbound"]))

    # --- the outbox ---
    def get(self, outbound_id: str) -> Outbound | None:
        return self.mails.get(outbound_id)

    def claim(self, outbound_id: str, *, claim: str, message_id: str, now: datetime, **_more: Any) -> Outbound | None:
        mail = self.mails[outbound_id]
        free = mail.state is OutboxState.NEW or (mail.state is OutboxState.DEFERRED and mail.due and mail.due <= now)
        if not free:
            return None
        claimed = replace(mail, state=OutboxState.CLAIMED, claim=claim, message_id=message_id, tries=mail.tries + 1)
        self.mails[outbound_id] = claimed
        return claimed

    def mark_data(self, outbound_id: str, **_more: Any) -> None:
        self.mails[outbound_id] = replace(self.mails[outbound_id], state=OutboxState.DATA)

    def finish(
        self, outbound_id: str, *, state: OutboxState, event: Event, tries: int | None = None, **more: Any
    ) -> None:
        mail = self.mails[outbound_id]
        told = {name: more[name] for name in ("due", "code", "since", "reason")}
        self.mails[outbound_id] = replace(mail, state=state, tries=mail.tries if tries is None else tries, **told)
        if state is OutboxState.SENT:
            self.sent[outbound_id] = self.now

    # --- the rest ---
    def among(self, _addresses: Any, **_more: Any) -> Mapping[str, Any]:
        return {}

    def current(self) -> Configuration:
        return Configuration.model_validate({"outbound_servers": [{"name": "ses", "type": "ses"}]})

    def for_server(self, _server: Any) -> SesTransport:
        return SesTransport(self, configuration_set="set")  # type: ignore[arg-type]  # what is used of a client

    def add(self, outbound_id: str) -> None:
        self.mails[outbound_id] = Outbound(
            id=outbound_id,
            subtype=Subtype.OUTBOUND_REPLY,
            thread_id="t",
            answers=InteractionRef("p"),
            mailbox="support",
            department="service",
            from_address="support@example.com",
            to=("ann@example.org",),
            subject="Re: x",
            text="x",
            created=START,
            server="ses",
        )
        self.send({"outbound": outbound_id})

    def run(self) -> None:
        """Let the senders work until the queue is empty."""
        senders = [0.0] * SENDERS
        while self.queue:
            free = heapq.heappop(senders)
            visible, outbound_id = heapq.heappop(self.queue)
            self.now = max(free, visible)
            send(
                outbound_id,
                outbox=self,  # type: ignore[arg-type]  # what sending uses of it
                configurations=self,
                transports=self,
                thread_key=lambda: b"k" * 32,
                queue=self,
                suppressions=self,  # type: ignore[arg-type]  # what sending uses of it
                clock=self.clock,
            )
            heapq.heappush(senders, self.now + SECONDS_A_CALL)


@pytest.mark.fault(90)
def test_a_thousand_mails_to_an_ses_that_takes_fourteen_a_second_leave_within_three_minutes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Composing is most of the time of a try, and none of what this is about.
    envelope = Envelope("support@example.com", ("ann@example.org",))
    monkeypatch.setattr(sending, "prepare", lambda *_arguments, **_more: (b"", envelope))
    world = World()
    for number in range(1000):
        world.add(f"m{number}")
    world.run()
    waited = sorted(world.sent.values())
    assert len(waited) == 1000
    assert waited[989] <= 180, f"p99 {waited[989]:.0f} s"
    assert world.requests <= 5000, "what waits for the rate asks again and again"
    # What the rate turned away is no try: patience and waits begin at the first real failure.
    assert {mail.tries for mail in world.mails.values()} == {1}


@pytest.mark.fault(90)
@pytest.mark.parametrize(
    ("error", "code", "counts", "held"),
    [
        (TOO_FAST, RATE, False, False),
        (_error("ThrottlingException", 400, "Rate exceeded"), RATE, False, False),
        (_error("TooManyRequestsException", 429, "Daily message quota exceeded."), QUOTA, False, True),
        (_error("LimitExceededException", 400, "limit"), QUOTA, False, True),
        (
            _error(
                "MessageRejected", 400, "Email address is not verified. The following identities failed: a@b.example"
            ),
            "ses_sandbox",
            True,
            True,
        ),
        (_error("SendingPausedException", 400, "paused"), "sending_paused", True, True),
        (_error("RequestExpired", 403, "clock"), "RequestExpired", True, False),
    ],
    ids=["rate", "rate-v1", "quota", "limit", "sandbox", "paused", "clock"],
)
def test_each_limit_of_ses_has_its_own_answer(error: ClientError, code: str, counts: bool, held: bool) -> None:
    class Client:
        def send_email(self, **_request: Any) -> Any:
            raise error

    transport = SesTransport(Client(), configuration_set="set")  # type: ignore[arg-type]  # what is used of a client
    with pytest.raises(SendDeferred) as caught:
        transport.send(
            b"", Envelope("us@example.com", ("a@b.example",)), outbound_id="o", before_data=lambda known=None: None
        )
    assert caught.value.code == code
    sort = waiting_for(code)
    assert (sort.counts, sort.held) == (counts, held)


def test_waits_are_seconds_for_the_rate_and_hours_for_a_spent_day() -> None:
    assert [wait_after(1, code=RATE, chance=chance).total_seconds() for chance in (0.0, 0.5, 1.0)] == [1, 10, 20]
    assert wait_after(1, code=RATE, waited=timedelta(minutes=4), chance=1.0) == timedelta(minutes=2)
    assert wait_after(1, code=RATE, waited=timedelta(days=1), chance=1.0) == timedelta(minutes=10)
    assert wait_after(0, code=QUOTA) == timedelta(hours=1)
    assert [wait_after(tries) for tries in (1, 2, 9)] == [
        timedelta(minutes=5),
        timedelta(minutes=10),
        timedelta(hours=4),
    ]
