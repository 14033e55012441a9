"""A POP3 mailbox's connection through one session: made anew after a QUIT or a hang-up of ours, and timed by step."""

from __future__ import annotations

import time
from collections.abc import Sequence

from postroom.adapters.net import Rules
from postroom.adapters.pop3.login import Capabilities, Line, Offers, capabilities, dial, place_of
from postroom.errors import MailboxLocked
from postroom.model.configuration import Mailbox, behaviour

IN_FLIGHT = 50  # commands sent ahead where the server has PIPELINING (RFC 2449 §6.6)
BYTES_A_SECOND = 64 * 1024  # a message may take the protocol timeout, and a second more for each of these
UNLOCKING = (0.05, 0.2, 0.5, 1.0, 2.0)  # seconds between logins, while our last connection is still seen as open
AT_FIRST = 3  # of these, before a mailbox is taken for one that somebody else holds
SLOW = 1.0  # seconds; a server that waits for the lock itself (Dovecot, 12 s) is not asked again


class Link:
    """The connection, and what holds for this one only: `numbers` (id → message number) and `retrieved`.

    `retrieved`: the ids whose messages were asked for and are not known to be stored. A server may delete what was
    retrieved when the session ends with QUIT (RFC 2449 §6.7, EXPIRE 0), so none is said while there are any.
    """

    def __init__(self, mailbox: Mailbox, *, secret: str, deadline: float, rules: Rules, offers: Offers) -> None:
        self.mailbox = mailbox
        self.behaviour = behaviour(mailbox)
        self.deadline = deadline
        self.numbers: dict[str, int] | None = None
        self.retrieved: set[str] = set()
        self._secret = secret
        self._rules = rules
        self._offers = offers
        self._capabilities: Capabilities | None = None
        self._line: Line | None = self._dial_unlocked(UNLOCKING[:AT_FIRST])

    def ready(self, step: str) -> Line:
        """Return the connection, made anew where it was dropped; set step and deadline of what comes."""
        if self._line is None:
            self._line = self._dial_unlocked(UNLOCKING)
        self.begin(step)
        return self._line

    def begin(self, step: str, *, size: int = 0) -> None:
        """Name the step of what comes, and set its deadline: the protocol timeout, and more for what is large."""
        if self._line is not None:
            timeout = self.mailbox.protocol_timeout.total_seconds() + size / BYTES_A_SECOND
            self._line.stream.step = step
            self._line.stream.deadline = min(self.deadline, time.monotonic() + timeout)

    @property
    def ahead(self) -> int:
        """Return how many commands may be sent before their answers are read."""
        return IN_FLIGHT if self.offers(b"PIPELINING") else 1

    def offers(self, capability: bytes) -> bool:
        """Tell whether the server has said, of a logged-in session, that it can do something."""
        if self._capabilities is None:
            self._capabilities = capabilities(self.ready("list")) if self.behaviour.use_capa else {}
        return capability in self._capabilities

    @property
    def is_exact(self) -> bool:
        """Tell whether the server was seen to list a message with its very length: one that estimates never does."""
        return place_of(self.mailbox) in self._offers.exact

    def note_exact(self) -> None:
        """Note that it did."""
        self._offers.exact.add(place_of(self.mailbox))

    def drop(self) -> None:
        """Hang up if there is a connection; answers still on their way go with it."""
        if self._line is not None:
            self._line.stream.close()
        self._line, self.numbers = None, None
        self.retrieved.clear()

    @property
    def line(self) -> Line | None:
        """Return the connection as it is."""
        return self._line

    def _dial(self) -> Line:
        return dial(self.mailbox, secret=self._secret, deadline=self.deadline, rules=self._rules, offers=self._offers)

    def _dial_unlocked(self, pauses: Sequence[float]) -> Line:
        """Log in; after a QUIT or a hang-up of ours, the server may take a moment to unlock the mailbox for us."""
        for pause in pauses:
            began = time.monotonic()
            try:
                return self._dial()
            except MailboxLocked as error:
                if error.code != MailboxLocked.code or time.monotonic() - began > SLOW:
                    raise
                time.sleep(min(pause, max(0.0, self.deadline - time.monotonic())))
        return self._dial()
