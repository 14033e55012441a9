"""Mail that stays on the server: one new mail costs a few requests in a folder of any size, and nothing is missed."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from postroom.adapters.ews import sync_state
from postroom.errors import ServerMisbehaved
from postroom.model.mailbox_state import LeftAlone, Position
from postroom.model.server_mail import Action, Listing
from postroom_cli.mailservers import ews_answers
from postroom_cli.mailservers.ews import EwsServer
from postroom_cli.mailservers.ews_store import Code, Fault, Mailbox, Stored, Told

from tests.functional.ews.opening import opened
from tests.functional.ews.site import Site
from tests.support.mails import mail

pytestmark = pytest.mark.usefixtures("hasty")

THOUSANDS = 3_000
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@dataclass
class Poller:
    """What services/polling/fetch.py does with a session, without storing anything."""

    ews: EwsServer
    position: Position | None = None
    now: datetime = NOW
    leave: bool = True
    taken: list[str] = field(default_factory=list)

    def poll(self, *, tell: bool = True, at_most: int = 10_000) -> Listing | None:
        """Look, list and take over what is new; None when there was nothing to do."""
        with opened(self.ews, clock=lambda: self.now, leave_msg_on_server=self.leave) as session:
            if not session.look(self.position):
                return None
            listing = session.list(self.position)
            done = [item.id for item in listing.news][:at_most]
            self.taken += done
            if done or listing.renewed or self.position is None:
                self.position = replace(listing.position, known=listing.position.known | set(done))
            if tell:
                session.act([*done, *listing.unfinished], Action.MARK_READ if self.leave else Action.DELETE)
            return listing


@pytest.fixture
def poller(ews: EwsServer, box: Mailbox) -> Poller:
    """Has seen the three mails that lie there, and told the server."""
    for _ in range(3):
        box.deliver(mail())
    found = Poller(ews)
    found.poll()
    assert found.poll() is None
    ews.asked.clear()
    found.taken.clear()
    return found


@pytest.mark.feature("G15", "G24")
@pytest.mark.parametrize("size", [10, THOUSANDS])
def test_one_new_mail_costs_the_same_requests_in_a_folder_of_any_size(ews: EwsServer, box: Mailbox, size: int) -> None:
    poller = Poller(ews)
    for _ in range(size):
        box.deliver(b"x", read=True)
    while (listing := poller.poll(tell=False)) and listing.partial:
        assert len(listing.news) < 2_000
    poller.poll()
    assert (len(poller.taken), len(set(poller.taken))) == (size, size)
    ews.asked.clear()
    assert poller.poll() is None
    assert ews.asked == ["GetFolder", "SyncFolderItems"]
    new = box.deliver(mail(), received=NOW - timedelta(days=900))  # moved in from elsewhere
    ews.asked.clear()
    poller.poll()
    assert poller.taken[size:] == [new.id]
    assert ews.asked == ["GetFolder", "SyncFolderItems", "UpdateItem"]
    ews.asked.clear()
    assert poller.poll() is None
    assert ews.asked == ["GetFolder", "SyncFolderItems"]


@pytest.mark.feature("G15", "G24", "X13")
def test_a_large_old_mailbox_is_connected_from_now_on_and_then_polled_cheaply(site: Site) -> None:
    long_ago = datetime.now(UTC) - timedelta(days=30)
    for _ in range(THOUSANDS):
        site.box.deliver(mail(subject="Old"), received=long_ago)
    site.configure(leave_msg_on_server=True, first_connection="from-now")
    site.poll()
    site.poll()
    new = mail(subject="New")
    site.box.deliver(new)
    site.ews.asked.clear()
    site.poll()
    assert site.ews.asked == ["SyncFolderItems", "GetItem", "UpdateItem"]
    site.ews.asked.clear()
    for _ in range(2):
        site.poll()
    assert site.ews.asked == ["SyncFolderItems"] * 2
    assert [content for content, _facts in site.raw()] == [new]
    assert sum(not item.read for item in site.box.inbox.items) == THOUSANDS
    balances = [balance for _at, balance in site.state().balances]
    assert all(balance.even for balance in balances)
    assert balances[-1].listed == THOUSANDS + 1


@pytest.mark.feature("G24", "X13")
@pytest.mark.parametrize("refused", [False, True], ids=["deleted", "deleted by a later poll"])
def test_old_mail_beside_mail_that_is_deleted_costs_nothing_either(site: Site, refused: bool) -> None:
    long_ago = datetime.now(UTC) - timedelta(days=30)
    old = [site.box.deliver(mail(subject="Old"), received=long_ago) for _ in range(1_200)]
    site.configure(first_connection="from-now")
    for _ in range(2):
        site.poll()
    site.ews.asked.clear()
    site.poll()
    assert site.ews.asked == ["SyncFolderItems"]
    new = mail(subject="New")
    site.box.deliver(new, read=True)
    site.ews.read_only = refused
    site.ews.asked.clear()
    site.poll()
    assert site.ews.asked == ["SyncFolderItems", "GetItem", "DeleteItem"]
    if refused:
        assert len(site.box.inbox.items) == 1_201
        site.ews.read_only = False
        site.configure(first_connection="from-now", description="Changed, so tried at once")
        site.poll()
    site.poll()
    site.ews.asked.clear()
    site.poll()
    assert site.ews.asked == ["SyncFolderItems"]
    assert [content for content, _facts in site.raw()] == [new]
    assert site.box.inbox.items == old
    assert all(balance.even for _at, balance in site.state().balances)


def move_out(box: Mailbox, item: Stored) -> None:
    box.inbox.items.remove(item)
    box.add_folder("Elsewhere", box.inbox.id).items.append(item)


def touch(_box: Mailbox, item: Stored) -> None:
    item.touched += 1


def mark_unread(_box: Mailbox, item: Stored) -> None:
    item.read = False


@pytest.mark.feature("G15")
@pytest.mark.parametrize(
    ("happen", "anything"),
    [
        pytest.param(lambda box, item: box.inbox.items.remove(item), False, id="deleted"),
        pytest.param(move_out, False, id="moved out"),
        pytest.param(touch, False, id="filed under a category"),
        pytest.param(mark_unread, True, id="marked unread: told again, as with IMAP"),
    ],
)
def test_what_people_do_with_stored_mail_brings_nothing_twice(
    poller: Poller, box: Mailbox, happen: Callable[[Mailbox, Stored], None], anything: bool
) -> None:
    happen(box, box.inbox.items[1])
    assert (poller.poll() is not None) is anything
    assert poller.poll() is None
    assert poller.taken == []
    assert all(item.read for item in box.inbox.items)
    box.deliver(mail())
    listing = poller.poll()
    assert listing is not None
    assert (len(listing.news), listing.known) == (1, len(box.inbox.items) - 1)
    assert listing.position.known == {item.id for item in box.inbox.items[:-1]}


@pytest.mark.parametrize("tries", [1, 3])
def test_what_the_server_was_not_told_is_told_by_a_later_poll(poller: Poller, box: Mailbox, tries: int) -> None:
    item = box.deliver(mail())
    for _ in range(tries):
        poller.poll(tell=False)
    assert [one.read for one in box.inbox.items] == [True, True, True, False]
    assert poller.poll() is not None
    assert all(one.read for one in box.inbox.items)
    assert (poller.poll(), poller.taken) == (None, [item.id])


def test_what_was_left_for_the_next_cycle_comes_then(poller: Poller, box: Mailbox) -> None:
    items = [box.deliver(mail()) for _ in range(5)]
    for count in (2, 4, 5):
        poller.poll(at_most=2)
        assert len(poller.taken) == count
    assert sorted(poller.taken) == sorted(item.id for item in items)
    assert poller.poll() is None


@pytest.mark.fault(31)
@pytest.mark.parametrize("new", [False, True], ids=["nothing new", "and something new"])
def test_a_state_that_the_server_has_lost_costs_one_full_listing(
    poller: Poller, ews: EwsServer, box: Mailbox, new: bool
) -> None:
    ews.told.clear()
    items = [box.deliver(mail()).id] if new else []
    poller.poll()
    assert ews.asked == ["GetFolder", *["SyncFolderItems"] * 3, *["UpdateItem"] * new]  # look, list, all
    assert poller.taken == items
    ews.asked.clear()
    assert poller.poll() is None
    assert ews.asked == ["GetFolder", "SyncFolderItems"]


@pytest.mark.fault(31)
def test_the_whole_folder_is_compared_once_a_day(poller: Poller, ews: EwsServer, box: Mailbox) -> None:
    missed = box.deliver(mail())
    for told in ews.told.values():  # as after a restored database: the server believes that it has told us
        told.items[missed.id] = (0, False)
    poller.now = NOW + timedelta(hours=23)
    assert poller.poll() is None
    poller.now = NOW + timedelta(hours=25)
    poller.poll()
    assert poller.taken == [missed.id]
    ews.asked.clear()
    assert poller.poll() is None
    assert ews.asked == ["GetFolder", "SyncFolderItems"]


@pytest.mark.parametrize(
    "code", [Code("ErrorInvalidRequest"), Code("ErrorUnsupportedTypeForConversion"), Fault("ErrorSchemaValidation")]
)
def test_a_folder_without_synchronisation_is_listed_by_pages(ews: EwsServer, box: Mailbox, code: Any) -> None:
    ews.plant("SyncFolderItems", *[code] * 50)
    poller = Poller(ews)
    items = [box.deliver(mail()).id]
    poller.poll()
    assert poller.poll() is None
    items.append(box.deliver(mail()).id)
    ews.asked.clear()
    poller.poll()
    assert poller.poll() is None
    assert poller.taken == items
    assert ews.asked.count("FindItem") == 3


def test_a_busy_server_is_not_taken_for_one_without_synchronisation(poller: Poller, ews: EwsServer) -> None:
    poller.now = NOW + timedelta(days=2)
    before = poller.position
    ews.plant("SyncFolderItems", Fault("ErrorServerBusy"))
    with pytest.raises(Exception, match="busy"):
        poller.poll()
    assert poller.position == before


def test_changes_without_an_end_are_broken_off(poller: Poller, ews: EwsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    poller.now = NOW + timedelta(days=2)
    monkeypatch.setattr(ews_answers, "next_state", lambda _items, complete: "SameAgain")
    monkeypatch.setattr(Told, "next", lambda self, _folder, _most: ([], self, False))
    with pytest.raises(ServerMisbehaved):
        poller.poll()


def test_many_changes_that_mean_nothing_are_remembered_now_and_then(
    poller: Poller, ews: EwsServer, box: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync_state, "RENEWED_AT", 2)
    monkeypatch.setattr("postroom.adapters.ews.session.RENEWED_AT", 2)
    before = poller.position
    for item in box.inbox.items:
        item.touched += 1
    listing = poller.poll()
    assert listing is not None
    assert (listing.renewed, listing.news, listing.unfinished) == (True, (), ())
    assert poller.position != before
    assert poller.poll() is None


def test_a_state_that_is_too_long_to_keep_is_not_kept(
    poller: Poller, ews: EwsServer, box: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("postroom.adapters.ews.session.STATE_AT_MOST", 100)
    poller.now = NOW + timedelta(days=2)
    poller.poll()
    ews.asked.clear()
    assert poller.poll() is None
    assert ews.asked == ["GetFolder", "FindItem"]
    new = box.deliver(mail())
    poller.poll()
    assert poller.taken == [new.id]


def test_another_folder_begins_with_a_listing_of_its_own(poller: Poller, ews: EwsServer, box: Mailbox) -> None:
    box.add_folder("Support", box.inbox.id)
    item = box.deliver(mail(), folder="Support")
    with opened(ews, clock=lambda: NOW, leave_msg_on_server=True, folder_path="Support") as session:
        assert session.look(poller.position)
        assert [one.id for one in session.list(poller.position).news] == [item.id]


def test_sizes_that_the_server_keeps_from_the_changes_are_asked_for_by_pages(
    ews: EwsServer, box: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = ews_answers._change_xml
    monkeypatch.setattr(
        ews_answers, "_change_xml", lambda kind, one, item, _asked: whole(kind, one, item, {"message:IsRead"})
    )
    item = box.deliver(mail())
    poller = Poller(ews)
    listing = poller.poll()
    assert listing is not None
    assert [(one.id, one.size) for one in listing.news] == [(item.id, item.size)]
    another = box.deliver(mail())
    listing = poller.poll()
    assert listing is not None
    assert [(one.id, one.size) for one in listing.news] == [(another.id, another.size)]


@pytest.mark.feature("G15")
@pytest.mark.fault(31)
@pytest.mark.parametrize("leave", [True, False], ids=["marked read", "deleted"])
@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 8))])
def test_whatever_happens_in_any_order_each_mail_is_taken_once_and_the_server_told(
    ews: EwsServer, box: Mailbox, seed: int, leave: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("postroom.adapters.ews.session.MANY_LEFT", -1)
    chance = random.Random(seed)
    poller = Poller(ews, leave=leave)
    aside = box.add_folder("Aside", box.inbox.id)
    seen: set[str] = set()

    def deliver() -> None:
        received = NOW - timedelta(days=chance.choice([0, 0, 400]))
        seen.add(box.deliver(mail(), received=received, read=chance.random() < 0.3).id)

    def act(change: Callable[[Stored], None]) -> None:
        if box.inbox.items:
            change(chance.choice(box.inbox.items))

    def remove(item: Stored) -> None:
        if item.id in poller.taken:
            aside.items.append(item)
            box.inbox.items.remove(item)

    def mark(item: Stored) -> None:
        item.read = not item.read

    def later() -> None:
        poller.now += timedelta(hours=5)

    steps: list[tuple[int, Callable[[], Any]]] = [
        (6, deliver),
        (2, lambda: act(remove)),
        (3, lambda: act(mark)),
        (2, lambda: act(lambda item: touch(box, item))),
        (1, lambda: ews.told.clear()),
        (1, later),
        (2, lambda: poller.poll(tell=False)),
        (2, lambda: poller.poll(at_most=1)),
        (5, poller.poll),
    ]
    for step in chance.choices([one for _weight, one in steps], [weight for weight, _one in steps], k=45):
        step()
    for _ in range(200):
        if poller.poll() is None:
            break
    assert sorted(poller.taken) == sorted(seen)
    assert all(item.read and leave for item in box.inbox.items)
    assert poller.position is not None
    assert poller.position.known >= {item.id for item in box.inbox.items}


def test_the_position_of_another_time_or_shape_is_no_mark() -> None:
    folder = "F"
    mark = sync_state.Mark(sync_state.short(folder), NOW, "state", {"a": True})
    assert sync_state.read_mark(mark.text(), folder=folder) == mark
    for cursor in ("", "12", "[]", "null", '[1,"x",0,"s",{}]', mark.text().replace("[1,", "[2,", 1)):
        assert sync_state.read_mark(cursor, folder=folder) is None
    assert sync_state.read_mark(mark.text(), folder="another") is None
    assert replace(mark, open=dict.fromkeys(map(str, range(101)), True)).text() == ""


@pytest.mark.feature("G02", "G24")
def test_mail_of_unknown_size_is_listed_at_once_where_it_is_allowed_later(poller: Poller, box: Mailbox) -> None:
    left = box.deliver(mail()).id
    listing = poller.poll(at_most=0)
    assert listing is not None
    poller.position = replace(listing.position, problems={left: LeftAlone.BAD_SIZE})
    box.deliver(mail())
    poller.poll()
    assert poller.poll() is None
    poller.position = replace(poller.position, problems={left: 1})  # rules/polling/position.py, when the option changes
    listing = poller.poll()
    assert listing is not None
    assert [item.id for item in listing.news] == [left]


@pytest.mark.feature("G24")
def test_much_mail_that_cannot_be_marked_read_costs_no_write_at_every_look(poller: Poller, box: Mailbox) -> None:
    for _ in range(sync_state.OPEN_AT_MOST + 1):
        box.deliver(mail())
    poller.poll(tell=False)
    for _ in range(2):
        listing = poller.poll(tell=False)
        assert listing is not None
        assert len(listing.unfinished) == sync_state.OPEN_AT_MOST + 1
        assert not listing.renewed
    poller.poll()
    listing = poller.poll()
    assert listing is not None
    assert listing.renewed  # told at last: from now on it is asked for changes again
    assert poller.poll() is None
