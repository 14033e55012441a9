"""Reading by IMAP, from the embedded server and a real Dovecot: look, list, fetch."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from postroom.model.configuration.mailbox import FirstConnection
from postroom.model.mailbox_state import LeftAlone
from postroom.model.server_mail import Action, Fetched

from tests.functional.mail_protocols.hosts import Embedded, Host, Real
from tests.functional.mail_protocols.mails import mail, stored_up_to
from tests.functional.mail_protocols.opening import collect, on_host


@pytest.mark.feature("G20", "G24")
def test_every_message_comes_byte_for_byte_and_unread(host: Host) -> None:
    mails = [mail(number, size=number * 300) for number in range(130)]
    host.append_all(mails)
    with on_host(host) as session:
        listing = session.list(None)
        assert [item.size for item in listing.news] == [len(raw) for raw in mails]
        # Dovecot answers two FETCH commands in flight at the same time when the line is full: the order may change.
        results = sorted(session.fetch(listing.news), key=lambda result: int(result.item.id))
    assert [result.item for result in results] == list(listing.news)
    for result, raw in zip(results, mails, strict=True):
        assert isinstance(result, Fetched)
        assert result.path.read_bytes() == raw
        assert result.sha256 == hashlib.sha256(raw).hexdigest()
        result.path.unlink()
    assert not any("\\Seen" in flags for flags in host.flags().values())


@pytest.mark.parametrize("leave", [True, False], ids=["left-on-server", "deleted"])
def test_looking_at_an_unchanged_folder_finds_nothing(host: Host, leave: bool) -> None:
    with on_host(host, leave_msg_on_server=leave) as session:
        position = session.list(None).position
        assert not session.look(position)
        host.append(mail(1))
    with on_host(host, leave_msg_on_server=leave) as session:
        assert session.look(position)
        listing = session.list(position)
        session.act([item.id for item in listing.news], Action.MARK_READ if leave else Action.DELETE)
        position = stored_up_to(listing, int(listing.news[-1].id))
    with on_host(host, leave_msg_on_server=leave) as session:
        assert not session.look(position)
        assert session.list(position).news == ()


@pytest.mark.fault(37)
@pytest.mark.parametrize("leave", [True, False], ids=["left-on-server", "deleted"])
def test_what_was_stored_but_not_told_to_the_server_is_found_again(host: Host, leave: bool) -> None:
    host.append_all([mail(number) for number in range(3)])
    with on_host(host, leave_msg_on_server=leave) as session:
        listing = session.list(None)
        position = stored_up_to(listing, int(listing.news[-1].id))
        assert session.look(position)
        again = session.list(position)
        assert again.news == ()
        assert again.unfinished == tuple(item.id for item in listing.news)
        session.act(again.unfinished, Action.MARK_READ if leave else Action.DELETE)
        session.act(again.unfinished, Action.MARK_READ if leave else Action.DELETE)  # repeating is harmless
    with on_host(host, leave_msg_on_server=leave) as session:
        assert not session.look(position)
    if leave:
        assert all("\\Seen" in flags for flags in host.flags().values())
    else:
        assert host.contents() == []


def test_messages_on_the_problem_list_are_left_alone_and_failed_ones_tried_again(host: Host) -> None:
    host.append_all([mail(number) for number in range(3)])
    with on_host(host) as session:
        listing = session.list(None)
        ids = [item.id for item in listing.news]
        listed = replace(stored_up_to(listing, int(ids[2])), exists=None)
        given_up = replace(
            listed, cursor="0", known=frozenset(ids[2:]), problems={ids[0]: LeftAlone.GIVEN_UP, ids[1]: 1}
        )
        listing = session.list(given_up)
        assert [item.id for item in listing.news] == [ids[1]]
        assert listing.unfinished == (ids[2],)
        session.act(ids, Action.MARK_READ)
        assert session.look(given_up)  # the failed one, though somebody has read it
        assert not session.look(replace(given_up, problems=dict.fromkeys(ids[:2], LeftAlone.GIVEN_UP)))


@pytest.mark.feature("X13")
def test_from_now_on_takes_nothing_that_lies_there(host: Host) -> None:
    host.append(mail(1))
    with on_host(host, first_connection=FirstConnection.FROM_NOW) as session:
        first = session.list(None)
        assert first.news == ()
        assert first.known == 1
    host.append(mail(2))
    with on_host(host, first_connection=FirstConnection.FROM_NOW) as session:
        assert session.look(first.position)
        contents, _ = collect(session, session.list(first.position).news)
    assert list(contents.values()) == [mail(2)]


def test_arrival_is_listed_with_its_zone(host: Host) -> None:
    moment = datetime(2026, 11, 3, 10, 20, 30, tzinfo=UTC)
    host.append(mail(1), date=moment)
    with on_host(host) as session:
        assert [item.date for item in session.list(None).news] == [moment]


@pytest.mark.fault(20)
def test_a_renumbered_folder_is_taken_from_the_beginning(host: Host) -> None:
    host.append(mail(1))
    with on_host(host) as session:
        listing = session.list(None)
        position = stored_up_to(listing, 1)
        session.act(["1"], Action.MARK_READ)
    host.renumber()
    with on_host(host) as session:
        assert session.look(position)
        again = session.list(position)
    assert again.resynced
    assert again.position.epoch != position.epoch
    assert len(again.news) == 1


@pytest.mark.fault(21)
def test_a_message_that_vanished_is_reported_gone_and_no_other_comes_in_its_place(host: Host) -> None:
    host.append_all([mail(number) for number in range(4)])
    with on_host(host) as session:
        news = session.list(None).news
        host.remove(int(news[1].id))
        contents, failures = collect(session, news)
    assert list(contents.values()) == [mail(0), mail(2), mail(3)]
    assert {one: failure.gone for one, failure in failures.items()} == {news[1].id: True}


@pytest.mark.fault(42)
def test_a_message_that_another_client_has_read_is_still_fetched(host: Host) -> None:
    with on_host(host) as session:
        position = session.list(None).position
    host.append(mail(1), flags=["\\Seen"])
    with on_host(host) as session:
        assert session.look(position)
        contents, _ = collect(session, session.list(position).news)
    assert list(contents.values()) == [mail(1)]


@pytest.mark.fault(29)
def test_a_kicked_session_goes_on_over_a_new_connection(host: Host) -> None:
    mails = [mail(number) for number in range(120)]
    host.append_all(mails)
    received: list[bytes] = []
    with on_host(host) as session:
        for result in session.fetch(session.list(None).news):
            assert isinstance(result, Fetched)
            received.append(result.path.read_bytes())
            result.path.unlink()
            if len(received) == 10:
                if isinstance(host, Embedded):
                    host.server.kick()
                elif isinstance(host, Real):
                    host.server.doveadm("kick", host.user)
    assert sorted(received) == sorted(mails)


def test_a_receiver_that_stops_in_the_middle_does_not_confuse_what_follows(host: Host) -> None:
    host.append_all([mail(number) for number in range(120)])
    with on_host(host) as session:
        news = session.list(None).news
        results = session.fetch(news)
        first = next(results)
        assert isinstance(first, Fetched)
        first.path.unlink()
        results.close()  # type: ignore[attr-defined]  # it is a generator
        contents, _ = collect(session, news[5:7])
        assert list(contents.values()) == [mail(5), mail(6)]
        session.act([news[0].id], Action.MARK_READ)
    assert "\\Seen" in host.flags()[int(news[0].id)]


def test_headers_come_alone(host: Host) -> None:
    host.append(mail(1, size=100_000))
    with on_host(host) as session:
        item = session.list(None).news[0]
        assert session.headers(item) == mail(1).partition(b"\r\n\r\n")[0] + b"\r\n\r\n"


def test_old_mail_has_its_date_so_that_it_can_be_left_alone(host: Host) -> None:
    old = datetime.now(UTC).replace(microsecond=0) - timedelta(days=400)
    host.append(mail(1), date=old)
    host.append(mail(2))
    with on_host(host, first_connection=FirstConnection.SINCE, first_connection_since=old.date()) as session:
        assert [item.date is not None for item in session.list(None).news] == [True, True]
