"""How many connections a server takes from us at once: found out, kept to, and tried anew after a while.

Courier closes what is beyond four connections of one address without a word (MAXPERIP), Dovecot refuses what is beyond
ten of one login (mail_max_userip_connections). Whoever looks at a hundred mailboxes of such a server at once would see
most of them fail at each poll. So connections to a server that is not known yet begin with four, and become more with
each that works; what is closed twice in a row while others are open shows the limit.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

FIRST = 4  # connections at once to a server that is not known
HESITATION = 0.5  # seconds; where nothing was ever refused, waiting longer would only be slow
KEPT = 600.0  # seconds for which a limit is believed
LATELY = 30.0  # seconds after which a connection that worked says nothing more of the server


class Limit:
    """The connections to one server, or of one login there."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._changed = threading.Condition()
        self._taken = 0
        self._allowed = FIRST
        self._learned: float | None = None  # when the server showed its limit
        self._let_in = 0  # connections that work and are open
        self._worked: float | None = None  # when the last one was let in

    @property
    def known(self) -> int | None:
        """Return the limit that the server has shown; None when it has shown none."""
        return None if self._learned is None else self._allowed

    @property
    def is_empty(self) -> bool:
        """Tell whether nobody holds a place, or waits for the server to let it in."""
        return self._taken == 0

    @property
    def lets_in(self) -> bool:
        """Tell whether the server has let somebody in lately."""
        return self._worked is not None and self._monotonic() - self._worked < LATELY

    def take(self, *, until: float) -> Place | None:
        """Wait for a place; None when there is none by then."""
        with self._changed:
            began = self._monotonic()
            while self._taken >= self._allowed:
                now = self._monotonic()
                if self._learned is not None and now - self._learned > KEPT:
                    self._learned = None
                if now >= until:
                    return None
                end = min(until, began + HESITATION) if self._learned is None else until
                if now >= end:
                    break
                self._changed.wait(end - now)
            self._taken += 1
            return Place(self)

    def learn(self) -> None:
        """Note that the server lets no more in than are open now, if any are."""
        with self._changed:
            if self._let_in:
                self._allowed = self._let_in
                self._learned = self._monotonic()

    def note(self, *, let_in: int = 0, taken: int = 0) -> None:
        """Count what a place becomes; where no limit was shown, each connection that works allows one more."""
        with self._changed:
            self._let_in += let_in
            self._taken += taken
            if let_in > 0:
                self._worked = self._monotonic()
                if self._learned is None:
                    self._allowed = max(self._allowed, self._taken) + 1
            self._changed.notify_all()


class Place:
    """A connection's place in a limit, until it is given back."""

    def __init__(self, limit: Limit) -> None:
        self._limit = limit
        self._works = False

    def works(self) -> None:
        """Note that the server has let the connection in."""
        self._works = True
        self._limit.note(let_in=1)

    def give_back(self) -> None:
        """Leave the place; once."""
        self._limit.note(let_in=-1 if self._works else 0, taken=-1)


@dataclass(frozen=True, slots=True)
class HostLimits:
    """The limits of all servers that a function has met."""

    monotonic: Callable[[], float] = time.monotonic
    _limits: dict[Hashable, Limit] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def of(self, what: Hashable) -> Limit:
        """Return the limit of a server, or of a login there."""
        with self._lock:
            if what not in self._limits:
                self._limits[what] = Limit(self.monotonic)
            return self._limits[what]
