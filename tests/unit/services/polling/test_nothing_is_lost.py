"""Whatever happens in whatever order, every mail is stored in the end, or lies where a person can find it."""

from __future__ import annotations

import random
from typing import Any

import pytest
from postroom.errors import PostroomError, ServerMisbehaved
from postroom.services.polling.outcome import Polling

from tests.unit.services.polling.fakes import NOON, ExtendableSession, Post, a_mailbox

MODES: dict[str, dict[str, Any]] = {
    "deleted": {},
    "left": {"leave_msg_on_server": True},
    "moved": {"processed_items_folder_name": "done"},
    "few at a time": {"maximum_msg_number": 2},
}


class Died(BaseException):
    """The process ends here."""


def dying(post: Post, choose: random.Random) -> None:
    """Let one call of the next poll be the last one of its process, before or after it takes effect."""
    target, name = choose.choice(
        [(post.raw, "put_if_absent"), (post.states, "save"), (post.states, "take_lease"), (post.queue, "send")]
    )
    real, after = getattr(target, name), choose.random() < 0.5

    def call(*args: Any, **kwargs: Any) -> Any:
        if after:
            real(*args, **kwargs)
        raise Died

    setattr(target, name, call)
    try:
        post.poll(backlog=choose.random() < 0.3)
    except Died:
        pass
    finally:
        setattr(target, name, real)


def disturb(post: Post, choose: random.Random, number: int) -> None:
    """Let something happen."""
    server = post.server
    there = sorted(server.mails)
    match choose.randrange(10):
        case 0 | 1 | 2:
            server.put(*range(number * 10, number * 10 + choose.randrange(1, 5)), date=post.now)
        case 3 if there:
            server.breaking = {choose.choice(there)}
        case 4 if there:
            server.unfetchable = {choose.choice(there)}
        case 5:
            server.breaking, server.unfetchable, server.silent = set(), set(), set()
        case 6:
            server.act_error = choose.choice([None, ServerMisbehaved("NO")])
        case 7:
            post.raw.down = not post.raw.down
        case 8 if there:
            server.silent = {choose.choice(there)}
        case 9:
            dying(post, choose)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("seed", [*range(15), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(15, 60))])
def test_no_mail_is_lost_or_stored_in_vain(mode: str, seed: int) -> None:
    choose = random.Random(f"{mode} {seed}")
    post = Post(a_mailbox(**MODES[mode]))
    if seed % 2:
        post.connector.session = ExtendableSession
    post.poll()
    delivered: set[int] = set()
    for number in range(1, 25):
        disturb(post, choose, number)
        delivered |= set(post.server.mails)
        post.poll(backlog=choose.random() < 0.3)
        post.wait(minutes=choose.choice([1, 11]))
    post.server.breaking, post.server.unfetchable, post.server.silent = set(), set(), set()
    post.server.act_error, post.raw.down = None, False
    for _ in range(30):
        post.wait(minutes=11)
        post.poll()
    stored = set(post.raw.subjects)
    position = post.state.position
    assert position is not None
    given_up = {int(one) for one, tries in position.problems.items() if tries >= 3}
    assert delivered == stored | given_up
    # What was given up is still on the server, or in its folder of failed items.
    assert given_up - stored <= set(post.server.mails) | {uid for uid in post.server.moved if uid in given_up}
    # What was stored has been dealt with on the server, and is not fetched again.
    unfinished = {uid for uid in post.server.mails if uid not in post.server.seen} - given_up
    assert unfinished == set()
    puts = post.raw.puts
    post.poll()
    assert post.raw.puts == puts
    assert post.state.balances[-1][1].even


def test_the_disturbances_really_disturb() -> None:
    """A storm that never breaks anything would prove nothing."""
    post = Post(a_mailbox())
    post.poll()
    post.server.put(1, date=NOON)
    post.raw.down = True
    assert post.poll().stored == 0
    assert isinstance(post.polling, Polling)
    assert issubclass(ServerMisbehaved, PostroomError)
