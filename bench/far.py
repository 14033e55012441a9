"""What the mail benches share: a Dovecot with mail in it, seen from a distance, and the mailbox to look at."""

from __future__ import annotations

import multiprocessing
import os
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import ip_network
from multiprocessing.connection import Connection
from pathlib import Path

from postroom.model.configuration.mailbox import Mailbox, Type

from tests.support.delay_proxy import DelayProxy
from tests.support.dovecot import Dovecot

USER = "bench"
PASSWORD = "geheim"
LOOPBACK = (ip_network("127.0.0.0/8"),)


def _proxy(target: int, rtt: float, pipe: Connection) -> None:
    with DelayProxy(target, rtt=rtt) as proxy:
        pipe.send(proxy.port)
        pipe.recv()  # until the bench is done


@contextmanager
def far(port: int, rtt: float) -> Iterator[int]:
    """Put a server `rtt` seconds away; the proxy has a process of its own, so that it costs us no interpreter time."""
    if not rtt:
        yield port
        return
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_proxy, args=(port, rtt, theirs), daemon=True)
    process.start()
    try:
        yield ours.recv()
    finally:
        ours.send("stop")
        process.join(5)
        if process.is_alive():
            process.kill()
        ours.close()


def mailbox(server: Dovecot, port: int, *, type_: Type = Type.IMAP, **options: object) -> Mailbox:
    """Return the mailbox of the bench."""
    return Mailbox.model_validate(
        {
            "name": "bench",
            "address": "bench@example.com",
            "login": USER,
            "type": type_,
            "server": "127.0.0.1",
            "port": port,
            "ca_certificate": server.ca_pem,
            "leave_msg_on_server": True,
            **options,
        }
    )


def mails(count: int, *, seed: int = 1) -> list[bytes]:
    """Make mails of 2 KB to 2 MB, as mailboxes have them: 70 % up to 20 KB, 25 % up to 200 KB, 5 % up to 2 MB."""
    chance = random.Random(seed)
    made = []
    for number in range(count):
        low, high = chance.choices([(2_000, 20_000), (20_000, 200_000), (200_000, 2_000_000)], [70, 25, 5])[0]
        size = int(low * (high / low) ** chance.random())
        line = bytes(chance.choices(b"abcdefghijklmnopqrstuvwxyz0123456789+/", k=76)) + b"\r\n"
        head = b"From: a@example.com\r\nSubject: mail %d\r\nMessage-ID: <%d@example.com>\r\n\r\n" % (number, number)
        made.append(head + line * (size // len(line)))
    return made


@contextmanager
def scratch() -> Iterator[Path]:
    """Give a folder for what is fetched, in memory where there is one: the disk of this machine is not measured."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as name:
        before, tempfile.tempdir = tempfile.tempdir, name
        try:
            yield Path(name)
        finally:
            tempfile.tempdir = before


def timed(work: Callable[[], object]) -> float:
    """Measure the seconds that something takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
