"""An open mailbox by EWS: what is listed, exact contents, headers only, and what is done on the server."""

from __future__ import annotations

import random
import time
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from postroom.adapters.ews import EwsConnector, connection
from postroom.errors import (
    AccessRefused,
    DeadlineExceeded,
    FolderMissing,
    LoginRefused,
    MailboxLocked,
    PostroomError,
    ServerMisbehaved,
    Transient,
)
from postroom.model.mailbox_state import LeftAlone, Position
from postroom.model.server_mail import Action, Fetched, FetchFailed
from postroom_cli.mailservers.ews import EwsServer
from postroom_cli.mailservers.ews_answers import whole_answer
from postroom_cli.mailservers.ews_store import Code, Cut, Drip, Fault, Mailbox, Planted, Raw, Status, next_id

from tests.functional.ews.opening import LOOPBACK, PASSWORD, collect, mailbox, opened
from tests.support.mails import mail

GONE = next_id("AAMk")
NOW = datetime.now(UTC).replace(microsecond=0)


def test_news_come_oldest_first_with_the_sizes_that_exchange_tells(ews: EwsServer, box: Mailbox) -> None:
    new = box.deliver(mail(), received=NOW)
    old = box.deliver(mail(subject="Old"), received=NOW - timedelta(days=3))
    with opened(ews) as session:
        listing = session.list(None)
    assert [(item.id, item.size, item.date) for item in listing.news] == [
        (old.id, old.size, old.received),
        (new.id, new.size, new.received),
    ]
    assert (listing.unfinished, listing.known, listing.position) == ((), 0, Position())


@pytest.mark.parametrize(
    ("options", "read", "anything", "unfinished"),
    [
        pytest.param({"leave_msg_on_server": True}, True, False, 0, id="left and read: done"),
        pytest.param({"leave_msg_on_server": True}, False, True, 1, id="left and unread: the server was not told"),
        pytest.param({}, True, True, 1, id="to be deleted, and still there"),
        pytest.param(
            {"leave_msg_on_server": True, "processed_items_folder_name": "Done"},
            True,
            True,
            1,
            id="to be moved, and still there",
        ),
    ],
)
def test_what_is_known_and_still_there_is_unfinished_or_done(
    ews: EwsServer, box: Mailbox, options: dict[str, bool], read: bool, anything: bool, unfinished: int
) -> None:
    item = box.deliver(mail(), read=read)
    with opened(ews, **options) as session:  # type: ignore[arg-type]
        stays = len(options) == 1
        position = replace(session.list(None).position, known=frozenset({item.id} if stays else {item.id, GONE}))
        assert session.look(position) is anything
        listing = session.list(position)
    assert (len(listing.news), len(listing.unfinished), listing.known) == (0, unfinished, 1 - unfinished)
    assert listing.position.known == {item.id}  # what is gone is forgotten


def test_the_problem_list_is_left_alone(ews: EwsServer, box: Mailbox) -> None:
    item = box.deliver(mail())
    with opened(ews) as session:
        assert not session.look(Position(problems={item.id: LeftAlone.GIVEN_UP}))
        assert session.look(Position(problems={item.id: 1}))
        listing = session.list(Position(problems={item.id: LeftAlone.GIVEN_UP, GONE: 1}))
    assert (listing.news, listing.known, listing.position.problems) == ((), 1, {item.id: LeftAlone.GIVEN_UP})


@pytest.mark.parametrize(
    "page",
    [
        pytest.param("", id="nothing"),
        pytest.param('<m:RootFolder IncludesLastItemInRange="true"/>', id="no count"),
        pytest.param('<m:RootFolder TotalItemsInView="1"/>', id="no end"),
        pytest.param('<m:RootFolder TotalItemsInView="many" IncludesLastItemInRange="true"/>', id="no number"),
        pytest.param('<m:RootFolder TotalItemsInView="1" IncludesLastItemInRange="true"/>', id="no items"),
        pytest.param(
            '<m:RootFolder TotalItemsInView="1" IncludesLastItemInRange="true"><t:Items><t:Message/></t:Items>'
            "</m:RootFolder>",
            id="no id",
        ),
        pytest.param(
            '<m:RootFolder TotalItemsInView="1" IncludesLastItemInRange="true"><t:Items><t:Message>'
            '<t:ItemId Id=""/></t:Message></t:Items></m:RootFolder>',
            id="an empty id",
        ),
    ],
)
def test_a_listing_that_makes_no_sense_is_the_servers_fault(ews: EwsServer, box: Mailbox, page: str) -> None:
    ews.plant("FindItem", Raw(whole_answer("FindItem", page)))
    with opened(ews) as session, pytest.raises(ServerMisbehaved) as raised:
        session.list(None)
    assert raised.value.step == "list"


