"""The ledger of a poll: whatever becomes of its messages, it balances, and what is not dealt with comes back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from postroom.model.mailbox_state import LeftAlone, Position, Record
from postroom.model.server_mail import Action, Item, Listing
from postroom.rules.polling.ledger import Ledger
from postroom.rules.polling.position import sort_listing

from tests.unit.services.polling.fakes import NOON, a_mailbox

pytestmark = pytest.mark.usefixtures("hasty")

ITEMS = tuple(Item(str(number), 1000) for number in (1, 2, 3))
ONE = ITEMS[0]


def begun(tries: int = 0, protocol: str = "IMAP", dates: tuple[datetime | None, ...] = (None, None, None)) -> Ledger:
    """Ledger of a poll that found three mails, the first of which failed so many times before."""
    position = Position(epoch="7", connected=NOON, problems={ONE.id: tries} if tries else {})
    news = tuple(Item(item.id, item.size, date) for item, date in zip(ITEMS, dates, strict=True))
    listing = Listing(news=news, unfinished=(), known=4, position=position)
    mailbox = a_mailbox(type=protocol, delete_bad_formatted_msg=True, maximum_msg_number=100)
    plan = sort_listing(listing, mailbox, position, first=False, backlog=False, now=NOON)
    return Ledger(mailbox, listing, plan, position, NOON)


ENDS: dict[str, tuple[Callable[[Ledger], object], int | None]] = {
    "stored": (lambda ledger: ledger.enter_stored(ONE, False), None),
    "over-size": (lambda ledger: ledger.enter_stored(ONE, True), LeftAlone.OVERSIZE),
    "failed": (lambda ledger: ledger.enter_failed(ONE, "it broke off"), 1),
    "gone": (lambda ledger: ledger.enter_gone(ONE), None),
}


@pytest.mark.feature("X01")
@pytest.mark.parametrize(("end", "problem"), ENDS.values(), ids=ENDS.keys())
def test_a_ledger_balances_whatever_becomes_of_a_mail(end: Callable[[Ledger], object], problem: int | None) -> None:
    ledger = begun()
    end(ledger)
    assert ledger.unanswered(ITEMS) == ITEMS[1:]
    ledger.left = {item.id for item in ITEMS[1:]}
    assert ledger.balance().even
    assert ledger.reached(None).problems.get(ONE.id) == problem


GONE: dict[str, tuple[str, int, bool]] = {
    "graph-first": ("GRAPH", 0, True),
    "graph-second": ("GRAPH", 1, True),
    "graph-third": ("GRAPH", 2, False),
    "imap-third": ("IMAP", 2, True),
}


@pytest.mark.parametrize(("protocol", "tries", "believed"), GONE.values(), ids=GONE.keys())
def test_a_message_that_is_listed_and_not_there_is_gone_only_so_often(
    protocol: str, tries: int, believed: bool
) -> None:
    ledger = begun(tries, protocol)
    assert ledger.enter_gone(ONE) is believed
    assert (ONE.id in ledger.gone) is believed


def test_what_failed_for_the_servers_sake_is_taken_back_without_a_trace() -> None:
    ledger = begun()
    for item in ITEMS:
        ledger.enter_failed(item, "no storage")
    assert ledger.came_to_nothing()
    ledger.take_back()
    assert ledger.balance().even
    assert ledger.balance().left == len(ITEMS)
    reached = ledger.reached(None)
    assert (reached.problems, reached.reasons, reached.asides) == ({}, {}, {})


def test_one_message_that_failed_before_says_nothing_about_the_server() -> None:
    ledger = begun(tries=1)
    for item in ITEMS[:2]:
        ledger.enter_failed(item, "it broke off")
    assert not ledger.came_to_nothing()


def test_what_the_server_answered_stands_though_the_ledger_is_read_again() -> None:
    ledger = begun(tries=LeftAlone.GIVEN_UP - 1)
    assert ledger.enter_failed(ONE, "it broke off") == LeftAlone.GIVEN_UP
    ledger.enter_asides()
    assert ledger.due() == {Action.DELETE: [ONE.id]}
    ledger.enter_answer([ONE.id], Action.DELETE, refusal="NO [OVERQUOTA]")
    aside = ledger.reached(None).asides[ONE.id]
    assert (aside.refused, aside.reason) == (1, "NO [OVERQUOTA]")
    assert ledger.due() == {}


def test_what_did_not_show_that_it_was_the_mail_is_given_up_and_never_asked_to_be_deleted() -> None:
    ledger = begun(tries=LeftAlone.GIVEN_UP - 1)
    assert ledger.enter_failed(ONE, "a page came instead of the mail", doubtful=True) is LeftAlone.DOUBTFUL
    ledger.enter_asides()
    reached = ledger.reached(None)
    assert ledger.due() == {Action.MOVE_FAILED: [ONE.id]}  # where it is seen, and can be moved back
    assert reached.asides[ONE.id].why is LeftAlone.DOUBTFUL
    assert (reached.leaves_alone(ONE.id), ONE.id in reached.reasons) == (True, True)


def test_a_reason_of_another_epoch_is_dropped() -> None:
    ledger = begun(tries=1)
    same, other = (Position(epoch=epoch, reasons={ONE.id: "it broke off"}) for epoch in ("7", "8"))
    assert ledger.reached(same).reasons == {ONE.id: "it broke off"}
    assert ledger.reached(other).reasons == {}


EARLY, LATE, BEFORE = NOON - timedelta(hours=2), NOON - timedelta(hours=1), NOON - timedelta(minutes=5)
WAITING: dict[str, tuple[tuple[datetime | None, ...], datetime | None, datetime | None]] = {
    "the-oldest": ((None, LATE, EARLY), None, EARLY),
    "no-date-and-none-waited": ((None, None, None), None, NOON),
    "no-date-and-some-waited": ((None, None, None), BEFORE, BEFORE),
}


@pytest.mark.parametrize(("dates", "before", "since"), WAITING.values(), ids=WAITING.keys())
def test_mail_waits_since_the_oldest_that_is_not_dealt_with(
    dates: tuple[datetime | None, ...], before: datetime | None, since: datetime | None
) -> None:
    ledger = begun(dates=dates)
    ledger.enter_stored(ONE, False)
    assert ledger.waiting_since(before) == since
    for item in ITEMS[1:]:
        ledger.enter_stored(item, False)
    assert ledger.waiting_since(before) is None


def test_no_record_of_storage_is_left_of_what_was_neither_stored_nor_set_aside() -> None:
    # A record without an entry in the problem list says that the mail may be deleted.
    gone, outage = begun(tries=1), begun(tries=2)
    recorded = {ONE.id: Record.of(ONE.size, ONE.date)}
    gone.position = replace(gone.position, records=recorded)  # it was given up before somebody had it tried again
    gone.enter_gone(ONE)
    assert gone.reached(None).records == {}
    for item in ITEMS:
        outage.enter_failed(item, "it broke off")
    assert outage.came_to_nothing()
    outage.take_back()
    assert outage.reached(None).records == {}
