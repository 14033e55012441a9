"""`postroom raw ingest`: stored mail that is no interaction is taken in, and nothing is doubled."""

from __future__ import annotations

import pytest
from postroom.model.event_kinds import EventKind

from tests.functional.cli.conftest import Command
from tests.functional.processing.conftest import CONFIGURATION
from tests.functional.processing.test_duplicates import ANEW, made, own_id, store
from tests.functional.processing.test_killers import DEATHS, batch, killing, subjects
from tests.support.aws_stack import AwsStack, sqs_event
from tests.support.mails import mail


@pytest.fixture
def configured(postroom: Command) -> AwsStack:
    """Return the command's configured, with a configuration in force."""
    postroom.stack.configure(**CONFIGURATION)
    return postroom.stack


def process_queued(stack: AwsStack) -> int:
    """Process what waits in the inbound queue; return how many messages there were."""
    events = stack.queued("INBOUND_QUEUE_URL")
    if events:
        assert stack.invoke("ProcessInbound", sqs_event(*events)) == {"batchItemFailures": []}
    return len(events)


@pytest.mark.fault(101)
def test_lost_mail_is_counted_taken_in_by_prefix_and_told(postroom: Command, configured: AwsStack) -> None:
    configured.process(mail(body="this one is processed already"))
    lost = [store(configured, mail(body=f"lost {number}"), server_id=f"1/{number}") for number in range(3)]
    store(configured, mail(body="lost 0"), server_id="1/9")  # the same bytes under a second key
    configured.queued("INBOUND_QUEUE_URL")
    prefix = lost[0].rpartition("/")[0]
    counted = postroom("raw", "ingest", prefix, "--json").json
    assert (counted["looked_at"], counted["interactions"], counted["repeated"]) == (5, 1, 1)
    assert len(counted["asked_for"]) == 3
    assert process_queued(configured) == 0  # a dry run asks for nothing
    told = postroom("raw", "ingest", prefix)
    assert "3 would be taken in" in told.out
    for _time in range(2):
        postroom("raw", "ingest", prefix, "--apply")
    assert process_queued(configured) == 6  # asked for twice
    assert len(made(configured)) == 4
    again = postroom("raw", "ingest", prefix, "--apply", "--json").json
    assert (again["interactions"], again["asked_for"]) == (4, [])
    (explained,) = postroom("why", lost[1], "--json").lines
    assert "taken_in" in {event["what"] for event in explained["events"]}


@pytest.mark.fault(98)
@pytest.mark.fault(99)
def test_what_was_taken_for_the_same_mail_is_told_and_made_an_interaction_of_its_own(
    postroom: Command, configured: AwsStack
) -> None:
    first, second = ANEW["a-header-more"]
    one, other = store(configured, first), store(configured, second)
    process_queued(configured)
    assert made(configured) == [own_id(first)]
    for asked in (other, own_id(second)):
        (told,) = postroom("why", asked, "--json").lines
        assert own_id(first) in told["summary"]
        assert f"raw ingest {other} --apart --apply" in told["summary"]
    (told,) = postroom("why", one, "--json").lines
    assert (own_id(second), "other-bytes") in {(there["id"], there["how"]) for there in told["related"]}
    assert postroom("raw", "ingest", other, "--apply", "--json").json["duplicates"] == 1
    assert process_queued(configured) == 0
    for _time in range(2):
        assert postroom("raw", "ingest", other, "--apart", "--apply").status == 0
        process_queued(configured)
    assert sorted(made(configured)) == sorted([own_id(first), own_id(second)])
    whats = [event.what for event in configured.interactions.history(own_id(first))]
    assert whats == [EventKind.SAME_MAIL, EventKind.TAKEN_APART]
    assert postroom("raw", other, "--json").json["size"] == len(second)


def test_a_name_that_is_no_raw_key_or_names_nothing_is_refused_with_a_remedy(
    postroom: Command, configured: AwsStack
) -> None:
    assert postroom("raw", "ingest", "attachments/1").status == 2
    nothing = postroom("raw", "ingest", "raw/1999/", "--json")
    assert nothing.status == 3
    assert "HOUR" in nothing.json["error"]["remedy"]


@pytest.mark.fault(87)
@pytest.mark.fault(111)
def test_replay_makes_it_whole_when_the_defect_is_mended(postroom: Command, configured: AwsStack) -> None:
    with killing(DEATHS["killed"][0]):
        configured.invoke("ProcessInbound", batch(configured, received=3))
    (killer,) = (row["id"] for row in configured.interactions.list_queue("support") if row["subject"] == "A killer")
    assert postroom("replay", killer, "--apply").status == 0
    assert subjects(configured)["A killer"] is None
