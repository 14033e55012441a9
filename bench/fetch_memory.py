"""Measure the memory that a large mail costs while it passes the fetch function, beyond the idle process.

`python -m bench.fetch_memory [--json] [--megabytes N …]`. The real connector and the real S3 adapter, against servers
in a process of their own; the peak of the resident set is reset before each mail (Linux: /proc/self/clear_refs).
"""

import argparse
import json
import time
from pathlib import Path

import boto3
from postroom.adapters.aws import config
from postroom.adapters.imap import ImapConnector
from postroom.adapters.s3 import S3RawMessages
from postroom.config import Environment

from bench.servers import PASSWORD, Servers, servers
from tests.unit.fetching.fakes import Post, a_mailbox

MEGABYTE = 1024 * 1024


def main() -> None:
    """Run and print the figures."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--json", action="store_true")
    arguments.add_argument("--megabytes", type=int, nargs="*", default=[25, 99])
    options = arguments.parse_args()
    names = ["warm", *(f"box{megabytes}" for megabytes in options.megabytes)]
    sizes = [100_000, *(megabytes * MEGABYTE for megabytes in options.megabytes)]
    rows = []
    with servers({f"{name}@example.com": [size] for name, size in zip(names, sizes, strict=True)}) as there:
        post = _post(names, there)
        for name, size in zip(names, sizes, strict=True):
            reset_peak()
            idle = status("VmRSS")
            started = time.perf_counter()
            summary = post.poll(name)
            taken = time.perf_counter() - started
            if summary.stored != 1:
                raise SystemExit(f"the mail was not stored: {summary.facts()}")
            beyond = status("VmHWM") - idle
            if name != "warm":
                rows.append(
                    {
                        "megabytes": round(size / MEGABYTE),
                        "idle_mb": round(idle / MEGABYTE, 1),
                        "beyond_mb": round(beyond / MEGABYTE, 1),
                        "ratio": round(beyond / size, 2),
                        "seconds": round(taken, 2),
                    }
                )
    if options.json:
        print(json.dumps(rows))
        return
    for row in rows:
        print(
            f"{row['megabytes']} MB mail: {row['beyond_mb']} MB beyond the idle {row['idle_mb']} MB "
            f"({row['ratio']} × its size), {row['seconds']} s"
        )


def _post(names: list[str], there: Servers) -> Post:
    settings = {
        "server": "127.0.0.1",
        "port": there.imap,
        "ca_certificate": there.ca_pem,
        "maximum_msg_size": 100,
    }
    environment = Environment({"private_mail_networks": "127.0.0.0/8"})
    connector = ImapConnector(allowed_networks=environment.private_mail_networks)
    post = Post(
        *(a_mailbox(name, **settings) for name in names),
        connector=connector,
        monotonic=time.monotonic,
        raw=s3_into(there.s3),
    )
    post.secrets.values = dict.fromkeys((f"{name}-password" for name in names), PASSWORD)
    return post


def s3_into(port: int) -> S3RawMessages:
    """Make the real adapter, against what takes objects on a port of this machine."""
    client = boto3.client(
        "s3",
        config=config(read_timeout=60.0),
        endpoint_url=f"http://127.0.0.1:{port}",
        region_name="us-east-1",
        aws_access_key_id="bench",
        aws_secret_access_key="bench",
    )
    return S3RawMessages(client, "raw")


def reset_peak() -> None:
    """Let the peak of the resident set begin anew."""
    Path("/proc/self/clear_refs").write_text("5")


def status(name: str) -> int:
    """Read a size of this process, in bytes: VmRSS, VmHWM."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(f"{name}:"))
    return int(line.split()[1]) * 1024


if __name__ == "__main__":
    main()