@pytest.mark.parametrize(
    "page",
    [
        pytest.param("<m:SyncState/><m:Changes/>", id="no state"),
        pytest.param("<m:SyncState>S</m:SyncState><m:Changes><t:Create/></m:Changes>", id="nothing created"),
        pytest.param("<m:SyncState>S</m:SyncState><m:Changes><t:Delete/></m:Changes>", id="no id"),
        pytest.param(
            '<m:SyncState>S</m:SyncState><m:Changes><t:Create><t:Message><t:ItemId Id=""/></t:Message></t:Create>'
            "</m:Changes>",
            id="an empty id",
        ),
    ],
)
def test_changes_that_make_no_sense_are_the_servers_fault(ews: EwsServer, box: Mailbox, page: str) -> None:
    ews.plant("SyncFolderItems", Raw(whole_answer("SyncFolderItems", page)))
    with opened(ews, leave_msg_on_server=True) as session, pytest.raises(ServerMisbehaved) as raised:
        session.list(None)
    assert raised.value.step == "list"


@pytest.mark.feature("G14")
@pytest.mark.parametrize("leave", [True, False], ids=["left", "deleted"])
def test_a_folder_that_is_made_anew_is_found_again(ews: EwsServer, box: Mailbox, leave: bool) -> None:
    folder = box.add_folder("Support", box.inbox.id)
    connector = EwsConnector(LOOPBACK)
    options = mailbox(ews, leave_msg_on_server=leave, folder_path="Support")

    def look(position: Position | None) -> tuple[bool, Position]:
        session = connector.open(options, secret=PASSWORD, deadline=time.monotonic() + 20, ask=position)
        with closing(session):
            return session.look(position), session.list(position).position

    _anything, position = look(None)
    ews.asked.clear()
    assert look(position)[0] is False
    assert ews.asked[:2] == ["GetFolder", "FindFolder"]  # by its path, each time
    del box.folders[folder.id]
    box.add_folder("Support", box.inbox.id)
    box.deliver(mail(), folder="Support")
    assert look(position)[0] is True
    del box.folders[box.folder("Support").id]
    with pytest.raises(FolderMissing):
        look(position)


def test_a_login_that_is_refused_is_told_when_the_mailbox_is_opened(ews: EwsServer, box: Mailbox) -> None:
    connector = EwsConnector(LOOPBACK)
    options = mailbox(ews, leave_msg_on_server=True)
    with closing(connector.open(options, secret=PASSWORD, deadline=time.monotonic() + 20)) as session:
        position = session.list(None).position
    with pytest.raises(LoginRefused) as raised:
        connector.open(options, secret="wrong", deadline=time.monotonic() + 20, ask=position)
    assert (raised.value.step, raised.value.code) == ("login", "login_refused")


@pytest.mark.parametrize(
    ("stays", "asked"),
    [
        pytest.param(False, ["FindItem"] * 4, id="to be deleted: three pages, and one for the look"),
        pytest.param(True, ["SyncFolderItems", "FindItem"], id="left: as much as some polls fetch"),
    ],
)
def test_a_folder_of_many_pages_is_listed(ews: EwsServer, box: Mailbox, stays: bool, asked: list[str]) -> None:
    ids = [box.deliver(b"x", received=NOW + timedelta(seconds=number), read=True).id for number in range(2_345)]
    with opened(ews, leave_msg_on_server=stays) as session:
        listing = session.list(None)
        found = [item.id for item in listing.news]
        assert listing.partial is stays
        assert found == sorted(found, key=ids.index)
        assert found[-100:] == ids[-100:]  # the newest are shown, whatever the server tells first
        assert len(found) < 2_000 if stays else len(found) == len(ids)
        session.look(Position(known=frozenset(ids[:-1])))
    assert ews.asked[: len(asked)] == ["GetFolder", *asked][: len(asked)]


