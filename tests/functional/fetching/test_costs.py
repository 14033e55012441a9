"""What fetching asks of AWS: nothing for an idle mailbox, and two write units for a mail."""

from __future__ import annotations

from collections.abc import Callable

from postroom.model.prices import USES, Resource, Step

from tests.functional.fetching.conftest import Site
from tests.support.mails import mail


def test_a_hundred_idle_mailboxes_cost_two_reads_and_nothing_else(site: Site) -> None:
    names = site.configure(100)
    site.poll(*names)
    site.calls.reset()
    logins = len(site.server.log)
    assert site.poll(*names) == {"batchItemFailures": []}
    assert dict(site.calls.calls) == {("dynamodb", "GetItem"): 1, ("dynamodb", "BatchGetItem"): 1}
    assert site.calls.reads <= 3
    assert site.calls.writes == 0
    assert len(site.server.log) - logins >= 200  # they were really looked at: LOGIN and EXAMINE each


def test_an_ordinary_mail_costs_one_put_and_two_write_units(connected: Callable[..., Site]) -> None:
    site = connected()
    site.server.append("box0@example.com", "INBOX", mail())
    site.poll()
    assert site.calls.of("s3", "PutObject") == USES[Step.MAIL][Resource.S3_PUT] == 1
    assert (site.calls.writes, site.calls.write_units) == (2, 2)
    assert site.calls.write_units == USES[Step.FETCH][Resource.WRITE_UNITS]
    assert site.calls.of("kms") == site.calls.of("secretsmanager") == 0
    assert len(site.raw()) == 1


def test_the_state_of_a_busy_mailbox_stays_within_a_kilobyte(connected: Callable[..., Site]) -> None:
    site = connected(leave_msg_on_server=True)
    for number in range(12):
        site.server.append("box0@example.com", "INBOX", mail(subject=f"Mail {number}"))
        site.poll()
    assert len(site.state().balances) == 8
    assert site.calls.write_units == site.calls.writes == 36  # lease, state, and the bitmap of what stays


def test_a_full_cycle_of_a_hundred_mails_costs_the_same_two_write_units(connected: Callable[..., Site]) -> None:
    site = connected()
    for number in range(100):
        site.server.append("box0@example.com", "INBOX", mail(subject=f"Mail {number}"))
    site.poll()
    assert site.calls.of("s3", "PutObject") == 100
    assert site.calls.write_units == 2
    assert not site.stack.queued("POLL_QUEUE_URL")
