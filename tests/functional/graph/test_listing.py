"""The Graph connector: folders, what is new in them, and looks of one request."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from postroom.errors import (
    FolderMissing,
    ServerMisbehaved,
    Transient,
)
from postroom.model.mailbox_state import LeftAlone
from postroom.model.server_mail import Item
from postroom_cli.mailservers.graph_calls import Call, error
from postroom_cli.mailservers.https import Reply

from tests.functional.graph.conftest import Site

pytestmark = pytest.mark.feature("G24")


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


def test_an_arrival_without_a_zone_and_a_size_that_is_no_number_do_no_harm(site: Site) -> None:
    (one,) = site.service.deliver(b"one", received=datetime(2026, 11, 21, 18, tzinfo=UTC), size=10_000)
    answer = site.service._list

    def listed(call: Call, folder: str) -> Reply:
        reply = answer(call, folder)
        body = reply.body.replace(b"18:00:00Z", b"18:00:00").replace(b'"10000"', b'"\\u00b2"')
        return replace(reply, body=body)

    site.service._list = listed  # type: ignore[method-assign]
    with site.session() as session:
        assert session.list(None).news == (Item(one, None, datetime(2026, 11, 21, 18, tzinfo=UTC)),)


def test_all_pages_are_read(site: Site) -> None:
    site.service.page = 7
    ids = site.service.deliver(*(b"%d" % number for number in range(50)))
    with site.session() as session:
        assert [item.id for item in session.list(None).news] == ids


@pytest.mark.fault(31)
@pytest.mark.parametrize("known", [0, 58], ids=["nothing known", "most known"])
def test_pages_that_take_graph_too_long_are_asked_for_in_shorter_ones(site: Site, known: int) -> None:
    ids = site.service.deliver(*(b"%d" % number for number in range(60)))
    position = replace(site.known(), known=frozenset(ids[:known]))
    answer = site.service._list

    def listed(call: Call, folder: str) -> Reply:
        # One odd message, or a slow store: a long page never comes, a short one does.
        return error(504, "UnknownError") if int(call.query["$top"]) > 50 else answer(call, folder)

    site.service._list = listed  # type: ignore[method-assign]
    with site.session(ask=position) as session:
        assert session.look(position)
        assert [item.id for item in session.list(position).news] == ids[known:]


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

        def listed(call: Call, folder: str) -> Reply:
            try:
                return answer(call, folder)
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

    def listed(call: Call, folder: str) -> Reply:
        return error(410, "SyncStateNotFound") if "$skip" in call.query else answer(call, folder)

    site.service._list = listed  # type: ignore[method-assign]
    with site.session() as session, pytest.raises(Transient) as caught:
        session.list(None)
    assert (caught.value.code, caught.value.step) == ("page_lost", "list")


@pytest.mark.parametrize(
    "base",
    ["https://evil.example", "https://somebody@{host}", "https://{host}@evil.example", "http://{host}"],
)
def test_the_token_never_goes_to_another_host(site: Site, base: str) -> None:
    site.service.page = 1
    site.service.deliver(b"1", b"2")
    site.service.base = base.format(host=site.server.url.partition("//")[2])
    with site.session() as session, pytest.raises(ServerMisbehaved) as caught:
        session.list(None)
    assert caught.value.code == "foreign_page"
    assert len(site.service.seen) == 2  # the folder, and the first page


def test_a_gateway_that_hands_on_graphs_own_next_link_is_asked_for_the_next_page_itself(site: Site) -> None:
    site.service.page = 1
    ids = site.service.deliver(b"1", b"2", b"3")
    site.service.base = "https://graph.microsoft.com"
    with site.session() as session:
        assert [item.id for item in session.list(None).news] == ids


def test_a_next_link_may_write_the_same_host_in_other_letters(site: Site) -> None:
    site.service.page = 1
    ids = site.service.deliver(b"1", b"2")
    site.service.base = site.server.url.replace("https", "HTTPS")
    with site.session() as session:
        assert [item.id for item in session.list(None).news] == ids


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
    position = site.known() if known else replace(site.known(), known=frozenset())
    with site.session(**options) as session:
        listing = session.list(position)
        assert (len(listing.news), len(listing.unfinished)) == (news, unfinished)
        assert len(listing.news) + len(listing.unfinished) + listing.known == 1
        assert session.look(position) is bool(news + unfinished)


def test_what_has_been_given_up_is_left_alone_and_what_is_gone_forgotten(site: Site) -> None:
    (given_up,) = site.service.deliver(b"x")
    position = replace(site.known(), known=frozenset({"gone"}), problems={given_up: LeftAlone.GIVEN_UP, "gone-too": 1})
    with site.session() as session:
        listing = session.list(position)
        assert not session.look(position)
    assert (listing.news, listing.unfinished, listing.known) == ((), (), 1)
    assert (listing.position.known, listing.position.problems) == (frozenset(), {given_up: LeftAlone.GIVEN_UP})


@pytest.mark.parametrize(("path", "levels"), [("INBOX", 0), ("Cases/Open", 2)])
def test_an_idle_look_is_one_request_and_one_for_each_level_of_a_path(site: Site, path: str, levels: int) -> None:
    site.service.make("Open", site.service.make("Cases"))
    with site.session(folder_path=path) as session:  # the first time, folders are found by name
        position = session.list(None).position
    site.service.seen.clear()
    with site.session(folder_path=path, ask=position) as session:
        assert not session.look(position)
    assert len(site.service.seen) == 1 + levels


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
