"""Fetch a backlog by POP3 from Dovecot, near and far, with and without pipelining, against plain poplib, in one run.

`python -m bench.pop3_fetch [--full] [--rounds N] [--json]`. All over TLS, from a cold connection, into files. From afar
poplib is run over the first messages only, and rates are compared; its line limit is lifted for it. They take turns,
and the figures are the medians of the ratios of each round. `--full`: 2,000 mails.
"""

from __future__ import annotations

import argparse
import json
import poplib
import time
from statistics import median

from postroom.adapters.net.tls import client_context
from postroom.adapters.pop3.session import Pop3Connector
from postroom.model.configuration.mailbox import Mailbox, Type
from postroom.model.server_mail import Fetched

from bench.far import LOOPBACK, PASSWORD, USER, far, mailbox, mails, scratch, timed
from tests.support.dovecot import dovecot

AIMS = {0: (None, 1.0), 20: (10.0, 1.0), 80: (None, 1.0)}  # rtt in ms → times poplib with pipelining, and without


def main() -> None:
    """Run and print the figures."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--full", action="store_true")
    arguments.add_argument("--mails", type=int, default=300)
    arguments.add_argument("--rounds", type=int, default=3)
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
                rounds = [_round(box, len(everything), some) for _ in range(options.rounds)]
            rows.append(
                {
                    "rtt_ms": rtt,
                    "ours_per_s": round(median(ours for ours, _without, _plain in rounds)),
                    "poplib_per_s": round(median(plain for _ours, _without, plain in rounds), 1),
                    "times_poplib": round(median(ours / plain for ours, _without, plain in rounds), 1),
                    "aim": aim,
                    "times_without_pipelining": round(median(slow / plain for _ours, slow, plain in rounds), 2),
                    "worst_without": round(min(slow / plain for _ours, slow, plain in rounds), 2),
                    "aim_without": aim_without,
                }
            )
    if options.json:
        print(json.dumps({"mails": len(everything), "megabytes": round(megabytes), "rows": rows}))
        return
    print(f"{len(everything)} mails, {megabytes:.0f} MB")
    print(f"{'rtt':>6} {'ours/s':>8} {'poplib/s':>9} {'× poplib':>9} {'aim':>6}", end=" ")
    print(f"{'× one by one':>13} {'worst':>6} {'aim':>5}")
    for row in rows:
        print(
            f"{row['rtt_ms']:>4}ms {row['ours_per_s']:>8} {row['poplib_per_s']:>9} {row['times_poplib']:>9} "
            f"{row['aim'] or '-':>6} {row['times_without_pipelining']:>13} {row['worst_without']:>6} "
            f"{row['aim_without']:>5}"
        )


def _round(box: Mailbox, expected: int, some: int) -> tuple[float, float, float]:
    """Measure mails a second of ours, of ours without pipelining, and of poplib."""
    slow = box.model_copy(update={"properties": {"mail.pop3.disablecapa": "true"}})
    return expected / _ours(box, expected), some / _ours(slow, some), some / _poplib(box, some)


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
