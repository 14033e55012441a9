"""How much processor time something takes: the least of some tries, as a busy machine makes any one of them longer."""

from __future__ import annotations

import time
from collections.abc import Callable

TRIES = 4


def takes_at_most(seconds: float, call: Callable[[], object]) -> bool:
    """Tell whether a call takes at most so many seconds of processor time; a slow one gets more tries."""
    for _ in range(TRIES):
        started = time.process_time()
        call()
        if time.process_time() - started <= seconds:
            return True
    return False
