"""A mail server that writes a mail's bytes anew, from its folder to the interaction through both real handlers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import boto3
import pytest

from tests.functional.fetching.conftest import Died, Site
from tests.functional.fetching.test_faults import LOST
from tests.support.aws_stack import sqs_event
from tests.support.mails import mail

pytestmark = pytest.mark.usefixtures("hasty")

MAILS = [mail(subject=f"Mail {number}", message_id=f"<{number}@example.org>") for number in range(3)]
Connect = Callable[..., Site]


def add_headers(site: Site) -> None:
    """Let the server show each mail with one header field more from now on."""
    folder = site.server.folder("box0@example.com", "INBOX")
    folder.messages[:] = [
        replace(one, raw=b"X-Scan: " + str(one.uid).encode() + b"\r\n" + one.raw) for one in folder.messages
    ]


def process(site: Site) -> list[str]:
    """Process all that S3 has announced; return the subjects of all interactions."""
    while events := site.stack.queued("INBOUND_QUEUE_URL"):
        assert site.stack.invoke("ProcessInbound", sqs_event(*events)) == {"batchItemFailures": []}
    return sorted(row["subject"] for row in site.stack.interactions.list_queue("general"))


def let_the_lease_end(site: Site) -> None:
    """Let the time pass that a dead poller's lease still had."""
    ended = datetime.now(UTC) - timedelta(seconds=1)
    boto3.Session().client("dynamodb").update_item(
        TableName=site.stack.table,
        Key={"pk": {"S": "MB#box0"}, "sk": {"S": "state"}},
        UpdateExpression="SET #u = :ended",
        ExpressionAttributeNames={"#u": "until"},
        ExpressionAttributeValues={":ended": {"N": str(int(ended.timestamp() * 1000))}},
    )


@pytest.mark.fault(98)
@pytest.mark.parametrize("stays", [True, False], ids=["left", "deleted"])
def test_a_poller_that_died_between_put_and_remember_costs_no_second_interaction(
    connected: Connect, stays: bool
) -> None:
    site = connected(leave_msg_on_server=stays)
    site.deliver(*MAILS)
    site.aws.after["PutObject"] = Died()
    with pytest.raises(Died):
        site.poll()
    stored = len(site.raw())
    assert stored >= 1
    add_headers(site)
    let_the_lease_end(site)
    site.poll()
    assert len(site.raw()) == stored + 3
    assert process(site) == ["Mail 0", "Mail 1", "Mail 2"]


@pytest.mark.fault(98)
def test_a_put_whose_answer_was_lost_costs_no_second_interaction(connected: Connect) -> None:
    site = connected()
    site.deliver(MAILS[0])
    site.aws.after["PutObject"] = LOST
    site.poll()
    assert site.state().health.step == "store"
    add_headers(site)
    site.poll()
    assert len(site.raw()) == 2
    assert process(site) == ["Mail 0"]


@pytest.mark.fault(99)
def test_a_mailbox_that_migrates_with_a_header_more_in_each_mail_is_linked_to_what_is_there(connected: Connect) -> None:
    site = connected(leave_msg_on_server=True)
    site.deliver(*MAILS)
    site.poll()
    before = process(site)
    add_headers(site)
    site.server.folder("box0@example.com", "INBOX").uidvalidity += 1
    site.deliver(mail(subject="New", message_id="<new@example.org>"))
    site.poll()
    assert len(site.raw()) == 7
    assert process(site) == [*before, "New"]
    told = [
        event.detail
        for row in site.stack.interactions.list_queue("general")
        for event in site.stack.interactions.history(row["id"])
    ]
    assert len(told) == 3
    assert all("changed place or ids" in one for one in told)
