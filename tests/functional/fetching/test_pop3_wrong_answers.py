"""Answers of POP3 servers that are well-formed and wrong: nothing is lost, nothing doubled, and it is shown."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from postroom.errors import Transient
from postroom.model.mailbox_state import HealthState
from postroom.services.polling.outcome import Result
from postroom_cli.mailservers.pop3 import CAPABILITIES

from tests.functional.fetching.pop3_site import Site, pop3_site
from tests.support.mails import mail

pytestmark = pytest.mark.usefixtures("hasty")

MAILS = [
    mail(subject=f"Number {number}", message_id=f"<{number}@example.org>", body="x" * number) for number in range(5)
]
SAME_SIZE = [mail(subject=str(number), message_id=f"<{number}@example.org>") for number in range(5)]


@pytest.fixture
def site() -> Iterator[Site]:
    with pop3_site() as made:
        yield made


@pytest.mark.fault(97)
@pytest.mark.parametrize("stays", [False, True], ids=["deleted-afterwards", "left-on-the-server"])
def test_what_a_failed_store_left_unstored_survives_a_server_that_deletes_at_quit(
    site: Site, stays: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.connect(leave_msg_on_server=stays)
    site.server.faults.expires = True
    site.poll()
    site.deliver(*MAILS)
    put, calls = site.post.raw.put_if_absent, itertools.count()

    def fails_at_the_third(*arguments: Any, **options: Any) -> bool:
        if next(calls) >= 2:
            raise Transient("S3 is busy", code="aws_busy")
        return put(*arguments, **options)

    with monkeypatch.context() as failing:
        failing.setattr(site.post.raw, "put_if_absent", fails_at_the_third)
        site.poll()
    assert site.left() == len(MAILS)
    assert site.said("DELE") == 0
    site.poll()
    assert site.contents() == sorted(MAILS)
    assert site.left() == (len(MAILS) if stays else 0)


@pytest.mark.fault(97)
def test_a_message_that_did_not_come_survives_the_quit_that_deletes_the_others(site: Site) -> None:
    site.connect()
    site.server.faults.expires = True
    site.poll()
    site.deliver(*MAILS)
    site.server.faults.cut = {2: 100}
    site.poll()
    assert site.left() == 1
    site.server.faults.cut.clear()
    site.poll()
    assert site.contents() == sorted(MAILS)


@pytest.mark.fault(113)
@pytest.mark.parametrize("refused", ["UIDL", "LIST", "CAPA", "TOP"])
@pytest.mark.parametrize("stays", [False, True], ids=["deleted-afterwards", "left-on-the-server"])
def test_a_command_refused_once_sets_no_mail_aside(site: Site, refused: str, stays: bool) -> None:
    site.connect(leave_msg_on_server=stays)
    site.deliver(MAILS[0])
    site.poll()
    site.deliver(*MAILS[1:])
    site.server.faults.refusals = {refused: 1}
    for _ in range(3):
        site.poll()
    assert site.contents() == sorted(MAILS)
    assert site.post.raw.puts == len(MAILS)
    position = site.post.state.position
    assert position is not None
    assert position.problems == {}


@pytest.mark.fault(113)
@pytest.mark.parametrize("refused", ["UIDL", "LIST"])
def test_a_listing_that_goes_on_being_refused_is_shown_and_does_no_harm(site: Site, refused: str) -> None:
    site.connect(leave_msg_on_server=True)
    site.deliver(MAILS[0])
    site.poll()
    site.deliver(*MAILS[1:])
    site.server.faults.refusals = {refused: 99}
    for _ in range(4):
        site.poll()
    assert (site.health.state, site.health.step) == (HealthState.RETRYING, "list")
    assert "Not now" in site.health.reason
    site.server.faults.refusals.clear()
    site.post.wait(minutes=11)
    site.poll()
    assert site.contents() == sorted(MAILS)


ENDS_EARLY = "ends-early"
CASES = {
    ENDS_EARLY: {"cut": {2: 150}},
    "nothing": {"cut": {2: 0}},
    "another-number": {"instead": {2: 4}},
    "the-last-twice": {"instead": {2: 5, 4: 5}},
}


@pytest.mark.fault(114)
@pytest.mark.parametrize("pipelining", [True, False], ids=["pipelined", "one-by-one"])
@pytest.mark.parametrize("mails", [MAILS, SAME_SIZE], ids=["of-all-sizes", "of-one-size"])
@pytest.mark.parametrize("case", CASES)
def test_what_is_not_the_message_is_not_stored_and_the_message_stays(
    site: Site, case: str, mails: list[bytes], pipelining: bool
) -> None:
    site.server.capabilities = tuple(word for word in CAPABILITIES if pipelining or word != "PIPELINING")
    site.connect()
    site.poll()
    site.deliver(*mails)
    for name, value in CASES[case].items():
        setattr(site.server.faults, name, dict(value))
    site.poll()
    wrong = len(next(iter(CASES[case].values())))
    assert set(site.contents()) <= set(mails)
    assert site.left() == wrong
    site.server.faults.cut, site.server.faults.instead = {}, {}
    site.poll()
    assert site.contents() == sorted(mails)
    assert (site.left(), site.post.raw.puts) == (0, len(mails))


@pytest.mark.fault(114)
@pytest.mark.parametrize("case", CASES)
def test_what_was_wrong_once_is_fetched_in_the_next_poll_at_the_latest(site: Site, case: str) -> None:
    site.connect()
    site.poll()
    site.deliver(*MAILS)
    site.server.faults.once = True
    for name, value in CASES[case].items():
        setattr(site.server.faults, name, dict(value))
    site.poll()
    site.poll()
    assert site.contents() == sorted(MAILS)
    assert site.left() == 0


@pytest.mark.fault(114)
@pytest.mark.parametrize("body", ["first\r\n.\r\nlast", "first\r\n.dot\r\nlast", ".\r\n..\r\n...\r\nlast"])
def test_a_server_that_stuffs_no_dots_costs_no_mail_its_end(site: Site, body: str) -> None:
    dotted = mail(body=body)
    site.connect()
    site.poll()
    site.deliver(MAILS[0], dotted, MAILS[1])
    site.server.faults.no_stuffing = True
    for _ in range(3):
        site.poll()
    assert set(site.contents()) - {dotted} == set(MAILS[:2])
    assert site.left() + (dotted in site.contents()) == 1


@pytest.mark.fault(25)
@pytest.mark.parametrize("fault", ["estimates", "counts-lf"])
def test_a_server_that_only_estimates_sizes_is_believed_when_it_says_the_same_twice(site: Site, fault: str) -> None:
    site.connect()
    site.poll()
    site.deliver(*MAILS)
    if fault == "estimates":
        site.server.faults.estimates = True
    else:
        site.server.faults.wrong_size = {n: len(raw) - raw.count(b"\n") for n, raw in enumerate(MAILS, 1)}
    site.poll()
    assert site.contents() == sorted(MAILS)
    assert site.said("RETR") == len(MAILS) * (2 if fault == "estimates" else 1)
    assert site.left() == 0


RAW_HEADERS = [mail(subject=f"Gr\u00fc\u00dfe {number}", message_id=f"<{number}@example.org>") for number in range(3)]


@pytest.mark.fault(126)
def test_mail_with_raw_headers_comes_as_it_is_where_utf8_is_spoken(site: Site) -> None:
    site.server.faults.wraps = True
    site.connect(leave_msg_on_server=True)
    site.deliver(MAILS[0], *RAW_HEADERS)
    site.poll()
    assert site.contents() == sorted([MAILS[0], *RAW_HEADERS])
    for _ in range(3):
        assert site.poll().results == {Result.IDLE: 1}
    assert site.said("CAPA") <= 2 + 1  # before the first login of a function, and before something is fetched


@pytest.mark.fault(126)
@pytest.mark.parametrize("speaks", [True, False], ids=["utf8-spoken", "utf8-refused"])
def test_a_notice_made_anew_at_each_download_is_no_other_message_though_quit_is_cut_twice(
    site: Site, speaks: bool
) -> None:
    site.server.faults.wraps = True
    site.server.faults.refusals = {} if speaks else {"UTF8": 99}
    site.connect()
    site.poll()
    site.deliver(*MAILS[:2], *RAW_HEADERS)
    site.server.faults.drop_at_quit = True
    site.poll()
    site.poll()
    site.server.faults.drop_at_quit = False
    for _ in range(3):
        site.poll()
    # What cannot be had as it is stays where it is, and on the problem list.
    expected = [*MAILS[:2], *RAW_HEADERS] if speaks else MAILS[:2]
    assert site.contents() == sorted(expected)
    assert site.left() == (0 if speaks else len(RAW_HEADERS))


@pytest.mark.fault(114)
@pytest.mark.parametrize("mails", [MAILS, SAME_SIZE], ids=["of-all-sizes", "of-one-size"])
@pytest.mark.parametrize("counted", [True, False], ids=["counted-by-list", "not-counted"])
def test_marks_that_stand_in_what_retr_sends_only_make_no_other_message_of_it(
    site: Site, mails: list[bytes], counted: bool
) -> None:
    # Of a scanner on the way, or of the server (X-UIDL, Status): all mail of the mailbox has them, at every try.
    site.server.faults.marks = b"X-Antivirus: clean\r\n"
    if counted:
        lengths = {n: len(raw) + len(site.server.faults.marks) for n, raw in enumerate(mails, 1)}
        site.server.faults.wrong_size = lengths
    site.connect()
    site.deliver(*mails)
    site.poll()
    site.poll()
    assert site.contents() == sorted(site.server.faults.marks + raw for raw in mails)
    assert site.left() == 0


@pytest.mark.fault(114)
@pytest.mark.parametrize("stays", [True, False], ids=["left", "deleted"])
def test_a_list_of_ids_that_leaves_some_out_makes_no_new_mail_of_them(site: Site, stays: bool) -> None:
    site.deliver(*MAILS[:2])
    site.connect(first_connection="from-now", leave_msg_on_server=stays)
    site.poll()
    site.deliver(MAILS[2])
    site.poll()
    site.deliver(MAILS[3])
    site.server.faults.unlisted = {1, 2, 3} if stays else {1, 2}
    site.poll()
    site.server.faults.unlisted = set()
    for _ in range(2):
        site.poll()
    assert site.contents() == sorted(MAILS[2:4])
    assert site.post.raw.puts == 2
    assert site.left() == (4 if stays else 2)


@pytest.mark.fault(126)
def test_a_header_that_is_made_anew_whenever_it_is_asked_is_no_other_message(site: Site) -> None:
    site.server.faults.wraps = True
    site.server.faults.refusals = {"UTF8": 99}
    site.connect()
    site.deliver(RAW_HEADERS[0])
    site.poll()
    position = site.post.state.position
    assert position is not None
    (one,) = {*position.problems, *position.known}
    stored = replace(position, known=frozenset({one}), problems={}, prints={one: "0123abcd"})
    site.post.states.items["box"] = replace(site.post.state, position=stored)
    fetched = site.said("RETR")
    site.poll()
    assert (site.said("RETR") - fetched, site.left()) == (0, 0)


@pytest.mark.fault(108)
def test_ids_that_are_new_in_every_session_are_refused_with_a_remedy_after_the_second(site: Site) -> None:
    site.server.faults.new_uidl = True
    site.connect(leave_msg_on_server=True)
    site.deliver(*MAILS)
    for _ in range(6):
        site.poll()
        site.post.wait(minutes=61)
    assert site.said("RETR") == 2 * len(MAILS)
    assert set(site.contents()) == set(MAILS)
    assert (site.health.state, site.health.code) == (HealthState.NEEDS_ATTENTION, "ids_renewed")
    assert "leave_msg_on_server: false" in site.health.remedy


@pytest.mark.fault(108)
def test_a_mailbox_that_somebody_empties_between_two_polls_has_lasting_ids(site: Site) -> None:
    site.connect(leave_msg_on_server=True)
    for raw in MAILS:
        site.deliver(raw)
        assert site.poll().stored == 1
        site.delete(1)
    assert site.health.state is HealthState.ACTIVE


@pytest.mark.fault(118)
@pytest.mark.parametrize("deleted", [(1,), (2,), (3,), (1, 3), (1, 2)])
def test_ids_that_are_message_numbers_hide_no_mail_when_others_are_deleted(
    site: Site, deleted: tuple[int, ...]
) -> None:
    site.server.faults.number_uidl = True
    site.connect(leave_msg_on_server=True)
    site.deliver(*MAILS[:3])
    site.poll()
    site.delete(*deleted)
    site.deliver(*MAILS[3:])  # under numbers that are known
    site.poll()
    assert site.contents() == sorted(MAILS)
    assert site.said("RETR") == len(MAILS)
    assert site.poll().results == {Result.IDLE: 1}


@pytest.mark.fault(118)
def test_old_mail_that_was_left_alone_stays_so_when_message_numbers_move_up(site: Site) -> None:
    site.server.faults.number_uidl = True
    site.connect(leave_msg_on_server=True, first_connection="from-now")
    site.deliver(*MAILS[:2])
    site.poll()
    site.deliver(*MAILS[2:4])
    site.poll()
    site.delete(1)
    site.deliver(MAILS[4])
    site.poll()
    assert site.contents() == sorted(MAILS[2:])


@pytest.mark.fault(128)
def test_a_login_delay_is_waited_for_exactly_and_is_no_failure() -> None:
    with pop3_site(login_delay=60.0) as site:
        site.connect(leave_msg_on_server=True)
        site.poll()
        site.deliver(MAILS[0])
        site.poll()  # too soon
        health = site.health
        assert (health.failures, health.code) == (0, "login_delay")
        assert health.next_try == site.post.now + timedelta(seconds=60)
        assert site.poll().results == {Result.WAITING: 1}
        site.server.logins.clear()
        site.post.wait(minutes=1)
        assert site.poll().stored == 1
        assert site.health.code == ""


@pytest.mark.fault(95)
@pytest.mark.parametrize("said", ["Server shutting down", "unable to process request now", "Dienst gest\u00f6rt", "?"])
def test_an_odd_refusal_of_a_login_is_tried_again_with_growing_pauses(site: Site, said: str) -> None:
    site.connect()
    site.poll()
    site.deliver(MAILS[0])
    site.server.faults.login_refusal = said
    logins = site.said("PASS")
    for _ in range(60):
        site.poll()
        site.post.wait(minutes=1)
    assert site.health.state is HealthState.RETRYING
    assert said[:5] in site.health.reason
    assert 3 <= site.said("PASS") - logins <= 7
    site.server.faults.login_refusal = ""
    site.post.wait(minutes=60)
    assert site.poll().stored == 1


def test_a_user_without_mail_costs_one_command(site: Site) -> None:
    site.connect()
    site.poll()
    site.server.log.clear()
    site.poll()
    assert [command for command in site.server.log if command not in ("USER", "PASS")] == ["UIDL", "QUIT"]
