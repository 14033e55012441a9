"""How often a caller may ask: a bucket of tokens in the table, from which each function takes some at a time.

One write to the table pays for STEP requests. What a function has taken and does not use is lost to its caller, which
costs him at most STEP tokens a function that serves him.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from postroom.errors import Transient
from postroom.ports import Clock, RequestMemory

BURST = 600
PER_SECOND = 20.0
STEP = 20
HELD = timedelta(seconds=60)
"""Tokens that were taken longer ago are taken anew: the bucket in the table has filled since."""

_MOST_CALLERS = 10_000


class TooManyRequests(Transient):
    """The caller's bucket is empty."""

    code = "too_many_requests"


@dataclass(slots=True)
class _Share:
    tokens: int
    left: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Rates:
    """Counts requests by caller."""

    memory: RequestMemory
    clock: Clock
    _shares: dict[str, _Share] = field(default_factory=dict)

    def count(self, caller: str) -> dict[str, str]:
        """Count one request, and return the headers that tell of it; raises TooManyRequests."""
        now = self.clock()
        share = self._shares.get(caller)
        if share is None or share.tokens < 1 or now - share.at > HELD:
            taken = self.memory.take(caller, wanted=STEP, per_second=PER_SECOND, burst=BURST, now=now)
            if len(self._shares) >= _MOST_CALLERS:
                self._shares.clear()
            share = self._shares[caller] = _Share(taken.got, taken.left, now)
        if share.tokens < 1:
            wait = math.ceil(1 / PER_SECOND)
            raise TooManyRequests(
                f"More than {BURST:,} requests at once, or {PER_SECOND:.0f} a second",
                retry_after=wait,
                remedy=f"Wait {wait} s, and ask less often.",
            )
        share.tokens -= 1
        return headers(share.tokens + share.left)


def headers(remaining: int) -> dict[str, str]:
    """Return the headers of draft-ietf-httpapi-ratelimit-headers-03: limit, what is left, seconds until it is full."""
    return {
        "RateLimit-Limit": str(BURST),
        "RateLimit-Remaining": str(remaining),
        "RateLimit-Reset": str(math.ceil((BURST - remaining) / PER_SECOND)),
    }
