"""Ids of one place mean nothing in another: a mailbox that moves loses no mail to numbers that are the same."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from postroom.model.configuration.document import Configuration
from postroom.model.mailbox_state import LeftAlone, MailboxState, Position
from postroom.model.raw_message import OLD
from postroom.rules.polling.position import in_place, place
from postroom.services.polling.outcome import Result

from tests.unit.services.polling.fakes import NOON, Post, Server, a_mailbox


def polled(*numbers: int) -> Post:
    """A mailbox whose mails are fetched, and left on the server."""
    post = Post(a_mailbox(leave_msg_on_server=True))
    post.server.put(*numbers)
    post.poll()
    return post


def move(post: Post, **options: Any) -> None:
    """Change options of the mailbox."""
    (mailbox,) = post.configurations.configuration.mailboxes
    moved = type(mailbox).model_validate({**mailbox.model_dump(exclude_unset=True), **options})
    post.configurations.configuration = Configuration(mailboxes=(moved,))


@pytest.mark.parametrize(
    "options",
    [{"server": "mail.example.net"}, {"login": "other@example.com"}, {"folder_path": "Customers"}],
    ids=lambda options: next(iter(options)),
)
def test_in_a_new_place_lower_numbers_of_the_same_epoch_are_fetched(options: dict[str, Any]) -> None:
    post = polled(7, 8, 9)
    move(post, **options)
    post.servers["support"] = post.connector.servers["support"] = Server()
    post.server.put(1, 2, 9)
    summary = post.poll()
    assert (summary.stored, summary.imbalances) == (3, 0)
    assert post.raw.subjects == [1, 2, 7, 8, 9]
    assert post.poll().results == {Result.IDLE: 1}


@pytest.mark.parametrize(
    "options",
    [
        {"port": 1993},
        {"security": "start-tls-required"},
        {"password": {"secret": "another"}},
        {"server": "MAIL.example.com"},
        {"cycle_time": "00:01:00"},
        {"description": "moved"},
    ],
    ids=lambda options: next(iter(options)),
)
def test_another_way_to_the_same_place_fetches_nothing_again(options: dict[str, Any]) -> None:
    post = polled(7, 8, 9)
    move(post, **options)
    post.server.put(10)
    assert post.poll().stored == 1


def test_when_it_was_first_looked_at_and_so_which_mail_is_old_stays() -> None:
    mailbox = a_mailbox()
    position = Position(epoch="1", cursor="9", problems={"3": LeftAlone.OLD}, connected=NOON, place="another")
    moved = in_place(MailboxState("support", position=position), mailbox).position
    assert moved == replace(position, moved=True)  # its server is asked whether it is the same
    assert moved.anew() == Position(connected=NOON, catching_up=True)


@pytest.mark.parametrize("known", ["", place(a_mailbox())], ids=["written-before-places-were", "the-same"])
def test_a_position_that_holds_is_left_as_it_is(known: str) -> None:
    state = MailboxState("support", position=replace(Position(epoch="1", cursor="9"), place=known))
    assert in_place(state, a_mailbox()) is state


def test_the_first_mail_in_a_new_place_that_was_empty_is_not_taken_for_old() -> None:
    post = Post(a_mailbox(type="POP3"))
    post.server.validity = ""  # ids of POP3 are of no epoch
    post.poll()
    move(post, server="mail.example.net")
    post.poll()
    writes = len(post.states.writes)
    post.poll()
    assert len(post.states.writes) == writes  # that it was empty is remembered once
    post.server.put(1)
    post.server.dates.clear()
    post.poll()
    (stored,) = post.raw.objects.values()
    assert OLD not in stored.metadata
