"""What polling needs, and what a look at a mailbox comes to."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from postroom.model import Balance
from postroom.model.configuration import Type
from postroom.ports import Clock, Configurations, Connector, Looks, MailboxStates, Queue, RawMessages, Secrets, Tokens

CONFIG_CHECK = 1.0  # seconds between two looks at the configuration while fetching


@dataclass(frozen=True, slots=True)
class Polling:
    """What polling needs. `queue`: where a backlog goes on, the queue that the poll request came from."""

    configurations: Configurations
    states: MailboxStates
    secrets: Secrets
    connectors: Mapping[Type, Connector]
    raw: RawMessages
    queue: Queue
    clock: Clock
    monotonic: Callable[[], float] = time.monotonic
    config_check: float = CONFIG_CHECK
    tokens: Tokens | None = None  # None: no mailbox of this installation logs in with one
    looks: Looks | None = None  # None: nobody is told when mailboxes were polled


class Result(StrEnum):
    """What one look at one mailbox came to."""

    IDLE = "idle"  # nothing new
    FETCHED = "fetched"
    ACTED = "acted"  # nothing new, but the server was told of what was stored before
    WAITING = "waiting"  # not well, and not due yet
    BUSY = "busy"  # another poller has it, or had it since the state was read
    STOPPED = "stopped"  # the mailbox was changed or disabled meanwhile
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a mailbox came to; `more`: it holds more, and that should follow at once."""

    mailbox: str
    result: Result
    balance: Balance | None = None
    more: bool = False
    step: str = ""
    code: str = ""
    lag: float = 0.0  # seconds since the server received the oldest mail that was new
    size: int = 0  # bytes stored
    resynced: bool = False

    @property
    def polled(self) -> bool:
        """Tell whether the mailbox was looked at, or left alone because of its own health.

        A failure without a step is none of the mailbox: it was left behind at the function's end, or our own table did
        not answer, and its health does not say so.
        """
        return self.result is not Result.FAILED or bool(self.step)
