"""How much processor time something takes: the least of some tries, as a busy machine makes any one of them longer."""

from __future__ import annotations

import time
from collections.abc import Callable

TRIES = 4

_NOMINAL = 0.04
"""Seconds that `_known_work` takes on the machine that the limits of tests are meant for: a slow one of 2026."""


def takes_at_most(seconds: float, call: Callable[[], object]) -> bool:
    """Tell whether a call takes at most so many seconds of processor time; a slow one gets more tries.

    On a machine that is slower than the one the limit is meant for, or made so by others, it gets as much longer.
    """
    for _ in range(TRIES):
        taken = _seconds(call)
        if taken <= seconds or taken <= seconds * max(1.0, _seconds(_known_work) / _NOMINAL):
            return True
    return False


def _seconds(call: Callable[[], object]) -> float:
    started = time.process_time()
    call()
    return time.process_time() - started


def _known_work() -> str:
    counted: dict[str, int] = {}
    for number in range(60_000):
        word = f"{number:x}"[::-1]
        counted[word] = counted.get(word, 0) + len(word)
    return "".join(sorted(counted))
