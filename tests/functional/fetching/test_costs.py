"""What fetching asks of AWS: one write unit for a poll request, none for an idle mailbox, and two for one with mail.

The one says when the mailboxes of the request were polled.
"""

from __future__ import annotations

from collections.abc import Callable

from postroom.model.prices import USES, Resource, Step

from tests.functional.fetching.conftest import Site
from tests.support.mails import mail

LOOKS = int(USES[Step.POLL][Resource.WRITE_UNITS])
"""Write units of a poll request itself, whatever its mailboxes hold."""


def test_a_hundred_idle_mailboxes_cost_two_reads_and_one_write_unit_together(site: Site) -> None:
    names = site.configure(100)
    site.poll(*names)
    site.calls.reset()
    logins = len(site.server.log)
    assert site.poll(*names) == {"batchItemFailures": []}
    assert dict(site.calls.calls) == {
        ("dynamodb", "GetItem"): 1,
        ("dynamodb", "BatchGetItem"): 1,
        ("dynamodb", "PutItem"): 1,
    }
    assert site.calls.write_units == LOOKS == 1
    assert len(site.server.log) - logins >= 200  # they were really looked at: LOGIN and EXAMINE each


def test_an_ordinary_mail_costs_one_put_and_two_write_units(connected: Callable[..., Site]) -> None:
    site = connected()
    site.server.append("box0@example.com", "INBOX", mail())
    site.poll()
    assert site.calls.of("s3", "PutObject") == USES[Step.MAIL][Resource.S3_PUT] == 1
    assert (site.calls.writes, site.calls.write_units) == (3, 3)
    assert site.calls.write_units == LOOKS + USES[Step.FETCH][Resource.WRITE_UNITS]
    assert site.calls.of("kms") == site.calls.of("secretsmanager") == 0
    assert len(site.raw()) == 1


def test_the_state_of_a_busy_mailbox_stays_within_a_kilobyte(connected: Callable[..., Site]) -> None:
    site = connected(leave_msg_on_server=True)
    for number in range(12):
        site.server.append("box0@example.com", "INBOX", mail(subject=f"Mail {number}"))
        site.poll()
    assert len(site.state().balances) == 8
    assert site.calls.write_units == site.calls.writes == 12 * (LOOKS + 3)  # lease, state, the bitmap of what stays


def test_a_full_cycle_of_a_hundred_mails_costs_the_same_two_write_units(connected: Callable[..., Site]) -> None:
    site = connected()
    for number in range(100):
        site.server.append("box0@example.com", "INBOX", mail(subject=f"Mail {number}"))
    site.poll()
    assert site.calls.of("s3", "PutObject") == 100
    assert site.calls.write_units == LOOKS + 2
    assert not site.stack.queued("POLL_QUEUE_URL")
