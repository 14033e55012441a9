"""How the time of something grows with its input: the exponent is 1 for linear, 2 for quadratic, 3 for cubic time.

Ratios within one run say this on any machine, however slow or busy; seconds do not.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

TRIES = 3
FASTEST_SECONDS = 0.002
"""What takes less is nothing but noise: it counts as this."""
_Input = TypeVar("_Input")


def exponent(
    call: Callable[[_Input], object], make: Callable[[int], _Input], *, sizes: Sequence[int], enough: float = 1.5
) -> float:
    """Return the growth between the smallest and the largest of `sizes`, the least of some tries.

    A try that gives at most `enough` ends it.
    """
    inputs = [make(size) for size in (min(sizes), max(sizes))]
    factor = max(sizes) / min(sizes)
    least = math.inf
    for _ in range(TRIES):
        small, large = (seconds(call, one) for one in inputs)
        least = min(least, exponent_of(small, large, factor=factor))
        if least <= enough:
            break
    return least


def exponent_of(small: float, large: float, *, factor: float) -> float:
    """Return the exponent of a growth from `small` to `large` seconds, where the input grew by `factor`."""
    return math.log(max(FASTEST_SECONDS, large) / max(FASTEST_SECONDS, small)) / math.log(factor)


def seconds(call: Callable[[_Input], object], value: _Input) -> float:
    """Return the processor time of one call."""
    started = time.process_time()
    call(value)
    return time.process_time() - started
