"""Storms over a POP3 server that gives ids a second time, refuses, breaks off and keeps what it should delete."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from postroom_cli.mailservers.pop3 import CAPABILITIES

from tests.functional.fetching.pop3_site import USER, Site, pop3_site
from tests.support.mails import mail


@pytest.fixture
def site() -> Iterator[Site]:
    with pop3_site() as made:
        yield made


def blow(site: Site, choose: random.Random, delivered: list[bytes]) -> None:
    faults = site.server.faults
    match choose.randrange(8):
        case 0 | 1 | 2:
            for _ in range(choose.randrange(1, 4)):
                size = 1_100_000 if choose.random() < 0.1 else choose.choice([10, 10, 500])
                delivered.append(mail(message_id=f"<{len(delivered)}@example.org>", body="x" * size))
                site.server.append(USER, delivered[-1])
        case 3:
            faults.refuse_message = choose.randrange(4)
        case 4:
            faults.drop_in_message = choose.randrange(4)
        case 5:
            faults.keep_all = not faults.keep_all
        case 6:
            faults.drop_at_quit = not faults.drop_at_quit
        case 7:
            faults.refuse_message = faults.drop_in_message = 0


@pytest.mark.fault(23)
@pytest.mark.fault(40)
@pytest.mark.parametrize("seed", [*range(6), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(6, 60))])
def test_no_mail_is_deleted_that_was_not_stored(site: Site, seed: int) -> None:
    choose = random.Random(f"pop3 {seed}")
    faults = site.server.faults
    faults.reused_uidl = choose.random() < 0.7
    left_out = choose.choice([None, None, "PIPELINING", "TOP"])
    site.server.capabilities = tuple(word for word in CAPABILITIES if word != left_out)
    site.connect(maximum_msg_size=1, maximum_msg_number=choose.choice([2, 100]), delete_big_msg=choose.random() < 0.5)
    site.poll()
    delivered: list[bytes] = []
    for _ in range(choose.randrange(8, 16)):
        blow(site, choose, delivered)
        site.post.wait(minutes=choose.choice([1, 11]))
        site.poll()
    faults.refuse_message = faults.drop_in_message = 0
    faults.keep_all = faults.drop_at_quit = False
    for _ in range(len(delivered)):
        site.post.wait(minutes=11)
        site.poll()
    folder = site.server.store.folder(USER, "INBOX")
    assert folder is not None
    there = [message.raw for message in folder.messages]
    stored = {one.content.partition(b"\r\n\r\n")[0] for one in site.post.raw.objects.values()}
    for content in delivered:
        assert content.partition(b"\r\n\r\n")[0] in stored or content in there
    # What is left was set aside.
    position = site.post.state.position
    assert position is not None
    assert len(there) <= len(position.problems)
