"""What the processes of a soak have in common: who runs which function, by which clock, with which troubles."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from postroom_cli.local.functions import Function
from postroom_cli.local.triggers import QueueTrigger, ScheduleTrigger, Trigger

WORKERS: Mapping[str, tuple[str, ...]] = {
    "clock": ("schedule_polls", "sweep"),
    "fetch-1": ("fetch_mailboxes",),
    "fetch-2": ("fetch_mailboxes",),
    "process-1": ("process_inbound",),
    "process-2": ("process_inbound",),
    "send": ("send_outbound",),
    "send-and-track": ("send_outbound", "track_delivery"),
}
"""The seven processes, and the functions that each runs."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a worker must know; written once by the soak, read by each worker."""

    triggers: tuple[Trigger, ...]
    endpoint_url: str
    environment: Mapping[str, str]
    started: float  # of time.time()
    speed: float  # seconds of the installation's clock in one of ours
    lost_answers: float  # share of AWS answers that never arrive, while `troubled` exists
    troubled: Path

    def now(self, real: float) -> datetime:
        """Tell the installation's time: it runs faster than ours, so that leases and claims end while we watch."""
        began = datetime.fromtimestamp(self.started, UTC)
        return began + timedelta(seconds=(real - self.started) * self.speed)

    def of(self, worker: str) -> list[Trigger]:
        """List what a worker drives."""
        return [trigger for trigger in self.triggers if trigger.function.verb_noun in WORKERS[worker]]

    def write(self, path: Path) -> None:
        """Write the plan as JSON."""
        given: dict[str, Any] = {
            "triggers": [_trigger_as_json(trigger) for trigger in self.triggers],
            "endpoint_url": self.endpoint_url,
            "environment": dict(self.environment),
            "started": self.started,
            "speed": self.speed,
            "lost_answers": self.lost_answers,
            "troubled": str(self.troubled),
        }
        path.write_text(json.dumps(given), "utf-8")


def read_plan(path: Path) -> Plan:
    """Read what `Plan.write` wrote."""
    given = json.loads(path.read_text("utf-8"))
    triggers = tuple(_trigger_of_json(one) for one in given["triggers"])
    return Plan(**{**given, "triggers": triggers, "troubled": Path(given["troubled"])})


def _trigger_as_json(trigger: Trigger) -> dict[str, Any]:
    found = asdict(trigger)
    if isinstance(trigger, ScheduleTrigger):
        found["every"] = trigger.every.total_seconds()
    return found


def _trigger_of_json(given: dict[str, Any]) -> Trigger:
    function = Function(**given.pop("function"))
    if "every" in given:
        return ScheduleTrigger(function, timedelta(seconds=given["every"]), given["event"])
    return QueueTrigger(function, **given)
