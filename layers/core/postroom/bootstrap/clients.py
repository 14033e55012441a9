"""What lives as long as a function's process: clients of AWS, its settings, the clock, and what is made of them."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from typing import Any, ParamSpec, TypeVar

import boto3

from postroom.adapters import utc_now
from postroom.adapters.aws import config
from postroom.bootstrap.stores import Stores, ready
from postroom.environment import Environment, read_environment

__all__ = ["client", "forget", "kept", "settings", "stores", "utc_now"]

_Given = ParamSpec("_Given")
_Made = TypeVar("_Made")
_kept: list[Callable[[], None]] = []


def kept(make: Callable[_Given, _Made]) -> Callable[_Given, _Made]:
    """Keep what a function makes as long as the process lives, or until `forget`."""
    cached = cache(make)
    _kept.append(cached.cache_clear)
    return cached  # type: ignore[return-value]  # what lru_cache gives takes the same arguments, and does not say so


def forget() -> None:
    """Drop everything made so far (tests and the local runner, when the environment changes)."""
    for clear in _kept:
        clear()


@kept
def client(service: str, *, connections: int = 10, attempts: int = 3, read_timeout: float = 10.0) -> Any:
    """Make a client of AWS; boto3 has no one type for all of them."""
    made = config(connections=connections, attempts=attempts, read_timeout=read_timeout)
    return ready(boto3.client(service, config=made), service)  # type: ignore[call-overload]  # of any kind


def settings(*names: str) -> Environment:
    """Read settings of this function; raises Invalid with every problem found."""
    return read_environment(os.environ, *names)


def stores(read: Environment, *, connections: int = 10) -> Stores:
    """Make the stores that these settings name, each at its first use."""
    return Stores(read.__getitem__, client, connections=connections)
