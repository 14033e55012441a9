"""Thousands of mailboxes: pages that fit, each mailbox once, and work that grows with their number only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from postroom.errors import NotFound
from postroom.model.configuration.document import Configuration
from postroom.model.configuration.mailbox import Mailbox
from postroom.model.mailbox_state import Balance, Health, HealthState, MailboxState
from postroom.model.outbound import OutboxState
from postroom.rules.access.judge import operator
from postroom.services.api.mailboxes import LARGEST_PAGE, MOST_MAILBOXES, MailboxQueries
from postroom.services.mailboxes import costs

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


class Nothing:
    """Implements what is read of interactions and the outbox: no mail at all."""

    def list_outbox(self, state: OutboxState, *, newest_first: bool = True) -> Iterable[Mapping[str, Any]]:
        return ()

    def read(self, ids: Sequence[str]) -> Mapping[str, Any]:
        return {}

    def unarrived(self) -> Iterator[str]:
        return iter(())


EVERYBODY = operator("test")


class Installation:
    """Implements ports.Configurations and ports.MailboxStates; `loaded` counts the states that were read."""

    def __init__(self, number: int, reason: str = "") -> None:
        self.configuration = Configuration(
            mailboxes=tuple(
                Mailbox(name=f"box{one}", address=f"box{one}@example.com", server="imap.example.com", enabled=True)
                for one in range(number)
            )
        )
        self.state = MailboxState(
            "box",
            health=Health(HealthState.RETRYING, "connect", "connect_failed", reason, "See to it.", NOW, 7, NOW, NOW),
            balances=((NOW, Balance(1, 1)),),
        )
        self.loaded = 0

    def current(self) -> Configuration:
        return self.configuration

    def load(self, names: Sequence[str]) -> Mapping[str, MailboxState]:
        self.loaded += len(names)
        return dict.fromkeys(names, self.state)

    def queries(self) -> MailboxQueries:
        nothing: Any = Nothing()
        this: Any = self
        return MailboxQueries(nothing, nothing, this, this, lambda: NOW)


@pytest.mark.parametrize(
    ("reason", "most"),
    [("the server does not answer", MOST_MAILBOXES), ("the server does not answer. " * 100, MOST_MAILBOXES)],
    ids=["ordinary", "much-to-tell"],
)
def test_pages_name_every_mailbox_once_and_are_never_too_large(reason: str, most: int) -> None:
    site = Installation(1_500 if len(reason) < 100 else 300, reason)
    names: list[str] = []
    cursor: str | None = ""
    pages = 0
    while cursor is not None:
        page = site.queries().page(principal=EVERYBODY, after=cursor, most=most)
        assert len(page.model_dump_json().encode()) <= LARGEST_PAGE
        names += [row.name for row in page.items]
        cursor = page.next
        pages += 1
    assert names == [mailbox.name for mailbox in site.configuration.mailboxes]
    assert pages >= 15 if len(reason) < 100 else pages > 3
    assert site.loaded <= pages * most


def test_a_page_of_ten_thousand_reads_no_more_than_it_shows() -> None:
    site = Installation(10_000)
    page = site.queries().page(principal=EVERYBODY, after="box9950")
    assert (len(page.items), page.next, site.loaded) == (49, None, 49)


def test_a_page_ends_where_the_mailboxes_do() -> None:
    assert Installation(MOST_MAILBOXES).queries().page(principal=EVERYBODY).next is None
    assert Installation(0).queries().page(principal=EVERYBODY).items == ()
    assert Installation(3).queries().page(principal=EVERYBODY, most=2).next == "box1"


def test_a_mailbox_with_more_to_tell_than_a_page_takes_is_a_page_of_its_own() -> None:
    queries = Installation(2, "x" * (LARGEST_PAGE + 1)).queries()
    assert [len(queries.page(principal=EVERYBODY, after=after).items) for after in ("", "box0")] == [1, 1]


def test_the_cursor_of_a_mailbox_that_is_gone_is_refused() -> None:
    with pytest.raises(NotFound) as caught:
        Installation(1).queries().page(principal=EVERYBODY, after="gone")
    assert "cursor" in caught.value.remedy


def test_estimates_look_at_each_mailbox_as_often_however_many_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    shared = costs._shared
    looked = {"times": 0}

    def counted(mailbox: Mailbox) -> Any:
        looked["times"] += 1
        return shared(mailbox)

    monkeypatch.setattr(costs, "_shared", counted)
    for number in (50, 500):
        site = Installation(number)
        looked["times"] = 0
        assert len(site.queries().costs()) == number
        assert looked["times"] == 2 * number
