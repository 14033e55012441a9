"""Folders whose mail stays on the server: one new mail costs one page, and nothing stays out of sight (design, 8)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from postroom.adapters.graph.newest_page import Mark, read_mark
from postroom.model.mailbox_state import LeftAlone, Position
from postroom_cli.mailservers.graph_calls import Call
from postroom_cli.mailservers.https import Reply

from tests.functional.graph.conftest import Site

pytestmark = [pytest.mark.feature("G24"), pytest.mark.usefixtures("hasty")]

LONG_AGO = datetime(2019, 1, 1, tzinfo=UTC)


@pytest.fixture
def large(site: Site) -> Site:
    """A folder with 5,000 mails, all of them stored."""
    site.service.deliver(*[b"x"] * 5_000, is_read=True)
    return site


@contextmanager
def requests(site: Site) -> Iterator[list[str]]:
    """Collect what is asked meanwhile, without the folder's own opening."""
    site.service.seen.clear()
    found: list[str] = []
    yield found
    found += [one for one in site.service.seen if one.endswith("/messages")]


def test_a_new_mail_costs_one_page_for_the_look_and_one_for_the_list(large: Site) -> None:
    position = large.known()
    (new,) = large.service.deliver(b"new")
    with requests(large) as asked, large.session(ask=position) as session:
        assert session.look(position)
        listing = session.list(position)
    assert [item.id for item in listing.news] == [new]
    assert (listing.unfinished, listing.known, listing.position) == ((), 5_000, position)
    assert not listing.renewed
    assert len(asked) == 2


def test_several_new_mails_come_oldest_first(large: Site) -> None:
    position = large.known()
    ids = large.service.deliver(*[b"new"] * 60)
    with requests(large) as asked, large.session() as session:
        assert [item.id for item in session.list(position).news] == ids
    assert len(asked) == 1


def test_nothing_new_costs_one_page(large: Site) -> None:
    position = large.known()
    with requests(large) as asked, large.session(ask=position) as session:
        assert not session.look(position)
    assert len(asked) == 1


@pytest.mark.parametrize("with_news", [False, True], ids=["alone", "beside-new-mail"])
def test_old_mail_that_was_moved_in_is_found_by_the_number(large: Site, with_news: bool) -> None:
    position = large.known()
    moved = large.service.deliver(b"old", received=LONG_AGO)
    news = large.service.deliver(b"new") if with_news else []
    with large.session(ask=position) as session:
        assert session.look(position)
        listing = session.list(position)
    assert [item.id for item in listing.news] == [*moved, *news]
    assert listing.renewed


def test_old_mail_that_was_moved_in_while_others_vanished_is_found_within_a_day(large: Site) -> None:
    position = large.known()
    large.service.messages.pop(next(iter(large.service.messages)))
    (moved,) = large.service.deliver(b"old", received=LONG_AGO)
    with large.session(ask=position) as session:
        assert not session.look(position)  # the number is the same
    large.now += timedelta(days=1)
    with large.session(ask=position) as session:
        assert session.look(position)
        listing = session.list(position)
    assert [item.id for item in listing.news] == [moved]
    assert listing.renewed


@pytest.mark.parametrize(
    ("hours", "pages", "forgotten"), [(0.5, 1, False), (2, 21, True)], ids=["compared-lately", "compared-long-ago"]
)
def test_what_vanished_is_forgotten_with_the_next_news_at_most_once_an_hour(
    large: Site, hours: float, pages: int, forgotten: bool
) -> None:
    position = large.known(compared=timedelta(hours=hours))
    gone = next(iter(large.service.messages))
    large.service.messages.pop(gone)
    large.service.deliver(b"new")
    with requests(large) as asked, large.session() as session:
        listing = session.list(position)
    assert len(listing.news) == 1
    assert (gone not in listing.position.known) is forgotten
    assert len(asked) == pages


@pytest.mark.parametrize("cursor", ["", "nonsense", "99999999999999999999 1", "4102444800 0"])
def test_a_folder_of_which_nobody_knows_when_it_was_compared_is_compared(large: Site, cursor: str) -> None:
    position = replace(large.known(), cursor=cursor)
    with large.session(ask=position) as session:
        assert session.look(position)
        listing = session.list(position)
    assert (listing.news, listing.known, listing.renewed) == ((), 5_000, True)
    assert read_mark(listing.position.cursor).compared == large.now


