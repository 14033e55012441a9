"""Look at idle mailboxes far away: all of a poll request at the same time, against one after the other, in one run.

`python -m bench.many_mailboxes [--json] [--mailboxes N] [--rtt MS] [--one-by-one N]`. The server is the embedded one
behind a proxy that delays every byte, in a process of its own; the states are in memory, so that only looking is timed.
"""

import argparse
import json
import time

from postroom.adapters.imap import ImapConnector
from postroom.config import Environment
from postroom.model.mailbox import Mailbox
from postroom.services.polling import Result

from bench.servers import PASSWORD, Servers, servers
from tests.unit.fetching.fakes import Post, a_mailbox

ROUNDS = 3


def main() -> None:
    """Run and print the figures."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--json", action="store_true")
    arguments.add_argument("--mailboxes", type=int, default=100)
    arguments.add_argument("--rtt", type=float, default=80.0, help="round-trip time in milliseconds")
    arguments.add_argument("--one-by-one", type=int, default=25, help="so many are looked at one after the other")
    options = arguments.parse_args()
    names = [f"box{number}" for number in range(options.mailboxes)]
    with servers({f"{name}@example.com": [] for name in names}, rtt=options.rtt / 1000) as there:
        post = _post(names, there)
        post.poll()  # the first look is remembered
        post.poll()  # and everything is warm
        together = min(_timed(post, names) for _ in range(ROUNDS))
        some = names[: options.one_by_one]
        each = sum(_timed(post, [name]) for name in some) / len(some)
    figures = {
        "mailboxes": len(names),
        "rtt_ms": options.rtt,
        "one_by_one_ms": round(each * 1000, 1),
        "together_ms": round(together * 1000 / len(names), 2),
        "together_s": round(together, 3),
        "ratio": round(each * len(names) / together, 1),
    }
    if options.json:
        print(json.dumps(figures))
        return
    print(f"{len(names)} idle mailboxes, {options.rtt:.0f} ms away")
    print(f"  one after the other: {figures['one_by_one_ms']} ms each")
    print(f"  at the same time:    {figures['together_ms']} ms each ({together:.2f} s in all)")
    print(f"  ratio:               1/{figures['ratio']}")


def _post(names: list[str], there: Servers) -> Post:
    settings = {"server": "127.0.0.1", "port": there.delayed_imap, "ca_certificate": there.ca_pem}
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
