"""Storms of all that may happen between polls and within them: no mail is lost, left unseen or fetched in vain."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from postroom.errors import ServerMisbehaved, Transient
from postroom.model.configuration.document import Configuration
from postroom.model.mailbox_state import LeftAlone
from postroom.model.server_mail import Action, Fetched, FetchFailed, Item

from tests.unit.services.polling.fakes import NOON, Post, ServerSession, a_mailbox, mail

OPTIONS: tuple[dict[str, Any], ...] = (
    {},
    {"leave_msg_on_server": True},
    {"processed_items_folder_name": "done"},
    {"maximum_msg_number": 2},
    {"delete_big_msg": True},
    {"delete_big_msg": True, "leave_msg_on_server": True},
    {"move_failed_ews_item": False},
    {"move_failed_ews_item": False, "leave_msg_on_server": True},
)
LARGE = 2 * 1024 * 1024


class Died(BaseException):
    """The process ends here."""


def number_of(content: bytes) -> int:
    return int(content.partition(b"Subject: ")[2].split(b"\r")[0])


class Weather:
    """A mailbox and what is done to it; `taken` says which mails were taken off the server, and how."""

    highest = 0
    calmed = NOON
    sent = 0

    def __init__(self, protocol: str, seed: int) -> None:
        self.protocol = protocol
        self.choose = random.Random(f"{protocol} {seed}")
        self.post = Post(self.mailbox(), config_check=0.0)
        self.taken: dict[int, Action] = {}
        self.delivered: set[int] = set()
        self.large: set[int] = set()
        weather = self

        class Watched(ServerSession):
            def fetch(self, items: Sequence[Item]) -> Iterator[Fetched | FetchFailed]:
                for item in items:
                    if int(item.id) in weather.hidden:
                        yield FetchFailed(item, "it is not there", gone=True)
                    else:
                        yield from super().fetch([item])

            def act(self, ids: Sequence[str], action: Action) -> Collection[str]:
                if weather.choose.random() < weather.refusing:
                    raise weather.choose.choice(REFUSALS)
                contents = {one: self.server.mails.get(int(one)) for one in ids}
                strangers = super().act(ids, action)
                for one, content in contents.items():
                    if content is not None and int(one) not in self.server.mails:
                        weather.taken[number_of(content)] = action
                return strangers

        self.refusing = 0.0
        self.hidden: set[int] = set()  # listed, and said to be gone: only IMAP is asked for it again
        self.post.connector.session = Watched

    def mailbox(self, **more: Any) -> Any:
        return a_mailbox(type=self.protocol, maximum_msg_size=1, **{**self.choose.choice(OPTIONS), **more})

    def deliver(self) -> None:
        server = self.post.server
        for _ in range(self.choose.randrange(1, 5)):
            self.sent += 1
            number = self.sent
            self.highest = uid = max(self.highest, *server.mails, 0) + 1
            server.mails[uid], server.dates[uid] = mail(number), self.post.now
            if self.choose.random() < 0.15:
                server.sizes[uid] = LARGE
                self.large.add(number)
            self.delivered.add(number)

    def renumber(self) -> None:
        """Give the folder a new UIDVALIDITY and its mails new UIDs, as after a restore."""
        server = self.post.server
        old = sorted(server.mails)
        new = {uid: at for at, uid in enumerate(old, start=1)}
        server.mails = {new[uid]: server.mails[uid] for uid in old}
        server.dates = {new[uid]: server.dates[uid] for uid in old}
        server.sizes = {new[uid]: size for uid, size in server.sizes.items() if uid in new}
        server.seen = {new[uid] for uid in server.seen if uid in new}
        server.unfetchable, server.breaking, server.silent, self.hidden = set(), set(), set(), set()
        server.validity = str(int(server.validity) + 1)
        self.highest = len(old)

    def forget(self) -> None:
        """Lose what is remembered of the mails (a shelf object that is missing)."""
        state = self.post.states.items.get("support")
        if state is not None and state.position is not None:
            self.post.states.items["support"] = replace(state, position=state.position.anew(), lost="It is missing")

    def configure(self, **more: Any) -> None:
        self.post.configurations.configuration = Configuration(mailboxes=(self.mailbox(**more),))

    def configure_meanwhile(self) -> None:
        at = self.post.configurations.readings + self.choose.randrange(2, 6)
        mailbox = self.mailbox(enabled=self.choose.random() < 0.7)
        self.post.configurations.later[at] = Configuration(mailboxes=(mailbox,))

    def die(self) -> None:
        """Let one call of the next poll be the last one of its process, before or after it takes effect."""
        post = self.post
        calls = [(post.raw, "put_if_absent"), (post.states, "save"), (post.states, "take_lease"), (post.queue, "send")]
        target, name = self.choose.choice(calls)
        real, after, left = getattr(target, name), self.choose.random() < 0.5, self.choose.randrange(3)

        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal left
            left -= 1
            if left >= 0:
                return real(*args, **kwargs)
            if after:
                real(*args, **kwargs)
            raise Died

        setattr(target, name, call)
        try:
            post.poll(backlog=self.choose.random() < 0.3)
        except Died:
            pass
        finally:
            setattr(target, name, real)

    def overtake(self) -> None:
        """Poll once with the eyes of a poller that read the state before others changed it."""
        post = self.post
        seen = dict(post.states.items)
        post.poll()
        if "support" in seen:
            post.states.stale = seen
            try:
                post.poll()
            finally:
                post.states.stale = None

    def steal(self) -> None:
        """Let the lease end while its holder is in the middle of storing, and another poll run to its end."""
        post = self.post
        real = post.raw.put_if_absent

        def slow(*args: Any, **kwargs: Any) -> bool:
            post.raw.put_if_absent = real  # type: ignore[method-assign]
            stored = real(*args, **kwargs)
            state = post.states.items["support"]
            if state.lease is not None:
                ended = replace(state.lease, expires=datetime.fromtimestamp(0, UTC))
                post.states.items["support"] = replace(state, lease=ended)
            post.poll()
            return stored

        post.raw.put_if_absent = slow  # type: ignore[method-assign]
        try:
            post.poll()
        finally:
            post.raw.put_if_absent = real  # type: ignore[method-assign]

    def blow(self) -> None:
        server, choose = self.post.server, self.choose
        there = sorted(server.mails)
        match choose.randrange(20):
            case 0 | 1 | 2 | 3:
                self.deliver()
            case 4 if there:
                server.breaking = {choose.choice(there)}
            case 5 if there:
                server.unfetchable |= {choose.choice(there)}
            case 6 if choose.random() < 0.3:
                server.breaking, server.unfetchable, server.silent, self.hidden = set(), set(), set(), set()
            case 7:
                self.refusing = choose.choice([0.0, 0.5, 1.0])
            case 8:
                self.post.raw.down = not self.post.raw.down
            case 9 if there:
                server.silent = {choose.choice(there)}
            case 10:
                self.die()
            case 11:
                self.renumber()
            case 12:
                self.forget()
            case 13:
                self.configure(enabled=choose.random() < 0.7)
            case 14:
                self.configure_meanwhile()
            case 15:
                self.overtake()
            case 16:
                self.steal()
            case 17:
                self.post.wait(minutes=choose.choice([-9, 9]))
            case 18 if there:  # another client takes one away
                self.delivered.discard(number_of(server.mails.pop(choose.choice(there))))
            case 19 if there and self.protocol == "EWS":
                self.hidden = {choose.choice(there)}

    def calm(self) -> None:
        post = self.post
        post.server.breaking, post.server.unfetchable, post.server.silent, self.hidden = set(), set(), set(), set()
        self.refusing, post.raw.down = 0.0, False
        post.configurations.later.clear()
        self.configure()
        self.calmed = post.now
        for _ in range(40):
            post.wait(minutes=11)
            post.poll()
        for _ in range(3):
            post.wait(days=2)
            post.poll()


REFUSALS = (
    ServerMisbehaved("NO"),
    Transient("NO [OVERQUOTA]", step="act", code="over_quota"),
    ServerMisbehaved("The connection was lost", step="connect"),
)


def check(weather: Weather) -> None:
    post = weather.post
    had = set(post.raw.subjects)
    position = post.state.position
    assert position is not None
    there = {number_of(content): uid for uid, content in post.server.mails.items()}
    for number in sorted(weather.delivered - had):
        # What was never stored lies on the server as a problem that is told, or in the folder for it.
        if number in there:
            assert position.leaves_alone(str(there[number])), f"{number} is left unseen"
        else:
            assert weather.taken.get(number) is Action.MOVE_FAILED, f"{number} is lost"
    mailbox = post.configurations.configuration.mailboxes[0]
    for number, uid in there.items():
        if position.leaves_alone(str(uid)):
            assert str(uid) in position.asides, f"nobody knows what is wanted with {number}"
            continue
        if not mailbox.leave_msg_on_server:  # what was stored while mail was to stay is left there
            assert uid <= int(position.kept or 0), f"{number} was not taken off the server"
            continue
        assert uid in post.server.seen, f"{number} was not marked"
    for one, aside in position.asides.items():
        if not aside.done and one in position.problems and int(one) in post.server.mails:
            wanted = mailbox.delete_big_msg if aside.why == LeftAlone.OVERSIZE else mailbox.move_failed_ews_item
            assert not wanted or not position.leaves_alone(one), f"what is wanted with {one} is still open"
    puts = post.raw.puts
    post.wait(minutes=11)
    post.poll()
    assert post.raw.puts == puts
    assert all(balance.even for at, balance in post.state.balances if at > weather.calmed)


@pytest.mark.parametrize("protocol", ["IMAP", "EWS"])
@pytest.mark.parametrize("seed", [*range(25), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(25, 200))])
def test_no_storm_costs_a_mail(protocol: str, seed: int) -> None:
    weather = Weather(protocol, seed)
    weather.post.poll()
    weather.post.wait(minutes=1)
    for _ in range(weather.choose.randrange(10, 40)):
        weather.blow()
        for _ in range(weather.choose.randrange(1, 4)):
            weather.post.poll(backlog=weather.choose.random() < 0.2)
            weather.post.wait(minutes=weather.choose.choice([1, 6, 11]))
    weather.calm()
    check(weather)
