"""One process of the soak: drives the real handlers of its functions until it is killed.

It differs from an installation in three things. Its clock runs faster, and so do the waits of queues. Some answers of
AWS get lost on the wire, below the client's own repetitions. And it may die at any instruction.
"""

from __future__ import annotations

import os
import random
import sys
import threading
import time
from pathlib import Path
from typing import Any

import boto3
import botocore.httpsession
from botocore.exceptions import ConnectionClosedError
from postroom.adapters import clock
from postroom_cli.local.functions import Invoker
from postroom_cli.local.queues import QueuePoller
from postroom_cli.local.schedules import scheduled_event
from postroom_cli.local.stack import Aws
from postroom_cli.local.triggers import QueueTrigger, ScheduleTrigger

from tests.soak.plan import Plan, read_plan

_VISIBILITY_SECONDS = 900  # of the installation's clock; about the longest of the template's queues
_TICK_SECONDS = 0.1


def main(plan_path: str, worker: str, seed: str) -> None:
    """Run one worker until somebody kills it."""
    plan = read_plan(Path(plan_path))
    os.environ.update(plan.environment)
    clock.utc_now = lambda: plan.now(time.time())  # before the composition root takes it
    lose_answers(plan, random.Random(seed))
    aws = Aws(plan.endpoint_url)
    invoke = Invoker()
    pollers: list[QueuePoller] = []
    schedules: list[ScheduleTrigger] = []
    hurry(plan, aws)
    for trigger in plan.of(worker):
        invoke.prepare(trigger.function)
        if isinstance(trigger, QueueTrigger):
            pollers.append(_poller(trigger, aws, invoke))
        elif isinstance(trigger, ScheduleTrigger):
            schedules.append(trigger)
    due = {trigger.function.name: 0.0 for trigger in schedules}
    while True:
        busy = [poller for poller in pollers if _safely(poller.drain_once)]
        for trigger in schedules:
            if time.time() >= due[trigger.function.name]:
                due[trigger.function.name] = time.time() + trigger.every.total_seconds() / plan.speed
                _safely(lambda one=trigger: invoke(one.function, _tick(one, plan)))
        if not busy:
            time.sleep(_TICK_SECONDS)


def _tick(trigger: ScheduleTrigger, plan: Plan) -> Any:
    """Return the event of a tick, at the installation's time."""
    event = dict(scheduled_event(trigger.event))
    moment = plan.now(time.time()).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {key: moment if key in ("time", "scheduled_time") else value for key, value in event.items()}


def _safely(call: Any) -> Any:
    """Call; a worker goes on whatever one delivery raises, as Lambda does."""
    try:
        return call()
    except Exception as error:
        sys.stderr.write(f"{type(error).__name__}\n")
        return False


def _poller(trigger: QueueTrigger, aws: Aws, invoke: Invoker) -> QueuePoller:
    return QueuePoller(trigger, aws=aws, invoke=invoke, look=threading.Event(), worked=lambda: None, retry_after=None)


def hurry(plan: Plan, aws: Aws) -> None:
    """Shorten every wait of SQS by the speed of the clock: moto counts our seconds."""

    def sooner(params: dict[str, Any], **_kwargs: Any) -> None:
        for entry in (params, *params.get("Entries", ())):
            for name in ("DelaySeconds", "VisibilityTimeout"):
                if name in entry:
                    entry[name] = int(entry[name] / plan.speed)

    def visible_again(params: dict[str, Any], **_kwargs: Any) -> None:
        params["VisibilityTimeout"] = int(_VISIBILITY_SECONDS / plan.speed)

    boto3.setup_default_session()
    assert boto3.DEFAULT_SESSION is not None
    for emitter in (boto3.DEFAULT_SESSION.events, aws("sqs").meta.events):
        for operation in ("SendMessage", "SendMessageBatch", "ChangeMessageVisibility", "ChangeMessageVisibilityBatch"):
            emitter.register(f"provide-client-params.sqs.{operation}", sooner)
        emitter.register("provide-client-params.sqs.ReceiveMessage", visible_again)


def lose_answers(plan: Plan, chance: random.Random) -> None:
    """Let requests take effect whose answers never arrive, as often as the plan says."""
    send = botocore.httpsession.URLLib3Session.send

    def lossy(session: Any, request: Any) -> Any:
        answer = send(session, request)
        if chance.random() < plan.lost_answers and plan.troubled.exists():
            raise ConnectionClosedError(endpoint_url=request.url)
        return answer

    botocore.httpsession.URLLib3Session.send = lossy  # type: ignore[method-assign, assignment]


if __name__ == "__main__":
    main(*sys.argv[1:])
