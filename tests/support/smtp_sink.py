"""Postfix's smtp-sink: a real SMTP server that refuses, defers and drops at any stage. It must not run as root."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

_BINARY = shutil.which("smtp-sink") or "/usr/sbin/smtp-sink"


@dataclass(frozen=True)
class PostfixSink:
    """A running smtp-sink."""

    port: int


@contextmanager
def smtp_sink(*options: str) -> Iterator[PostfixSink]:
    """Run smtp-sink with these options (`-q data` drops at DATA, `-f rcpt` refuses with 500, `-r mail` with 450…).

    Skips the test where Postfix is not installed.
    """
    if not Path(_BINARY).exists():
        pytest.skip("smtp-sink (postfix) is not installed")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    other_user = ["-u", "nobody"] if os.geteuid() == 0 else []
    process = subprocess.Popen(
        [_BINARY, *other_user, *options, f"inet:127.0.0.1:{port}", "100"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        _wait_until_listening(port, process)
        yield PostfixSink(port)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(10)
        if process.stderr is not None:
            process.stderr.close()


def _wait_until_listening(port: int, process: subprocess.Popen[bytes]) -> None:
    # Not by connecting: smtp-sink may be told to drop its first client.
    state = f"0100007F:{port:04X} 00000000:0000 0A"
    end = time.monotonic() + 10
    while state not in Path("/proc/net/tcp").read_text():
        if process.poll() is not None or time.monotonic() > end:
            said = process.stderr.read().decode() if process.stderr and process.poll() is not None else ""
            raise RuntimeError(f"smtp-sink did not start: {said}")
        time.sleep(0.02)
