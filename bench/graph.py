"""Microsoft Graph: idle looks in batches against one request a mailbox, and the memory that a large mail costs.

`python -m bench.graph [--json] [--mailboxes N] [--rtt MS] [--megabytes N …]`. The service is the simulator, in a
process of its own, for the looks behind a proxy that delays every byte; the states are in memory.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from typing import Any

from postroom.adapters.graph.session import GraphConnector
from postroom.environment import Environment
from postroom.model.configuration.mailbox import Mailbox
from postroom.model.mailbox_state import Position
from postroom.ports import Session
from postroom.services.polling.outcome import Result
from postroom_cli.mailservers.graph import GraphService

from bench import missed
from bench.fetch_memory import reset_peak, s3_into, status
from bench.servers import elsewhere, sink
from tests.support.delay_proxy import DelayProxy
from tests.unit.services.polling.fakes import Post, a_mailbox

MEGABYTE = 1024 * 1024
ROUNDS = 3
AIM = 5.0  # times less CPU for an idle look in a batch


@dataclass(frozen=True, slots=True)
class There:
    """Where the service is, near and far, whom to trust, and the port of what takes mails like S3."""

    url: str
    far: str
    ca_pem: str
    s3: int


@dataclass(frozen=True, slots=True)
class Alone:
    """Implements ports.Connector by one that could look at many together."""

    connector: GraphConnector

    def open(self, mailbox: Mailbox, *, secret: str, deadline: float, ask: Position | None = None) -> Session:
        """Open."""
        return self.connector.open(mailbox, secret=secret, deadline=deadline, ask=ask)


class Tokens:
    """Implements ports.Tokens."""

    def access_token(self, mailbox: Mailbox, *, deadline: float, refused: str = "") -> str:
        """Give the one that the simulator takes."""
        return "token-1"


def main() -> None:
    """Run and print the figures."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--json", action="store_true")
    arguments.add_argument("--mailboxes", type=int, default=100)
    arguments.add_argument("--rtt", type=float, default=80.0, help="round-trip time in milliseconds")
    arguments.add_argument("--megabytes", type=int, nargs="*", default=[25, 99])
    options = arguments.parse_args()
    names = [f"box{number}" for number in range(options.mailboxes)]
    with service({f"{name}@example.com": 0 for name in names}, rtt=options.rtt / 1000) as there:
        alone, together = _looks(names, there, batches=False), _looks(names, there, batches=True)
    sizes = {f"mb{megabytes}": megabytes * MEGABYTE for megabytes in options.megabytes}
    with service({f"{name}@example.com": size for name, size in {"warm": MEGABYTE, **sizes}.items()}) as there:
        memory = _memory(sizes, there)
    figures: dict[str, Any] = {
        "mailboxes": len(names),
        "rtt_ms": options.rtt,
        "alone_s": round(alone[0], 3),
        "together_s": round(together[0], 3),
        "alone_cpu_ms": round(alone[1] * 1000 / len(names), 2),
        "together_cpu_ms": round(together[1] * 1000 / len(names), 2),
        "cpu_ratio": round(alone[1] / together[1], 1),
        "memory": memory,
    }
    if options.json:
        print(json.dumps(figures))
    else:
        _tell(figures)
    if figures["cpu_ratio"] < AIM:
        missed(f"twenty looks in one request take more than 1/{AIM} of the CPU of one request each")


def _tell(figures: dict[str, Any]) -> None:
    far = f"{figures['rtt_ms']:.0f} ms away"
    print(f"{figures['mailboxes']} idle mailboxes of one application, {far}, looked at at the same time")
    print(f"  a request each:  {figures['alone_s']} s, {figures['alone_cpu_ms']} ms of CPU a mailbox")
    print(f"  twenty in one:   {figures['together_s']} s, {figures['together_cpu_ms']} ms of CPU a mailbox")
    print(f"  ratio of CPU:    {figures['cpu_ratio']}")
    for row in figures["memory"]:
        print(f"{row['megabytes']} MB mail: {row['beyond_mb']} MB beyond the idle process, {row['seconds']} s")


def _looks(names: list[str], there: There, *, batches: bool) -> tuple[float, float]:
    """Return seconds, and seconds of CPU, of the best look at all."""
    post = _post(names, there.far, there, batches=batches)
    post.poll()  # the first look is remembered
    times = []
    for _round in range(ROUNDS):
        started, worked = time.perf_counter(), time.process_time()
        summary = post.poll()
        times.append((time.perf_counter() - started, time.process_time() - worked))
        if summary.results != {Result.IDLE: len(names)}:
            raise SystemExit(f"not all mailboxes were idle: {summary.facts()}")
    return min(one for one, _cpu in times), min(cpu for _one, cpu in times)


def _memory(sizes: dict[str, int], there: There) -> list[dict[str, Any]]:
    post = _post(["warm", *sizes], there.url, there, batches=True)
    rows = []
    for name, size in {"warm": MEGABYTE, **sizes}.items():
        reset_peak()
        idle, started = status("VmRSS"), time.perf_counter()
        summary = post.poll(name)
        seconds, beyond = time.perf_counter() - started, status("VmHWM") - idle
        if summary.stored != 1:
            raise SystemExit(f"the mail was not stored: {summary.facts()}")
        if name != "warm":
            row = {
                "megabytes": size // MEGABYTE,
                "beyond_mb": round(beyond / MEGABYTE, 1),
                "seconds": round(seconds, 2),
            }
            rows.append(row)
    return rows


def _post(names: list[str], url: str, there: There, *, batches: bool) -> Post:
    settings: dict[str, Any] = {
        "type": "GRAPH",
        "server": url,
        "ca_certificate": there.ca_pem,
        "client_id": "app",
        "directory_id": "d",
    }
    settings |= {"grant": "client_credentials", "password": {"secret": "app"}}
    environment = Environment({"private_mail_networks": "127.0.0.0/8"})
    connector = GraphConnector(allowed_networks=environment.private_mail_networks)
    post = Post(
        *(a_mailbox(name, maximum_msg_size=100, **settings) for name in names),
        connector=connector if batches else Alone(connector),
        monotonic=time.monotonic,
        raw=s3_into(there.s3),
    )
    post.polling = replace(post.polling, tokens=Tokens())
    return post


@contextmanager
def service(users: dict[str, int], *, rtt: float = 0.0) -> Iterator[There]:
    """Serve mailboxes, user → size of the one mail in it (0: none), while this lasts."""
    with elsewhere(_serve, users, rtt) as there:
        yield there


def _serve(pipe: Connection, users: dict[str, int], rtt: float) -> None:
    graph = GraphService(users=set(users))
    for user, size in users.items():
        if size:
            graph.deliver(b"Subject: large\r\n\r\n" + (b"x" * 76 + b"\r\n") * (size // 78), user=user)
    with graph.server() as server, sink() as s3, DelayProxy(int(server.url.rpartition(":")[2]), rtt=rtt) as proxy:
        pipe.send(There(server.url, f"https://127.0.0.1:{proxy.port}", server.ca_pem, s3))
        with contextlib.suppress(EOFError):  # the benchmark is over
            pipe.recv()


if __name__ == "__main__":
    main()