@pytest.mark.feature("G24")
@pytest.mark.parametrize(
    "content",
    [
        pytest.param(mail(), id="plain"),
        pytest.param(b"Subject: x\n\nbare line feeds\n.\n..\n", id="bare LF and dots"),
        pytest.param(b"Subject: \xe9\x00\xff\r\n\r\n\x00\x01\xfe]]>&<\n", id="bytes that no XML could hold"),
        pytest.param(b"Subject: x\n\n" + b"y" * 900 + b"\n", id="one byte over"),
        pytest.param(b"Subject: x\n\n" + b"y" * 901 + b"\n", id="two bytes over"),
        pytest.param(random.Random(1).randbytes(3_000_001), id="three megabytes of anything"),
    ],
)
def test_contents_come_byte_for_byte_and_nothing_is_marked_read(ews: EwsServer, box: Mailbox, content: bytes) -> None:
    items = [box.deliver(content, kind=kind) for kind in ("Message", "MeetingRequest")]
    with opened(ews) as session:
        contents, failures = collect(session, session.list(None).news)
    assert list(contents.values()) == [content, content]
    assert failures == {}
    assert not any(item.read for item in items)


def test_many_small_messages_share_a_request(ews: EwsServer, box: Mailbox) -> None:
    contents = {box.deliver(mail(subject=str(number))).id: mail(subject=str(number)) for number in range(45)}
    with opened(ews) as session:
        assert collect(session, session.list(None).news) == (contents, {})
    assert ews.asked.count("GetItem") == 3


@pytest.mark.fault(31)
@pytest.mark.parametrize(
    ("code", "gone"),
    [
        pytest.param("ErrorItemNotFound", True, id="gone"),
        pytest.param("ErrorItemCorrupt", False, id="corrupt"),
        pytest.param("ErrorMimeContentConversionFailed", False, id="no MIME to be made of it"),
        pytest.param("ErrorContentConversionFailed", False, id="not convertible"),
        pytest.param("ErrorInternalServerError", False, id="an internal error, of this item alone"),
    ],
)
def test_an_item_that_cannot_be_had_costs_the_others_nothing(
    ews: EwsServer, box: Mailbox, code: str, gone: bool
) -> None:
    items = [box.deliver(mail(), fault=fault) for fault in ("", code, "")]
    with opened(ews) as session:
        contents, failures = collect(session, session.list(None).news)
    assert list(contents) == [items[0].id, items[2].id]
    assert [(failure.item.id, failure.gone) for failure in failures.values()] == [(items[1].id, gone)]
    assert gone or code in failures[items[1].id].reason


@pytest.mark.fault(31)
def test_a_pause_that_the_server_asks_for_while_messages_are_fetched_goes_with_the_error(
    ews: EwsServer, box: Mailbox
) -> None:
    box.deliver(mail())
    with opened(ews) as session:
        items = session.list(None).news
        ews.plant("GetItem", Fault("ErrorServerBusy", back_off=45_000))
        with pytest.raises(Transient) as raised:
            collect(session, items)
    assert (raised.value.code, raised.value.retry_after) == ("server_busy", 45.0)


@pytest.mark.fault(31)
def test_an_internal_error_for_every_item_is_the_servers_fault(ews: EwsServer, box: Mailbox) -> None:
    for _ in range(3):
        box.deliver(mail())
    ews.plant("GetItem", Code("ErrorInternalServerError"))
    with opened(ews) as session:
        with pytest.raises(Transient) as raised:
            collect(session, session.list(None).news)
        assert (raised.value.code, raised.value.step) == ("server_error", "fetch")
        assert len(collect(session, session.list(None).news)[0]) == 3


