"""Look at idle mailboxes far away: all of a poll request at the same time, against one after the other, in one run.

`python -m bench.many_mailboxes [--json] [--mailboxes N] [--rtt MS] [--one-by-one N]`. The server has a process of its
own, and every byte takes half a round trip; the states are in memory, so that only looking is timed.

The latency of a look is the floor of all looks together, and what both sides work comes on top of it where the machine
has too few cores to do it meanwhile: so the CPU seconds of both sides, and of all else that runs, are stated too.
"""

import argparse
import json
import os
import time
from pathlib import Path

from postroom.adapters.imap.session import ImapConnector
from postroom.environment import Environment
from postroom.model.configuration.mailbox import Mailbox
from postroom.services.polling.outcome import Result

from bench.idle_server import IdleServer, idle_server
from bench.servers import PASSWORD
from tests.unit.services.polling.fakes import Post, a_mailbox

ROUNDS = 5


def main() -> None:
    """Run and print the figures."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--json", action="store_true")
    arguments.add_argument("--mailboxes", type=int, default=100)
    arguments.add_argument("--rtt", type=float, default=80.0, help="round-trip time in milliseconds")
    arguments.add_argument("--one-by-one", type=int, default=25, help="so many are looked at one after the other")
    options = arguments.parse_args()
    names = [f"box{number}" for number in range(options.mailboxes)]
    with idle_server([f"{name}@example.com" for name in names], rtt=options.rtt / 1000) as there:
        post = _post(names, there)
        post.poll()  # the first look is remembered
        post.poll()  # and everything is warm
        some = names[: options.one_by_one]
        rounds = []
        for _round in range(ROUNDS):  # in turns, so that what else the machine does meets both
            spent = _Spent(there.pid)
            together = _timed(post, names)
            ours, theirs, idle = spent.shares()
            each = sum(_timed(post, [name]) for name in some) / len(some)
            rounds.append((each * len(names) / together, each, together, ours, theirs, idle))
        rounds.sort()
        ratio, each, together, ours, theirs, idle = rounds[len(rounds) // 2]
    figures = {
        "mailboxes": len(names),
        "rtt_ms": options.rtt,
        "one_by_one_ms": round(each * 1000, 1),
        "together_ms": round(together * 1000 / len(names), 2),
        "together_s": round(together, 3),
        "ratio": round(ratio, 1),
        "best_ratio": round(rounds[-1][0], 1),
        "cores": os.cpu_count(),
        "our_cpu_s": round(ours, 3),
        "server_cpu_s": round(theirs, 3),
        "idle_cpu_s": round(idle, 3),
    }
    if options.json:
        print(json.dumps(figures))
        return
    print(f"{len(names)} idle mailboxes, {options.rtt:.0f} ms away")
    print(f"  one after the other: {figures['one_by_one_ms']} ms each")
    print(f"  at the same time:    {figures['together_ms']} ms each ({together:.2f} s in all)")
    print(f"  ratio:               1/{figures['ratio']} (median of {ROUNDS}; best 1/{figures['best_ratio']})")
    print(f"  of {together * (os.cpu_count() or 1):.2f} s of {os.cpu_count()} cores meanwhile:", end=" ")
    print(f"{ours:.2f} s were ours, {theirs:.2f} s the server's, {idle:.2f} s idle")


class _Spent:
    """CPU seconds from now on: of this process, of the server's, and of nobody."""

    def __init__(self, server: int) -> None:
        self._server = server
        self._before = self._now()

    def shares(self) -> tuple[float, float, float]:
        """Since the beginning."""
        ours, theirs, idle = (after - before for before, after in zip(self._before, self._now(), strict=True))
        return ours, theirs, idle

    def _now(self) -> tuple[float, float, float]:
        tick = os.sysconf("SC_CLK_TCK")
        server = Path(f"/proc/{self._server}/stat").read_text().rpartition(")")[2].split()
        machine = Path("/proc/stat").read_text().split()
        return time.process_time(), (int(server[11]) + int(server[12])) / tick, int(machine[4]) / tick


def _post(names: list[str], there: IdleServer) -> Post:
    settings = {"server": "127.0.0.1", "port": there.port, "ca_certificate": there.ca_pem}
    mailboxes: list[Mailbox] = [a_mailbox(name, **settings) for name in names]
    environment = Environment({"private_mail_networks": "127.0.0.0/8"})
    connector = ImapConnector(allowed_networks=environment.private_mail_networks)
    post = Post(*mailboxes, connector=connector, monotonic=time.monotonic)
    post.secrets.values = dict.fromkeys((f"{name}-password" for name in names), PASSWORD)
    return post


def _timed(post: Post, names: list[str]) -> float:
    started = time.perf_counter()
    summary = post.poll(*names)
    taken = time.perf_counter() - started
    if summary.results != {Result.IDLE: len(names)}:
        raise SystemExit(f"not all mailboxes were idle: {summary.facts()}")
    return taken


if __name__ == "__main__":
    main()
