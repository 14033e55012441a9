"""The local runner: the template's resources in the local AWS, its functions driven by their own triggers."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from postroom.bootstrap import Stores
from postroom.environment import SETTINGS
from postroom.errors import NotFound
from postroom.model.access import PrincipalKind, SignIn
from postroom.services.people import appoint_administrator

from postroom_cli.local.aws_server import LocalAws
from postroom_cli.local.environment import environment, local_environment
from postroom_cli.local.functions import Function, Invoker, read_functions, shared_environment
from postroom_cli.local.http_api import LOCAL_CLAIMS, HttpApi
from postroom_cli.local.makers import MAKERS
from postroom_cli.local.queues import QueuePoller
from postroom_cli.local.schedules import ScheduleTimer, scheduled_event
from postroom_cli.local.stack import Aws, Stack
from postroom_cli.local.state import LocalState
from postroom_cli.local.template import REGION, read_template
from postroom_cli.local.triggers import QueueTrigger, RouteTrigger, ScheduleTrigger, Trigger, read_triggers

log = logging.getLogger("postroom.local")

STACK = "postroom-local"
OVERRIDES = {"PrivateMailNetworks": "127.0.0.0/8,::1/128"}
"""Parameters that differ from a deployment: the mail servers of a local run are on this machine."""

_JOIN_SECONDS = 30


class LocalRunner:
    """A running stack: `with LocalRunner(path) as runner:` makes everything, drives it, and clears it away.

    While it is open, the process's environment is that of the functions. `schedules=False` leaves the clock to the
    caller, who fires functions with `invoke`; `retry_after` shortens the wait of failed messages to so many seconds.
    """

    def __init__(
        self,
        template: Path,
        *,
        parameters: Mapping[str, str] | None = None,
        schedules: bool = True,
        retry_after: int | None = None,
        invoker: Invoker | None = None,
    ) -> None:
        self._template = read_template(template, stack=STACK, overrides={**OVERRIDES, **(parameters or {})})
        self._schedules = schedules
        self._retry_after = retry_after
        self._closing = ExitStack()
        self._stopped = threading.Event()
        self._threads: list[threading.Thread] = []
        self._wakes: list[threading.Event] = []
        self._timers: dict[str, ScheduleTimer] = {}
        self._invoker = invoker or Invoker()
        self._functions: dict[str, Function] = {}
        self.pollers: list[QueuePoller] = []
        self.environment: dict[str, str] = {}
        self.api_url = ""
        self.local_aws = LocalAws()
        self.aws = Aws()
        self.stack: Stack | None = None

    def __enter__(self) -> LocalRunner:
        with ExitStack() as opening:  # closes what was opened when something fails on the way
            opening.enter_context(self.local_aws)
            base = local_environment({}, endpoint_url=self.local_aws.endpoint_url, key=self.local_aws.key)
            opening.enter_context(environment(base))
            http_api = HttpApi(key=self.local_aws.key, invoke=self._invoker, worked=self._wake_all)
            opening.callback(http_api.stop)
            self.api_url = http_api.url
            self.aws = Aws(self.local_aws.endpoint_url)
            self.stack = Stack(self._template, self.aws, makers=MAKERS, api_url=self.api_url)
            self.stack.make()
            functions = read_functions(self.stack)
            for function in functions:  # fetch_ews is fetch_mailboxes again, for another queue
                self._functions.setdefault(function.verb_noun, function)
            self.environment = {**base, **shared_environment(functions)}
            os.environ.update(self.environment)
            self._admit()
            for function in functions:
                self._invoker.prepare(function)
            opening.callback(self._stop_threads)
            self._start(read_triggers(self.stack, functions), http_api)
            self._closing = opening.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.__exit__(kind, error, trace)

    @property
    def state(self) -> LocalState:
        """Return what other commands need to know."""
        return LocalState(
            endpoint_url=self.local_aws.endpoint_url,
            region=REGION,
            environment=self.environment,
            api_url=self.api_url,
            pid=os.getpid(),
            api_key=self.local_aws.key,
        )

    def invoke(self, verb_noun: str, event: Any = None) -> Any:
        """Call a function now, in this thread, as its schedule would; returns its answer."""
        if verb_noun not in self._functions:
            raise NotFound("There is no such function", on=verb_noun, remedy="template.yaml lists them.")
        answer = self._invoker(self._functions[verb_noun], scheduled_event(event))
        self._wake_all()
        return answer

    def wait_until(self, condition: Callable[[], bool], *, seconds: float, pause: float = 0.05) -> bool:
        """Wait for a condition; False when it did not come true in time."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() >= deadline:
                return False
            time.sleep(pause)
        return True

    def _admit(self) -> None:
        """Make who brings the key of the run a partition administrator."""
        if "TABLE_NAME" not in self.environment:
            return  # a template without our table
        stores = Stores(lambda name: self.environment[SETTINGS[name].variable], self.aws)
        caller = SignIn(LOCAL_CLAIMS["iss"], LOCAL_CLAIMS["sub"], LOCAL_CLAIMS["username"], PrincipalKind.PERSON)
        appoint_administrator(caller, users=stores.users, now=datetime.now(UTC))

    def _start(self, triggers: list[Trigger], http_api: HttpApi) -> None:
        for trigger in triggers:
            if isinstance(trigger, QueueTrigger):
                self._start_queue(trigger)
            elif isinstance(trigger, ScheduleTrigger) and self._schedules:
                timer = ScheduleTimer(trigger, invoke=self._invoker, worked=self._wake_all)
                self._timers[trigger.function.name] = timer
                self._start_thread(timer.run, f"schedule-{trigger.function.name}")
        http_api.start([trigger for trigger in triggers if isinstance(trigger, RouteTrigger)])

    def _start_queue(self, trigger: QueueTrigger) -> None:
        wake = threading.Event()
        poller = QueuePoller(
            trigger,
            aws=self.aws,
            invoke=self._invoker,
            look=wake,
            worked=self._wake_all,
            retry_after=self._retry_after,
        )
        self._wakes.append(wake)
        self.pollers.append(poller)
        self._start_thread(poller.run, f"queue-{trigger.queue_name}")

    def _start_thread(self, run: Callable[[threading.Event], None], name: str) -> None:
        thread = threading.Thread(target=run, args=(self._stopped,), name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _wake_all(self) -> None:
        for wake in self._wakes:
            wake.set()

    def _stop_threads(self) -> None:
        self._stopped.set()
        for timer in self._timers.values():
            timer.soon()
        self._wake_all()
        deadline = time.monotonic() + _JOIN_SECONDS
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
            if thread.is_alive():
                log.warning("%s is still at work and is left behind", thread.name)
