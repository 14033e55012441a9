"""Test the connection of a mailbox as it is given, saved or not: step by step, with times, within eleven seconds (C09).

The way to the server is walked twice: once by hand, to time each step of it, and once by the mailbox's own connector,
which is what polls it later.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from postroom.errors import PostroomError
from postroom.model.configuration import Mailbox, Security, Type
from postroom.ports import Connector, Counts, Probe, Secrets, Session, Tokens
from postroom.services.mailboxes.first_connection_preview import list_whole
from postroom.services.mailboxes.open import open_mailbox, open_with, takes_token

IN_ALL = 10.5  # seconds; the figure to keep is 11

_TLS_FIRST = ("dns", "connect", "tls", "greeting", "login", "folder", "count")
_TLS_LATER = ("dns", "connect", "greeting", "tls", "login", "folder", "count")  # STARTTLS, or none
_HTTP = ("dns", "connect", "tls", "login", "folder", "count")


@dataclass(frozen=True, slots=True)
class Step:
    """One step: `ok`, or what went wrong and what to do; `seconds` None: not measured by itself."""

    name: str
    ok: bool
    seconds: float | None = None
    code: str = ""
    reason: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class ConnectionTest:
    """What a test came to: the steps done, in order, and how many messages lie in the folder."""

    mailbox: str
    steps: tuple[Step, ...]
    messages: int | None
    seconds: float

    @property
    def ok(self) -> bool:
        """Tell whether every step worked."""
        return all(step.ok for step in self.steps)


@dataclass(slots=True)
class _Walk:
    order: tuple[str, ...]
    monotonic: Callable[[], float]
    steps: dict[str, Step] = field(default_factory=dict)
    last: float = 0.0

    def passed(self, step: str) -> None:
        now = self.monotonic()
        self.steps[step] = Step(step, ok=True, seconds=now - self.last)
        self.last = now

    def opened(self) -> None:
        """Note what `open` did beyond the way walked by hand: all of its time is the login's."""
        now = self.monotonic()
        for step in self.order[:-1]:
            self.steps.setdefault(step, Step(step, ok=True, seconds=now - self.last if step == "login" else None))
        self.last = now

    def failed(self, error: PostroomError) -> None:
        """Note the step that failed; those before it worked."""
        name = error.step if error.step in self.order else next((s for s in self.order if s not in self.steps), "count")
        for step in self.order[: self.order.index(name)]:
            self.steps.setdefault(step, Step(step, ok=True))
        seconds = self.monotonic() - self.last
        self.steps[name] = Step(name, False, seconds, code=error.code, reason=error.what, remedy=error.remedy)

    def done(self) -> tuple[Step, ...]:
        """Return the steps in order, up to the one that failed."""
        done: list[Step] = []
        for name in self.order:
            if name in self.steps:
                done.append(self.steps[name])
                if not done[-1].ok:
                    break
        return tuple(done)


def check_connection(
    mailbox: Mailbox,
    *,
    connectors: Mapping[Type, Connector],
    secrets: Secrets,
    probe: Probe,
    tokens: Tokens | None = None,
    secret: str | None = None,
    monotonic: Callable[[], float] = time.monotonic,
) -> ConnectionTest:
    """Test; `secret` is used instead of the stored password when it is given. Never raises for what a server does."""
    started = monotonic()
    deadline = started + IN_ALL
    walk = _Walk(_order(mailbox), monotonic, last=started)
    messages: int | None = None
    try:
        probe(mailbox, deadline=deadline, passed=walk.passed)
        session = _open(mailbox, connectors, secrets, tokens, secret, deadline)
        walk.opened()
        try:
            messages = session.count() if isinstance(session, Counts) else None
            if messages is None:
                listing = list_whole(session)
                messages = len(listing.news) + len(listing.unfinished) + listing.known
            walk.passed("count")
        finally:
            session.close()
    except PostroomError as error:
        walk.failed(error)
    return ConnectionTest(mailbox.name, walk.done(), messages, monotonic() - started)


def _open(
    mailbox: Mailbox,
    connectors: Mapping[Type, Connector],
    secrets: Secrets,
    tokens: Tokens | None,
    secret: str | None,
    deadline: float,
) -> Session:
    if secret is None or mailbox.type not in connectors or takes_token(mailbox):
        return open_mailbox(mailbox, connectors=connectors, secrets=secrets, tokens=tokens, deadline=deadline)
    return open_with(connectors[mailbox.type], mailbox, secret=secret, deadline=deadline)


def _order(mailbox: Mailbox) -> tuple[str, ...]:
    if mailbox.type in (Type.EWS, Type.GRAPH):
        return _HTTP
    return _TLS_FIRST if mailbox.security is Security.SSL_TLS else _TLS_LATER
