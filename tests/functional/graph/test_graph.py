"""The Graph connector against a service that refuses what the real one refuses."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from postroom.adapters.graph import GraphConnector
from postroom.errors import (
    DeadlineExceeded,
    FolderMissing,
    LoginRefused,
    MailboxLocked,
    Permanent,
    PostroomError,
    ServerMisbehaved,
    TlsFailed,
    Transient,
)
from postroom.model.polling import GIVEN_UP, Position
from postroom.ports import Action, Fetched, Item

from tests.functional.graph.conftest import Site, collect
from tests.support.fake_graph import CHUNKED, chunks, error
from tests.support.https_server import Reply

pytestmark = pytest.mark.feature("G24")

ODD_MAILS = {
    "plain": b"Subject: x\r\n\r\nHello\r\n",
    "bare-lf": b"Subject: x\n\nHello\n",
    "eight-bit": b"Subject: \xff\xfe\r\n\r\n\x00\x80\xff",
    "dots": b"Subject: x\r\n\r\n.\r\n..\r\n",
    "large": b"Subject: x\r\n\r\n" + b"y" * 3_000_000,
    "one-byte": b"x",
}


def everything_known(site: Site) -> Position:
    return Position(known=frozenset(site.service.messages))


# --- listing and looking ---


def test_news_come_oldest_first_with_size_and_arrival(site: Site) -> None:
    late = datetime(2026, 11, 21, 18, tzinfo=UTC)
    early = datetime(2026, 11, 20, 6, tzinfo=UTC)
    (second,) = site.service.deliver(b"two", received=late, size=20_000)
    (first,) = site.service.deliver(b"one", received=early, size=10_000)
    with site.session() as session:
        listing = session.list(None)
    assert listing.news == (Item(first, 10_000, early), Item(second, 20_000, late))
    assert (listing.unfinished, listing.known) == ((), 0)


def test_a_size_that_the_store_does_not_say_is_unknown(site: Site) -> None:
    site.service.deliver(b"one", size=None)
    with site.session() as session:
        assert [item.size for item in session.list(None).news] == [None]


def test_all_pages_are_read(site: Site) -> None:
    site.service.page = 7
    ids = site.service.deliver(*(b"%d" % number for number in range(50)))
    with site.session() as session:
        assert [item.id for item in session.list(None).news] == ids


def test_a_message_that_comes_on_two_pages_is_one(site: Site) -> None:
    site.service.page = 3
    ids = site.service.deliver(*(b"%d" % number for number in range(6)))

    def arrives(begin: int) -> None:
        if begin == 3 and len(site.service.messages) == 6:
            site.service.deliver(b"older", received=datetime(2020, 1, 1, tzinfo=UTC))

    site.service.on_page = arrives
    with site.session() as session:
        assert [item.id for item in session.list(None).news] == ids


@pytest.mark.fault(31)
@pytest.mark.parametrize("status", [400, 404, 410])
def test_a_lost_next_link_begins_the_list_again_once(site: Site, status: int) -> None:
    site.service.page = 5
    ids = site.service.deliver(*(b"%d" % number for number in range(12)))
    with site.session() as session:
        lost = iter([True])

        def lose(begin: int) -> None:
            if begin == 5 and next(lost, False):
                raise _Lost

        answer = site.service._list

        def listed(request: Any, folder: str) -> Reply:
            try:
                return answer(request, folder)
            except _Lost:
                return error(status, "SyncStateNotFound")

        site.service.on_page = lose
        site.service._list = listed  # type: ignore[method-assign]
        assert [item.id for item in session.list(None).news] == ids


class _Lost(Exception):
    pass


@pytest.mark.fault(31)
def test_a_next_link_lost_again_and_again_is_tried_later(site: Site) -> None:
    site.service.page = 5
    site.service.deliver(*(b"%d" % number for number in range(12)))
    answer = site.service._list

    def listed(request: Any, folder: str) -> Reply:
        return error(410, "SyncStateNotFound") if "$skip" in request.query else answer(request, folder)

    site.service._list = listed  # type: ignore[method-assign]
    with site.session() as session, pytest.raises(Transient) as caught:
        session.list(None)
    assert (caught.value.code, caught.value.step) == ("page_lost", "list")


def test_the_token_never_goes_to_another_host(site: Site) -> None:
    site.service.page = 1
    site.service.deliver(b"1", b"2")
    site.service.base = "https://evil.example"
    with site.session() as session, pytest.raises(ServerMisbehaved) as caught:
        session.list(None)
    assert caught.value.code == "foreign_page"


@pytest.mark.parametrize(
    ("known", "read", "options", "news", "unfinished"),
    [
        pytest.param(False, False, {}, 1, 0, id="new"),
        pytest.param(False, True, {}, 1, 0, id="new-though-a-person-read-it"),
        pytest.param(True, True, {}, 0, 0, id="stored-and-marked"),
        pytest.param(True, False, {}, 0, 1, id="stored-and-not-marked"),
        pytest.param(True, True, {"leave_msg_on_server": False}, 0, 1, id="stored-and-not-deleted"),
        pytest.param(True, True, {"processed_items_folder_name": "done"}, 0, 1, id="stored-and-not-moved"),
    ],
)
def test_look_and_list_agree(
    site: Site, known: bool, read: bool, options: dict[str, Any], news: int, unfinished: int
) -> None:
    site.service.deliver(b"x", is_read=read)
    position = everything_known(site) if known else Position()
    with site.session(**options) as session:
        listing = session.list(position)
        assert (len(listing.news), len(listing.unfinished)) == (news, unfinished)
        assert len(listing.news) + len(listing.unfinished) + listing.known == 1
        assert session.look(position) is bool(news + unfinished)


def test_what_has_been_given_up_is_left_alone_and_what_is_gone_forgotten(site: Site) -> None:
    (given_up,) = site.service.deliver(b"x")
    position = Position(known=frozenset({"gone"}), problems={given_up: GIVEN_UP, "gone-too": 1})
    with site.session() as session:
        listing = session.list(position)
        assert not session.look(position)
    assert (listing.news, listing.unfinished, listing.known) == ((), (), 1)
    assert (listing.position.known, listing.position.problems) == (frozenset(), {given_up: GIVEN_UP})


@pytest.mark.parametrize("path", ["INBOX", "Cases/Open"])
def test_an_idle_look_is_one_request(site: Site, path: str) -> None:
    site.service.make("Open", site.service.make("Cases"))
    with site.session(folder_path=path) as session:  # the first time, folders are found by name
        position = session.list(None).position
    site.service.seen.clear()
    with site.session(folder_path=path, ask=position) as session:
        assert not session.look(position)
    assert len(site.service.seen) == 1


def test_old_mail_moved_into_a_large_folder_is_seen(site: Site) -> None:
    site.service.page = 10
    site.service.deliver(*(b"%d" % number for number in range(30)), is_read=True)
    position = everything_known(site)
    with site.session() as session:
        assert not session.look(position)
        site.service.deliver(b"old", received=datetime(2019, 1, 1, tzinfo=UTC))
        assert session.look(position)


# --- folders ---


@pytest.mark.parametrize(
    ("path", "separator"),
    [("Cases/Open/Today's", "/"), ("Cases.Open.Today's", "."), ("cases/OPEN/today's", "/")],
    ids=["slash", "own-separator", "other-case"],
)
def test_a_nested_folder_is_found_by_its_path(site: Site, path: str, separator: str) -> None:
    folder = site.service.make("Today's", site.service.make("Open", site.service.make("Cases")))
    (one,) = site.service.deliver(b"x", folder=folder)
    with site.session(folder_path=path, folder_separator=separator) as session:
        assert [item.id for item in session.list(None).news] == [one]


def test_a_folder_below_the_inbox_is_found_in_a_mailbox_of_another_language(site: Site) -> None:
    (one,) = site.service.deliver(b"x", folder=site.service.make("Fälle", "F-inbox"))
    with site.session(folder_path="INBOX/Fälle") as session:
        assert [item.id for item in session.list(None).news] == [one]


def test_a_missing_folder_is_named(site: Site) -> None:
    with pytest.raises(FolderMissing) as caught, site.session(folder_path="Cases/Open"):
        pass
    assert caught.value.step == "folder"
    assert "Cases" in caught.value.what


def test_a_folder_deleted_and_made_anew_is_found_at_once(site: Site) -> None:
    first = site.service.make("Cases")
    with site.session(folder_path="Cases"):
        pass
    del site.service.folders[first]
    site.service.make("Cases")
    with site.session(folder_path="Cases") as session:
        assert session.list(None).news == ()


# --- fetching ---


def test_odd_mails_come_byte_for_byte_in_order(site: Site) -> None:
    ids = site.service.deliver(*ODD_MAILS.values())
    with site.session() as session:
        items = session.list(None).news
        results = list(session.fetch(items))
    for result, raw in zip(results, ODD_MAILS.values(), strict=True):
        assert isinstance(result, Fetched)
        assert result.path.read_bytes() == raw
        assert (result.size, result.sha256) == (len(raw), hashlib.sha256(raw).hexdigest())
        result.path.unlink()
    assert [result.item.id for result in results] == ids


def test_four_requests_run_at_a_time_and_never_more(site: Site) -> None:
    site.service.delay = 0.05
    site.service.deliver(*(b"%d" % number for number in range(20)))
    with site.session() as session:
        contents, failures = collect(session, session.list(None).news)
        session.act(list(contents), Action.MARK_READ)
    assert (len(contents), failures) == (20, {})
    assert site.service.most_at_once == 4
    assert all(message.is_read for message in site.service.messages.values())


def test_fetching_marks_nothing_read(site: Site) -> None:
    site.service.deliver(b"x")
    with site.session() as session:
        collect(session, session.list(None).news)
    assert [message.is_read for message in site.service.messages.values()] == [False]


@pytest.mark.fault(31)
@pytest.mark.parametrize("status", [404, 410])
def test_a_message_gone_meanwhile_costs_the_others_nothing(site: Site, status: int) -> None:
    ids = site.service.deliver(b"1", b"2", b"3")
    site.service.fail("GET", rf"/messages/{'AAkALg/x.0002=='}/\$value", error(status, "ErrorItemNotFound"))
    with site.session() as session:
        contents, failures = collect(session, session.list(None).news)
    assert list(contents) == [ids[0], ids[2]]
    assert failures[ids[1]].gone


def test_a_message_that_exchange_cannot_convert_is_a_failure_of_its_own(site: Site) -> None:
    ids = site.service.deliver(b"1", b"2", b"3")
    site.service.fail("GET", r"/messages/.*0002==/\$value", error(500, "ErrorMimeContentConversionFailed"))
    with site.session() as session:
        contents, failures = collect(session, session.list(None).news)
    assert list(contents) == [ids[0], ids[2]]
    assert not failures[ids[1]].gone
    assert "ErrorMimeContentConversionFailed" in failures[ids[1]].reason


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(
            lambda: Reply(200, headers=CHUNKED, pieces=chunks(b"x" * 200_000, cut=True), cut=0), id="chunks-cut"
        ),
        pytest.param(lambda: Reply(200, b"x" * 1000, cut=10), id="counted-cut"),
        pytest.param(lambda: Reply(200, headers={"X": "y"}, pieces=lambda write: write(b"x")), id="end-not-said"),
    ],
)
def test_half_a_message_is_never_taken_for_a_whole(site: Site, reply: Callable[[], Reply]) -> None:
    site.service.deliver(b"1", b"2", b"3", b"4")
    site.service.fail("GET", r"/messages/.*0002==/\$value", reply)
    with site.session() as session:
        results = session.fetch(session.list(None).news)
        first = next(results)
        assert isinstance(first, Fetched)
        assert first.path.read_bytes() == b"1"
        first.path.unlink()
        with pytest.raises(ServerMisbehaved) as caught:
            next(results)
    assert caught.value.step == "fetch"


def test_a_message_much_longer_than_allowed_is_not_spooled(site: Site) -> None:
    site.service.deliver(b"x" * 8_000_000, size=100)
    with site.session(maximum_msg_size=1) as session:
        contents, failures = collect(session, session.list(None).news)
    assert contents == {}
    assert "longer than" in next(iter(failures.values())).reason


def test_a_consumer_that_stops_leaves_no_file_behind(site: Site) -> None:
    site.service.deliver(*(b"%d" % number for number in range(12)))
    with site.session() as session:
        results = session.fetch(session.list(None).news)
        first = next(results)
        assert isinstance(first, Fetched)
        first.path.unlink()
        results.close()  # type: ignore[attr-defined]


def test_headers_come_without_the_body(site: Site) -> None:
    head = b"Subject: =?utf-8?q?x?=\r\nX-Long: a\r\n b\r\n\r\n"
    (one,) = site.service.deliver(head + b"y" * 20_000_000)
    with site.session() as session:
        assert session.headers(Item(one, None)) == head


# --- acting ---


def test_messages_are_moved_into_a_folder_that_is_made_first(site: Site) -> None:
    ids = site.service.deliver(b"1", b"2")
    with site.session(processed_items_folder_name="Post/Done") as session:
        session.act(ids, Action.MOVE)
    assert sorted(message.id for message in site.service.within("Done")) == ids
    assert [parent for parent, name in site.service.folders.values() if name == "Post"] == [""]


def test_moving_again_is_harmless_and_uses_the_folder_that_is_there(site: Site) -> None:
    folders = len(site.service.folders)
    for _time in range(2):
        ids = site.service.deliver(b"1")
        with site.session() as session:
            session.act(ids, Action.MOVE_FAILED)
            session.act(ids, Action.MOVE_FAILED)
    assert len(site.service.folders) == folders + 1
    assert len(site.service.within("failedItems")) == 2


def test_a_folder_that_another_makes_at_the_same_moment_is_used(site: Site) -> None:
    ids = site.service.deliver(b"1")

    def made_by_another() -> Reply:
        site.service.make("done")
        return error(409, "ErrorFolderExists")

    site.service.fail("POST", "/mailFolders", made_by_another)
    with site.session(processed_items_folder_name="done") as session:
        session.act(ids, Action.MOVE)
    assert [message.id for message in site.service.within("done")] == ids


@pytest.mark.parametrize("action", [Action.DELETE, Action.MARK_READ, Action.MOVE_FAILED])
def test_what_is_gone_is_no_error(site: Site, action: Action) -> None:
    (there,) = site.service.deliver(b"1")
    with site.session() as session:
        session.act(["AAkALg/x+9999==", there], action)
    message = site.service.messages.get(there)
    done = {
        Action.DELETE: message is None,
        Action.MARK_READ: message is not None and message.is_read,
        Action.MOVE_FAILED: message is not None and message.moves == 1,
    }
    assert done[action]


def test_an_id_stays_when_its_message_is_moved(site: Site) -> None:
    (one,) = site.service.deliver(b"x")
    with site.session(processed_items_folder_name="done") as session:
        session.act([one], Action.MOVE)
    with site.session(folder_path="done") as session:
        assert [item.id for item in session.list(None).news] == [one]


# --- what answers mean ---

REFUSALS: dict[str, tuple[Callable[[], Reply], type[PostroomError], str, str]] = {
    "token": (lambda: error(401, "InvalidAuthenticationToken"), Transient, "token_ended", "list"),
    "permission": (lambda: error(403, "ErrorAccessDenied"), LoginRefused, "permission_missing", "login"),
    "no-mailbox": (lambda: error(404, "MailboxNotEnabledForRESTAPI"), Permanent, "mailbox_missing", "login"),
    "no-user": (lambda: error(404, "ErrorInvalidUser"), Permanent, "mailbox_missing", "login"),
    "throttled": (lambda: error(429, "ApplicationThrottled", retry_after="600"), MailboxLocked, "throttled", "list"),
    "throttled-without-a-time": (lambda: error(429, "TooManyRequests"), MailboxLocked, "throttled", "list"),
    "store-down": (lambda: error(503, "ErrorMailboxStoreUnavailable"), MailboxLocked, "throttled", "list"),
    "broken": (lambda: Reply(500, b"<html>"), Transient, "unavailable", "list"),
    "bad-gateway": (lambda: Reply(502, b"<html>"), Transient, "unavailable", "list"),
    "folder": (lambda: error(404, "ErrorItemNotFound"), FolderMissing, "folder_missing", "folder"),
    "refused": (lambda: error(400, "BadRequest"), ServerMisbehaved, "command_refused", "list"),
    "redirected": (
        lambda: Reply(302, b"", {"Location": "https://e.example"}),
        ServerMisbehaved,
        "command_refused",
        "list",
    ),
    "cut-short": (lambda: Reply(200, b"x" * 100, cut=10), ServerMisbehaved, "connection_lost", "list"),
}


@pytest.mark.fault(31)
@pytest.mark.parametrize("name", REFUSALS)
def test_every_answer_has_its_own_error_and_tells_nobody_s_name(site: Site, name: str) -> None:
    answer, kind, code, step = REFUSALS[name]
    site.service.fail("GET", "/mailFolders/inbox/messages", answer)
    with site.session() as session, pytest.raises(kind) as caught:
        session.list(None)
    raised = caught.value
    assert (type(raised), raised.code, raised.step) == (kind, code, step)
    assert raised.remedy
    for secret in ("token-1", "Contoso", "box0@example.com"):
        assert secret not in f"{raised!s}{raised!r}"


@pytest.mark.fault(31)
@pytest.mark.parametrize("retry_after", ["3", "Sat, 21 Nov 2020 12:00:00 GMT"], ids=["seconds", "a-date"])
@pytest.mark.parametrize("status", [429, 503])
def test_a_short_retry_after_is_waited_for(site: Site, status: int, retry_after: str) -> None:
    ids = site.service.deliver(b"1", b"2")
    with site.session() as session:
        site.service.fail("GET", ".*/messages", lambda: error(status, "X", retry_after=retry_after), times=2)
        items = session.list(None).news
        site.service.fail("GET", r".*\$value", lambda: error(status, "X", retry_after=retry_after))
        contents, failures = collect(session, items)
        site.service.fail("PATCH", ".*", lambda: error(status, "X", retry_after=retry_after))
        session.act(ids, Action.MARK_READ)
    assert (list(contents), failures) == (ids, {})
    assert site.waits == [3.0 if retry_after == "3" else 0.0] * 4
    assert all(message.is_read for message in site.service.messages.values())


@pytest.mark.fault(31)
def test_nobody_waits_past_the_deadline(site: Site) -> None:
    with site.session(seconds=8) as session:
        site.service.fail("GET", ".*/messages", lambda: error(429, "X", retry_after="10"), times=9)
        with pytest.raises(MailboxLocked):
            session.list(None)
    assert site.waits == []


@pytest.mark.fault(31)
def test_throttling_while_fetching_ends_the_session_and_blames_no_message(site: Site) -> None:
    site.service.deliver(b"1", b"2", b"3")
    with site.session() as session:
        items = session.list(None).news
        site.service.fail("GET", r".*\$value", lambda: error(429, "X", retry_after="900"), times=9)
        with pytest.raises(MailboxLocked) as caught:
            collect(session, items)
    assert caught.value.step == "fetch"


@pytest.mark.fault(30)
def test_a_dripping_message_ends_at_the_deadline(site: Site) -> None:
    site.service.deliver(b"x")
    stop = threading.Event()

    def drip(write: Callable[[bytes], Any]) -> None:
        while not stop.wait(0.05):
            write(b"1\r\nx\r\n")

    with site.session() as session:
        items = session.list(None).news
        site.service.fail("GET", r".*\$value", Reply(200, headers=CHUNKED, pieces=drip))
        session.extend(time.monotonic() + 0.7)
        try:
            with pytest.raises(DeadlineExceeded) as caught:
                collect(session, items)
        finally:
            stop.set()
    assert caught.value.step == "fetch"


@pytest.mark.parametrize("token", ["wrong", ""])
def test_a_wrong_token_is_refused_when_the_mailbox_is_opened(site: Site, token: str) -> None:
    with pytest.raises(LoginRefused) as caught, site.session(token=token):
        pass
    assert (caught.value.code, caught.value.step) == ("token_refused", "login")


def test_an_untrusted_certificate_gets_no_token(site: Site) -> None:
    with pytest.raises(TlsFailed) as caught, site.session(ca_certificate=None):
        pass
    assert caught.value.step == "tls"
    assert site.service.seen == []


def test_a_private_address_is_refused_unless_it_is_allowed(site: Site) -> None:
    site.connector = replace(site.connector, allowed_networks=())
    with pytest.raises(Permanent) as caught, site.session():
        pass
    assert (caught.value.code, caught.value.step) == ("address_refused", "dns")


@pytest.mark.parametrize(
    ("authority", "host"),
    [
        (None, "graph.microsoft.com"),
        ("https://login.microsoftonline.com", "graph.microsoft.com"),
        ("https://login.microsoftonline.us/t", "graph.microsoft.us"),
        ("https://login.partner.microsoftonline.cn", "microsoftgraph.chinacloudapi.cn"),
        ("https://login.example", "graph.microsoft.com"),
    ],
)
def test_each_cloud_has_its_own_graph(
    site: Site, authority: str | None, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def unresolved(name: str, *_args: Any, **_kwargs: Any) -> Any:
        asked.append(name)
        raise OSError

    monkeypatch.setattr("socket.getaddrinfo", unresolved)
    site.connector = GraphConnector()
    with pytest.raises(Transient), site.session(tenant_authority=authority):
        pass
    assert asked == [host]
