"""Count the round trips and the CPU of a look at an idle IMAP mailbox, from a cold connection over TLS 1.3.

`python -m bench.idle_look [--json]`. Round trips are time divided by a delay of 200 ms, the time without delay
subtracted; CPU is that of this process, with a real Dovecot in others.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from dataclasses import replace

from postroom.adapters.imap import login
from postroom.adapters.imap.session import ImapConnector
from postroom.model.configuration.mailbox import Mailbox
from postroom.model.mailbox_state import Position
from postroom.model.server_mail import Action

from bench.far import LOOPBACK, PASSWORD, USER, far, mailbox, timed
from tests.support.dovecot import dovecot

RTT = 0.2  # seconds: long, so that what our own work takes counts little
ROUNDS = 5
CPU_ROUNDS = 200
AIM_ANY, AIM_KNOWN, AIM_CPU = 6.1, 4.3, 2.5


def main() -> None:
    """Run and print the figures."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--json", action="store_true")
    options = arguments.parse_args()
    with dovecot({USER: PASSWORD}) as server:
        server.append_all(USER, [b"Subject: %d\r\n\r\n" % number for number in range(20)], password=PASSWORD)
        near = mailbox(server, server.imaps)
        position = _dealt_with(near)
        known = login.PIPELINING_SERVERS
        with far(server.imaps, RTT) as port:
            away = mailbox(server, port)
            trips_known = _trips(near, away, position)
            login.PIPELINING_SERVERS = ()
            try:
                trips_any = _trips(near, away, position)
            finally:
                login.PIPELINING_SERVERS = known
        _look(near, position)
        began = time.process_time()
        for _ in range(CPU_ROUNDS):
            _look(near, position)
        cpu = (time.process_time() - began) / CPU_ROUNDS * 1000
    figures = {
        "round_trips_any_server": round(trips_any, 2),
        "round_trips_known_server": round(trips_known, 2),
        "cpu_ms": round(cpu, 2),
    }
    if options.json:
        print(json.dumps(figures))
        return
    print("A look at an idle mailbox, cold, TLS 1.3")
    print(f"  any server:   {trips_any:.2f} round trips (aim: at most {AIM_ANY})")
    print(f"  known server: {trips_known:.2f} round trips (aim: at most {AIM_KNOWN})")
    print(f"  CPU:          {cpu:.2f} ms (aim: at most {AIM_CPU})")


def _dealt_with(box: Mailbox) -> Position:
    session = ImapConnector(LOOPBACK).open(box, secret=PASSWORD, deadline=time.monotonic() + 30)
    listing = session.list(None)
    session.act([item.id for item in listing.news], Action.MARK_READ)
    session.close()
    return replace(listing.position, cursor=listing.news[-1].id, exists=len(listing.news))


def _look(box: Mailbox, position: Position) -> None:
    session = ImapConnector(LOOPBACK).open(box, secret=PASSWORD, deadline=time.monotonic() + 30, ask=position)
    if session.look(position):
        raise SystemExit("the mailbox is not idle")
    session.close()


def _trips(near: Mailbox, away: Mailbox, position: Position) -> float:
    without = statistics.median(timed(lambda: _look(near, position)) for _ in range(ROUNDS))
    return (statistics.median(timed(lambda: _look(away, position)) for _ in range(ROUNDS)) - without) / RTT


if __name__ == "__main__":
    main()
