"""Fetch a backlog by IMAP from Dovecot, near and far, against the usual imaplib loop and against mbsync, in one run.

`python -m bench.imap_fetch [--full] [--rounds N] [--json]`. All over TLS, from a cold connection, into files in the
same place; ours hashes them besides. The loop fetches and flags one by one; from afar it is run over the first messages
only, and rates are compared. The three take turns, and the figures are the medians of the ratios of each round.
`--full`: 2,000 mails.
"""

from __future__ import annotations

import argparse
import imaplib
import json
import os
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import replace
from statistics import median
from typing import Any

from postroom.adapters.imap.session import ImapConnector
from postroom.adapters.net.tls import client_context
from postroom.model.configuration.mailbox import Mailbox
from postroom.model.mailbox_state import Position
from postroom.model.server_mail import Action, Fetched

from bench.far import LOOPBACK, PASSWORD, USER, far, mailbox, mails, scratch, timed
from tests.support.dovecot import Dovecot, dovecot

AIMS = {0: (3.0, 1.0), 20: (30.0, 1.0), 80: (30.0, 1.0)}  # rtt in ms → times the loop, times mbsync
LOOP_MAILS = {0: 2_000, 20: 150, 80: 50}  # so many at most: two round trips each
ROUNDS = {0: 5, 20: 3, 80: 3}


