"""Measure the memory that a large mail costs while it passes the fetch function, beyond the idle process.

`python -m bench.fetch_memory [--json] [--megabytes N …] [--type TYPE]`. The real connectors and the real S3 adapter,
against servers in a process of their own; the peak of the resident set is reset before each mail (Linux:
/proc/self/clear_refs). Each type has a process of its own. Graph is measured by `bench.graph`.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import boto3
from postroom.adapters.aws.client import config
from postroom.adapters.aws.s3 import S3RawMessages
from postroom.bootstrap import connectors
from postroom.environment import Environment
from postroom.model.configuration.mailbox import Type

from bench import missed
from bench.servers import PASSWORD, Servers, servers
from tests.unit.services.polling.fakes import Post, a_mailbox

MEGABYTE = 1024 * 1024
TYPES = (Type.IMAP, Type.POP3, Type.EWS)
AIM = 16  # MB beyond the idle process
ROOM = 8 * 1024  # bytes by which mails are smaller, since Exchange counts what its store needs besides


def main() -> None:
    """Run and print the figures."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--json", action="store_true")
    arguments.add_argument("--megabytes", type=int, nargs="*", default=[25, 100])
    arguments.add_argument("--type", type=Type, choices=TYPES, help="only this, in this process")
    options = arguments.parse_args()
    if options.type:
        print(json.dumps(_measure(options.type, options.megabytes)))
        return
    rows = [row for type_ in TYPES for row in _in_a_process(type_, options.megabytes)]
    if options.json:
        print(json.dumps(rows))
    else:
        for row in rows:
            print(
                f"{row['type']:>5}, {row['megabytes']} MB mail: {row['beyond_mb']} MB beyond the idle "
                f"{row['idle_mb']} MB ({row['ratio']} × its size), {row['seconds']} s"
            )
    if any(row["beyond_mb"] > AIM for row in rows):
        missed(f"a large mail costs more than {AIM} MB")


def _in_a_process(type_: Type, megabytes: list[int]) -> list[dict[str, Any]]:
    sizes = [str(size) for size in megabytes]
    command = [sys.executable, "-m", "bench.fetch_memory", "--type", type_.value, "--megabytes", *sizes]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise SystemExit(done.returncode)
    rows: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return rows


def _measure(type_: Type, megabytes: list[int]) -> list[dict[str, Any]]:
    names = ["warm", *(f"box{size}" for size in megabytes)]
    sizes = [100_000, *(size * MEGABYTE - ROOM for size in megabytes)]
    rows = []
    with servers(
        {f"{name}@example.com": [size] for name, size in zip(names, sizes, strict=True)}, type_=type_
    ) as there:
        post = _post(type_, names, there)
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
                        "type": type_.value,
                        "megabytes": round(size / MEGABYTE),
                        "idle_mb": round(idle / MEGABYTE, 1),
                        "beyond_mb": round(beyond / MEGABYTE, 1),
                        "ratio": round(beyond / size, 2),
                        "seconds": round(taken, 2),
                    }
                )
    return rows


def _post(type_: Type, names: list[str], there: Servers) -> Post:
    settings = {
        "type": type_,
        "server": there.host,
        "port": there.port,
        "ca_certificate": there.ca_pem,
        "maximum_msg_size": 100,
    }
    environment = Environment({"private_mail_networks": "127.0.0.0/8,::1/128", "allow_plaintext_credentials": "false"})
    post = Post(
        *(a_mailbox(name, **settings) for name in names),
        connector=connectors(environment)[type_],
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
