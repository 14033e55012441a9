"""Run functions by the clock: at the start, then every so often, and at once when asked."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from postroom_cli.local.functions import Function
from postroom_cli.local.triggers import ScheduleTrigger

log = logging.getLogger("postroom.local")


class ScheduleTimer:
    """Runs one function every `trigger.every`, beginning now."""

    def __init__(
        self, trigger: ScheduleTrigger, *, invoke: Callable[[Function, Any], Any], worked: Callable[[], None]
    ) -> None:
        self.trigger = trigger
        self._invoke = invoke
        self._worked = worked
        self._now = threading.Event()

    def run(self, stopped: threading.Event) -> None:
        """Run until stopped."""
        while not stopped.is_set():
            self.fire()
            self._now.wait(self.trigger.every.total_seconds())
            self._now.clear()

    def fire(self) -> None:
        """Run it once in this thread; what it raises is logged, as EventBridge's target would fail alone."""
        function = self.trigger.function
        try:
            self._invoke(function, scheduled_event(self.trigger.event))
        except Exception:
            log.exception("%s failed", function.name)
        self._worked()

    def soon(self) -> None:
        """Run it now instead of at its next time (also to let a stopped timer end)."""
        self._now.set()


def scheduled_event(configured: Any) -> Any:
    """Return the event of a scheduled run: what the template configures, else EventBridge's own."""
    return configured or {
        "version": "0",
        "source": "aws.events",
        "detail-type": "Scheduled Event",
        "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "detail": {},
    }
