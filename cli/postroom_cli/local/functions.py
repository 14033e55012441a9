"""The functions of a stack: which code each runs, with which environment, and how it is called here."""

from __future__ import annotations

import importlib
import logging
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from types import ModuleType
from typing import Any

from postroom_cli.local.intrinsics import TemplateProblem
from postroom_cli.local.stack import Stack, function_arn
from postroom_cli.local.template import Resource

log = logging.getLogger("postroom.local")

Handler = Callable[[Any, "LambdaContext"], Any]


@dataclass(slots=True)
class LambdaContext:
    """What AWS Lambda hands a handler beside the event."""

    function_name: str
    memory_limit_in_mb: int
    deadline: float  # of time.monotonic()
    function_version: str = "$LATEST"
    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    identity: None = None
    client_context: None = None

    @property
    def invoked_function_arn(self) -> str:
        """Return the function's ARN."""
        return function_arn(self.function_name)

    @property
    def log_group_name(self) -> str:
        """Return the name of the log group it would have."""
        return f"/aws/lambda/{self.function_name}"

    @property
    def log_stream_name(self) -> str:
        """Return the name of the log stream it would have."""
        return "local"

    def get_remaining_time_in_millis(self) -> int:
        """Return what is left until the template's Timeout, never below 0."""
        return max(0, int((self.deadline - time.monotonic()) * 1000))


@dataclass(frozen=True, slots=True)
class Function:
    """One function of the template, ready to be called."""

    name: str  # the name in the template
    module: str  # functions.fetch_mailboxes.app
    attribute: str  # handler
    timeout: float  # seconds
    memory: int  # megabytes
    environment: Mapping[str, str]
    events: Mapping[str, Mapping[str, Any]]  # SAM's `Events`, resolved

    @property
    def verb_noun(self) -> str:
        """Return its folder's name, which is what people call it: `fetch_mailboxes`."""
        return self.module.split(".")[1]


def read_functions(stack: Stack) -> list[Function]:
    """Read the functions that a stack declares; their environments refer to what has been made."""
    return [_read(stack, resource) for resource in stack.of_type("AWS::Serverless::Function")]


def _read(stack: Stack, resource: Resource) -> Function:
    properties = resource.properties
    wanted = stack.resolve(
        {
            key: properties[key]
            for key in ("CodeUri", "Handler", "Timeout", "MemorySize", "Environment", "Events")
            if key in properties
        }
    )
    file, _dot, attribute = str(wanted.get("Handler", "app.handler")).rpartition(".")
    folder = PurePosixPath(str(wanted.get("CodeUri", "")))
    if not folder.name or not file:
        raise TemplateProblem(f"The function {resource.name} needs a CodeUri and a Handler")
    return Function(
        name=resource.name,
        module=".".join(("functions", folder.name, file)),
        attribute=attribute,
        timeout=float(wanted.get("Timeout", 3)),
        memory=int(wanted.get("MemorySize", 128)),
        environment={key: str(value) for key, value in wanted.get("Environment", {}).get("Variables", {}).items()},
        events=wanted.get("Events", {}),
    )


def shared_environment(functions: list[Function]) -> dict[str, str]:
    """Return the variables of all functions together; raises TemplateProblem where two give one name two values.

    All functions run in one process here, so a variable can have one value only.
    """
    shared: dict[str, str] = {}
    for function in functions:
        for name, value in function.environment.items():
            if name in _NAMES_THE_FUNCTION:
                shared[name] = "postroom"
            elif shared.setdefault(name, value) != value:
                raise TemplateProblem(f"{name} has one value in {function.name} and another in a function before it")
    return shared


_NAMES_THE_FUNCTION = frozenset({"POWERTOOLS_SERVICE_NAME"})  # only says who wrote a log line


def import_handler(function: Function) -> Handler:
    """Import a function's handler; raises TemplateProblem when the code is not where the template says."""
    try:
        module: ModuleType = importlib.import_module(function.module)
        handler: Handler = getattr(module, function.attribute)
    except (ModuleNotFoundError, AttributeError) as error:
        raise TemplateProblem(f"The code of {function.name} cannot be loaded: {error}") from error
    return handler


class Invoker:
    """Calls handlers as Lambda would. One call of a module at a time: a batch processor holds one batch."""

    def __init__(self, load: Callable[[Function], Handler] = import_handler) -> None:
        self._load = load
        self._handlers: dict[str, Handler] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._guard = threading.Lock()

    def __call__(self, function: Function, event: Any) -> Any:
        """Call a function with an event and return its answer; whatever it raises passes through."""
        if function.name not in self._handlers:
            self.prepare(function)
        handler = self._handlers[function.name]
        with self._lock(function.module):
            context = LambdaContext(function.name, function.memory, time.monotonic() + function.timeout)
            started = time.monotonic()
            answer = handler(event, context)
            took = time.monotonic() - started
        if took > function.timeout:
            log.warning("%s took %.1f s; Lambda ends it after %.0f s", function.name, took, function.timeout)
        return answer

    def prepare(self, function: Function) -> None:
        """Load a function's code now, in this thread, before any other needs it."""
        self._handlers[function.name] = self._load(function)

    def _lock(self, module: str) -> threading.Lock:
        with self._guard:
            return self._locks.setdefault(module, threading.Lock())
