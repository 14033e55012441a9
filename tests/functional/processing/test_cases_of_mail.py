"""Every mail has a case, by the real function: it begins, joins or reopens one, or goes on in a new one (A14, L06)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from postroom.adapters.dynamo.cases import DynamoCases
from postroom.model.case import Case, CaseChange, CaseList, CaseState, ListKind
from postroom.model.interaction import Status
from postroom.rules.cases import change
from postroom.rules.cases import triggers as on
from postroom.services.desk.older_mail import adopt
from postroom.services.interactions.threads import Threads

from tests.support.aws_calls import aws_calls
from tests.support.aws_stack import AwsStack, sqs_event
from tests.support.mails import mail

PROOF = "Authentication-Results: mx.example.com; dmarc=pass header.from=example.org"


def the_cases(stack: AwsStack) -> DynamoCases:
    return DynamoCases(stack.client("dynamodb"), stack.table)


def waiting(stack: AwsStack, queue: str = "support") -> list[str]:
    return [row.id for row in the_cases(stack).page(CaseList(ListKind.WAITING, queue), most=50).rows]


def read(stack: AwsStack, case_id: str) -> Case:
    found = the_cases(stack).get(case_id)
    assert found is not None
    return found


def apply(stack: AwsStack, case_id: str, trigger: Any, *, at: datetime | None = None) -> Case:
    before = read(stack, case_id)
    after = change(before, trigger, now=at or datetime.now(UTC))
    assert the_cases(stack).write(CaseChange(before, after))
    return after


def first(stack: AwsStack, name: str = "one") -> str:
    return stack.process(mail(PROOF, message_id=f"<{name}@example.org>", subject="Kettle", body=name))


def reply(stack: AwsStack, to: str = "one", name: str = "two", *headers: str) -> str:
    return stack.process(
        mail(PROOF, f"In-Reply-To: <{to}@example.org>", *headers, message_id=f"<{name}@example.org>", body=name)
    )


def test_a_mail_begins_a_case_that_its_queue_lists_and_a_repeated_event_changes_nothing(configured: AwsStack) -> None:
    case_id = first(configured)
    before = read(configured, case_id)
    assert (before.state, before.queue, before.version, before.unread) == (CaseState.QUEUED, "support", 1, True)
    assert first(configured) == case_id
    assert read(configured, case_id) == before
    assert waiting(configured) == [case_id]
    assert the_cases(configured).of_number(before.number.replace("-", "")) == [case_id]
    assert the_cases(configured).of_customer(before.customer, most=5) == ([case_id], "")


def test_a_reply_joins_the_case_once(configured: AwsStack) -> None:
    case_id = first(configured)
    for _time in range(3):
        second = reply(configured)
    case = read(configured, case_id)
    assert (case.mails, case.counts.mails, case.mails_version, case.version) == ((case_id, second), 2, 2, 2)
    assert waiting(configured) == [case_id]


@pytest.mark.feature("A14")
def test_a_customers_mail_reopens_and_an_automatic_one_never_does(configured: AwsStack) -> None:
    case_id = first(configured)
    apply(configured, case_id, on.Closed("ann", "solved"))
    assert waiting(configured) == []
    reply(configured, "one", "away", "Auto-Submitted: auto-replied")
    assert read(configured, case_id).state is CaseState.CLOSED
    reply(configured, "one", "again")
    case = read(configured, case_id)
    assert (case.state, case.agent, case.counts.reopened, case.unread) == (CaseState.CLAIMED, "ann", 1, True)


@pytest.mark.feature("A14")
def test_long_after_it_was_closed_a_mail_begins_a_new_case_that_later_mail_finds(configured: AwsStack) -> None:
    case_id = first(configured)
    apply(configured, case_id, on.Closed("ann"), at=datetime.now(UTC) - timedelta(days=31))
    second = reply(configured, "one", "two")
    third = reply(configured, "one", "three")
    assert read(configured, case_id).continued_by == second
    case = read(configured, second)
    assert (case.continues, case.mails, case.state) == (case_id, (second, third), CaseState.QUEUED)
    stored = configured.interactions.get(third)
    assert stored is not None
    assert stored.thread_id == second


@pytest.mark.feature("A15")
def test_merged_threads_have_one_case_and_later_mail_goes_there(configured: AwsStack) -> None:
    one, other = first(configured, "one"), first(configured, "other")
    changes = a_threads(configured)
    made = changes.merge(one, other, who="sue").change
    assert (read(configured, one).state, read(configured, other).counts.mails) == (CaseState.MERGED, 2)
    late = reply(configured, "one", "late")
    assert read(configured, other).mails[-1] == late
    assert waiting(configured) == [other]
    changes.undo(made, who="sue")
    assert sorted(waiting(configured)) == sorted([one, other])


@pytest.mark.feature("A16")
def test_a_mail_that_is_split_off_has_a_case_that_waits_from_now_on(configured: AwsStack) -> None:
    one = first(configured)
    two = reply(configured)
    a_threads(configured).split(two, who="sue")
    assert sorted(waiting(configured)) == sorted([one, two])
    assert (read(configured, one).mails, read(configured, two).mails) == ((one,), (two,))
    reply(configured)  # its event comes again: it is where it was put
    assert (read(configured, one).counts.mails, read(configured, two).counts.mails) == (1, 1)


def a_threads(stack: AwsStack) -> Threads:
    from postroom.adapters.dynamo.interaction_changes import DynamoInteractionChanges

    moves = DynamoInteractionChanges(stack.client("dynamodb"), stack.table, stack.contents)
    return Threads(the_cases(stack), stack.interactions, stack.interactions, moves, lambda: datetime.now(UTC))


def test_a_late_parent_takes_its_replys_case_in(configured: AwsStack) -> None:
    child = reply(configured, "one", "two")
    parent = configured.process(mail(PROOF, message_id="<one@example.org>", subject="Kettle"))
    assert read(configured, child).merged_into == parent
    assert waiting(configured) == [parent]


def test_a_mail_that_joins_costs_at_most_eleven_write_units_with_fetching(configured: AwsStack) -> None:
    first(configured)
    key = configured.store_raw(
        mail(PROOF, "In-Reply-To: <one@example.org>", message_id="<two@example.org>", body="And the kettle?\r\n" * 20)
    )
    from postroom.model.messages import stored_event
    from postroom.model.prices import USES, Resource, Step

    event = sqs_event(stored_event(configured.environment["RAW_BUCKET"], key))
    with aws_calls() as calls:
        first(configured, "warm")
        calls.reset()
        configured.invoke("ProcessInbound", event)
        assert calls.write_units + USES[Step.FETCH][Resource.WRITE_UNITS] <= 11


def test_the_job_makes_cases_of_what_was_stored_before(configured: AwsStack) -> None:
    one, two = first(configured, "one"), first(configured, "done")
    second = reply(configured)
    table, dynamo = configured.table, configured.client("dynamodb")
    for mail_id, status in ((one, Status.QUEUED), (second, Status.QUEUED), (two, Status.DONE)):
        item = dynamo.get_item(TableName=table, Key={"pk": {"S": f"I#{mail_id}"}, "sk": {"S": "0"}})["Item"]
        listed = {"gsi2pk": {"S": "Q#support"}, "gsi2sk": {"S": f"{item['created']['S']}#{mail_id}"}}
        dynamo.put_item(TableName=table, Item={**item, **listed, "status": {"S": status.value}})
    for case_id in (one, two):
        dynamo.delete_item(TableName=table, Key={"pk": {"S": f"C#{case_id}"}, "sk": {"S": "0"}})
    assert waiting(configured) == []  # the queue lists cases, and mail from before is behind them
    stored = configured.interactions
    assert len(list(stored.list_queue("support"))) == 3
    now = lambda: datetime.now(UTC)  # noqa: E731
    assert adopt(["support"], cases=the_cases(configured), stored=stored, clock=now) == 2
    assert adopt(["support"], cases=the_cases(configured), stored=stored, clock=now) == 0
    assert waiting(configured) == [one]
    assert (read(configured, one).counts.mails, read(configured, two).state) == (2, CaseState.CLOSED)
    assert len(list(stored.list_queue("support"))) == 2


def test_a_case_keeps_what_a_later_version_wrote(configured: AwsStack) -> None:
    case_id = first(configured)
    configured.client("dynamodb").update_item(
        TableName=configured.table,
        Key={"pk": {"S": f"C#{case_id}"}, "sk": {"S": "0"}},
        UpdateExpression="SET clocks = :c",
        ExpressionAttributeValues={":c": {"M": {"first": {"N": "1"}}}},
    )
    case = apply(configured, case_id, on.Claimed("ann", timedelta(hours=4)), at=datetime(2026, 11, 30, 12, tzinfo=UTC))
    assert replace(read(configured, case_id), unknown={}) == replace(case, unknown={})
    assert read(configured, case_id).unknown == {"clocks": {"M": {"first": {"N": "1"}}}}
    for number in range(7):
        apply(configured, case_id, on.Noted("ann", str(number)))
    told = the_cases(configured).history(case_id)
    assert [event.version for event in told] == list(range(1, 10))