def test_more_news_than_a_page_shows_lead_to_the_whole_folder(large: Site) -> None:
    position = large.known()
    ids = large.service.deliver(*[b"new"] * 120)
    with large.session() as session:
        assert [item.id for item in session.list(position).news] == ids


def test_a_failed_mail_far_down_gets_its_next_try(large: Site) -> None:
    (first, *_rest) = large.service.messages
    position = large.known()
    position = replace(position, known=position.known - {first}, problems={first: 1})
    with large.session(ask=position) as session:
        assert session.look(position)
        assert [item.id for item in session.list(position).news] == [first]


@pytest.mark.parametrize("left", [LeftAlone.GIVEN_UP, LeftAlone.OLD])
def test_mail_left_alone_is_neither_news_nor_a_reason_to_list_everything(large: Site, left: int) -> None:
    position = large.known()
    aside = dict.fromkeys(list(position.known)[:3_000], left)
    position = replace(position, known=position.known - aside.keys(), problems=aside)
    (new,) = large.service.deliver(b"new")
    with requests(large) as asked, large.session() as session:
        listing = session.list(position)
    assert [item.id for item in listing.news] == [new]
    assert listing.known == 5_000
    assert len(asked) == 1


def miscount(site: Site, number: int | None) -> None:
    """Let the service tell another number of messages than there are; None: none."""
    answer = site.service._list

    def listed(call: Call, folder: str) -> Reply:
        reply = answer(call, folder)
        content = json.loads(reply.body)
        del content["@odata.count"]
        return replace(reply, body=json.dumps(content | ({} if number is None else {"@odata.count": number})).encode())

    site.service._list = listed  # type: ignore[method-assign]


@pytest.mark.parametrize(
    ("number", "new"),
    [(5_003, False), (5_004, True), (-1, False), (None, False)],
    ids=["as-before", "more", "-1", "none"],
)
def test_a_number_that_is_always_wrong_is_no_reason_to_list_everything_for_ever(
    large: Site, number: int | None, new: bool
) -> None:
    miscount(large, number)
    position = replace(large.known(), cursor=Mark(large.now, 3).text())
    with large.session(ask=position) as session:
        assert session.look(position) is new


@pytest.mark.parametrize("number", [-1, None, 5_000], ids=["-1", "none", "too-few"])
def test_without_a_true_number_no_new_mail_is_overlooked(large: Site, number: int | None) -> None:
    position = large.known()
    ids = large.service.deliver(*[b"new"] * 120)
    miscount(large, number)
    with large.session(ask=position) as session:
        assert session.look(position)
        assert [item.id for item in session.list(position).news] == ids


def test_the_surplus_of_the_number_is_remembered_with_the_comparison(large: Site) -> None:
    miscount(large, 5_002)
    with large.session() as session:
        listing = session.list(replace(large.known(), cursor=""))
        assert not session.look(listing.position)
    assert read_mark(listing.position.cursor) == Mark(large.now, 2)


def test_mail_that_arrives_while_the_folder_is_compared_is_no_surplus(site: Site) -> None:
    site.service.page = 5
    site.service.deliver(*[b"x"] * 12, is_read=True)

    def arrives(begin: int) -> None:
        if begin == 5:
            site.service.deliver(b"late")

    site.service.on_page = arrives
    with site.session() as session:
        listing = session.list(replace(site.known(), cursor=""))
    assert read_mark(listing.position.cursor).surplus == 0


@pytest.mark.parametrize("options", [{"leave_msg_on_server": False}, {"processed_items_folder_name": "done"}])
def test_where_stored_mail_goes_away_the_whole_folder_is_listed_and_never_compared(
    site: Site, options: dict[str, Any]
) -> None:
    with site.session(**options) as session:
        listing = session.list(Position())
        assert not session.look(listing.position)
    assert (listing.position.cursor, listing.renewed) == ("", False)