def main() -> None:
    """Run and print the figures."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--full", action="store_true", help="2,000 mails, as the figures to reach are stated")
    arguments.add_argument("--mails", type=int, default=500)
    arguments.add_argument("--rounds", type=int, help="instead of 5 near and 3 far")
    arguments.add_argument("--json", action="store_true")
    options = arguments.parse_args()
    everything = mails(2_000 if options.full else options.mails)
    megabytes = sum(map(len, everything)) / 1e6
    rows = []
    with dovecot({USER: PASSWORD}) as server:
        server.append_all(USER, everything, password=PASSWORD)
        at_once: Any = {"maximum_msg_number": len(everything)}  # in one cycle, as the others do
        _ours(mailbox(server, server.imaps, **at_once), len(everything))  # Dovecot has its caches
        for rtt, (aim_loop, aim_mbsync) in AIMS.items():
            with far(server.imaps, rtt / 1000) as port:
                rounds = [
                    _round(
                        server, mailbox(server, port, **at_once), len(everything), min(len(everything), LOOP_MAILS[rtt])
                    )
                    for _ in range(options.rounds or ROUNDS[rtt])
                ]
            rates = [ours for ours, _loop, _mbsync in rounds]
            rows.append(
                {
                    "rtt_ms": rtt,
                    "ours_per_s": round(median(rates)),
                    "loop_per_s": round(median(loop for _ours, loop, _mbsync in rounds), 1),
                    "times_loop": round(median(ours / loop for ours, loop, _mbsync in rounds), 1),
                    "worst_loop": round(min(ours / loop for ours, loop, _mbsync in rounds), 1),
                    "aim_loop": aim_loop,
                    "times_mbsync": round(median(times for _ours, _loop, times in rounds), 2),
                    "worst_mbsync": round(min(times for _ours, _loop, times in rounds), 2),
                    "aim_mbsync": aim_mbsync,
                }
            )
    if options.json:
        print(json.dumps({"mails": len(everything), "megabytes": round(megabytes), "rows": rows}))
        return
    print(f"{len(everything)} mails, {megabytes:.0f} MB; medians, and the worst round")
    print(f"{'rtt':>6} {'ours/s':>8} {'loop/s':>8} {'× loop':>8} {'worst':>6} {'aim':>6}", end=" ")
    print(f"{'× mbsync':>9} {'worst':>6} {'aim':>5}")
    for row in rows:
        print(
            f"{row['rtt_ms']:>4}ms {row['ours_per_s']:>8} {row['loop_per_s']:>8} {row['times_loop']:>8} "
            f"{row['worst_loop']:>6} {row['aim_loop']:>6} "
            f"{row['times_mbsync'] or '-':>9} {row['worst_mbsync'] or '-':>6} {row['aim_mbsync']:>5}"
        )


def _round(server: Dovecot, box: Mailbox, expected: int, some: int) -> tuple[float, float, float]:
    """Measure mails a second of ours and of the loop, both with flags, and how much longer mbsync takes to fetch."""
    _unseen(server)
    fetched, acted = _ours(box, expected)
    theirs = _mbsync(box, expected)
    _unseen(server)
    loop = _usual_loop(box, some)
    return expected / acted, some / loop, theirs / fetched if theirs else 0.0


def _unseen(server: Dovecot) -> None:
    """Take the flags off again, so that each has them to set."""
    client = imaplib.IMAP4("127.0.0.1", server.imap, timeout=60)
    client.login(USER, PASSWORD)
    client.select("INBOX")
    client.store("1:*", "-FLAGS.SILENT", "(\\Seen)")
    client.logout()


def _ours(box: Mailbox, expected: int) -> tuple[float, float]:
    """Measure seconds until all is fetched, and until all is flagged too; a large backlog is listed piece by piece."""
    started = time.perf_counter()
    session = ImapConnector(LOOPBACK).open(box, secret=PASSWORD, deadline=time.monotonic() + 600)
    ids: list[str] = []
    position: Position | None = None
    with scratch():
        while (listing := session.list(position)).news:
            for result in session.fetch(listing.news):
                assert isinstance(result, Fetched)
                ids.append(result.item.id)
            position = replace(listing.position, cursor=ids[-1])
            if len(ids) == expected:
                break
        fetched = time.perf_counter() - started
    begun = time.perf_counter()
    session.act(ids, Action.MARK_READ)
    session.close()
    if len(ids) != expected:
        raise SystemExit(f"fetched {len(ids)} of {expected}")
    return fetched, fetched + time.perf_counter() - begun


def _usual_loop(box: Mailbox, some: int) -> float:
    with scratch() as folder:

        def loop() -> None:
            context = client_context(box.ca_certificate)
            client = imaplib.IMAP4_SSL("127.0.0.1", box.effective_port, ssl_context=context)
            client.login(USER, PASSWORD)
            client.select("INBOX")
            _, found = client.uid("SEARCH", "ALL")
            for uid in _first(found, some):
                _, rows = client.uid("FETCH", uid, "(BODY.PEEK[])")
                (folder / uid).write_bytes(rows[0][1])
                client.uid("STORE", uid, "+FLAGS", "(\\Seen)")
            client.logout()

        return timed(loop)


def _first(found: Sequence[bytes], some: int) -> list[str]:
    return found[0].decode("ascii").split()[:some]


def _mbsync(box: Mailbox, expected: int) -> float | None:
    if not shutil.which("mbsync"):
        return None
    with scratch() as folder:
        (folder / "ca.pem").write_text(box.ca_certificate or "")
        (folder / "mail").mkdir()
        (folder / "mbsyncrc").write_text(
            f"IMAPAccount a\nHost localhost\nPort {box.effective_port}\nUser {USER}\nPass {PASSWORD}\n"
            f"SSLType IMAPS\nCertificateFile {folder}/ca.pem\n\n"
            f"IMAPStore far\nAccount a\n\nMaildirStore near\nInbox {folder}/mail/INBOX\nPath {folder}/mail/\n\n"
            "Channel c\nFar :far:\nNear :near:\nPatterns INBOX\nSync Pull\nCreate Near\nSyncState *\n"
        )
        command = ["mbsync", "-q", "-c", str(folder / "mbsyncrc"), "c"]
        environment = {**os.environ, "HOME": str(folder)}
        taken = timed(lambda: subprocess.run(command, check=True, env=environment, capture_output=True))
        came = sum(1 for _ in (folder / "mail" / "INBOX").glob("*/*,*"))
        if came < expected:
            raise SystemExit(f"mbsync fetched {came} of {expected}")
        return taken


if __name__ == "__main__":
    main()
