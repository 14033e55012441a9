"""Try work out in a child of this process, which may die of it: out of memory, by a signal, or beyond its time.

The child is a fork: it has what this process has, and shares its connections, so the work must use none. Its address
space is bounded, so that what wants too much memory fails in the child, and not this process at the machine's bound.
"""

from __future__ import annotations

import contextlib
import os
import resource
import select
import signal
import time
import warnings
from collections.abc import Callable
from pathlib import Path

from postroom.model import Tried

_PIECE = 65_536
_FAILED = 70  # what a child ends with that an exception went through (sysexits.h, EX_SOFTWARE)


def try_out(work: Callable[[], str], *, seconds: float, memory: int) -> Tried:
    """Run `work` in a child, within so many seconds and so many bytes more than this process has."""
    receive, send = os.pipe()
    with warnings.catch_warnings():
        # Python warns of threads that hold locks when a process forks: the child runs pure code and ends.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        os.close(receive)
        _run(work, send, memory)
    os.close(send)
    try:
        said = _read(receive, until=time.monotonic() + seconds)
    finally:
        os.close(receive)
    if said is None:
        os.kill(child, signal.SIGKILL)
    _pid, status = os.waitpid(child, 0)
    if said is None:
        return Tried(died=f"it took longer than {seconds:.0f} seconds")
    if os.WIFSIGNALED(status):
        return Tried(died=f"signal {os.WTERMSIG(status)} ({signal.Signals(os.WTERMSIG(status)).name})")
    if os.WEXITSTATUS(status):
        return Tried(died=f"exit status {os.WEXITSTATUS(status)}")
    return Tried(said=said.decode("utf-8", "replace"))


def _run(work: Callable[[], str], send: int, memory: int) -> None:
    """Be the child; never returns, whatever happens: nothing of the parent's may be done twice."""
    status = _FAILED
    try:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            resource.setrlimit(resource.RLIMIT_AS, (_address_space() + memory, resource.RLIM_INFINITY))
        said = work().encode("utf-8", "replace")
        while said:
            said = said[os.write(send, said) :]
        status = 0
    finally:
        os._exit(status)


def _read(receive: int, *, until: float) -> bytes | None:
    """Read all that the child says; None when its time is over first."""
    said = b""
    while True:
        ready, _write, _error = select.select([receive], [], [], max(0.0, until - time.monotonic()))
        if not ready:
            return None
        piece = os.read(receive, _PIECE)
        if not piece:
            return said
        said += piece


def _address_space() -> int:
    """Return the bytes of this process's address space (Linux, proc(5))."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
    return pages * resource.getpagesize()