@pytest.mark.fault(31)
@pytest.mark.parametrize(
    ("planted", "error", "code"),
    [
        pytest.param(Code("ErrorServerBusy"), Transient, "server_busy", id="busy for the items"),
        pytest.param(Fault("ErrorServerBusy"), Transient, "server_busy", id="busy"),
        pytest.param(Code("ErrorMailboxStoreUnavailable"), MailboxLocked, "unavailable", id="store unavailable"),
        pytest.param(Code("ErrorAccessDenied"), AccessRefused, "mailbox_not_permitted", id="access denied"),
        pytest.param(Status(503), Transient, "server_busy", id="503"),
        pytest.param(Cut(0.7), ServerMisbehaved, "connection_lost", id="the connection breaks"),
        pytest.param(Raw(b"<a><b></a>"), ServerMisbehaved, "server_misbehaved", id="no XML"),
        pytest.param(Raw(b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"), ServerMisbehaved, "server_misbehaved", id="DTD"),
        pytest.param(Raw(b"<a></a>"), ServerMisbehaved, "server_misbehaved", id="an answer to nothing"),
    ],
)
def test_a_fault_of_the_whole_request_is_raised_at_its_step(
    ews: EwsServer, box: Mailbox, planted: Planted, error: type[PostroomError], code: str
) -> None:
    box.deliver(mail())
    ews.plant("GetItem", planted)
    with opened(ews) as session:
        news = session.list(None).news
        with pytest.raises(error) as raised:
            collect(session, news)
        assert (type(raised.value), raised.value.step, raised.value.code) == (error, "fetch", code)
        contents, _failures = collect(session, news)  # and the next try works on the same session
    assert len(contents) == 1


def test_what_came_whole_before_the_connection_broke_counts(ews: EwsServer, box: Mailbox) -> None:
    for number in range(4):
        box.deliver(_random_mail(number))
    ews.plant("GetItem", Cut(0.6))
    results: list[Fetched | FetchFailed] = []
    with opened(ews) as session:
        news = session.list(None).news
        with pytest.raises(ServerMisbehaved):
            results.extend(session.fetch(news))
    # extend keeps what it was given before the error
    assert [result.item.id for result in results] == [item.id for item in news[:2]]
    for number, result in enumerate(results):
        assert isinstance(result, Fetched)
        assert result.path.read_bytes() == _random_mail(number)
        result.path.unlink()


def _random_mail(number: int) -> bytes:
    return b"Subject: x\r\n\r\n" + random.Random(number).randbytes(300_000) + b"\n"


def test_an_answer_beyond_every_measure_is_broken_off(
    ews: EwsServer, box: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(300):
        box.deliver(b"x")
    monkeypatch.setattr(connection, "ANSWER_LIMIT", 20_000)
    with opened(ews) as session, pytest.raises(ServerMisbehaved) as raised:
        session.list(None)
    assert (raised.value.code, raised.value.step) == ("answer_too_long", "list")


def test_a_message_beyond_every_measure_is_broken_off(ews: EwsServer, box: Mailbox) -> None:
    box.deliver(bytes(4 * 1024 * 1024))
    with opened(ews, maximum_msg_size=1) as session:
        (item,) = session.list(None).news
        lied = type(item)(item.id, 1, item.date)
        with pytest.raises(ServerMisbehaved) as raised:
            collect(session, [lied])
    assert raised.value.code == "message_too_long"


def test_a_dripping_message_ends_at_the_deadline(ews: EwsServer, box: Mailbox) -> None:
    box.deliver(mail())
    ews.plant("GetItem", Drip(0.02))
    with opened(ews, seconds=20) as session:
        news = session.list(None).news
        started = time.monotonic()
        session.extend(started + 0.5)
        with pytest.raises(DeadlineExceeded) as raised:
            collect(session, news)
    assert time.monotonic() - started < 8
    assert raised.value.step == "fetch"


@pytest.mark.feature("G08")
@pytest.mark.parametrize("from_outside", [True, False], ids=["as it came in", "from within, without a header section"])
def test_headers_come_without_the_body(ews: EwsServer, box: Mailbox, from_outside: bool) -> None:
    box.deliver(mail("X-Folded: one\r\n\ttwo", body="B" * 500_000), transport_headers=from_outside)
    with opened(ews) as session:
        (item,) = session.list(None).news
        headers = session.headers(item)
    assert b"BBB" not in headers
    assert headers.endswith(b"\r\n\r\n")
    assert b"\r\nSubject: Where is my parcel?\r\n" in headers
    assert (b"\r\nX-Folded: one\r\n\ttwo\r\n" in headers) is from_outside


def test_headers_of_what_is_gone_blame_the_item(ews: EwsServer, box: Mailbox) -> None:
    box.deliver(mail(), fault="ErrorItemNotFound")
    with opened(ews) as session:
        (item,) = session.list(None).news
        with pytest.raises(PostroomError) as raised:
            session.headers(item)
    assert raised.value.step == "fetch"


@pytest.mark.parametrize("action", list(Action))
def test_actions_may_be_repeated_and_skip_what_is_gone(ews: EwsServer, box: Mailbox, action: Action) -> None:
    items = [box.deliver(mail()) for _ in range(250)]
    ids = [item.id for item in items]
    with opened(ews, processed_items_folder_name="Done") as session:
        for _ in range(2):
            session.act([*ids, GONE], action)
    folder = {Action.MOVE: "Done", Action.MOVE_FAILED: "failedItems"}.get(action, "")
    left = box.folder(folder).items if action is not Action.DELETE else []
    assert len(left) == (0 if action is Action.DELETE else 250)
    assert all(item.read for item in left) is (action in (Action.MARK_READ, Action.DELETE))
    assert len(box.inbox.items) == (250 if action is Action.MARK_READ else 0)


@pytest.mark.feature("G21")
@pytest.mark.parametrize("there", ["", "Archive", "Archive/2026"], ids=["nothing", "half of it", "all of it"])
def test_a_nested_target_folder_is_made_as_far_as_it_is_missing(ews: EwsServer, box: Mailbox, there: str) -> None:
    parent = box.inbox
    for name in filter(None, there.split("/")):
        parent = box.add_folder(name, parent.id)
    item = box.deliver(mail())
    with opened(ews, processed_items_folder_name="Archive/2026") as session:
        session.act([item.id], Action.MOVE)
    assert box.folder("Archive/2026").items == [item]
    assert len(box.folders) == 3


def test_a_folder_that_another_has_just_made_is_used(ews: EwsServer, box: Mailbox) -> None:
    item = box.deliver(mail())
    ews.plant("CreateFolder", Code("ErrorFolderExists"))  # which makes it all the same
    with opened(ews) as session:
        session.act([item.id], Action.MOVE_FAILED)
    assert box.folder("failedItems").items == [item]


@pytest.mark.feature("G13")
def test_a_folder_that_cannot_be_made_is_told_with_its_remedy(ews: EwsServer, box: Mailbox) -> None:
    item = box.deliver(mail())
    ews.read_only = True
    with opened(ews) as session, pytest.raises(Transient) as raised:
        session.act([item.id], Action.MOVE_FAILED)
    assert (raised.value.code, raised.value.step) == ("folder_not_created", "act")
    assert "failedItems" in raised.value.remedy
    assert box.inbox.items == [item]


@pytest.mark.parametrize("action", [Action.MARK_READ, Action.DELETE])
def test_a_mailbox_that_may_only_be_read_is_not_taken_for_a_wrong_password(
    ews: EwsServer, box: Mailbox, action: Action
) -> None:
    item = box.deliver(mail())
    ews.read_only = True
    with opened(ews) as session, pytest.raises(Transient) as raised:
        session.act([item.id], action)
    assert (raised.value.code, raised.value.step) == ("read_only", "act")


def test_marking_read_sends_no_receipt(ews: EwsServer, box: Mailbox) -> None:
    item = box.deliver(mail("Disposition-Notification-To: ann@example.org"))
    with opened(ews) as session:
        session.act([item.id], Action.MARK_READ)
    assert (item.read, ews.receipts) == (True, 0)
