"""Fetching by POP3: no marks, no folders, no dates, and deletion that only holds when the session ends well."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from postroom.services.polling.outcome import Result
from postroom_cli.mailservers.pop3 import CAPABILITIES

from tests.functional.fetching.pop3_site import USER, Site, pop3_site
from tests.support.mails import mail

pytestmark = pytest.mark.usefixtures("hasty")

MAILS = [mail(subject=str(number)) for number in range(5)]


@pytest.fixture
def site() -> Iterator[Site]:
    with pop3_site() as made:
        yield made


def test_mail_is_stored_byte_for_byte_and_deleted(site: Site) -> None:
    site.connect()
    site.poll()
    site.deliver(*MAILS)
    assert site.poll().stored == 5
    assert sorted(stored.content for stored in site.post.raw.objects.values()) == sorted(MAILS)
    assert site.left() == 0
    assert site.poll().results == {Result.IDLE: 1}


@pytest.mark.feature("G15")
def test_mail_left_on_the_server_is_never_fetched_twice(site: Site) -> None:
    site.connect(leave_msg_on_server=True)
    site.poll()
    site.deliver(*MAILS[:3])
    assert site.poll().stored == 3
    assert site.poll().results == {Result.IDLE: 1}
    site.deliver(*MAILS[3:])
    assert site.poll().stored == 2
    assert (site.left(), site.post.raw.puts) == (5, 5)


@pytest.mark.fault(40)
def test_a_session_that_dies_before_quit_costs_a_look_and_no_mail(site: Site) -> None:
    site.connect()
    site.poll()
    site.deliver(*MAILS[:2])
    site.server.faults.drop_at_quit = True
    site.poll()
    assert site.left() == 2
    site.server.faults.drop_at_quit = False
    site.poll()
    assert site.left() == 0
    assert (len(site.post.raw.objects), site.post.raw.puts) == (2, 2)


@pytest.mark.feature("X13")
@pytest.mark.parametrize(("choice", "stored"), [("all", 3), ("from-now", 0)])
def test_the_first_connection_leaves_alone_what_is_not_wanted_also_later(site: Site, choice: str, stored: int) -> None:
    site.connect(first_connection=choice)
    site.deliver(*MAILS[:3])
    assert site.poll().stored == stored
    assert all(found.metadata["old"] == "true" for found in site.post.raw.objects.values())
    site.deliver(*MAILS[3:])
    assert site.poll().stored == 2
    assert sum(found.metadata.get("old") == "true" for found in site.post.raw.objects.values()) == stored
    assert site.left() == 3 - stored
    assert site.poll().results == {Result.IDLE: 1}


@pytest.mark.feature("G08")
def test_an_oversize_mail_gives_its_headers_once_and_stays(site: Site) -> None:
    site.connect(maximum_msg_size=1)
    site.poll()
    site.deliver(mail(body="x" * 1_100_000), MAILS[0])
    summary = site.poll()
    assert (summary.stored, summary.oversize) == (1, 1)
    assert site.left() == 1
    commands = len(site.server.log)
    assert site.poll().results == {Result.IDLE: 1}
    assert not any(command.startswith(("TOP", "RETR")) for command in site.server.log[commands:])


@pytest.mark.fault(24)
def test_a_mail_in_which_the_connection_breaks_delays_none(site: Site) -> None:
    site.connect()
    site.poll()
    site.deliver(*MAILS)
    site.server.faults.drop_in_message = 2
    summary = site.poll()
    assert summary.stored >= 3
    assert summary.problem >= 1
    site.server.faults.drop_in_message = 0
    site.poll()
    site.poll()
    assert sorted(stored.content for stored in site.post.raw.objects.values()) == sorted(MAILS)
    assert site.left() == 0


@pytest.mark.fault(23)
def test_a_server_without_unique_ids_loses_and_doubles_nothing(site: Site) -> None:
    site.connect(leave_msg_on_server=True)
    site.server.faults.same_uidl = True
    site.poll()
    site.deliver(*(mail(subject=str(number), message_id=f"<{number}@example.org>") for number in range(3)))
    site.poll()
    assert len(site.post.raw.objects) == 3
    site.poll()
    assert len(site.post.raw.objects) == 3


@pytest.mark.fault(16)
def test_a_mailbox_that_another_program_holds_is_tried_again_in_ten_minutes(site: Site) -> None:
    site.connect()
    site.poll()
    site.deliver(MAILS[0])
    site.server.faults.login_refusal = "[IN-USE] Mailbox is locked"
    site.poll()
    health = site.post.state.health
    assert (health.code, health.step, health.failures) == ("mailbox_locked", "login", 0)
    site.server.faults.login_refusal = ""
    assert site.poll().results == {Result.WAITING: 1}
    site.post.wait(minutes=10)
    assert site.poll().stored == 1


def test_a_session_that_is_at_its_end_still_keeps_the_next_one_from_nothing(site: Site) -> None:
    site.connect()
    site.deliver(MAILS[0])
    (user,) = site.server.store.users
    site.server.locked.add(user)

    def let_go() -> None:
        with site.server.lock:
            site.server.locked.discard(user)
            site.server.lock.notify_all()

    timer = threading.Timer(0.2, let_go)
    timer.start()
    assert site.poll().stored == 1
    timer.join()


@pytest.mark.fault(23)
def test_a_server_that_gives_out_an_id_again_gets_no_mail_deleted_that_was_not_fetched(site: Site) -> None:
    site.connect()
    site.server.faults.number_uidl = True
    site.poll()
    for raw in MAILS:  # each is message 1 when it comes
        site.deliver(raw)
        site.poll()
    assert site.contents() == sorted(MAILS)
    assert site.left() == 0


@pytest.mark.fault(23)
@pytest.mark.parametrize("fault", ["no_uidl", "same_uidl", "number_uidl"])
def test_mails_with_the_same_header_are_told_apart_by_what_they_contain(site: Site, fault: str) -> None:
    site.connect(maximum_msg_number=1)
    setattr(site.server.faults, fault, True)
    site.poll()
    header = b"From: form@example.com\r\nSubject: Form\r\n\r\n"
    mails = [header + text for text in (b"first\r\n", b"second\r\n", b"third\r\n")]
    site.deliver(*mails)
    for _ in range(4):
        site.poll()
    assert site.contents() == sorted(mails)
    assert site.left() == 0


@pytest.mark.fault(39)
def test_a_server_that_deletes_nothing_is_named_and_its_mail_is_fetched_once(site: Site) -> None:
    site.connect()
    site.poll()
    site.server.faults.keep_all = True
    site.deliver(*MAILS[:2])
    for _ in range(4):
        site.poll()
    health = site.post.state.health
    assert (health.step, health.code) == ("act", "delete_refused")
    assert "2 of 2" in health.reason
    assert "Permission denied" in health.reason
    assert (site.left(), site.post.raw.puts) == (2, 2)
    site.server.faults.keep_all = False
    site.post.wait(minutes=11)
    site.poll()
    assert site.left() == 0
    assert site.post.state.health.code == ""


@pytest.mark.fault(23)
@pytest.mark.parametrize("pipelining", [True, False], ids=["pipelined", "one-by-one"])
@pytest.mark.parametrize("top", [True, False], ids=["with-top", "without-top"])
def test_a_new_mail_under_the_id_of_a_deleted_one_is_fetched(site: Site, pipelining: bool, top: bool) -> None:
    words = {"PIPELINING": pipelining, "TOP": top}
    site.server.capabilities = tuple(word for word in CAPABILITIES if words.get(word, True))
    site.server.faults.reused_uidl = True
    site.connect()
    site.poll()
    for number in range(0, len(MAILS), 2):  # msg1 and msg2, again and again
        site.deliver(*MAILS[number : number + 2])
        assert site.poll().stored == len(MAILS[number : number + 2])
        assert site.left() == 0
    assert sorted(stored.content for stored in site.post.raw.objects.values()) == sorted(MAILS)
    assert site.poll().results == {Result.IDLE: 1}


@pytest.mark.fault(40)
def test_what_could_not_be_deleted_is_known_by_its_header_and_not_fetched_again(site: Site) -> None:
    site.connect()
    site.poll()
    site.deliver(*MAILS)
    site.server.faults.drop_at_quit = True
    site.poll()
    assert site.left() == len(MAILS)
    site.server.log.clear()
    site.server.faults.drop_at_quit = False
    site.poll()
    assert (site.left(), site.said("RETR"), site.said("TOP")) == (0, 0, len(MAILS))
    before = len(site.server.log)
    assert site.poll().results == {Result.IDLE: 1}
    assert not any(command.startswith(("TOP", "LIST", "CAPA")) for command in site.server.log[before:])


@pytest.mark.fault(39)
def test_a_server_that_never_deletes_is_asked_again_without_fetching_anything_twice(site: Site) -> None:
    site.connect()
    site.poll()
    site.deliver(*MAILS)
    site.server.faults.keep_all = True
    for _ in range(4):
        site.poll()
        site.post.wait(minutes=1)
    assert site.said("RETR") == len(MAILS)
    assert site.post.raw.puts == len(MAILS)
    assert site.post.state.health.code == "delete_refused"
    site.server.faults.keep_all = False
    site.poll()
    assert site.left() == 0


def deliver_unfetchable(site: Site) -> None:
    """Put a mail that the server does not give out into a mailbox where such mail is to be deleted."""
    site.server.faults.reused_uidl = True
    site.connect(delete_bad_formatted_msg=True)
    site.poll()
    site.server.faults.refuse_message = 1
    site.deliver(MAILS[0])


@pytest.mark.feature("G07")
def test_the_id_of_a_given_up_mail_that_was_deleted_is_looked_into_when_it_comes_again(site: Site) -> None:
    deliver_unfetchable(site)
    site.poll()
    site.poll()
    site.deliver(MAILS[1])
    site.poll()
    assert site.left() == 0
    assert [stored.content for stored in site.post.raw.objects.values()] == [MAILS[1]]
    # The next mail gets the id of the one that was given up, and is fetched when that is looked into.
    site.server.faults.refuse_message = 0
    site.deliver(MAILS[2])
    for _ in range(3):
        site.poll()
        site.post.wait(minutes=11)
    assert sorted(stored.content for stored in site.post.raw.objects.values()) == sorted(MAILS[1:3])
    assert site.left() == 0


@pytest.mark.feature("G08")
def test_ids_that_move_up_after_a_deletion_have_no_other_mail_deleted(site: Site) -> None:
    site.server.faults.reused_uidl = True
    site.connect(maximum_msg_size=1, delete_big_msg=True, maximum_msg_number=2)
    site.poll()
    site.deliver(MAILS[0], mail(body="x" * 1_100_000), *MAILS[1:])
    for _ in range(6):
        site.poll()
        site.post.wait(minutes=11)
    whole = [one.content for one in site.post.raw.objects.values() if "oversize" not in one.metadata]
    assert sorted(whole) == sorted(MAILS)
    assert site.left() == 0


@pytest.mark.feature("G07")
def test_a_given_up_mail_whose_deletion_was_refused_is_tried_once_more_before_it_is_deleted(site: Site) -> None:
    deliver_unfetchable(site)
    site.server.faults.keep_all = True
    for _ in range(3):
        site.poll()
    assert site.post.state.health.code == "delete_refused"
    # Meanwhile somebody else deletes it, and the next mail gets its id.
    folder = site.server.store.folder(USER, "INBOX")
    assert folder is not None
    folder.remove(list(folder.messages))
    site.deliver(MAILS[1])
    site.server.faults.refuse_message = 0
    site.server.faults.keep_all = False
    site.post.wait(minutes=11)
    site.poll()
    assert [stored.content for stored in site.post.raw.objects.values()] == [MAILS[1]]
    assert site.left() == 0
    position = site.post.state.position
    assert position is not None
    assert (position.problems, position.asides) == ({}, {})
