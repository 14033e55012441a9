"""A hundred runs of a real Dovecot behind a proxy that hurts: nothing is lost, no byte is wrong, no run is stuck.

Over TLS: what is changed or repeated on the way must end a connection, never become a mail.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from ipaddress import ip_network

import pytest
from postroom.adapters.imap.session import ImapConnector
from postroom.adapters.pop3.session import Pop3Connector
from postroom.ports import Connector
from postroom.services.polling import fetch

from tests.support.dovecot import Dovecot, dovecot
from tests.support.hurting_proxy import Hurt, HurtingProxy
from tests.unit.services.polling.fakes import Post, a_mailbox

RUNS = 100
PASSWORD = "geheim"
LOOPBACK = (ip_network("127.0.0.0/8"),)
HURTING_POLLS, HEALING_POLLS = 5, 6
STUCK_SECONDS = 90  # for all polls of a run; a poll that hurts ends by its mailbox's time-outs of two seconds


@pytest.fixture(scope="module")
def server() -> Iterator[Dovecot]:
    with dovecot({f"user{number}": PASSWORD for number in range(RUNS)}) as running:
        yield running


def a_mail(number: int, chance: random.Random) -> bytes:
    """Write a mail of 200 bytes to 40 KB whose every line says where it belongs."""
    lines = [f"{number}:{line}:{chance.randrange(10**9)}" for line in range(chance.choice((3, 30, 300, 1500)))]
    head = [f"From: a{number}@example.com", f"Message-ID: <{number}@example.com>", f"Subject: {number}", ""]
    return ("\r\n".join(head + lines) + "\r\n").encode()


def a_hurt(chance: random.Random) -> Hurt:
    """Choose what the proxy does most in this run."""
    names = ("cut", "repeat", "change", "hold", "swallow")
    return Hurt(**{name: chance.choice((0.0, 0.01, 0.05)) for name in names})


@pytest.mark.slow
@pytest.mark.fault(24)
@pytest.mark.fault(30)
@pytest.mark.parametrize("run", range(RUNS))
def test_nothing_is_lost_behind_a_proxy_that_hurts(run: int, server: Dovecot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "BASE_BUDGET", 2.0)
    chance = random.Random(run)
    by_pop3 = run % 3 == 2
    connector: Connector = (
        Pop3Connector(allowed_networks=LOOPBACK, allow_plaintext_credentials=False)
        if by_pop3
        else ImapConnector(allowed_networks=LOOPBACK, allow_plaintext_credentials=False)
    )
    options = {} if by_pop3 else {"leave_msg_on_server": run % 3 == 1}
    with HurtingProxy(server.pop3s if by_pop3 else server.imaps, hurt=a_hurt(chance), seed=run) as proxy:
        mailbox = a_mailbox(
            f"user{run}",
            type="POP3" if by_pop3 else "IMAP",
            server="localhost",
            port=proxy.port,
            security="ssl-tls",
            ca_certificate=server.ca_pem,
            login=f"user{run}",
            connect_timeout="00:00:02",
            protocol_timeout="00:00:02",
            **options,
        )
        post = Post(mailbox, connector=connector, monotonic=time.monotonic)
        post.secrets.values[f"user{run}-password"] = PASSWORD
        mails = [a_mail(number, chance) for number in range(8)]
        server.append_all(f"user{run}", mails)
        began = time.monotonic()
        for poll in range(HURTING_POLLS + HEALING_POLLS):
            if poll == HURTING_POLLS:
                proxy.hurt = None
            post.poll(time_left=30.0)
            post.wait(minutes=20)
        assert time.monotonic() - began < STUCK_SECONDS
        stored = [one.content for one in post.raw.objects.values()]
        assert sorted(set(stored)) == sorted(mails), f"{len(set(stored))} of {len(mails)} mails, {proxy.harms} harms"
