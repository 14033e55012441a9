"""The Graph connector: whole messages, headers, and what is done with messages afterwards."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable

import pytest
from postroom.errors import Permanent, PostroomError, ServerMisbehaved, Transient
from postroom.model.server_mail import Action, Fetched, Item
from postroom_cli.mailservers.graph import CHUNKED, chunks
from postroom_cli.mailservers.graph_calls import error
from postroom_cli.mailservers.https import Reply

from tests.functional.graph.conftest import Site, collect

pytestmark = [pytest.mark.feature("G24"), pytest.mark.usefixtures("hasty")]

ODD_MAILS = {
    "plain": b"Subject: x\r\n\r\nHello\r\n",
    "bare-lf": b"Subject: x\n\nHello\n",
    "eight-bit": b"Subject: \xff\xfe\r\n\r\n\x00\x80\xff",
    "dots": b"Subject: x\r\n\r\n.\r\n..\r\n",
    "large": b"Subject: x\r\n\r\n" + b"y" * 3_000_000,
    "one-byte": b"x",
}


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


@pytest.mark.fault(31)
@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        pytest.param(error(404, "MailboxNotEnabledForRESTAPI"), Permanent, id="a mailbox that moves"),
        pytest.param(error(404, "ResourceNotFound"), Permanent, id="a mailbox that is not found for a while"),
        pytest.param(Reply(404, b"<html>Not here</html>"), Transient, id="a gateway's page"),
    ],
)
def test_a_404_that_is_not_the_messages_takes_no_message_for_gone(
    site: Site, reply: Reply, kind: type[PostroomError]
) -> None:
    site.service.deliver(b"1", b"2")
    with site.session() as session:
        items = session.list(None).news
        site.service.fail("GET", r".*\$value", reply, times=9)
        with pytest.raises(kind) as caught:
            collect(session, items)
        with pytest.raises(kind) as headless:
            session.headers(items[0])
    assert "gone" not in (caught.value.code, headless.value.code)


@pytest.mark.fault(31)
@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_message_that_graph_never_gives_out_in_time_holds_up_no_other(site: Site, status: int) -> None:
    ids = site.service.deliver(b"1", b"2", b"3")
    site.service.fail("GET", r"/messages/.*0002==/\$value", error(status, "UnknownError"), times=9)
    with site.session() as session:
        contents, failures = collect(session, session.list(None).news)
    assert list(contents) == [ids[0], ids[2]]
    assert f"{status} UnknownError" in failures[ids[1]].reason


@pytest.mark.fault(31)
def test_long_pages_of_a_gateway_for_several_messages_at_once_keep_nobody_waiting(site: Site) -> None:
    ids = site.service.deliver(*(b"%d" % number for number in range(6)))
    site.service.fail("GET", r"/messages/.*000[1-5]==/\$value", Reply(504, b"<html>" + b"x" * 300_000), times=5)
    with site.session() as session:
        contents, failures = collect(session, session.list(None).news)
    assert (list(contents), list(failures)) == (ids[5:], ids[:5])


@pytest.mark.fault(31)
def test_a_service_that_does_not_work_at_all_blames_no_message(site: Site) -> None:
    site.service.deliver(b"1", b"2", b"3")
    with site.session() as session:
        items = session.list(None).news
        site.service.fail("GET", ".*", error(504, "UnknownError"), times=99)
        with pytest.raises(Transient) as caught:
            collect(session, items)
    assert caught.value.code == "unavailable"


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
        pytest.param(lambda: Reply(200, gzip.compress(b"x"), {"Content-Encoding": "gzip"}), id="packed-unasked"),
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


@pytest.mark.fault(39)
@pytest.mark.parametrize(
    ("reply", "code"),
    [
        pytest.param(error(412, "ErrorIrresolvableConflict"), "command_refused", id="changed at the same moment"),
        pytest.param(error(403, "ErrorAccessDenied"), "read_only", id="a draft that somebody put there"),
    ],
)
def test_a_message_that_cannot_be_marked_keeps_no_other_from_it(site: Site, reply: Reply, code: str) -> None:
    ids = site.service.deliver(*(b"%d" % number for number in range(9)))
    site.service.fail("PATCH", r"/messages/.*0001==", reply)
    with site.session() as session, pytest.raises(Transient) as caught:
        session.act(ids, Action.MARK_READ)
    assert (caught.value.code, caught.value.step) == (code, "act")
    assert [message.is_read for message in site.service.messages.values()] == [False] + 8 * [True]


@pytest.mark.fault(39)
def test_where_nothing_may_be_changed_it_is_not_tried_for_hundreds_of_messages(site: Site) -> None:
    ids = site.service.deliver(*(b"%d" % number for number in range(60)))
    site.service.fail("PATCH", ".*", error(403, "ErrorAccessDenied"), times=99)
    with site.session() as session, pytest.raises(Transient) as caught:
        session.act(ids, Action.MARK_READ)
    assert "Mail.ReadWrite" in caught.value.remedy
    assert sum(line.startswith("PATCH") for line in site.service.seen) < 30


def test_an_id_stays_when_its_message_is_moved(site: Site) -> None:
    (one,) = site.service.deliver(b"x")
    with site.session(processed_items_folder_name="done") as session:
        session.act([one], Action.MOVE)
    with site.session(folder_path="done") as session:
        assert [item.id for item in session.list(None).news] == [one]
