"""How long mail takes to its queue, summed up: what counts, and how much is read for it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
from postroom.model.arrival import Arrival
from postroom.model.configuration.document import Configuration
from postroom.model.mailbox_state import MailboxState, Position
from postroom.services.mailboxes.latency import Delay, delays

from tests.unit.services.polling.fakes import NOON, a_mailbox


@dataclass
class Arrivals:
    """Implements services.arrivals.Arrivals, and notes what it was asked."""

    mails: list[Arrival] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)

    def newest(self, queues: Iterable[str], *, mailboxes: Iterable[str], seen: int, of_each: int) -> list[Arrival]:
        self.asked.append({"queues": list(queues), "of_each": of_each})
        return self.mails


def installation(count: int, *, queues: int = 1) -> Configuration:
    """So many mailboxes, spread over so many queues."""
    return Configuration.model_validate(
        {
            "queues": [{"name": f"q{number}"} for number in range(queues)],
            "endpoints": [{"name": f"e{number}", "queue": f"q{number}"} for number in range(queues)],
            "mailboxes": [
                a_mailbox(f"box{number}", endpoint=f"e{number % queues}").model_dump(mode="json")
                for number in range(count)
            ],
        }
    )


def took(mailbox: str, seconds: float, *, before: timedelta = timedelta(0)) -> Arrival:
    """A mail that took so long, received at noon or before."""
    received = NOON - before
    return Arrival(mailbox, received, received + timedelta(seconds=seconds))


def summed(configuration: Configuration, arrivals: Arrivals) -> dict[str, Delay]:
    """Sum up all mailboxes, which were all connected an hour before noon."""
    connected = Position(epoch="1", connected=NOON - timedelta(hours=1))
    states = {one.name: MailboxState(one.name, position=connected) for one in configuration.mailboxes}
    return delays(configuration.mailboxes, states, configuration=configuration, arrivals=arrivals)


@pytest.mark.feature("X14")
def test_median_and_longest_leave_out_mail_from_before_the_connection_and_clocks_that_run_ahead() -> None:
    old = took("box0", 9e6, before=timedelta(days=100))
    mails = [took("box0", 10), took("box0", 30), took("box0", -2), old, took("box1", 5)]
    assert summed(installation(3), Arrivals(mails)) == {"box0": Delay(3, 10.0, 30.0), "box1": Delay(1, 5.0, 5.0)}


@pytest.mark.parametrize(("count", "of_each"), [(1, 50), (20, 50), (100, 10), (1_000, 3)])
def test_the_more_mailboxes_are_listed_the_fewer_mails_of_each_are_read(count: int, of_each: int) -> None:
    arrivals = Arrivals()
    summed(installation(count), arrivals)
    assert arrivals.asked == [{"queues": ["q0"], "of_each": of_each}]


def test_a_list_that_leads_to_very_many_queues_asks_none_and_a_single_mailbox_its_own() -> None:
    many = installation(30, queues=30)
    arrivals = Arrivals()
    assert summed(many, arrivals) == {}
    assert arrivals.asked == []
    one = replace(arrivals, mails=[took("box7", 1)])
    states = {"box7": MailboxState("box7")}
    assert delays(many.mailboxes[7:8], states, configuration=many, arrivals=one)["box7"].mails == 1
    assert one.asked == [{"queues": ["q7"], "of_each": 50}]
