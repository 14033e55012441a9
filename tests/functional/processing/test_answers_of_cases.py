"""The case follows its answer, by the real send_outbound, track_delivery and sweep (§0.3, A02, A05, A27)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest
from postroom.adapters.clock import utc_now
from postroom.adapters.dynamo.cases import DynamoCaseNotes, DynamoCases
from postroom.errors import Conflict
from postroom.model.case import Case, CaseList, CaseState, ListKind
from postroom.model.outbound import Outbound, OutboxState
from postroom.services.desk.replies import Answering, CaseReplies
from postroom.services.desk.work import CaseWork
from postroom.services.outbound.wanted import Reply

from tests.functional.processing.test_outbound import Queue, send, verified
from tests.support.aws_stack import AwsStack, sqs_event
from tests.support.mails import mail

__all__ = ["verified"]


class Site:
    """A case that Ann has claimed, and what she and others do with it."""

    def __init__(self, stack: AwsStack) -> None:
        self.stack = stack
        self.cases = DynamoCases(stack.client("dynamodb"), stack.table)
        notes = DynamoCaseNotes(stack.client("dynamodb"), stack.table, stack.contents)
        self.work = CaseWork(self.cases, notes, stack.configurations, utc_now)
        self.replies = CaseReplies(
            self.cases, stack.interactions, stack.outbox, stack.configurations, stack.contents, Queue(), utc_now
        )
        self.case_id = stack.process(mail("Auto-Submitted: auto-generated", message_id="<one@example.org>"))
        self.work.claim(self.case_id, who="ann")

    @property
    def case(self) -> Case:
        found = self.cases.get(self.case_id)
        assert found is not None
        return found

    def answer(self, key: str = "k1", who: str = "ann", *, against: int | None = None, **how: Any) -> Outbound:
        wanted = Reply(text="It is on its way.", idempotency_key=key, agent=who)
        version = self.case.mails_version if against is None else against
        return self.replies.reply(self.case_id, wanted, Answering(version, **how))[1]

    def listed(self) -> list[str]:
        return [row.attention for row in self.cases.page(CaseList(ListKind.HELD, "ann"), most=5).rows]


@pytest.fixture
def site(verified: AwsStack) -> Site:
    return Site(verified)


@pytest.mark.fault(66)
def test_one_of_two_answers_leaves_and_a_repeated_request_is_the_same_answer(site: Site) -> None:
    read = site.case.mails_version
    first = site.answer("k1", against=read, close_after=True)
    assert site.answer("k1", against=read, close_after=True).id == first.id
    with pytest.raises(Conflict):
        site.answer("k2", against=read)
    with pytest.raises(Conflict):
        site.answer("k1", "bob", against=read)
    assert [row["id"] for row in site.stack.interactions.list_outbox(OutboxState.NEW)] == [first.id]


@pytest.mark.feature("A02")
def test_an_answer_to_what_has_moved_on_is_refused_unless_it_is_meant(site: Site) -> None:
    with pytest.raises(Conflict, match="new mail has come"):
        site.answer("k1", against=site.case.mails_version - 1)
    assert site.answer("k2", against=site.case.mails_version - 1, override=True)


@pytest.mark.fault(67)
def test_a_sent_answer_closes_its_case_once(site: Site) -> None:
    outbound = site.answer(close_after=True, code="solved")
    assert site.case.state is CaseState.ANSWERING
    for _time in range(2):
        send(site.stack, outbound.id)
    assert (site.case.state, site.case.close_code, site.case.last_agent) == (CaseState.CLOSED, "solved", "ann")
    assert [event.what for event in site.cases.history(site.case_id)] == ["queued", "claimed", "answered", "sent"]


@pytest.mark.fault(105)
def test_a_refused_answer_comes_back_to_the_top_of_its_agents_list_with_the_reason(site: Site) -> None:
    outbound = site.answer(close_after=True)
    claimed = site.stack.outbox.claim(
        outbound.id, claim="c", message_id="", now=utc_now(), abandoned_before=utc_now() - timedelta(hours=1)
    )
    assert claimed is not None
    from postroom.model.event_kinds import EventKind
    from postroom.model.interaction import Event

    failed = Event(at=utc_now(), what=EventKind.FAILED, detail="no such user")
    site.stack.outbox.finish(outbound.id, claim="c", state=OutboxState.FAILED, event=failed, reason="no such user")
    # Its sender died before it told the case: the case looks after its answer by itself.
    with patch("postroom.bootstrap.clients.utc_now", lambda: datetime.now(UTC) + timedelta(minutes=2)):
        assert site.stack.invoke("Sweep", {})["cases"] == 1
    assert (site.case.state, site.case.agent) == (CaseState.CLAIMED, "ann")
    assert site.listed() == ["The answer was not sent: no such user"]


@pytest.mark.feature("A27")
@pytest.mark.fault(105)
def test_a_bounced_answer_brings_its_closed_case_back(site: Site) -> None:
    outbound = site.answer(close_after=True)
    send(site.stack, outbound.id)
    assert site.case.state is CaseState.CLOSED
    bounce = {
        "id": "e1",
        "detail": {
            "eventType": "Bounce",
            "mail": {"tags": {"postroom-outbound": [outbound.id]}},
            "bounce": {"bounceType": "Permanent", "bouncedRecipients": [{"emailAddress": outbound.to[0]}]},
        },
    }
    for _time in range(2):
        assert site.stack.invoke("TrackDelivery", sqs_event(bounce)) == {"batchItemFailures": []}
    assert (site.case.state, site.case.agent, site.case.counts.reopened) == (CaseState.CLAIMED, "ann", 1)
    assert outbound.to[0] in site.listed()[0]


@pytest.mark.feature("A05")
def test_an_answer_is_taken_back_while_no_sender_has_it(site: Site) -> None:
    outbound = site.answer()
    site.replies.undo(site.case_id, who="ann")
    assert (site.case.state, site.case.counts.replies) == (CaseState.CLAIMED, 0)
    assert send(site.stack, outbound.id).state is OutboxState.CANCELLED  # a request to send it finds nothing to do
    with pytest.raises(Conflict, match="idempotency key"):
        site.answer()
    second = site.answer("k2")
    send(site.stack, second.id)
    with pytest.raises(Conflict):
        site.replies.undo(site.case_id, who="ann")
