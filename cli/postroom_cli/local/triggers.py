"""What makes the functions of a stack run: its queues, schedules and HTTP routes, read from the template."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from postroom_cli.local.functions import Function
from postroom_cli.local.intrinsics import TemplateProblem
from postroom_cli.local.stack import Stack, function_arn


@dataclass(frozen=True, slots=True)
class QueueTrigger:
    """Messages of one queue, in batches, to one function."""

    function: Function
    queue_name: str
    batch_size: int = 10
    partial: bool = False  # ReportBatchItemFailures


@dataclass(frozen=True, slots=True)
class ScheduleTrigger:
    """One function every so often."""

    function: Function
    every: timedelta
    event: Any


@dataclass(frozen=True, slots=True)
class RouteTrigger:
    """One function for HTTP requests; method ANY and path `/{proxy+}` take everything."""

    function: Function
    method: str
    path: str


Trigger = QueueTrigger | ScheduleTrigger | RouteTrigger


def read_triggers(stack: Stack, functions: list[Function]) -> list[Trigger]:
    """Read every trigger; raises TemplateProblem for a kind that the local runner does not drive."""
    triggers = [trigger for function in functions for trigger in _of_function(function)]
    by_arn = {function_arn(stack.ref(function.name)): function for function in functions}
    for resource in stack.of_type("AWS::Lambda::EventSourceMapping"):
        properties = stack.resolve(dict(resource.properties))
        function = _find(by_arn, properties["FunctionName"], resource.name)
        triggers.append(_queue(function, {**properties, "Queue": properties["EventSourceArn"]}))
    for resource in stack.of_type("AWS::Scheduler::Schedule"):
        properties = stack.resolve(dict(resource.properties))
        target = properties["Target"]
        triggers.append(
            _schedule(_find(by_arn, target["Arn"], resource.name), {**properties, "Input": target.get("Input")})
        )
    return [*triggers, *_routes(stack, by_arn)]


def _routes(stack: Stack, by_arn: Mapping[str, Function]) -> Iterator[RouteTrigger]:
    uris = {
        stack.ref(resource.name): stack.resolve(resource.properties["IntegrationUri"])
        for resource in stack.of_type("AWS::ApiGatewayV2::Integration")
    }
    for resource in stack.of_type("AWS::ApiGatewayV2::Route"):
        properties = stack.resolve(dict(resource.properties))
        integration = str(properties["Target"]).removeprefix("integrations/")
        method, _space, path = properties["RouteKey"].partition(" ")
        function = _find(by_arn, uris.get(integration, integration), resource.name)
        yield RouteTrigger(function, method if path else "ANY", path or properties["RouteKey"])


def _of_function(function: Function) -> Iterator[Trigger]:
    for name, event in function.events.items():
        kind = event["Type"]
        if kind not in _EVENTS:
            raise TemplateProblem(f"The event {name} of {function.name} is of type {kind}, which is not known here")
        yield _EVENTS[kind](function, event.get("Properties", {}))


def _find(by_arn: Mapping[str, Function], given: str, resource: str) -> Function:
    # A target may be named by ARN or name, with or without the alias that deployments shift.
    for arn, function in by_arn.items():
        if given in (arn, arn.rpartition(":")[2]) or given.startswith((f"{arn}:", f"{arn}-")):
            return function
    raise TemplateProblem(f"{resource} runs {given}, which is no function of this template")


def _queue(function: Function, properties: Mapping[str, Any]) -> QueueTrigger:
    return QueueTrigger(
        function=function,
        queue_name=str(properties["Queue"]).rpartition(":")[2],
        batch_size=int(properties.get("BatchSize", 10)),
        partial="ReportBatchItemFailures" in properties.get("FunctionResponseTypes", ()),
    )


_RATE = re.compile(r"rate\((\d+) (second|minute|hour|day)s?\)")


def _schedule(function: Function, properties: Mapping[str, Any]) -> ScheduleTrigger:
    expression = str(properties.get("ScheduleExpression") or properties.get("Schedule"))
    found = _RATE.fullmatch(expression.strip())
    if not found:
        raise TemplateProblem(f"{function.name} runs at {expression!r}; the local runner knows rate(…) only")
    count, unit = found.groups()
    given = properties.get("Input")
    return ScheduleTrigger(
        function=function,
        every=timedelta(**{f"{unit}s": int(count)}),
        event=json.loads(given) if isinstance(given, str) else (given or {}),
    )


def _route(function: Function, properties: Mapping[str, Any]) -> RouteTrigger:
    return RouteTrigger(
        function, str(properties.get("Method", "ANY")).upper(), str(properties.get("Path", "/{proxy+}"))
    )


_EVENTS: dict[str, Callable[[Function, Mapping[str, Any]], Trigger]] = {
    "SQS": _queue,
    "Schedule": _schedule,
    "ScheduleV2": _schedule,
    "HttpApi": _route,
}
