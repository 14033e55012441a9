"""A person who watches sees how far a long command is; a pipe gets the results and nothing else."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

MAIL = b"From: a@example.com\r\nTo: b@example.com\r\nSubject: Hello\r\n\r\nHello\r\n"
EXPLAIN = [str(Path(sys.executable).with_name("postroom")), "explain", "--json"]


def test_a_watched_command_draws_a_bar_beside_its_results(tmp_path: Path) -> None:
    (tmp_path / "one.eml").write_bytes(MAIL)
    screen, terminal = pty.openpty()
    try:
        with subprocess.Popen(
            [*EXPLAIN, str(tmp_path)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=terminal,
            env={**os.environ, "TERM": "xterm"},
        ) as command:  # fmt: skip
            os.close(terminal)
            assert command.stdout is not None
            results = command.stdout.read()
            drawn = os.read(screen, 65536)
        assert command.returncode == 0
    finally:
        os.close(screen)
    assert b"Explaining" in drawn
    assert results.count(b"\n") == 1
    assert b"Explaining" not in results


def test_a_command_in_a_pipe_draws_nothing(tmp_path: Path) -> None:
    (tmp_path / "one.eml").write_bytes(MAIL)
    done = subprocess.run([*EXPLAIN, str(tmp_path)], stdin=subprocess.DEVNULL, capture_output=True, check=True)
    assert done.stderr == b""
    assert done.stdout.count(b"\n") == 1
