"""Fetch a backlog by POP3 from Dovecot, near and far, with and without pipelining, against plain poplib, in one run.

`python -m bench.pop3_fetch [--full] [--json]`. All over TLS, from a cold connection, into files. poplib is run over the
first messages only, and rates are compared; its line limit is lifted for it. `--full`: 2,000 mails.
"""

from __future__ import annotations

import argparse
import json
import poplib
import time

from postroom.adapters.pop3 import Pop3Connector
from postroom.adapters.tls import client_context
from postroom.model.mailbox import Mailbox, Type
from postroom.ports import Fetched

from bench.far import LOOPBACK, PASSWORD, USER, far, mailbox, mails, scratch, timed
from tests.support.dovecot import dovecot

AIMS = {0: (None, 1.0), 20: (10.0, 1.0), 80: (None, 1.0)}  # rtt in ms → times poplib with pipelining, and without


def main() -> None:
    """Run and print the figures."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--full", action="store_true")
    arguments.add_argument("--mails", type=int, default=300)
    arguments.add_argument("--json", action="store_true")
    options = arguments.parse_args()
    everything = mails(2_000 if options.full else options.mails)
    megabytes = sum(map(len, everything)) / 1e6
    rows = []
    with dovecot({USER: PASSWORD}) as server:
        server.append_all(USER, everything, password=PASSWORD)
        for rtt, (aim, aim_without) in AIMS.items():
            some = min(len(everything), {0: len(everything), 20: 150, 80: 40}[rtt])
            with far(server.pop3s, rtt / 1000) as port:
                box = mailbox(server, port, type_=Type.POP3)
                ours = len(everything) / min(_ours(box, len(everything)) for _ in range(2))
                plain = some / min(_poplib(box, some) for _ in range(2))
                slow = box.model_copy(update={"properties": {"mail.pop3.disablecapa": "true"}})
                without = some / min(_ours(slow, some) for _ in range(2))
            rows.append(
                {
                    "rtt_ms": rtt,
                    "ours_per_s": round(ours),
                    "poplib_per_s": round(plain, 1),
                    "times_poplib": round(ours / plain, 1),
                    "aim": aim,
                    "times_without_pipelining": round(without / plain, 2),
                    "aim_without": aim_without,
                }
            )
    if options.json:
        print(json.dumps({"mails": len(everything), "megabytes": round(megabytes), "rows": rows}))
        return
    print(f"{len(everything)} mails, {megabytes:.0f} MB")
    print(f"{'rtt':>6} {'ours/s':>8} {'poplib/s':>9} {'× poplib':>9} {'aim':>6} {'× one by one':>13} {'aim':>5}")
    for row in rows:
        print(
            f"{row['rtt_ms']:>4}ms {row['ours_per_s']:>8} {row['poplib_per_s']:>9} {row['times_poplib']:>9} "
            f"{row['aim'] or '-':>6} {row['times_without_pipelining']:>13} {row['aim_without']:>5}"
        )


def _ours(box: Mailbox, some: int) -> float:
    with scratch():

        def fetch() -> None:
            session = Pop3Connector(LOOPBACK).open(box, secret=PASSWORD, deadline=time.monotonic() + 600)
            news = session.list(None).news[:some]
            came = sum(isinstance(result, Fetched) for result in session.fetch(news))
            session.close()
            if came != some:
                raise SystemExit(f"fetched {came} of {some}")

        return timed(fetch)


def _poplib(box: Mailbox, some: int) -> float:
    poplib._MAXLINE = 10_000_000  # type: ignore[attr-defined]  # or it gives up at the first long line
    with scratch() as folder:

        def loop() -> None:
            context = client_context(box.ca_certificate)
            client = poplib.POP3_SSL("127.0.0.1", box.effective_port, context=context)
            client.user(USER)
            client.pass_(PASSWORD)
            client.uidl()
            client.list()
            for number in range(1, some + 1):
                _, lines, _ = client.retr(number)
                (folder / str(number)).write_bytes(b"\r\n".join(lines) + b"\r\n")
            client.quit()

        return timed(loop)


if __name__ == "__main__":
    main()
