"""Looking at several mailboxes in one request: whoever is not answered for is opened, whatever goes wrong."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import pytest
from postroom.errors import MailboxLocked, PostroomError, ServerMisbehaved, Transient
from postroom.model.configuration.mailbox import Mailbox
from postroom.model.mailbox_state import Position
from postroom.services.polling.outcome import Result

from tests.unit.services.polling.fakes import Post, ServerConnector, a_mailbox

Answers = Callable[[Sequence[Mailbox]], Iterator[tuple[Mailbox, bool | PostroomError]]]


@dataclass
class Together(ServerConnector):
    """Implements ports.LooksTogether; `answers` stands for the request."""

    answers: Answers = lambda asked: ((one, False) for one in asked)
    apart: set[str] = field(default_factory=set)  # mailboxes that have to be opened
    asked: list[list[str]] = field(default_factory=list)
    together: int = 4

    def company(self, mailbox: Mailbox, position: Position) -> Hashable | None:
        return None if mailbox.name in self.apart else mailbox.client_id

    def look_together(
        self, asked: Sequence[tuple[Mailbox, Position]], *, secret: str, deadline: float
    ) -> Iterator[tuple[Mailbox, bool | PostroomError]]:
        mailboxes = [mailbox for mailbox, _position in asked]
        self.asked.append([mailbox.name for mailbox in mailboxes])
        return self.answers(mailboxes)


class Tokens:
    """Implements ports.Tokens."""

    error: PostroomError | None = None

    def access_token(self, mailbox: Mailbox, *, deadline: float, refused: str = "") -> str:
        if self.error is not None:
            raise self.error
        return "secret"


def some(count: int = 4, connector: Together | None = None, **options: object) -> tuple[Post, Together]:
    """So many mailboxes of one application, looked at once before."""
    together = connector or Together()
    given = {"client_id": "app", "leave_msg_on_server": True, **options}
    post = Post(*(a_mailbox(f"box{number}", **given) for number in range(count)), connector=together)
    together.servers = post.servers
    post.polling = replace(post.polling, tokens=Tokens())
    post.poll()
    together.asked.clear()
    together.opened.clear()
    post.states.writes.clear()
    return post, together


def test_a_mailbox_that_was_never_looked_at_is_opened() -> None:
    together = Together()
    post = Post(*(a_mailbox(f"box{number}", client_id="app") for number in range(3)), connector=together)
    together.servers = post.servers
    post.polling = replace(post.polling, tokens=Tokens())
    post.poll()
    assert (together.asked, set(together.opened)) == ([], {"box0", "box1", "box2"})


def test_idle_mailboxes_are_neither_opened_nor_written() -> None:
    post, together = some(10)
    assert post.poll().results == {Result.IDLE: 10}
    assert sorted(map(len, together.asked)) == [2, 4, 4]
    assert (together.opened, post.states.writes) == ([], [])


def test_one_left_over_is_opened() -> None:
    post, together = some(5)
    assert post.poll().results == {Result.IDLE: 5}
    assert (list(map(len, together.asked)), together.opened) == ([4], ["box4"])


def test_who_cannot_be_looked_at_with_others_or_has_no_token_is_opened() -> None:
    together = Together(apart={"box1"})
    post, _together = some(4, together)
    post.poll()
    assert (together.asked, together.opened) == ([["box0", "box2", "box3"]], ["box1"])
    post, together = some(4, client_id=None)
    post.poll()
    assert (together.asked, len(together.opened)) == ([], 4)


def test_a_backlog_and_a_mailbox_that_waits_for_its_turn_are_not_asked_with_the_others() -> None:
    post, together = some(4)
    together.errors["box2"] = MailboxLocked("in use", step="login")
    together.answers = lambda asked: ((one, True) for one in asked)
    post.poll()
    together.answers = lambda asked: ((one, False) for one in asked)
    together.asked.clear()
    assert post.poll().results == {Result.IDLE: 3, Result.WAITING: 1}
    assert together.asked == [["box0", "box1", "box3"]]
    together.asked.clear()
    post.poll(backlog=True)
    assert together.asked == []


def _news(asked: Sequence[Mailbox]) -> Iterator[tuple[Mailbox, bool | PostroomError]]:
    return ((one, one.name == "box1") for one in asked)


def _nobody(asked: Sequence[Mailbox]) -> Iterator[tuple[Mailbox, bool | PostroomError]]:
    return iter(())


def _fails(asked: Sequence[Mailbox]) -> Iterator[tuple[Mailbox, bool | PostroomError]]:
    raise ServerMisbehaved("nonsense", step="list")


def _breaks_off(asked: Sequence[Mailbox]) -> Iterator[tuple[Mailbox, bool | PostroomError]]:
    yield asked[0], False
    raise Transient("the connection broke", step="list")


def _forgets(asked: Sequence[Mailbox]) -> Iterator[tuple[Mailbox, bool | PostroomError]]:
    return ((one, False) for one in asked if one.name != "box1")


def _confuses(asked: Sequence[Mailbox]) -> Iterator[tuple[Mailbox, bool | PostroomError]]:
    yield a_mailbox("stranger"), False
    yield asked[0], False
    yield asked[0], True
    yield asked[1], True


@pytest.mark.fault(31)
@pytest.mark.parametrize("answers", [_news, _nobody, _fails, _breaks_off, _forgets, _confuses])
def test_no_mail_is_overlooked_however_the_request_ends(answers: Answers) -> None:
    post, together = some(4)
    post.servers["box1"].put(1)
    together.answers = answers
    summary = post.poll()
    assert summary.stored == 1
    assert summary.results == {Result.IDLE: 3, Result.FETCHED: 1}
    assert summary.failures == {}


def test_what_no_code_expects_is_raised_and_the_mailboxes_are_opened() -> None:
    post, together = some(4)
    post.servers["box1"].put(1)

    def broken(asked: Sequence[Mailbox]) -> Iterator[tuple[Mailbox, bool | PostroomError]]:
        yield asked[0], False
        raise KeyError("a mistake of ours")

    together.answers = broken
    with pytest.raises(KeyError):
        post.poll()
    assert post.raw.subjects == [1]


def test_a_token_that_cannot_be_had_is_told_by_each_mailbox() -> None:
    post, together = some(3)
    tokens = Tokens()
    tokens.error = Transient("The token service does not work", step="login", code="token_service_unavailable")
    post.polling = replace(post.polling, tokens=tokens)
    summary = post.poll()
    assert together.asked == []
    assert summary.failures == dict.fromkeys(["box0", "box1", "box2"], "token_service_unavailable")
    assert post.states.writes == ["health"] * 3


def test_an_error_of_one_mailbox_is_its_own_and_it_is_not_opened() -> None:
    post, together = some(4)
    asked_to_wait = MailboxLocked("asked too much", step="list", code="throttled", retry_after=900)
    together.answers = lambda asked: ((one, asked_to_wait if one.name == "box2" else False) for one in asked)
    assert post.poll().failures == {"box2": "throttled"}
    assert together.opened == []
    known = post.states.items["box2"].health
    assert known.next_try is not None
    assert (known.next_try - post.now).total_seconds() == 900


def test_a_mailbox_that_was_ill_is_well_when_the_others_answer_for_it() -> None:
    post, together = some(4)
    together.answers = lambda asked: ((one, True) for one in asked)
    together.errors["box2"] = Transient("no answer", step="connect")
    post.poll()
    together.answers = lambda asked: ((one, False) for one in asked)
    post.states.writes.clear()
    assert post.poll().results == {Result.IDLE: 4}
    assert post.states.items["box2"].health.failures == 0
    assert post.states.writes == ["health"]
