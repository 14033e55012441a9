"""Fetch a backlog by IMAP from Dovecot, near and far, against the usual imaplib loop and against mbsync, in one run.

`python -m bench.imap_fetch [--full] [--json]`. All over TLS, from a cold connection, into files. The loop fetches and
flags one by one; it is run over the first messages only, and rates are compared. `--full`: 2,000 mails.
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

from postroom.adapters.imap import ImapConnector
from postroom.adapters.tls import client_context
from postroom.model.mailbox import Mailbox
from postroom.ports import Action, Fetched

from bench.far import LOOPBACK, PASSWORD, USER, far, mailbox, mails, scratch, timed
from tests.support.dovecot import dovecot

AIMS = {0: (3.0, 1.0), 20: (30.0, 1.0), 80: (30.0, 1.0)}  # rtt in ms → times the loop, times mbsync


def main() -> None:
    """Run and print the figures."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--full", action="store_true", help="2,000 mails, as the figures to reach are stated")
    arguments.add_argument("--mails", type=int, default=500)
    arguments.add_argument("--json", action="store_true")
    options = arguments.parse_args()
    everything = mails(2_000 if options.full else options.mails)
    megabytes = sum(map(len, everything)) / 1e6
    rows = []
    with dovecot({USER: PASSWORD}) as server:
        server.append_all(USER, everything, password=PASSWORD)
        for rtt, (aim_loop, aim_mbsync) in AIMS.items():
            with far(server.imaps, rtt / 1000) as port:
                box = mailbox(server, port)
                some = len(everything) if options.full else {0: 200, 20: 100, 80: 40}[rtt]
                attempts = [_ours(box, len(everything)) for _ in range(1 if options.full else 2)]
                ours, acted = min(attempts)
                loop = some / _usual_loop(box, some)
                theirs = _mbsync(box, len(everything))
            rows.append(
                {
                    "rtt_ms": rtt,
                    "ours_per_s": round(len(everything) / acted),
                    "loop_per_s": round(loop, 1),
                    "times_loop": round(len(everything) / acted / loop, 1),
                    "aim_loop": aim_loop,
                    "times_mbsync": round(theirs / ours, 2) if theirs else None,
                    "aim_mbsync": aim_mbsync,
                }
            )
    if options.json:
        print(json.dumps({"mails": len(everything), "megabytes": round(megabytes), "rows": rows}))
        return
    print(f"{len(everything)} mails, {megabytes:.0f} MB")
    print(f"{'rtt':>6} {'ours/s':>8} {'loop/s':>8} {'× loop':>8} {'aim':>6} {'× mbsync':>9} {'aim':>5}")
    for row in rows:
        print(
            f"{row['rtt_ms']:>4}ms {row['ours_per_s']:>8} {row['loop_per_s']:>8} {row['times_loop']:>8} "
            f"{row['aim_loop']:>6} {row['times_mbsync'] or '-':>9} {row['aim_mbsync']:>5}"
        )


def _ours(box: Mailbox, expected: int) -> tuple[float, float]:
    """Seconds until all is fetched, and until all is flagged too."""
    started = time.perf_counter()
    session = ImapConnector(LOOPBACK).open(box, secret=PASSWORD, deadline=time.monotonic() + 600)
    ids = []
    with scratch():
        for result in session.fetch(session.list(None).news):
            assert isinstance(result, Fetched)
            ids.append(result.item.id)
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
