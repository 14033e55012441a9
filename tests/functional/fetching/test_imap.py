"""Fetching by IMAP through the real handler: what mailboxes ask for, and servers that behave otherwise."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from postroom.model.mailbox_state import Balance, HealthState
from postroom_cli.mailservers.imap import Fault, FetchFault

from tests.functional.fetching.conftest import Site
from tests.support.mails import mail

NOW = datetime.now(UTC).replace(microsecond=0)
WEEK_OLD = NOW - timedelta(days=7)

Connect = Callable[..., Site]


def subject(number: int) -> bytes:
    return mail(subject=f"Mail {number}", message_id=f"<{number}@example.org>")


def stored(site: Site) -> list[int]:
    """The numbers of the stored mails."""
    return sorted(int(found.content.partition(b"Subject: Mail ")[2].split(b"\r")[0]) for found in site.raw())


@pytest.mark.feature("X13")
@pytest.mark.parametrize(
    ("options", "taken"),
    [
        pytest.param({"first_connection": "all"}, [1, 2, 3], id="all"),
        pytest.param({"first_connection": "from-now"}, [], id="from now"),
        pytest.param(
            {"first_connection": "since", "first_connection_since": str((NOW - timedelta(days=2)).date())},
            [2],
            id="since, and older mail that was copied in later",
        ),
    ],
)
@pytest.mark.parametrize("leave", [False, True], ids=["deleted", "left"])
def test_the_first_connection_takes_what_was_chosen_and_touches_nothing_else(
    site: Site, options: dict[str, Any], taken: list[int], leave: bool
) -> None:
    site.configure(leave_msg_on_server=leave, **options)
    site.deliver(subject(1), internaldate=WEEK_OLD)
    site.deliver(subject(2), internaldate=NOW - timedelta(days=1))
    site.deliver(subject(3), internaldate=WEEK_OLD)
    for _ in range(3):
        site.poll()
    assert stored(site) == taken
    assert all(found.metadata["old"] == "true" for found in site.raw())
    site.deliver(subject(4))
    for _ in range(3):
        site.poll()
    assert stored(site) == [*taken, 4]
    assert site.left() == (4 if leave else 3 - len(taken))
    if leave:
        seen = [message.uid for message in site.server.folder("box0@example.com", "INBOX").messages if message.flags]
        assert seen == [*taken, 4]
    newest = next(found for found in site.raw() if b"Mail 4" in found.content)
    assert "old" not in newest.metadata
    assert newest.metadata["server-date"].startswith(str(NOW.date())[:8])


@pytest.mark.fault(20)
def test_a_renumbered_folder_does_not_undo_the_choice_of_the_first_connection(site: Site) -> None:
    site.configure(first_connection="from-now", leave_msg_on_server=True)
    site.deliver(subject(1), internaldate=WEEK_OLD)
    site.poll()
    site.deliver(subject(2))
    site.poll()
    site.server.folder("box0@example.com", "INBOX").uidvalidity += 1
    site.poll()
    site.deliver(subject(3))
    site.poll()
    assert sorted(set(stored(site))) == [2, 3]


@pytest.mark.feature("G18")
def test_a_backlog_goes_on_in_messages_of_its_own_oldest_first(connected: Connect) -> None:
    site = connected(maximum_msg_number=2)
    site.deliver(*(subject(number) for number in range(1, 6)))
    site.poll(seconds=59)
    assert stored(site) == [1, 2]
    assert site.stack.queued("POLL_QUEUE_URL") == [{"v": 1, "mailboxes": ["box0"], "backlog": True, "link": 2}]
    site.poll(backlog=True)  # with time for all of it
    assert stored(site) == [1, 2, 3, 4, 5]
    assert site.stack.queued("POLL_QUEUE_URL") == []


@pytest.mark.feature("G08", "S03")
@pytest.mark.parametrize("delete", [False, True], ids=["left", "deleted"])
def test_the_body_of_an_oversize_mail_never_crosses_the_wire(connected: Connect, delete: bool) -> None:
    site = connected(maximum_msg_size=1, delete_big_msg=delete)
    large = mail(body="x" * 1_200_000)
    site.deliver(large)
    site.server.log.clear()
    for _ in range(3):
        site.poll()
    fetches = [command.text for command in site.server.log if command.name == "UID FETCH"]
    assert all("BODY.PEEK[]" not in text for text in fetches)
    assert sum("BODY.PEEK[HEADER]" in text for text in fetches) == 1
    (found,) = site.raw()
    assert found.content == large.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    assert found.metadata["oversize"] == "true"
    assert int(found.metadata["size"]) == len(large)
    assert site.left() == (0 if delete else 1)


@pytest.mark.feature("G21")
@pytest.mark.feature("G14")
def test_mail_of_a_nested_folder_is_moved_to_one_that_is_made(connected: Connect) -> None:
    site = connected(folder_path="Support/Neu für uns", processed_items_folder_name="Support/Done")
    assert site.state().health.code == "folder_missing"
    site.server.store.create("box0@example.com", "Support/Neu f&APw-r uns")
    site.deliver(subject(1), folder="Support/Neu f&APw-r uns")
    site.stack.client("dynamodb").delete_item(
        TableName=site.stack.table, Key={"pk": {"S": "MB#box0"}, "sk": {"S": "state"}}
    )
    site.poll()
    assert stored(site) == [1]
    assert site.left("Support/Done") == 1


@pytest.mark.fault(13)
def test_one_mailbox_that_hangs_delays_no_other(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    from postroom.services.polling import look

    names = site.configure(5)
    site.poll(*names)
    for name in names:
        site.server.append(f"{name}@example.com", "INBOX", subject(int(name[3:])))
    monkeypatch.setattr(look, "LOOK_BUDGET", 1.0)
    site.server.faults.commands["EXAMINE"] = [Fault.HANG]
    started = time.monotonic()
    site.poll(*names)
    assert time.monotonic() - started < 20  # not the time that a whole poll has
    assert len(site.raw()) == 4
    (hung,) = [name for name in names if site.state(name).health.state is not HealthState.ACTIVE]
    assert site.state(hung).health.code == "deadline_exceeded"
    # From now on in a message of its own, for as long as it hangs.
    site.poll(*names)
    (apart,) = site.stack.queued("POLL_QUEUE_URL")
    assert (apart["mailboxes"], len(site.raw())) == ([hung], 4)
    site.poll(hung)
    assert len(site.raw()) == 5


@pytest.mark.feature("X01")
def test_the_ledger_of_a_poll_accounts_for_every_message(connected: Connect) -> None:
    site = connected(maximum_msg_number=4, maximum_msg_size=1, leave_msg_on_server=True)
    site.deliver(subject(1))
    site.poll()
    site.deliver(mail(body="x" * 1_200_000), *(subject(number) for number in range(2, 7)))
    site.server.faults.fetch[4] = FetchFault.NIL
    site.poll(seconds=59)  # without time for what is left
    _at, balance = site.state().balances[-1]
    assert balance == Balance(listed=7, stored=2, known=1, oversize=1, problem=1, left=2)
    assert balance.even
    polls = len(site.state().balances)
    site.poll(backlog=True)
    site.poll(backlog=True)
    assert len(site.state().balances) == polls + 1  # the last poll found nothing, and cost nothing
